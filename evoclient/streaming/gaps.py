"""How long a reader waited between chunks: a distribution in bounded memory.

The first waits are kept as they are. From then on they are counted by size, on the scale that the
first sixteen bits of a floating-point number make: the exponent and four bits behind it, which is
sixteen steps for each doubling. To count so costs less than to take a logarithm.
"""

from __future__ import annotations

import sys
from array import array
from collections.abc import Sequence
from math import ceil, ldexp
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from .figures import GapFigures

__all__ = ["EXACT_WAITS", "NO_WAIT", "Gaps"]

#: So many waits are kept as they are; with more, percentiles are within 5 %.
EXACT_WAITS: Final = 100

#: The scale: sixteen steps for each doubling, from a nanosecond to more than two hours.
_BITS: Final = 4
_STEPS: Final = 1 << _BITS
_LOWEST: Final = -30
_HIGHEST: Final = 12
_BIAS: Final = 1023
_FIRST: Final = (_BIAS + _LOWEST) << _BITS
_SIZE: Final = (_HIGHEST - _LOWEST + 1) << _BITS

#: A wait of so many seconds or less is none.
NO_WAIT: Final = 2.0**_LOWEST

#: What is longer counts in the last step.
_LONGEST: Final = 1.99 * 2.0**_HIGHEST

#: Which of the four parts of sixteen bits is the first.
_TOP: Final = 3 if sys.byteorder == "little" else 0


class Gaps:
    """Waits, in seconds. Gaps without a wait are not told: they are counted by the owner.

    Attributes:
        waits: The waits, all longer than `NO_WAIT`, since the last `fold`. Their owner appends to
            them, as nothing costs less, and calls `fold` from time to time.
    """

    __slots__ = (
        "_counts",
        "_folded",
        "_longest",
        "_maximum",
        "_seen",
        "_stall_after",
        "_stalled",
        "_stalls",
        "waits",
    )

    def __init__(self, stall_after: float) -> None:
        """Begin without waits.

        Args:
            stall_after: A wait of more seconds is a stall.
        """
        self.waits: list[float] = []
        self._counts: array[int] | None = None
        self._folded = 0.0
        self._maximum = 0.0
        self._stall_after = stall_after
        self._stalls = 0
        self._stalled = 0.0
        self._longest = 0.0
        self._seen = 0

    @property
    def total(self) -> float:
        """The seconds of all waits."""
        return self._folded + sum(self.waits)

    @property
    def longest(self) -> float:
        """The longest wait since `look_on`; 0.0 where there was none."""
        return max(self._longest, max(self.waits[self._seen :], default=0.0))

    def look_on(self) -> None:
        """Let `longest` begin anew."""
        self._longest = 0.0
        self._seen = len(self.waits)

    def stalls(self) -> tuple[int, float]:
        """Return how many waits were stalls, and their seconds."""
        if max(self.waits, default=0.0) <= self._stall_after:
            return self._stalls, self._stalled
        stalls = [wait for wait in self.waits if wait > self._stall_after]
        return self._stalls + len(stalls), self._stalled + sum(stalls)

    def clear(self) -> None:
        """Forget the waits so far, which must be fewer than are kept as they are."""
        self.waits.clear()
        self.look_on()

    def fold(self) -> None:
        """Count the waits by size where there are more than are kept as they are."""
        waits = self.waits
        if len(waits) <= EXACT_WAITS:
            return
        # Once per wait of a long stream: what can be done without a look at each is.
        maximum = max(waits)
        self._longest = max(self._longest, maximum) if self._seen == 0 else self.longest
        self._seen = 0
        if maximum > self._stall_after:
            self._stalls, self._stalled = self.stalls()
        self._maximum = max(self._maximum, maximum)
        if self._counts is None:
            self._counts = array("I", bytes(array("I").itemsize * _SIZE))
        _count(waits, maximum, self._counts)
        self._folded += sum(waits)
        waits.clear()

    def figures(self, count: int) -> GapFigures:
        """Return the figures; nothing is changed, so any thread may ask.

        Args:
            count: How many gaps there were; those that were not added were 0.
        """
        from .figures import GapFigures  # loaded when a figure is asked for

        if count < 1:
            return GapFigures()
        waits = self.waits.copy()
        maximum = max(self._maximum, max(waits, default=0.0))
        p50, p95, p99 = self._percentiles(waits, count, maximum)
        return GapFigures(
            count=count,
            mean=(self._folded + sum(waits)) / count,
            p50=p50,
            p95=p95,
            p99=p99,
            maximum=maximum,
        )

    def _percentiles(
        self, waits: list[float], count: int, maximum: float
    ) -> tuple[float, float, float]:
        ranks = [ceil(count * percent / 100) for percent in (50, 95, 99)]
        if self._counts is None:
            ordered = sorted(waits)
            zeros = count - len(ordered)
            found = [ordered[rank - zeros - 1] if rank > zeros else 0.0 for rank in ranks]
        else:
            counts = self._counts[:]
            _count(waits, maximum, counts)
            found = [min(value, maximum) for value in _at_ranks(counts, ranks, count)]
        return found[0], found[1], found[2]


def _count(waits: list[float], maximum: float, counts: array[int]) -> None:
    """Count waits, the longest of which is told, by size."""
    if maximum > _LONGEST:
        waits = [min(wait, _LONGEST) for wait in waits]
    for top in array("H", array("d", waits).tobytes())[_TOP::4]:
        counts[top - _FIRST] += 1


def _at_ranks(counts: array[int], ranks: Sequence[int], total: int) -> list[float]:
    """Return the waits at rising ranks; those of a total that are not counted are 0."""
    found = []
    passed = total - sum(counts)
    step = -1
    for rank in ranks:
        while passed < rank:
            step += 1
            passed += counts[step]
        found.append(_middle(step) if step >= 0 else 0.0)
    return found


def _middle(step: int) -> float:
    """Return the wait in the middle of a step, which is at most 1/32 from any other in it."""
    octave, part = divmod(step, _STEPS)
    return ldexp(1 + (part + 0.5) / _STEPS, octave + _LOWEST)
