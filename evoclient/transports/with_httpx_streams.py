"""Network streams for httpx that keep deadlines: every wait of theirs ends in time.

httpcore, on which httpx stands, waits for each read anew, so a server that trickles would never
run into a timeout. It hands what a request has for a timeout on to its network streams as it is:
ours is the `Exchange`, which knows before each wait how long that may take.
"""

from __future__ import annotations

import os
import socket
from contextlib import suppress
from time import monotonic
from typing import TYPE_CHECKING, Any, cast

import httpcore

# Not public, and the one that speaks TLS inside TLS; httpcore 1.0 is httpx's own pin.
from httpcore._backends.sync import SyncStream

from .addresses import connected
from .heads import HeadWatch

if TYPE_CHECKING:
    import ssl
    from collections.abc import Iterable

    from ..wire import Deadline, Deadlines
    from .framing import Framing

__all__ = ["AsyncBackend", "Backend", "Exchange", "Generation", "Wire"]


class Generation:
    """A number that all streams of a transport are born with; those of an earlier one are stale."""

    def __init__(self) -> None:
        """Begin with the first."""
        self.number = 0

    def end(self) -> None:
        """Let every stream there is be used by no further request."""
        self.number += 1


class Exchange:
    """One request on its way: its deadlines, and what is known of its connection."""

    def __init__(self, deadlines: Deadlines) -> None:
        """Begin with the connecting."""
        self.deadlines = deadlines
        self.deadline: Deadline | None = deadlines.connecting()
        self.wire: Wire | None = None
        self.reused = False
        self.is_abandoned = False

    def abandon(self) -> None:
        """End it where it waits for its head, and let it not begin. Any thread may call it."""
        self.is_abandoned = True
        if self.wire is not None:
            self.wire.shutdown()

    @property
    def met_a_dead_connection(self) -> bool:
        """Whether it went out on a kept-alive connection and not a byte came back."""
        return self.reused and self.wire is not None and not self.wire.received

    def left(self) -> float | None:
        """Return the seconds until the deadline, or None.

        Raises:
            TimeoutError: It has passed.
            ConnectionAbortedError: The transport was closed.
        """
        if self.is_abandoned:
            raise ConnectionAbortedError("the transport was closed")
        if self.deadline is None:
            return None
        left = self.deadline.when - monotonic()
        if left <= 0:
            raise TimeoutError("the deadline has passed")
        return left


def _exchange(timeout: float | None) -> Exchange:
    """Return what httpcore takes for a timeout."""
    return cast("Exchange", timeout)


class Wire:
    """What both colours note of a network stream."""

    def __init__(self, inner: Any, generation: Generation) -> None:
        """Stand before one of httpcore's streams."""
        self._inner = inner
        self._generation = generation
        self._born = generation.number
        self._process = os.getpid()
        self._requests = 0
        self._head = HeadWatch()
        self._early = b""
        self._framing: Framing | None = None
        self._body_bytes = 0
        #: How many bytes of the current answer have come.
        self.received = 0

    @property
    def stale(self) -> bool:
        """Whether no further request may use it."""
        excess = self._framing is not None and self._framing.excess
        return excess or self._born != self._generation.number

    def begins(self, exchange: Exchange, block: bytes) -> None:
        """Take note of a request, if this is its first block."""
        if exchange.wire is self:
            return
        exchange.wire = self
        self._head = HeadWatch()
        self._early = b""
        self._framing = None
        self._body_bytes = 0
        self.received = 0
        if not block.startswith(b"CONNECT "):  # a tunnel is part of the connecting
            exchange.deadline = exchange.deadlines.answering()
            exchange.reused = self._requests > 0
            self._requests += 1

    def arrived(self, block: bytes) -> bytes:
        """Take note of a block of an answer, and return it.

        Raises:
            Malformed: It is not HTTP, or too much of it.
        """
        self.received += len(block)
        body = self._head.feed(block)
        if self._framing is not None:
            self._body_bytes += len(self._framing.feed(body))
        else:
            self._early += body
        return block

    def is_all(self, count: int) -> bool:
        """Return whether the body has come to its end, and has that many bytes."""
        return self._framing is not None and self._framing.done and count == self._body_bytes

    def frame(self, framing: Framing) -> None:
        """Watch for bytes after the end of the body, which httpcore would take for an answer."""
        self._framing = framing
        if not framing.done:
            self._body_bytes += len(framing.feed(self._early))
        elif self._early:
            framing.excess = True
        self._early = b""

    def shutdown(self) -> None:
        """End the connection, also under a read that another thread or task is blocked in.

        A forked child shares the connection with its parent and only closes its own copy.
        """
        sock = self._inner.get_extra_info("socket")
        if self._process != os.getpid() or sock is None:
            return
        with suppress(OSError):
            if isinstance(sock, socket.socket):
                # Not the method of a TLS socket, which would take the session from the reader.
                socket.socket.shutdown(sock, socket.SHUT_RDWR)
            else:
                sock.shutdown(socket.SHUT_RDWR)

    def get_extra_info(self, info: str) -> Any:
        """Answer httpcore, which throws away what is readable while nobody waits for it."""
        if info == "is_readable" and self.stale:
            return True
        return self._inner.get_extra_info(info)


class _Stream(Wire, httpcore.NetworkStream):
    """A stream for threads."""

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Wait for bytes until the deadline."""
        return self.arrived(self._inner.read(max_bytes, _exchange(timeout).left()))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Send a part of a request before the deadline."""
        exchange = _exchange(timeout)
        self.begins(exchange, buffer)
        view = memoryview(buffer)
        for start in range(0, len(view), _BLOCK):  # each wait of the library is a new one
            self._inner.write(view[start : start + _BLOCK], exchange.left())

    def close(self) -> None:
        """Close it."""
        self._inner.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.NetworkStream:
        """Speak TLS from here on."""
        left = _exchange(timeout).left()
        return _Stream(self._inner.start_tls(ssl_context, server_hostname, left), self._generation)


class _AsyncStream(Wire, httpcore.AsyncNetworkStream):
    """A stream for asyncio."""

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Wait for bytes until the deadline."""
        return self.arrived(await self._inner.read(max_bytes, _exchange(timeout).left()))

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Send a part of a request before the deadline."""
        exchange = _exchange(timeout)
        self.begins(exchange, buffer)
        await self._inner.write(buffer, exchange.left())

    async def aclose(self) -> None:
        """Close it."""
        await self._inner.aclose()

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Speak TLS from here on."""
        left = _exchange(timeout).left()
        inner = await self._inner.start_tls(ssl_context, server_hostname, left)
        return _AsyncStream(inner, self._generation)


#: How much is sent between two looks at the clock.
_BLOCK = 256 * 1024


class Backend(httpcore.NetworkBackend):
    """Connects for threads."""

    def __init__(self, generation: Generation) -> None:
        """Connect nothing yet."""
        self._generation = generation

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        """Connect to one of the addresses of a host, which share the deadline."""
        options = [(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1), *(socket_options or ())]
        sock = connected(host, port, _exchange(timeout).deadline, options)
        return _Stream(SyncStream(sock), self._generation)


class AsyncBackend(httpcore.AsyncNetworkBackend):
    """Connects for asyncio."""

    def __init__(self, generation: Generation) -> None:
        """Connect nothing yet."""
        self._generation = generation
        self._inner = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Connect to one of the addresses of a host, which race each other."""
        left = _exchange(timeout).left()
        inner = await self._inner.connect_tcp(host, port, left, socket_options=socket_options)
        return _AsyncStream(inner, self._generation)
