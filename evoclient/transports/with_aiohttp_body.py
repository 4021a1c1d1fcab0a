"""The body of a reply that aiohttp reads."""

from __future__ import annotations

import asyncio
from time import monotonic
from weakref import ref

import aiohttp
from aiohttp.http import HttpProcessingError

from ..wire import Deadline
from .base import timed_out
from .failures import cut

__all__ = ["AiohttpBody"]

_FAILURES = (aiohttp.ClientError, HttpProcessingError, OSError, RuntimeError)


class AiohttpBody:
    """A body that is read from aiohttp (see `evoclient.wire.AsyncBody`).

    One timer of the loop watches all reads: it looks at the deadline of the read under way when
    it fires, which is far cheaper than a timeout around each read.
    """

    def __init__(self, response: aiohttp.ClientResponse, url: str, *, to_close: bool) -> None:
        """Read a response.

        Args:
            response: The response.
            url: The URL asked, for messages.
            to_close: Whether the body lasts as long as the connection.
        """
        self._response = response
        self._content = response.content
        self._url = url
        self._loop = asyncio.get_running_loop()
        self._closed = False
        self._expired = False
        self._failure: BaseException | None = None
        self._deadline: Deadline | None = None  # of the read under way
        self._timer: asyncio.TimerHandle | None = None
        self._timer_at = 0.0
        # aiohttp takes a reset for the end of a body that lasts as long as the connection.
        self._connection_end = _end_of_connection(response) if to_close else None

    async def read(self, deadline: Deadline | None) -> bytes:
        """Return what has arrived, waiting for at least a byte; ``b""`` at the end."""
        content = self._content
        if self._closed:
            return b""
        if content.exception() is None:
            if data := content.read_nowait():
                return data
            if content.at_eof():
                return self._at_end()
            if deadline is not None and (self._timer is None or deadline.when < self._timer_at):
                self._start_timer(deadline)
            self._deadline = deadline
            try:
                return await content.readany() or self._at_end()
            except _FAILURES as exc:
                self._failure = exc
            finally:
                self._deadline = None
        return self._after_failure(deadline)

    def _at_end(self) -> bytes:
        """Return the end, unless it is that of a connection that was reset."""
        self._stop_timer()
        ended = self._connection_end
        if ended is not None and ended.done() and not ended.cancelled():
            failure = ended.exception()
            if failure is not None and not self._closed:
                self.close()
                raise cut(failure, self._url, None, monotonic())
        return b""

    def _after_failure(self, deadline: Deadline | None) -> bytes:
        """Return what had arrived before the connection broke, then say that it did."""
        if self._closed:
            return b""
        content = self._content
        failure = self._failure = self._failure or content.exception()
        if content.exception() is not None and not self._expired:
            # The one way to get at what aiohttp has received and, after a cut, holds back.
            content.set_exception(None)  # type: ignore[arg-type]
            if data := content.read_nowait():
                content.set_exception(failure or ConnectionResetError())
                return data
        self.close()
        if self._expired and deadline is not None:
            raise timed_out(deadline, self._url)
        raise cut(failure or ConnectionResetError(), self._url, deadline, monotonic())

    def close(self) -> None:
        """Close the connection, unless the body was read to its end."""
        if self._closed:
            return
        self._closed = True
        self._stop_timer()
        _end(self._response)

    def __del__(self) -> None:
        """Close the connection of a body that was dropped: the loop would hold on to it."""
        if self._closed or self._response.connection is None or self._loop.is_closed():
            return
        # What drops it may be the collector, in any thread.
        self._loop.call_soon_threadsafe(_end, self._response)

    def _start_timer(self, deadline: Deadline) -> None:
        """Let the timer fire at a deadline."""
        self._stop_timer()
        self._timer_at = deadline.when
        when = self._loop.time() + deadline.when - monotonic()
        # Weak, so that a body that was dropped is not held until the timer fires.
        self._timer = self._loop.call_at(when, _look, ref(self))

    def _stop_timer(self) -> None:
        """Let the timer not fire."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def look(self) -> None:
        """End the connection if the read under way is too late; else see to the next time."""
        self._timer = None
        if self._deadline is None:
            return
        if self._deadline.when > monotonic():
            self._start_timer(self._deadline)
            return
        self._expired = True
        _end(self._response)


def _end(response: aiohttp.ClientResponse) -> None:
    """End the connection of a reply where it still has one; a reader that waits on it wakes."""
    connection = response.connection
    if connection is not None and connection.transport is not None:
        connection.transport.abort()
    response.close()


def _end_of_connection(response: aiohttp.ClientResponse) -> asyncio.Future[None] | None:
    """Return what will tell how the connection ended, unless it has."""
    connection = response.connection
    if connection is None or connection.protocol is None:
        return None
    ended = connection.protocol.closed
    if ended is not None:
        ended.add_done_callback(_heard)
    return ended


def _heard(ended: asyncio.Future[None]) -> None:
    """Take note of an exception, so that asyncio does not report it as unheard."""
    if not ended.cancelled():
        ended.exception()


def _look(body: ref[AiohttpBody]) -> None:
    """Serve a timer."""
    if (found := body()) is not None:
        found.look()
