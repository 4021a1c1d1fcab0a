"""Fuzzes every target: ``tox -e fuzz``, or ``python -m tests.fuzz --help``."""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version
from pathlib import Path
from typing import Any

from .campaign import Campaign, Job
from .targets import TARGETS

HOUR = 3600.0


def _told() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tests.fuzz", description=__doc__, allow_abbrev=False
    )
    seconds = float(os.environ.get("EVOCLIENT_TEST_FUZZ_SECONDS", HOUR))
    parser.add_argument(
        "--seconds",
        type=float,
        default=seconds,
        help="how long, all targets together; else EVOCLIENT_TEST_FUZZ_SECONDS, else an hour",
    )
    parser.add_argument(
        "--targets",
        nargs="+",
        choices=TARGETS,
        default=list(TARGETS),
        metavar="NAME",
        help=f"what is fuzzed; all of: {', '.join(TARGETS)}",
    )
    parser.add_argument("--workers", type=int, default=2, help="processes at once; 2 unless said")
    parser.add_argument("--seed", type=int, default=1, help="of the dice; 1 unless said")
    named = os.environ.get("EVOCLIENT_TEST_FUZZ_FOLDER")
    parser.add_argument(
        "--folder",
        type=Path,
        default=Path(named) if named else Path(tempfile.gettempdir()) / "evoclient-fuzz",
        help="where inputs, logs and summary.json are kept; a further run goes on from there",
    )
    return parser.parse_args()


def _shown(name: str, found: dict[str, Any]) -> str:
    slowest = found["slowest"]
    return (
        f"{name:13} {found['executions']:>10} {found['coverage']:>7} {found['features']:>8} "
        f"{found['new_inputs']:>6} {slowest.get('seconds', 0):>9.4f} {slowest.get('bytes', 0):>6} "
        f"{found['pumps']:>7} {found['worst_growth'].get('growth', 0):>7}"
        + ("  " + "; ".join(found["findings"]) if found["findings"] else "")
    )


def main() -> int:
    """Fuzz, print a table, write JSON; 1 if anything was found."""
    told = _told()
    campaign = Campaign(told.folder, told.seed)
    weights = {name: TARGETS[name].weight for name in told.targets}
    one = told.seconds * told.workers / sum(weights.values())
    jobs = [Job(name, one * weight * 0.8, one * weight * 0.2) for name, weight in weights.items()]
    started = time.monotonic()
    print(
        f"{'target':13} {'executions':>10} {'covered':>7} {'features':>8} {'new':>6} "
        f"{'slowest s':>9} {'bytes':>6} {'pumps':>7} {'growth':>7}",
        flush=True,
    )
    results: dict[str, dict[str, Any]] = {}
    with ThreadPoolExecutor(told.workers) as pool:
        for name, found in zip(weights, pool.map(campaign.run, jobs), strict=True):
            results[name] = found
            print(_shown(name, found), flush=True)
    summary = {
        "seconds": round(time.monotonic() - started),
        "seed": told.seed,
        "workers": told.workers,
        "python": platform.python_version(),
        "atheris": version("atheris"),
        "revision": _revision(),
        "executions": sum(found["executions"] for found in results.values()),
        "pumps": sum(found["pumps"] for found in results.values()),
        "findings": sum(len(found["findings"]) for found in results.values()),
        "targets": results,
    }
    path = told.folder / "summary.json"
    path.write_text(json.dumps(summary, indent=1) + "\n", "utf-8")
    print(f"\n{summary['executions']} executions, {summary['findings']} findings.")
    print(f"The figures are in {path}, new inputs in {told.folder / 'found'}.")
    return 1 if summary["findings"] else 0


def _revision() -> str:
    """Return the commit that was fuzzed; empty outside of git."""
    asked = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False
    )
    return asked.stdout.strip()


if __name__ == "__main__":
    sys.exit(main())
