"""The body of a reply that httpx reads, in both colours."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from time import monotonic
from typing import cast

import httpcore
import httpx

from ..wire import Deadline
from .failures import cut
from .framing import Malformed
from .with_httpx_streams import Exchange

__all__ = ["AsyncHttpxBody", "HttpxBody"]

_FAILURES = (httpx.HTTPError, httpx.StreamError, httpcore.ProtocolError, OSError, Malformed)


class _Body:
    """What both colours keep."""

    def __init__(self, response: httpx.Response, exchange: Exchange, url: str) -> None:
        """Read a response.

        Args:
            response: The response.
            exchange: What its network stream asks for deadlines.
            url: The URL asked, for messages.
        """
        self._response = response
        self._exchange = exchange
        self._url = url
        self._reading = False
        self._closed = False
        self._over = False  # the end has come, or the connection was let go of
        self._given = 0

    def _is_last(self, piece: bytes) -> bool:
        """Count a piece, and return whether nothing can follow it, so that none need be awaited."""
        self._given += len(piece)
        wire = self._exchange.wire
        return wire is not None and wire.is_all(self._given)

    @property
    def _is_spoiled(self) -> bool:
        """Whether the connection may not be used again although the body has ended."""
        wire = self._exchange.wire
        return wire is not None and wire.stale

    def _shutdown(self) -> None:
        """End the connection."""
        if (wire := self._exchange.wire) is not None:
            wire.shutdown()


class HttpxBody(_Body):
    """A body for threads (see `evoclient.wire.Body`)."""

    def __init__(self, response: httpx.Response, exchange: Exchange, url: str) -> None:
        """Read a response."""
        super().__init__(response, exchange, url)
        self._pieces: Iterator[bytes] = iter(cast("httpx.SyncByteStream", response.stream))
        # Guards what tells whether to read. It is held for microseconds, never across a read.
        self._lock = threading.Lock()

    def read(self, deadline: Deadline | None) -> bytes:
        """Return what has arrived, waiting for at least a byte; ``b""`` at the end."""
        if not self._begin():
            return b""
        self._exchange.deadline = deadline
        failure: Exception | None = None
        piece, over = b"", False
        try:
            piece = next(filter(None, self._pieces), b"")
            if piece and self._is_last(piece):
                over = not next(filter(None, self._pieces), b"")
        except _FAILURES as exc:
            failure = exc
        finally:
            if closed := self._end():
                self._drop()
        if closed:
            return b""
        if failure is not None:
            self._drop()
            raise cut(failure, self._url, deadline, monotonic())
        if over or not piece:
            self._give_back()
        return piece

    def _begin(self) -> bool:
        """Note that a read is under way, unless there is nothing to read any more."""
        with self._lock:
            self._reading = not (self._closed or self._over)
            return self._reading

    def _end(self) -> bool:
        """Note that it is over, and return whether the body was closed meanwhile."""
        with self._lock:
            self._reading = False
            return self._closed

    def close(self) -> None:
        """Close the connection, unless the body was read to its end."""
        with self._lock:
            if self._closed or self._over:
                return
            self._closed = True
            if self._reading:
                # Closing the socket under a blocked reader would not wake it; this does, and the
                # reader closes.
                self._shutdown()
                return
        self._drop()

    def __del__(self) -> None:
        """Close the connection of a body that was dropped: the pool would hold on to it."""
        self.close()

    def _give_back(self) -> None:
        """Give the connection back after the end of the body."""
        if self._is_spoiled:
            self._drop()
        else:
            self._over = True
            self._response.close()

    def _drop(self) -> None:
        """Close the connection."""
        self._over = True
        self._shutdown()
        self._response.close()


class AsyncHttpxBody(_Body):
    """A body for asyncio (see `evoclient.wire.AsyncBody`)."""

    def __init__(
        self,
        response: httpx.Response,
        exchange: Exchange,
        url: str,
        endings: set[asyncio.Task[None]],
    ) -> None:
        """Read a response.

        Args:
            response: The response.
            exchange: What its network stream asks for deadlines.
            url: The URL asked, for messages.
            endings: Where to hold the tasks that close connections.
        """
        super().__init__(response, exchange, url)
        self._pieces: AsyncIterator[bytes] = aiter(cast("httpx.AsyncByteStream", response.stream))
        self._loop = asyncio.get_running_loop()
        self._endings = endings
        self._failure: BaseException | None = None

    async def read(self, deadline: Deadline | None) -> bytes:
        """Return what has arrived, waiting for at least a byte; ``b""`` at the end."""
        if self._failure is not None:
            raise cut(self._failure, self._url, deadline, monotonic())
        if self._closed or self._over:
            return b""
        self._exchange.deadline = deadline
        failure: Exception | None = None
        last = b""
        self._reading = True
        try:
            async for piece in self._pieces:
                if not piece:
                    continue
                if not self._is_last(piece):
                    return piece
                last = piece  # what is left to do waits for nothing
        except _FAILURES as exc:
            failure = exc
        except BaseException as exc:
            # httpcore ends a connection whose reader is cancelled: that is no end of the body.
            self._failure = exc
            self._over = True
            self._shutdown()
            raise
        finally:
            self._reading = False
        self._over = True
        if failure is not None or self._is_spoiled or self._closed:
            self._shutdown()
        await self._response.aclose()
        if failure is not None and not self._closed:
            raise cut(failure, self._url, deadline, monotonic())
        return last

    def close(self) -> None:
        """Close the connection, unless the body was read to its end."""
        if self._closed or self._over:
            return
        self._closed = True
        self._shutdown()
        if not self._reading:
            _end(self._response, self._loop, self._endings)

    def __del__(self) -> None:
        """Close the connection of a body that was dropped: the pool would hold on to it."""
        if self._closed or self._over or self._loop.is_closed():
            return
        self._shutdown()
        # What drops it may be the collector, in any thread.
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(_end, self._response, self._loop, self._endings)


def _end(
    response: httpx.Response, loop: asyncio.AbstractEventLoop, endings: set[asyncio.Task[None]]
) -> None:
    """Let httpx take note of the end of a connection, which needs a task."""
    ending = loop.create_task(_ended(response))
    endings.add(ending)
    ending.add_done_callback(endings.discard)


async def _ended(response: httpx.Response) -> None:
    """Close a response whose connection has been shut down."""
    with suppress(*_FAILURES):
        await response.aclose()
