"""Measures by hand: ``python -m tests.benchmarks``, with ``--help`` for what it can be told."""

from __future__ import annotations

import argparse
import signal
import sys
from pathlib import Path

from tests.benchmarks.environments import EnvironmentFailed, folder
from tests.benchmarks.racing import race
from tests.benchmarks.results import Results
from tests.benchmarks.tables import of_workload, summary
from tests.benchmarks.workloads import CONTENDERS, USUAL, WORKLOADS


def _told() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks", description=__doc__, allow_abbrev=False
    )
    parser.add_argument(
        "--workloads",
        nargs="+",
        choices=WORKLOADS,
        default=list(WORKLOADS),
        metavar="NAME",
        help=f"what is measured; all of: {', '.join(WORKLOADS)}",
    )
    parser.add_argument(
        "--contenders",
        nargs="+",
        choices=CONTENDERS,
        default=list(USUAL),
        metavar="NAME",
        help=f"who takes part; some of: {', '.join(CONTENDERS)}",
    )
    parser.add_argument("--rounds", type=int, default=5, help="how often; 5 unless said")
    parser.add_argument(
        "--json",
        type=Path,
        default=None,
        metavar="PATH",
        help="where the figures are written; else beside the environments",
    )
    return parser.parse_args()


def show(workload: str, results: Results) -> None:
    """Print what was found for a workload."""
    print(of_workload(results, workload), flush=True)


def main() -> int:
    """Measure, print tables and write JSON."""
    told = _told()
    # What ends this process ends its servers too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        results = race(told.workloads, told.contenders, told.rounds, show)
    except EnvironmentFailed as failed:
        print(failed, file=sys.stderr)
        return 1
    print(summary(results))
    path = told.json or folder() / "results.json"
    results.save(path)
    print(f"\nThe figures are in {path}.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
