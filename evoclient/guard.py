"""Locks held for microseconds, and work that one does and many wait for.

The one file below the fronts that knows threads. A lock here is never held across a step.
"""

from __future__ import annotations

import os
import weakref
from collections.abc import Callable
from concurrent.futures import Future, InvalidStateError
from contextlib import suppress
from threading import RLock
from typing import Generic, TypeVar

__all__ = ["Abandoned", "Flight", "Future", "Guard", "SingleFlight", "wake"]

_T = TypeVar("_T")


class Guard:
    """A lock for a few instructions. In a forked child it is a fresh one.

    A thread that held the old one does not exist in the child, and would never let it go. The
    thread that holds it may take it again: a stream that is garbage gives its slot back wherever
    the collector happens to run, in here too.

    Attributes:
        forks: How many forks lie between the process that made it and this one.
    """

    def __init__(self) -> None:
        """Make the lock."""
        self._lock = RLock()
        self.forks = 0
        _guards.add(self)

    def renew(self) -> None:
        """Forget who held the lock: this is another process."""
        self._lock = RLock()
        self.forks += 1

    def __enter__(self) -> None:
        """Take the lock."""
        self._lock.acquire()

    def __exit__(self, *failure: object) -> None:
        """Let it go."""
        self._lock.release()


_guards: weakref.WeakSet[Guard] = weakref.WeakSet()


def _renew_all() -> None:
    for guard in list(_guards):
        guard.renew()


if hasattr(os, "register_at_fork"):  # not on Windows, where there is no fork
    os.register_at_fork(after_in_child=_renew_all)


class Abandoned(Exception):
    """The work ended without a result because whoever did it went away: begin it anew.

    Attributes:
        reason: What ended it, where the one who began it cannot begin it anew; else None.
    """

    def __init__(self, reason: Exception | None = None) -> None:
        """Keep the reason."""
        super().__init__()
        self.reason = reason


class Flight(Generic[_T]):
    """One piece of work under way.

    Attributes:
        future: Its result, for threads and, through `asyncio.wrap_future`, for tasks.
    """

    def __init__(self) -> None:
        """Begin; who does the work says later how it can be seen to be alive."""
        self.future: Future[_T] = Future()
        self._process = os.getpid()
        self._is_alive: Callable[[], bool] = _always

    def carried_by(self, is_alive: Callable[[], bool]) -> None:
        """Learn how to see whether the thread or the event loop that does the work still runs."""
        self._is_alive = is_alive

    @property
    def is_lost(self) -> bool:
        """Whether nobody is left who could finish the work."""
        if self.future.done():
            return False
        is_gone = os.getpid() != self._process or not self._is_alive()
        # Between the two looks it may have landed, and its thread ended.
        return is_gone and not self.future.done()

    def land(self, result: _T) -> None:
        """Give the result to all who wait, unless they have something already."""
        with suppress(InvalidStateError):
            self.future.set_result(result)

    def fail(self, error: BaseException) -> None:
        """Give an error to all who wait, unless they have something already."""
        with suppress(InvalidStateError):
            self.future.set_exception(error)


def wake(turn: Future[None]) -> None:
    """Say that it is worth looking again. Not to be called under a guard: it takes a lock too."""
    with suppress(InvalidStateError):
        turn.set_result(None)


def _always() -> bool:
    return True


class SingleFlight(Generic[_T]):
    """Sees to it that one piece of work is under way at a time."""

    def __init__(self) -> None:
        """Begin with nothing under way."""
        self._guard = Guard()
        self._flight: Flight[_T] | None = None

    def join(self) -> tuple[Flight[_T], bool]:
        """Return the flight under way, or a new one.

        A flight that is lost counts as none: its work is begun anew.

        Returns:
            The flight, and whether the caller is the one to do the work.
        """
        with self._guard:
            flight = self._flight
            if flight is not None and not flight.future.done() and not flight.is_lost:
                return flight, False
            self._flight = flight = Flight()
            return flight, True
