"""evoclient beside others, in one run, and the limits that must hold; ``tox -e bench`` runs it.

The tables are printed; the figures are written as JSON beside the environments.
"""

from __future__ import annotations

import pytest

from tests.benchmarks.environments import folder
from tests.benchmarks.limits import LIMITS, Limit
from tests.benchmarks.racing import race
from tests.benchmarks.results import Results
from tests.benchmarks.tables import of_workload, summary
from tests.benchmarks.workloads import USUAL, WORKLOADS

ROUNDS = 5


def show(workload: str, results: Results) -> None:
    """Print what was found for a workload."""
    print(of_workload(results, workload), flush=True)


@pytest.fixture(scope="module")
def results() -> Results:
    """All workloads, measured once."""
    found = race(WORKLOADS, USUAL, ROUNDS, show)
    found.save(folder() / "results.json")
    print(summary(found))
    return found


@pytest.mark.parametrize("limit", LIMITS, ids=str)
def test_limits(limit: Limit, results: Results) -> None:
    """What evoclient costs is within the limit."""
    found = limit.found(results)
    assert found is not None
    assert found <= limit.most
