"""How long the next block of a body may take."""

from __future__ import annotations

from collections.abc import Callable

from ..wire import Deadline, Limit, Timeouts

__all__ = ["Patience"]


class Patience:
    """Turns `Timeouts` into the deadline of each read.

    Only time spent waiting counts: a user who takes an hour between two chunks has not made the
    server slow. `first_chunk` runs from the start of the attempt until the first completed
    line, `idle` between completed lines, so that bytes that trickle in without completing a
    line do not count as life.

    Attributes:
        waiting_since: When the last read began.
    """

    def __init__(
        self,
        timeouts: Timeouts,
        *,
        clock: Callable[[], float],
        started: float,
        total: Deadline | None,
    ) -> None:
        """Start with the head of the reply at hand.

        Args:
            timeouts: The limits.
            clock: The monotonic clock.
            started: When the attempt began.
            total: When the whole call ends.
        """
        self._clock = clock
        self._total = total
        self._idle = timeouts.idle
        self._limit: Limit = "first_chunk"
        self._seconds = timeouts.first_chunk
        self._left = None if self._seconds is None else started + self._seconds - clock()
        self.waiting_since = started
        self._is_short = False

    def deadline(self) -> Deadline | None:
        """Return the deadline of a read that begins now."""
        now = self.waiting_since = self._clock()
        if self._left is None or self._seconds is None:
            return self._total
        when = now + self._left
        if self._total is not None and self._total.when < when:
            return self._total
        return Deadline(when, self._limit, self._seconds)

    def waited(self, *, line_completed: bool) -> None:
        """Learn that the read is over.

        Args:
            line_completed: Whether what arrived completed a line that counts.
        """
        if line_completed and not self._is_short:
            self._limit, self._left, self._seconds = "idle", self._idle, self._idle
        elif self._left is not None:
            self._left -= self._clock() - self.waiting_since

    def shorten(self, seconds: float) -> None:
        """Give everything that still comes only so many seconds of waiting, counted as `idle`."""
        self._is_short = True
        self.waiting_since = self._clock()
        if self._left is None or seconds < self._left:
            self._limit, self._left, self._seconds = "idle", seconds, seconds
