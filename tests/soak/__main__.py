"""Reads streams for an hour: ``tox -e soak``, or ``python -m tests.soak --help``."""

from __future__ import annotations

import argparse
import http.client
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import attrs

from .crowd import Plan
from .reading import COLOURS

HOUR = 3600.0
#: How long the crowds may take to come to their end.
PATIENCE = 180.0


def _told() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tests.soak", description=__doc__, allow_abbrev=False
    )
    parser.add_argument(
        "--seconds",
        type=float,
        default=float(os.environ.get("EVOCLIENT_TEST_SOAK_SECONDS", HOUR)),
        help="how long; else EVOCLIENT_TEST_SOAK_SECONDS, else an hour",
    )
    parser.add_argument("--streams", type=int, default=200, help="at once in each colour; 200")
    parser.add_argument("--faults", type=float, default=0.1, help="the share of faults; 0.1")
    parser.add_argument("--seed", type=int, default=1, help="of all dice; 1 unless said")
    parser.add_argument(
        "--json",
        type=Path,
        default=Path(tempfile.gettempdir()) / "evoclient-soak.json",
        help="where the figures are written",
    )
    return parser.parse_args()


def _crowds(port: int, told: argparse.Namespace) -> dict[str, dict[str, Any]]:
    """Run a crowd of each colour at once; return their accounts."""
    running = {}
    for place, colour in enumerate(COLOURS):
        plan = Plan(port, told.seconds, told.streams, told.seed + place, place * 10**9)
        command = [sys.executable, "-m", "tests.soak.reading", colour]
        running[colour] = subprocess.Popen(
            [*command, json.dumps(attrs.asdict(plan))],
            stdout=subprocess.PIPE,
            # A tenth of the answers fails, and each failure is a warning.
            stderr=subprocess.PIPE,
            text=True,
        )
    accounts: dict[str, dict[str, Any]] = {}
    for colour, process in running.items():
        try:
            said, complaints = process.communicate(timeout=told.seconds + PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            said, complaints = process.communicate()
        accounts[colour] = json.loads(said) if process.returncode == 0 else {}
        if process.returncode:
            accounts[colour]["wrong"] = [f"the crowd ended badly: {complaints[-3000:]}"]
    return accounts


def _played(port: int) -> dict[str, int]:
    """Return how often the server did what."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request("GET", "/")
    found: dict[str, int] = json.load(connection.getresponse())
    connection.close()
    return found


def wrongs(account: dict[str, Any]) -> list[str]:
    """Return what should not have happened."""
    return [*account.get("wrong", ()), *account.get("grown", ()), *account.get("left", ())]


def main() -> int:
    """Soak, print the account, write JSON; 1 if anything was wrong."""
    told = _told()
    command = [sys.executable, "-m", "tests.soak.server", str(told.seed), str(told.faults)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        try:
            port = int(server.stdout.readline())
            accounts = _crowds(port, told)
            played = _played(port)
        finally:
            server.terminate()
    summary = {
        "seconds": told.seconds,
        "streams_at_once": told.streams,
        "faults": told.faults,
        "seed": told.seed,
        "server": dict(sorted(played.items())),
        "colours": accounts,
    }
    told.json.write_text(json.dumps(summary, indent=1) + "\n", "utf-8")
    print(json.dumps(summary, indent=1))
    found = [f"{colour}: {what}" for colour in accounts for what in wrongs(accounts[colour])]
    print("\n".join(found) or "Everything is accounted for, and nothing grew.")
    print(f"The figures are in {told.json}.")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
