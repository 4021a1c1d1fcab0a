"""Searches one target with atheris: ``python -m tests.fuzz.search TARGET FOLDER [OPTION …]``.

The options are libFuzzer's. A file in the place of the folder of the corpus is tried once, which
is how a finding is looked at again. libFuzzer ends the process itself.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import time
from pathlib import Path
from typing import Any

#: Where the slowest input is written, and how slow it was; not written if this is not set.
SLOWEST = "EVOCLIENT_TEST_FUZZ_SLOWEST"


class Watch:
    """Runs a target and keeps its slowest input."""

    def __init__(self, run: Any, path: Path | None) -> None:
        """Begin with no input."""
        self._run = run
        self._path = path
        self._most = 0.0

    def __call__(self, data: bytes) -> None:
        """Try an input."""
        started = time.process_time()
        self._run(data)
        seconds = time.process_time() - started
        if seconds > self._most and self._path is not None:
            self._most = seconds
            self._path.write_bytes(data)
            facts = {"seconds": round(seconds, 6), "bytes": len(data)}
            self._path.with_suffix(".json").write_text(json.dumps(facts), "utf-8")


def main() -> None:
    """Search until libFuzzer ends it."""
    atheris = importlib.import_module("atheris")  # has no types
    with atheris.instrument_imports(include=["evoclient"]):
        from .targets import TARGETS
    name, *options = sys.argv[1:]
    where = os.environ.get(SLOWEST)
    atheris.Setup([sys.argv[0], *options], Watch(TARGETS[name].run, Path(where) if where else None))
    atheris.Fuzz()


if __name__ == "__main__":
    main()
