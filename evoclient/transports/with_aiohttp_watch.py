"""Ends the connection of a reply where something of it does not come in time."""

from __future__ import annotations

import asyncio
from time import monotonic
from typing import Any, Final, Protocol
from weakref import ref

from ..wire import Deadline

__all__ = ["Response", "Watch", "end"]

_NEVER: Final = float("inf")


class Response(Protocol):
    """What is used of `aiohttp.ClientResponse`, for a reply of its kind or another."""

    @property
    def connection(self) -> Any:
        """The connection until the body ends, then None."""
        ...

    def close(self) -> None:
        """End the connection; a reader that waits on it wakes."""
        ...


class Watch:
    """Watches the waits for one reply.

    One timer of the loop serves them all: when it fires it looks at the deadline of the wait
    under way, which is far cheaper than a timeout around each wait.

    Attributes:
        response: The reply.
        deadline: When the wait under way must be over; None where there is no wait or no limit.
        fires_at: When the timer will look.
        expired: Whether a wait took too long, so that the connection was ended.
    """

    __slots__ = ("__weakref__", "_timer", "deadline", "expired", "fires_at", "response")

    def __init__(self, response: Response) -> None:
        """Watch nothing yet."""
        self.response = response
        self.deadline: Deadline | None = None
        self.fires_at = _NEVER
        self.expired = False
        self._timer: asyncio.TimerHandle | None = None

    def begin(self, deadline: Deadline | None) -> None:
        """Watch a wait; setting `deadline` to None ends it."""
        self.deadline = deadline
        if deadline is not None and deadline.when < self.fires_at:
            self._start(deadline)

    def _start(self, deadline: Deadline) -> None:
        """Let the timer fire at a deadline."""
        self.stop()
        loop = asyncio.get_running_loop()
        self.fires_at = deadline.when
        # Weak, so that a body that was dropped is not held until the timer fires.
        self._timer = loop.call_at(loop.time() + deadline.when - monotonic(), _look, ref(self))

    def stop(self) -> None:
        """Let the timer not fire."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
            self.fires_at = _NEVER

    def look(self) -> None:
        """End the connection if the wait under way is too long; else see to the next time."""
        self._timer = None
        self.fires_at = _NEVER
        if self.deadline is None:
            return
        if self.deadline.when > monotonic():
            self._start(self.deadline)
            return
        self.expired = True
        end(self.response)


def end(response: Response) -> None:
    """End the connection of a reply where it still has one; a reader that waits on it wakes."""
    connection = response.connection
    if connection is not None and connection.transport is not None:
        connection.transport.abort()
    response.close()


def _look(watch: ref[Watch]) -> None:
    """Serve a timer."""
    if (found := watch()) is not None:
        found.look()
