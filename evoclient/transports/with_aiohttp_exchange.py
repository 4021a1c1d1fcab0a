"""One request on a connection of aiohttp, and its reply, which is read here and not by aiohttp.

aiohttp's parser judges what has arrived as a whole: where rubbish follows good bytes in the same
packet, the good ones are lost. Here they are found as they come, by the same code that the
transport for threads uses.
"""

from __future__ import annotations

import asyncio
from typing import Any, Final

import aiohttp
from aiohttp.client_proto import ResponseHandler

from .base import MOST_HEAD_BYTES
from .framing import Framing, Malformed, framing_of
from .heads import HeadWatch
from .http_heads import Head, parsed_head

__all__ = ["Exchange", "Protocol"]

#: The most bytes that are kept for a reader before the server has to wait.
_MOST_HELD: Final = 128 * 1024


class Exchange:
    """A request on a connection, and its reply as far as it has come.

    Attributes:
        connection: The connection until the body ends or breaks, then None.
        head: The head, once it has come.
        failure: Why no more will come, where that is not the end of the body.
        is_spoilt: Whether the connection may serve no other request.
    """

    __slots__ = (
        "_framing",
        "_has_begun",
        "_heads",
        "_held",
        "_is_paused",
        "_method",
        "_pieces",
        "_protocol",
        "_waiter",
        "connection",
        "failure",
        "head",
        "is_spoilt",
    )

    def __init__(self, connection: Any, method: str) -> None:
        """Expect the reply to a request.

        Args:
            connection: aiohttp's, with a `Protocol`.
            method: The method of the request.
        """
        self.connection = connection
        self.head: Head | None = None
        self.failure: BaseException | None = None
        self.is_spoilt = False
        self._protocol: Protocol = connection.protocol
        self._method = method
        self._heads = HeadWatch()
        self._has_begun = False
        self._framing: Framing | None = None
        self._pieces: list[bytes] = []
        self._held = 0
        self._is_paused = False
        self._waiter: asyncio.Future[None] | None = None

    def take(self, block: bytes) -> None:
        """Take what has arrived."""
        framing = self._framing
        try:
            piece = self._begun(block) if framing is None else framing.feed(block)
        except Malformed as error:
            self.fail(error)
            return
        if piece:
            self._keep(piece)
        begins, framing = framing is None, self._framing
        if framing is None:
            return
        if framing.broken:
            self._break(framing)
            return
        if framing.done:
            self._finish(framing)
        if piece or begins or framing.done:
            self._wake()

    def _begun(self, block: bytes) -> bytes:
        """Look for the head, and return what of the body lies behind it."""
        self._has_begun = True
        rest = self._heads.feed(block)
        if not self._heads.done:
            return b""
        head = parsed_head(self._heads.head)
        self._framing = framing = framing_of(self._method, head.status, head.headers)
        self.head = head
        return framing.feed(rest) if rest else b""

    def _break(self, framing: Framing) -> None:
        """Fail behind what has come: nothing good follows."""
        try:
            framing.end()
        except Malformed as error:
            self.fail(error)

    def _keep(self, piece: bytes) -> None:
        """Keep a piece of the body for the reader, and let the server wait for a slow one."""
        self._pieces.append(piece)
        self._held += len(piece)
        if self._held > _MOST_HELD and not self._is_paused:
            self._is_paused = True
            transport = self._protocol.transport
            if transport is not None and not transport.is_closing():
                transport.pause_reading()

    def taken(self) -> bytes:
        """Return what of the body has come since the last time, without waiting."""
        pieces = self._pieces
        if not pieces:
            return b""
        block = pieces[0] if len(pieces) == 1 else b"".join(pieces)
        pieces.clear()
        self._held = 0
        if self._is_paused and self.connection is not None:
            self._go_on()
        return block

    def _go_on(self) -> None:
        """Let the server send more."""
        self._is_paused = False
        transport = self._protocol.transport
        if transport is not None and not transport.is_closing():
            transport.resume_reading()

    async def wait(self) -> None:
        """Wait until there is more: the head, a piece of the body, its end, or a failure."""
        if self._waiter is not None:
            raise RuntimeError("Another task waits for the same reply.")
        self._waiter = asyncio.get_running_loop().create_future()
        try:
            await self._waiter
        finally:
            self._waiter = None

    def _wake(self) -> None:
        """Wake who waits."""
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def _finish(self, framing: Framing) -> None:
        """Give the connection back, unless it is spoilt or the request is still on its way."""
        if self._is_paused:
            self._go_on()
        connection = self._let_go()
        transport = connection.transport
        is_spoilt = self.is_spoilt or framing.excess or self.head is None or not self.head.keeps
        if is_spoilt or transport is None or transport.get_write_buffer_size():
            connection.close()
        else:
            connection.release()

    def fail(self, error: BaseException) -> None:
        """End the connection where there still is one; who waits for more wakes."""
        if self.connection is None:
            return
        self.failure = error
        connection = self._let_go()
        if connection.transport is not None:
            connection.transport.abort()
        connection.close()
        self._wake()

    def close(self) -> None:
        """End the connection where there still is one; who waits for more wakes."""
        self.fail(aiohttp.ClientConnectionError("Connection closed"))

    def lost(self, error: Exception | None) -> None:
        """Take note that the connection has ended, and why unless the server has closed it."""
        framing = self._framing
        if framing is None:
            self.fail(self._without_head(error))
        elif error is not None:
            self.fail(error)
        else:
            try:
                framing.end()
            except Malformed as cut:
                self.fail(cut)
            else:
                self._finish(framing)
                self._wake()

    def _without_head(self, error: Exception | None) -> Exception:
        """Return what to raise where a connection has ended before the head."""
        failure: Exception
        if self._has_begun:
            failure = ConnectionResetError("cut in the head")
        elif isinstance(error, OSError):
            failure = aiohttp.ClientOSError(*error.args)
        else:
            failure = aiohttp.ServerDisconnectedError()
        failure.__cause__ = error
        return failure

    def _let_go(self) -> Any:
        """Take the connection from here."""
        connection, self.connection = self.connection, None
        self._protocol.exchange = None
        return connection


class Protocol(ResponseHandler):
    """aiohttp's protocol; what arrives in an exchange of ours goes there.

    Attributes:
        has_served: Whether it has been given back after a reply.
        exchange: The exchange under way, if it is one of ours.
    """

    has_served = False
    exchange: Exchange | None = None
    _serves_aiohttp = False
    _early = b""

    def begin(self, exchange: Exchange) -> None:
        """Hand what arrives to an exchange from now on, and what has come unasked."""
        self._serves_aiohttp = False
        self.exchange = exchange
        early, self._early = self._early, b""
        if early:
            exchange.is_spoilt = True  # an answer to the request may follow
            exchange.take(early)

    def set_response_params(self, *args: Any, **options: Any) -> None:
        """Hand what arrives to aiohttp from now on: it asks for this before a request of its."""
        self._serves_aiohttp = True
        super().set_response_params(*args, **options)
        early, self._early = self._early, b""
        if early:
            super().data_received(early)

    def data_received(self, data: bytes) -> None:
        """Hand on what has arrived."""
        if self.exchange is not None:
            self.exchange.take(data)
        elif self._serves_aiohttp:
            super().data_received(data)
        else:
            self._keep_early(data)

    def _keep_early(self, data: bytes) -> None:
        """Keep what a server says before it is asked; after a reply that spoils a connection."""
        self._early += data
        if self.transport is not None and (self.has_served or len(self._early) > MOST_HEAD_BYTES):
            self.transport.abort()

    def connection_lost(self, exc: BaseException | None) -> None:
        """Tell it to who waits."""
        super().connection_lost(exc)
        if self.exchange is not None:
            self.exchange.lost(exc if isinstance(exc, Exception) else None)

    def resume_reading(self, *args: Any, **options: Any) -> None:
        """Do nothing where nothing was paused: a body asks for this after each of its chunks."""
        if getattr(self, "_reading_paused", True):  # aiohttp's own flag, if it still has it
            super().resume_reading(*args, **options)

    def set_exception(self, exc: BaseException, *cause: BaseException) -> None:
        """Tell it to who waits for the body, too: aiohttp tells who waits for the head alone."""
        super().set_exception(exc, *cause)
        body: aiohttp.StreamReader | None = getattr(self, "_payload", None)
        if body is not None and not body.is_eof() and body.exception() is None:
            body.set_exception(exc, *cause)
