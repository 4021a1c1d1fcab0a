"""The body of a reply: one that aiohttp reads, and one that is read past it."""

from __future__ import annotations

import asyncio
from time import monotonic

import aiohttp
from aiohttp.http import HttpProcessingError

from ..wire import Deadline
from .base import timed_out
from .failures import cut
from .with_aiohttp_exchange import Exchange
from .with_aiohttp_watch import Response, Watch, end

__all__ = ["AiohttpBody", "DirectBody"]

_FAILURES = (aiohttp.ClientError, HttpProcessingError, OSError, RuntimeError)


class AiohttpBody:
    """A body that is read from aiohttp (see `evoclient.wire.AsyncBody`)."""

    __slots__ = ("_closed", "_connection_end", "_content", "_failure", "_loop", "_url", "_watch")

    def __init__(self, response: aiohttp.ClientResponse, url: str, *, to_close: bool) -> None:
        """Read a response.

        Args:
            response: The response.
            url: The URL asked, for messages.
            to_close: Whether the body lasts as long as the connection.
        """
        self._watch = Watch(response)
        self._content = response.content
        self._url = url
        self._loop = asyncio.get_running_loop()
        self._closed = False
        self._failure: BaseException | None = None
        # aiohttp takes a reset for the end of a body that lasts as long as the connection.
        self._connection_end = _end_of_connection(response) if to_close else None

    async def read(self, deadline: Deadline | None) -> bytes:
        """Return what has arrived, waiting for at least a byte; ``b""`` at the end."""
        if self._closed:
            return b""
        watch = self._watch
        watch.begin(deadline)
        try:
            block = await self._content.readany()
        except _FAILURES as exc:
            self._failure = exc
        else:
            return block or self._at_end()
        finally:
            watch.deadline = None
        return self._after_failure(deadline)

    def _at_end(self) -> bytes:
        """Return the end, unless it is that of a connection that was reset."""
        self._watch.stop()
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
        content, expired = self._content, self._watch.expired
        failure = self._failure
        if content.exception() is not None and not expired:
            # The one way to get at what aiohttp has received and, after a cut, holds back.
            content.set_exception(None)  # type: ignore[arg-type]
            block = content.read_nowait()
            content.set_exception(failure or ConnectionResetError())
            if block:
                return block
        self.close()
        if expired and deadline is not None:
            raise timed_out(deadline, self._url)
        raise cut(failure or ConnectionResetError(), self._url, deadline, monotonic())

    def close(self) -> None:
        """Close the connection, unless the body was read to its end."""
        if self._closed:
            return
        self._closed = True
        self._watch.stop()
        end(self._watch.response)

    def __del__(self) -> None:
        """Close the connection of a body that was dropped: the loop would hold on to it."""
        if not self._closed:
            _end_from_anywhere(self._loop, self._watch.response)


class DirectBody:
    """A body that is read past aiohttp (see `evoclient.wire.AsyncBody`)."""

    __slots__ = ("_closed", "_exchange", "_loop", "_url", "_watch")

    def __init__(self, watch: Watch, exchange: Exchange, url: str) -> None:
        """Read the reply of an exchange.

        Args:
            watch: What watches it.
            exchange: The exchange.
            url: The URL asked, for messages.
        """
        self._watch = watch
        self._exchange = exchange
        self._url = url
        self._loop = asyncio.get_running_loop()
        self._closed = False

    async def read(self, deadline: Deadline | None) -> bytes:
        """Return what has arrived, waiting for at least a byte; ``b""`` at the end."""
        if self._closed:
            return b""
        exchange, watch = self._exchange, self._watch
        block = exchange.taken()
        if not block and exchange.connection is not None:
            watch.begin(deadline)
            try:
                await exchange.wait()
            finally:
                watch.deadline = None
            block = exchange.taken()
        return block or self._at_end(deadline)

    def _at_end(self, deadline: Deadline | None) -> bytes:
        """Return the end, or say that it is none."""
        self._watch.stop()
        failure = self._exchange.failure
        if failure is None or self._closed:
            return b""
        self._closed = True
        if self._watch.expired and deadline is not None:
            raise timed_out(deadline, self._url)
        raise cut(failure, self._url, deadline, monotonic())

    def close(self) -> None:
        """Close the connection, unless the body was read to its end."""
        if self._closed:
            return
        self._closed = True
        self._watch.stop()
        self._exchange.close()
        self._exchange.taken()  # a reader that wakes has no more pieces

    def __del__(self) -> None:
        """Close the connection of a body that was dropped: the loop would hold on to it."""
        if not self._closed:
            _end_from_anywhere(self._loop, self._exchange)


def _end_from_anywhere(loop: asyncio.AbstractEventLoop, response: Response) -> None:
    """End the connection of a dropped body; what drops it may be the collector, in any thread."""
    if response.connection is not None and not loop.is_closed():
        loop.call_soon_threadsafe(end, response)


def _end_of_connection(
    response: aiohttp.ClientResponse,
) -> asyncio.Future[None] | None:
    """Return what will tell how the connection ended, unless it has."""
    connection = response.connection
    if connection is None or connection.protocol is None:
        return None
    ended: asyncio.Future[None] | None = connection.protocol.closed
    if ended is not None:
        ended.add_done_callback(_heard)
    return ended


def _heard(ended: asyncio.Future[None]) -> None:
    """Take note of an exception, so that asyncio does not report it as unheard."""
    if not ended.cancelled():
        ended.exception()
