"""The short form of the benchmarks: ratios against a loop written by hand, with wide margins.

Both are measured by turns, and the median of the ratios is judged: a machine that is busy is busy
for both.
"""

from __future__ import annotations

import json
import subprocess
import sys
from statistics import median

import pytest

from tests.benchmarks.environments import REPOSITORY, environment_of
from tests.benchmarks.running import running

#: Twice the limits of the long form.
MOST = {"sync": 2 * 0.60, "async": 2 * 0.90}


@pytest.fixture(scope="module")
def ratios() -> dict[str, float]:
    """CPU per chunk of evoclient, divided by that of a loop by hand."""
    with running("server") as port:
        command = [sys.executable, "-m", "tests.benchmarks.pair", f"http://127.0.0.1:{port}/v1"]
        done = subprocess.run(
            command,
            env=environment_of(REPOSITORY),
            cwd=REPOSITORY,
            capture_output=True,
            text=True,
            check=True,
        )
    found: dict[str, dict[str, list[float]]] = json.loads(done.stdout)
    return {
        colour: median(
            ours / theirs for ours, theirs in zip(of["evoclient"], of["hand"], strict=True)
        )
        for colour, of in found.items()
    }


@pytest.mark.loopback
@pytest.mark.parametrize("colour", MOST)
def test_against_a_loop_by_hand(colour: str, ratios: dict[str, float]) -> None:
    """A streamed chunk costs at most twice what it may beside a loop written by hand."""
    assert ratios[colour] <= MOST[colour]
