"""CPU of evoclient against the newest `openai` package, side by side in one run.

Contenders take turns, each in a process of its own; what is compared is the median over the
rounds. Run it with ``tox -e bench``.
"""

from __future__ import annotations

import subprocess
import sys
from statistics import median

import pytest

from tests.benchmarks.running import running_server

CHUNKS = 4000
ROUNDS = 5

#: What is measured, and the most it may cost as a part of what openai costs.
LIMITS = {"sync": 1 / 5, "async": 1 / 5, "import": 1 / 10}


def measured(contender: str, port: str) -> float:
    """Return the figure of one contender in one round."""
    command = [sys.executable, "-m", "tests.benchmarks.contender", contender, port, str(CHUNKS)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return float(done.stdout)


@pytest.mark.parametrize("what", LIMITS)
def test_against_openai(what: str) -> None:
    """Streaming costs less than a fifth of what openai's package costs, importing a tenth."""
    names = {
        package: f"import-{package}" if what == "import" else f"{package}-{what}"
        for package in ("evoclient", "openai")
    }
    figures: dict[str, list[float]] = {package: [] for package in names}
    with running_server(CHUNKS) as port:
        for _ in range(ROUNDS):
            for package, contender in names.items():
                figures[package].append(measured(contender, port))
    ratio = median(figures["evoclient"]) / median(figures["openai"])
    for package, values in figures.items():
        spread = f"({min(values):.1f} to {max(values):.1f})"
        print(f"{what:8}{package:10} {median(values):9.1f} µs {spread}")
    print(f"{what:8}evoclient / openai = {ratio:.3f}")
    assert ratio < LIMITS[what]
