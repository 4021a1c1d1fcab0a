"""The account of all streams, and samples of what the process uses."""

from __future__ import annotations

import itertools
import os
import threading
import time
from collections import Counter
from pathlib import Path
from statistics import median
from typing import Any, Final

import attrs

from evoclient.errors.tree import APIError, EvoClientError

from .texts import checksum, text_of

__all__ = ["Book", "Reading", "Samples"]

#: The most wrongs that are described; the rest is counted.
_MOST_TOLD: Final = 50


@attrs.define
class Reading:
    """One stream as its reader saw it.

    Attributes:
        number: Of the answer.
        text: What was handed out.
        ended_by_us: Why the reader or its client ended the stream, or "".
    """

    number: int
    text: str = ""
    ended_by_us: str = ""


class Book:
    """Counts what became of streams, and keeps what should not have happened."""

    def __init__(self, first: int) -> None:
        """Begin with no streams.

        Args:
            first: The number of the first answer; those of the colours lie apart.
        """
        self._lock = threading.Lock()
        self._numbers = itertools.count(first)
        self.begun = 0
        self.outcomes: Counter[str] = Counter()
        self.characters = 0
        self.wrong_ones = 0
        self.wrong: list[str] = []

    def begin(self) -> Reading:
        """Return the account of a new stream."""
        with self._lock:
            self.begun += 1
            return Reading(next(self._numbers))

    def ended(self, reading: Reading, outcome: str) -> None:
        """Take the end of a stream without an error; `outcome` is the stream's own word."""
        expected = text_of(reading.number)
        if outcome == "complete":
            is_right = checksum(reading.text) == checksum(expected)
            self._count(reading, "complete", "" if is_right else "complete, with another text")
        elif reading.ended_by_us and outcome in ("cancelled", "truncated"):
            self._begins_right(reading, reading.text, reading.ended_by_us)
        else:
            self._count(reading, outcome, f"ended without an error, and is {outcome}")

    def left(self, reading: Reading) -> None:
        """Take a stream that its reader has left."""
        self._begins_right(reading, reading.text, reading.ended_by_us)

    def failed(self, reading: Reading, error: BaseException) -> None:
        """Take a stream that ended with an error."""
        kind = type(error).__name__
        if not isinstance(error, EvoClientError):
            self._count(reading, kind, f"a foreign exception: {error!r}")
            return
        what = f"{reading.ended_by_us}, {kind}" if reading.ended_by_us else kind
        partial = error.partial_text if isinstance(error, APIError) else ""
        if not partial.startswith(reading.text):
            self._count(reading, what, f"the error lost text: {partial!r}, read: {reading.text!r}")
            return
        self._begins_right(reading, partial, what)

    def complain(self, error: Exception) -> None:
        """Take an exception of something else than a stream."""
        with self._lock:
            self.wrong_ones += 1
            self.wrong.append(f"a client could not be exchanged: {error!r}")

    def _begins_right(self, reading: Reading, text: str, what: str) -> None:
        is_right = text_of(reading.number).startswith(text)
        self._count(reading, what, "" if is_right else f"its text is no beginning: {text!r}")

    def _count(self, reading: Reading, what: str, wrong: str) -> None:
        with self._lock:
            self.outcomes[what] += 1
            self.characters += len(reading.text)
            if wrong:
                self.wrong_ones += 1
                if len(self.wrong) < _MOST_TOLD:
                    self.wrong.append(f"answer {reading.number}: {what}: {wrong}")

    def summary(self) -> dict[str, Any]:
        """Return the account."""
        accounted = sum(self.outcomes.values())
        wrong = list(self.wrong)
        if accounted != self.begun:
            wrong.append(f"{self.begun} streams were begun, and {accounted} accounted for")
        return {
            "streams": self.begun,
            "characters": self.characters,
            "outcomes": dict(self.outcomes.most_common()),
            "wrong_streams": self.wrong_ones,
            "wrong": wrong,
        }


class Samples:
    """What the process uses, once in a while, and whether it grows."""

    #: By name: how much more the last quarter may have than the second, as a part and absolutely.
    SLACK: Final = {"megabytes": (0.05, 8.0), "threads": (0.0, 4.0), "descriptors": (0.05, 25.0)}

    def __init__(self) -> None:
        """Begin with no samples."""
        self.taken: list[dict[str, float]] = []
        self._began = time.monotonic()

    def take(self) -> None:
        """Take a sample."""
        pages = int(Path("/proc/self/statm").read_text("ascii").split()[1])
        self.taken.append(
            {
                "seconds": round(time.monotonic() - self._began, 1),
                "megabytes": round(pages * os.sysconf("SC_PAGE_SIZE") / 2**20, 1),
                "threads": threading.active_count(),
                "descriptors": len(os.listdir("/proc/self/fd")),
            }
        )

    def summary(self) -> dict[str, Any]:
        """Return the medians of the second and the last quarter, and what has grown."""
        count = len(self.taken)
        second, last = self.taken[count // 4 : count // 2], self.taken[count * 3 // 4 :]
        found: dict[str, Any] = {"samples": count}
        grown = []
        for name, (part, absolute) in self.SLACK.items():
            before, after = (median(s[name] for s in some) for some in (second, last))
            found[name] = [before, after]
            if after > before * (1 + part) + absolute:
                grown.append(f"{name} grew from {before} to {after}")
        return {**found, "grown": grown}
