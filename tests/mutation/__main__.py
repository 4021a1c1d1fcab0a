"""Puts faults into the package: ``tox -e mutation``, or ``python -m tests.mutation --help``."""

from __future__ import annotations

import argparse
import difflib
import hashlib
import json
import os
import random
import sys
import tempfile
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from .changes import Mutant, mutants_of
from .running import Verdict, Workshop
from .tables import REPOSITORY, modules, tests_of

Record = dict[str, Any]

#: The share of the mutants that the tests must notice.
LEAST = 0.85


def _told() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tests.mutation", description=__doc__, allow_abbrev=False
    )
    parser.add_argument("--sample", type=int, default=400, help="how many; 400 unless said")
    parser.add_argument("--seed", type=int, default=1, help="of the sample; 1 unless said")
    parser.add_argument("--workers", type=int, default=2, help="processes at once; 2 unless said")
    parser.add_argument(
        "--modules", nargs="+", default=modules(), metavar="PATH", help="what is mutated"
    )
    named = os.environ.get("EVOCLIENT_TEST_MUTATION_FOLDER")
    parser.add_argument(
        "--folder",
        type=Path,
        default=Path(named) if named else Path(tempfile.gettempdir()) / "evoclient-mutation",
        help="where results are kept; a further run goes on from there",
    )
    return parser.parse_args()


def sample(paths: list[str], size: int, seed: int) -> list[Mutant]:
    """Return a sample of all mutants, the same for the same seed and source."""
    everything = [
        mutant for path in paths for mutant in mutants_of(path, (REPOSITORY / path).read_bytes())
    ]
    return random.Random(seed).sample(everything, min(size, len(everything)))


def mark_of(mutant: Mutant) -> str:
    """Return what changes with the mutant, its module, and its tests."""
    mark = hashlib.sha256(mutant.source)
    for test in tests_of(mutant.path):
        mark.update((REPOSITORY / test).read_bytes())
    return mark.hexdigest()[:16]


def difference(mutant: Mutant) -> str:
    """Return the fault as a diff."""
    before = (REPOSITORY / mutant.path).read_text("utf-8").splitlines()
    after = mutant.source.decode().splitlines()
    return "\n".join(
        difflib.unified_diff(before, after, mutant.path, mutant.path, n=1, lineterm="")
    )


class Results:
    """Results of mutants in a file of JSON lines, which grows by each."""

    def __init__(self, path: Path) -> None:
        """Read what an earlier run has left."""
        self._path = path
        self._lock = threading.Lock()
        lines = path.read_text("utf-8").splitlines() if path.exists() else []
        self._known: dict[str, Record] = {
            record["mark"]: record for record in map(json.loads, lines)
        }

    def of(self, mutant: Mutant) -> Record | None:
        """Return the result of a mutant, if it is known."""
        return self._known.get(mark_of(mutant))

    def add(self, mutant: Mutant, verdict: Verdict) -> None:
        """Take a result."""
        mark = mark_of(mutant)
        record: Record = {
            "mark": mark,
            "outcome": verdict.outcome,
            "by": verdict.by,
            "name": mutant.name,
            "path": mutant.path,
            "line": mutant.line,
            "kind": mutant.kind,
            "seconds": round(verdict.seconds, 1),
            "diff": difference(mutant),
        }
        with self._lock:
            self._known[mark] = record
            with self._path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(record) + "\n")
            print(f"{verdict.outcome:9} {verdict.seconds:6.1f} s  {mutant.name}", flush=True)


def work(mutants: list[Mutant], results: Results, workers: int) -> None:
    """Judge mutants that are not known yet, in several copies of the repository at once."""
    groups: dict[str, list[Mutant]] = {}
    for mutant in mutants:
        if results.of(mutant) is None:
            groups.setdefault(mutant.path, []).append(mutant)
    # By modules, so that the time of each module's tests is measured once; the largest first.
    waiting = sorted(groups.values(), key=len)
    with tempfile.TemporaryDirectory() as folder:

        def judge(number: int) -> None:
            workshop = Workshop(Path(folder) / f"copy-{number}")
            while waiting:
                for mutant in waiting.pop():
                    results.add(mutant, workshop.judge(mutant))

        with ThreadPoolExecutor(workers) as pool:
            list(pool.map(judge, range(workers)))


def report(records: list[Record]) -> dict[str, Any]:
    """Return the figures, by module too."""
    outcomes = Counter(record["outcome"] for record in records)
    by_module: dict[str, Counter[str]] = {}
    for record in records:
        by_module.setdefault(record["path"], Counter())[record["outcome"]] += 1
    noticed = outcomes["killed"] + outcomes["timed out"]
    return {
        "mutants": len(records),
        "noticed": round(noticed / len(records), 4) if records else 1.0,
        "outcomes": dict(outcomes),
        "modules": {path: dict(found) for path, found in sorted(by_module.items())},
        "survivors": [record for record in records if record["outcome"] == "survived"],
    }


def main() -> int:
    """Judge a sample, print the survivors, write JSON; 1 if too many survived."""
    told = _told()
    told.folder.mkdir(parents=True, exist_ok=True)
    results = Results(told.folder / "results.jsonl")
    mutants = sample(told.modules, told.sample, told.seed)
    work(mutants, results, told.workers)
    records = [record for mutant in mutants if (record := results.of(mutant)) is not None]
    summary = {"seed": told.seed, **report(records)}
    path = told.folder / "summary.json"
    path.write_text(json.dumps(summary, indent=1) + "\n", "utf-8")
    for record in summary["survivors"]:
        print(f"\nsurvived: {record['kind']}\n{record['diff']}")
    print(
        f"\n{summary['mutants']} mutants, {summary['noticed']:.1%} noticed: {summary['outcomes']}"
    )
    print(f"The figures are in {path}.")
    return 0 if summary["noticed"] >= LEAST else 1


if __name__ == "__main__":
    sys.exit(main())
