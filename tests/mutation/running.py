"""Runs the tests of a module against its mutants, each in a copy of the repository."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Final, Literal

import attrs

from .changes import Mutant
from .tables import REPOSITORY, tests_of

__all__ = ["TestsFailed", "Verdict", "Workshop"]

Outcome = Literal["killed", "survived", "timed out"]

#: What the tests need of the repository.
_COPIED: Final = ("evoclient", "tests", "docs", "pyproject.toml", "setup.cfg", "tox.ini")
#: A mutant may take so much longer than no mutant: times, and seconds more.
_FACTOR, _GRACE = 4.0, 20.0
#: The longest that the tests of a module may take without a mutant, in seconds.
_LONGEST: Final = 900.0
#: The exit codes of pytest where all tests passed, where one failed, and where one could not be
#: loaded. Any other is no verdict.
_PASSED: Final = 0
_NOTICED: Final = frozenset({1, 2})
_FIRST = re.compile(rb"^(?:FAILED|ERROR) (\S+)", re.MULTILINE)


class TestsFailed(RuntimeError):
    """The tests fail, or cannot be run, without any mutant."""

    __test__ = False  # its name looks like that of tests to pytest


@attrs.frozen
class Verdict:
    """What the tests make of a mutant.

    Attributes:
        outcome: Whether they noticed it.
        seconds: How long they took.
        by: The test that noticed it, or "".
    """

    outcome: Outcome
    seconds: float
    by: str = ""


@attrs.frozen
class _Ran:
    code: int | None  # None: it took too long
    seconds: float
    output: bytes


class Workshop:
    """A copy of the repository in which one mutant after another is put."""

    def __init__(self, folder: Path) -> None:
        """Copy the repository.

        Args:
            folder: Where to; it must not exist.
        """
        self._folder = folder
        self._changed = 0
        self._limits: dict[tuple[str, ...], float] = {}
        folder.mkdir(parents=True)
        for name in _COPIED:
            source = REPOSITORY / name
            if source.is_dir():
                leave_out = shutil.ignore_patterns("__pycache__", "_build")
                shutil.copytree(source, folder / name, ignore=leave_out)
            else:
                shutil.copy(source, folder)

    def judge(self, mutant: Mutant) -> Verdict:
        """Return what the tests make of a mutant.

        Raises:
            TestsFailed: They fail without it as well, or cannot be run.
        """
        tests = tests_of(mutant.path)
        limit = self._limit(tests)
        path = self._folder / mutant.path
        original = path.read_bytes()
        try:
            self._write(path, mutant.source)
            ran = self._run(tests, limit)
        finally:
            self._write(path, original)
        if ran.code is None:
            return Verdict("timed out", ran.seconds)
        if ran.code == _PASSED:
            return Verdict("survived", ran.seconds)
        if ran.code not in _NOTICED:
            raise _failed(mutant.name, ran)
        first = _FIRST.search(ran.output)
        return Verdict("killed", ran.seconds, first[1].decode() if first else "")

    def _limit(self, tests: tuple[str, ...]) -> float:
        """Return how long the tests may take, from a run without a mutant."""
        if tests not in self._limits:
            ran = self._run(tests, _LONGEST)
            if ran.code != _PASSED:
                # Some measure time, which another process may have taken.
                ran = self._run(tests, _LONGEST)
            if ran.code != _PASSED:
                raise _failed(f"{' '.join(tests)}, without a mutant", ran)
            self._limits[tests] = ran.seconds * _FACTOR + _GRACE
        return self._limits[tests]

    def _write(self, path: Path, source: bytes) -> None:
        path.write_bytes(source)
        # Compiled files are told apart by whole seconds and the size.
        self._changed += 1
        moment = time.time() + self._changed
        os.utime(path, (moment, moment))

    def _run(self, tests: tuple[str, ...], limit: float) -> _Ran:
        command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", *tests]
        environment = {
            **os.environ,
            "PYTHONPATH": str(self._folder),
            "CI": "true",  # the same examples for each mutant
        }
        environment.pop("PYTHONDEVMODE", None)  # twice as slow, and notices nothing more here
        started = time.monotonic()
        with subprocess.Popen(
            command,
            cwd=self._folder,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        ) as process:
            try:
                output, _ = process.communicate(timeout=limit)
                code: int | None = process.returncode
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                output, _ = process.communicate()
                code = None
        return _Ran(code, time.monotonic() - started, output)


def _failed(what: str, ran: _Ran) -> TestsFailed:
    shown = ran.output.decode("utf-8", "replace")[-2000:]
    return TestsFailed(f"{what}: the tests ended with {ran.code}.\n{shown}")
