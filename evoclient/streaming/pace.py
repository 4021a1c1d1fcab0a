"""How fast a stream is: over its whole, over its last chunks, and step by step for a drawing."""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from .figures import Rates

__all__ = ["Profile", "Window", "per_second"]

#: The most steps of a profile. It is even, because two steps become one.
MOST_STEPS: Final = 96

#: The first width of a step. A power of two: sums and products of it are exact.
FIRST_STEP: Final = 1 / 64


def per_second(amount: float | None, seconds: float) -> float | None:
    """Return an amount per second; None where there is no amount or no time."""
    return amount / seconds if amount is not None and seconds > 0 else None


class Window:
    """A sliding window: a few marks, each of which says how far the stream was at some time."""

    __slots__ = ("_marks", "_most")

    def __init__(self, marks: int) -> None:
        """Begin empty.

        Args:
            marks: How many marks there are; the window reaches back to the oldest.
        """
        self._most = marks
        # No deque: an empty one takes as much memory as all else that measures a stream.
        self._marks: list[tuple[float, int, int]] = []

    def mark(self, now: float, chunks: int, characters: int) -> None:
        """Set a mark: so many chunks and characters had come at this time."""
        if len(self._marks) == self._most:
            del self._marks[0]
        self._marks.append((now, chunks, characters))

    def rates(self, now: float, chunks: int, characters: int) -> Rates:
        """Return the rates since the oldest mark, now that so much has come."""
        from .figures import Rates  # loaded when a figure is asked for

        if not self._marks:
            return Rates()
        time, chunks_before, characters_before = self._marks[0]
        return Rates(
            characters_per_second=per_second(characters - characters_before, now - time),
            chunks_per_second=per_second(chunks - chunks_before, now - time),
        )


class Profile:
    """Characters and waits over time, in at most `MOST_STEPS` steps of one width.

    Where the steps are full, each two become one.

    Attributes:
        step: The width of a step in seconds.
        characters: How many characters had come by the end of each step.
        waits: The longest wait that ended in each step, in seconds.
        carried: The longest wait of the step that goes on, as far as the profile knows it.
    """

    __slots__ = ("carried", "characters", "step", "waits")

    def __init__(self) -> None:
        """Begin with no step closed."""
        self.step = FIRST_STEP
        self.characters = array("Q")
        self.waits = array("d")
        self.carried = 0.0

    @property
    def next_end(self) -> float:
        """The end of the step that goes on, in seconds since the beginning."""
        return (len(self.characters) + 1) * self.step

    def advance(self, seconds: float, characters: int, longest: float) -> None:
        """Close the step that goes on, and those behind it that are over.

        Args:
            seconds: How many seconds have passed since the beginning; `next_end` or more.
            characters: How many characters had come in the step that goes on, and before.
            longest: The longest wait that ended in it.
        """
        self._close(characters, longest)
        while seconds >= MOST_STEPS * self.step:
            self._widen()
        for _ in range(int(seconds / self.step) - len(self.characters)):
            self._close(characters, 0.0)

    def _close(self, characters: int, longest: float) -> None:
        self.characters.append(characters)
        self.waits.append(max(longest, self.carried))
        self.carried = 0.0

    def _widen(self) -> None:
        """Make one step of each two; half a step is open again."""
        if len(self.waits) % 2:
            self.carried = max(self.carried, self.waits.pop())
        self.characters = self.characters[1::2]
        self.waits = array("d", map(max, self.waits[::2], self.waits[1::2]))
        self.step *= 2
