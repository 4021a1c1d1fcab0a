"""Connections for requests that keep deadlines: every wait of theirs ends in time.

The libraries wait for each read anew, so a server that trickles would never run into a timeout.
Here a connection knows, through a variable of the calling thread, the exchange it serves, and
asks it before each wait how long that may take.

Requests and replies pass through `HTTPAdapter.send` and `HTTPConnectionPool.urlopen` as they are,
which mocks and tracers take hold of; below these, a head is written and read in one piece. Of
urllib3's private names these are used: `_new_conn`, `_tunnel` and what `set_tunnel` leaves.
"""

from __future__ import annotations

import os
import socket
import threading
from contextlib import suppress
from http.client import RemoteDisconnected
from time import monotonic
from typing import TYPE_CHECKING, Any, Final, cast
from urllib.parse import urlsplit

from urllib3.connection import HTTPConnection, HTTPSConnection

from ..wire import Deadline, Deadlines
from .addresses import connected
from .heads import HeadWatch
from .http_heads import Head, parsed_head, request_head

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Exchange", "Reader", "Timed", "TimedTLS", "current_exchange"]

#: The most bytes taken from a socket at once.
_BLOCK: Final = 64 * 1024
#: A body of up to so many bytes is sent together with its head.
_SMALL: Final = 64 * 1024
_OK: Final = 200

_thread = threading.local()


class Exchange:
    """One request on its way: its deadlines, and what is known of its connection."""

    def __init__(self, deadlines: Deadlines, *, fresh: bool = False) -> None:
        """Begin with the connecting.

        Args:
            deadlines: The moments that bound it.
            fresh: Whether to open a new connection although there are idle ones.
        """
        self.deadlines = deadlines
        self.deadline: Deadline | None = deadlines.connecting()
        self.fresh = fresh
        self.reused = False
        self.reader: Reader | None = None
        self.is_abandoned = False

    def abandon(self) -> None:
        """End it where it waits for its head, and let it not begin. Any thread may call it."""
        self.is_abandoned = True
        if self.reader is not None:
            self.reader.shutdown()

    def __enter__(self) -> Exchange:
        """Let the connections of this thread serve this exchange."""
        _thread.exchange = self
        return self

    def __exit__(self, *_: object) -> None:
        """Let them serve none."""
        _thread.exchange = None

    @property
    def met_a_dead_connection(self) -> bool:
        """Whether it went out on a kept-alive connection and not a byte came back."""
        return self.reused and (self.reader is None or not self.reader.has_received)


def current_exchange() -> Exchange:
    """Return the exchange of this thread."""
    return cast("Exchange", _thread.exchange)


def seconds_left(deadline: Deadline | None) -> float | None:
    """Return the time until a deadline as a timeout for a socket.

    Raises:
        TimeoutError: It has passed.
    """
    if deadline is None:
        return None
    left = deadline.when - monotonic()
    if left <= 0:
        raise TimeoutError("the deadline has passed")
    return left


class Reader:
    """Reads a socket, no longer than until a deadline, which may change between reads."""

    def __init__(self, sock: socket.socket, deadline: Deadline | None) -> None:
        """Read a socket, which its connection keeps open."""
        self._sock = sock
        self.deadline = deadline
        self._process = os.getpid()
        #: Whether a byte has come.
        self.has_received = False
        #: What came behind the head and has not been read yet.
        self.early = b""

    def read(self) -> bytes:
        """Wait for bytes until the deadline; ``b""`` at the end of the connection."""
        if self.early:
            block, self.early = self.early, b""
            return block
        self._sock.settimeout(seconds_left(self.deadline))
        return self._sock.recv(_BLOCK)

    def head(self) -> Head:
        """Read the head of the final answer: bounded, after a bounded number of interim ones.

        Raises:
            Malformed: It is too large, or not one.
        """
        watch = HeadWatch()
        while not watch.done:
            block = self.read()
            if not block:
                raise RemoteDisconnected("cut in the head")
            self.has_received = True
            self.early = watch.feed(block)
        return parsed_head(watch.head)

    def shutdown(self) -> None:
        """End the connection, also under a read that another thread is blocked in.

        A forked child shares the connection with its parent and only closes its own copy.
        """
        if self._process != os.getpid():
            return
        # TLS inside TLS wraps the socket in an object of its own.
        lowest: socket.socket = getattr(self._sock, "socket", self._sock)
        with suppress(OSError):
            # Not the method of a TLS socket, which would also take the session from the reader.
            socket.socket.shutdown(lowest, socket.SHUT_RDWR)


class Timed(HTTPConnection):
    """A connection whose every wait ends at the deadline of the exchange it serves."""

    # As http.client's own, which its type stubs leave out.
    _tunnel_host: str | None
    _tunnel_port: int
    _tunnel_headers: Mapping[str, str]

    def _new_conn(self) -> socket.socket:
        """Connect to one of the addresses of the host, or of the proxy."""
        exchange = current_exchange()
        exchange.fresh = True
        if exchange.is_abandoned:
            raise OSError("the transport was closed")
        sock = connected(self._dns_host, self.port, exchange.deadline, self.socket_options or ())
        sock.settimeout(seconds_left(exchange.deadline))
        return sock

    def _tunnel(self) -> None:
        """Ask the proxy for a tunnel, and leave the rest of the time to the handshake."""
        deadline = current_exchange().deadline
        host = f"[{self._tunnel_host}]" if ":" in str(self._tunnel_host) else self._tunnel_host
        place = f"{host}:{self._tunnel_port}"
        fields = {"Host": place, **self._tunnel_headers}  # newer Pythons name the host there too
        self.send(request_head("CONNECT", place, fields.items()))
        head = Reader(self.sock, deadline).head()
        if head.status != _OK:
            self.close()
            raise OSError(f"Tunnel connection failed: {head.status} {head.reason.strip()}")
        self.sock.settimeout(seconds_left(deadline))

    def request(
        self, method: str, url: str, body: Any = None, headers: Any = None, **_: Any
    ) -> None:
        """Send a request with the headers given and the host."""
        exchange = current_exchange()
        if self.sock is None:
            self.connect()
        exchange.reused = not exchange.fresh
        exchange.deadline = exchange.deadlines.answering()
        exchange.reader = Reader(self.sock, exchange.deadline)
        if exchange.is_abandoned:
            raise OSError("the transport was closed")
        fields = list(headers.items())
        if "host" not in headers:
            fields.insert(0, ("Host", self._place(url)))
        first = request_head(method, url, fields)
        if body and len(body) <= _SMALL:
            first, body = first + body, None
        self.send(first)
        if body:
            self.send(body)

    def send(self, data: Any) -> None:
        """Send a part of a request before the deadline."""
        self.sock.settimeout(seconds_left(current_exchange().deadline))
        self.sock.sendall(data)

    def getresponse(self) -> Any:
        """Return the head of the reply; the body is left to its reader."""
        reader = current_exchange().reader
        if reader is None:  # urllib3 has passed over a reset, which may come while connecting
            raise RemoteDisconnected("reset before the request")
        head = reader.head()
        head.connection = self
        return head

    def _place(self, target: str) -> str:
        """Return the host that is asked, with its port unless it is the usual one."""
        if not target.startswith("/"):  # through a proxy that forwards
            return urlsplit(target).netloc
        host, port = self.host, self.port
        if self._tunnel_host is not None:
            host, port = self._tunnel_host, self._tunnel_port
        host = f"[{host.strip('[]').partition('%')[0]}]" if ":" in host else host
        return host if port == self.default_port else f"{host}:{port}"


class TimedTLS(Timed, HTTPSConnection):
    """The same over TLS; the handshake is part of the connecting."""
