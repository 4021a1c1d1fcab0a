"""The transport that asks nobody: it plays a script (see `scripts`)."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from time import monotonic
from typing import TYPE_CHECKING, ClassVar

from ..wire import Deadline, Deadlines, Reply, Request
from .base import closed, timed_out
from .environment import Cert, Verify
from .scripts import MemoryReply, Script, ScriptLike

if TYPE_CHECKING:
    import asyncio

__all__ = ["AsyncMemoryTransport", "MemoryReply", "MemoryTransport", "Script"]


class _Memory:
    """What both colours keep.

    Attributes:
        requests: Every request, in order.
        open_bodies: How many bodies were handed out and neither closed nor read to their end.
        closes: How often the transport was closed.
        needs_server: False: a client with this transport needs no base URL.
    """

    needs_server: ClassVar[bool] = False

    def __init__(
        self,
        script: Script | ScriptLike | None = None,
        *,
        verify: Verify = True,
        cert: Cert = None,
    ) -> None:
        """Take a script.

        Args:
            script: Replies in order, a function that chooses one, or a `Script` that several
                transports share. None or empty: every chat gets a friendly answer.
            verify: Taken so that all transports are made alike; it means nothing here.
            cert: As `verify`.

        Raises:
            ConfigurationError: `script` is neither of these.
        """
        self._script = script if isinstance(script, Script) else Script(script)
        self._lock = threading.Lock()
        self.requests: list[Request] = []
        self.open_bodies = 0
        self.closes = 0

    def _accepted(self, request: Request) -> MemoryReply:
        """Record a request and return its reply."""
        if self.closes:
            raise closed()
        self.requests.append(request)
        return self._script.reply_to(request)

    def _count(self, difference: int) -> None:
        """Count bodies that open and close."""
        with self._lock:
            self.open_bodies += difference


class _Playback:
    """How far a reply has been played. What passes time is left to its owner."""

    def __init__(self, memory: _Memory, reply: MemoryReply, url: str) -> None:
        self.url = url
        self._memory = memory
        self._open = True
        self._pieces = self._steps(reply)
        memory._count(+1)

    def _steps(self, reply: MemoryReply) -> Iterator[tuple[float, bytes]]:
        """Yield each piece with the pause before it."""
        for number, piece in enumerate(reply.pieces):
            if reply.error_after == number and (error := reply.failure()):
                raise error
            yield reply.pause(number), piece
        if reply.error_after is not None and (error := reply.failure()):
            raise error

    def step(self) -> tuple[float, bytes] | None:
        """Return the next pause and piece; None at the end."""
        if not self._open:
            return None
        try:
            found = next(self._pieces, None)
        except Exception:
            self.finish()
            raise
        if found is None:
            self.finish()
        return found

    def finish(self) -> None:
        """Count the body as closed, once."""
        if self._open:
            self._open = False
            self._memory._count(-1)


def _cut_short(pause: float, deadline: Deadline | None) -> tuple[float, Deadline | None]:
    """Return how long to wait, and the deadline that ends the pause before its time."""
    if deadline is not None and (left := deadline.when - monotonic()) < pause:
        return max(left, 0), deadline
    return pause, None


class MemoryTransport(_Memory):
    """Plays a script to threads (see `evoclient.transports.base.Transport`)."""

    def send(self, request: Request, deadlines: Deadlines) -> Reply:
        """Return the next reply of the script."""
        reply = self._accepted(request)
        seconds, passed = _cut_short(reply.pause_before, deadlines.answering())
        if seconds:
            threading.Event().wait(seconds)
        if passed is not None:
            raise timed_out(passed, request.url)
        if reply.error_after is None and (error := reply.failure()):
            raise error
        body = _MemoryBody(_Playback(self, reply, request.url))
        return Reply(reply.status, reply.headers, body)

    def close(self) -> None:
        """Refuse further requests."""
        self.closes += 1


class _MemoryBody:
    """The body of a reply of a script, for threads."""

    def __init__(self, playback: _Playback) -> None:
        self._playback = playback
        self._ended = threading.Event()

    def read(self, deadline: Deadline | None) -> bytes:
        """Return the next piece after its pause."""
        while (found := self._playback.step()) is not None:
            seconds, passed = _cut_short(found[0], deadline)
            if seconds and self._ended.wait(seconds):
                return b""
            if passed is not None:
                self.close()
                raise timed_out(passed, self._playback.url)
            if found[1]:
                return found[1]
        return b""

    def close(self) -> None:
        """End it; a reader that waits wakes."""
        self._ended.set()
        self._playback.finish()


class AsyncMemoryTransport(_Memory):
    """Plays a script to asyncio (see `evoclient.transports.base.AsyncTransport`)."""

    async def send(self, request: Request, deadlines: Deadlines) -> Reply:
        """Return the next reply of the script."""
        import asyncio  # here, so that the other colour does not load it

        reply = self._accepted(request)
        seconds, passed = _cut_short(reply.pause_before, deadlines.answering())
        await asyncio.sleep(seconds)
        if passed is not None:
            raise timed_out(passed, request.url)
        if reply.error_after is None and (error := reply.failure()):
            raise error
        body = _AsyncMemoryBody(_Playback(self, reply, request.url), asyncio.Event())
        return Reply(reply.status, reply.headers, body)

    async def aclose(self) -> None:
        """Refuse further requests."""
        self.closes += 1


class _AsyncMemoryBody:
    """The body of a reply of a script, for asyncio."""

    def __init__(self, playback: _Playback, ended: asyncio.Event) -> None:
        self._playback = playback
        self._ended = ended

    async def read(self, deadline: Deadline | None) -> bytes:
        """Return the next piece after its pause."""
        while (found := self._playback.step()) is not None:
            seconds, passed = _cut_short(found[0], deadline)
            if seconds and await self._ends_within(seconds):
                return b""
            if passed is not None:
                self.close()
                raise timed_out(passed, self._playback.url)
            if found[1]:
                return found[1]
        return b""

    async def _ends_within(self, seconds: float) -> bool:
        """Wait, and return whether the body was closed meanwhile."""
        import asyncio

        try:
            await asyncio.wait_for(self._ended.wait(), seconds)
        except TimeoutError:
            return False
        return True

    def close(self) -> None:
        """End it; a reader that waits wakes."""
        self._ended.set()
        self._playback.finish()
