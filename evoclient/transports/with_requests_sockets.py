"""Connections for requests that keep deadlines: every wait of theirs ends in time.

The libraries wait for each read anew, so a server that trickles would never run into a timeout.
Here a connection knows, through a variable of the calling thread, the exchange it serves, and
asks it before each wait how long that may take.
"""

from __future__ import annotations

import http.client
import io
import os
import socket
import threading
from contextlib import suppress
from time import monotonic
from typing import TYPE_CHECKING, Any, Final, cast

from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.util import SKIP_HEADER

from ..wire import Deadline, Deadlines
from .addresses import connected
from .base import MOST_HEAD_BYTES, MOST_INTERIM_ANSWERS
from .framing import Malformed

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Exchange", "Head", "Reader", "Timed", "TimedTLS", "current_exchange"]

#: Enough for a head; the body is read in larger blocks.
_BUFFER: Final = 16 * 1024
_SWITCHING_PROTOCOLS: Final = 101

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
        self.head: Head | None = None

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
        return self.reused and (self.head is None or not self.head.reader.received)


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


class Reader(io.RawIOBase):
    """Reads a socket, no longer than until a deadline, which may change between reads."""

    def __init__(self, sock: socket.socket, file: io.RawIOBase, deadline: Deadline | None) -> None:
        """Read a socket through its unbuffered file, which keeps it open."""
        self._sock = sock
        self._file = file
        self.deadline = deadline
        self._process = os.getpid()
        #: How many bytes have come.
        self.received = 0

    def readable(self) -> bool:
        """Return True."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Wait for bytes until the deadline."""
        self._sock.settimeout(seconds_left(self.deadline))
        count = self._file.readinto(buffer) or 0
        self.received += count
        return count

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

    def close(self) -> None:
        """Close the file, and with its last file the socket."""
        if not self.closed:
            self._file.close()
        super().close()


class _Bounded:
    """Lines of a head, up to a number of bytes."""

    def __init__(self, file: io.BufferedReader[Reader]) -> None:
        self._file = file
        self._left = MOST_HEAD_BYTES

    def readline(self, size: int = -1) -> bytes:
        line = self._file.readline(size)
        self._left -= len(line)
        if self._left < 0:
            raise _Refused(f"its head has more than {MOST_HEAD_BYTES} bytes")
        if not line.endswith(b"\n") and self._left < MOST_HEAD_BYTES:
            # http.client would take the end of the connection for that of the head.
            raise http.client.RemoteDisconnected("cut in the head")
        return line

    def flush(self) -> None:
        self._file.flush()

    def close(self) -> None:
        self._file.close()


class _Refused(Malformed, http.client.HTTPException):
    """A head that is not accepted; urllib3 knows it as an error of HTTP."""


class Head(http.client.HTTPResponse):
    """The head of a reply: bounded in size, after a bounded number of interim answers.

    Attributes:
        file: The buffered file that the body is read from.
        reader: What that file reads from.
    """

    fp: Any  # http.client's own file, which its type stubs leave out

    def __init__(self, sock: socket.socket, *args: Any, **options: Any) -> None:
        """Take the socket's file, and read it until the deadline of this thread's exchange."""
        super().__init__(sock, *args, **options)
        exchange = current_exchange()
        raw: io.RawIOBase = self.fp.detach()
        self.reader = Reader(sock, raw, exchange.deadline)
        self.file = io.BufferedReader(self.reader, _BUFFER)
        self.fp = _Bounded(self.file)
        self._interim_answers = 0
        exchange.head = self

    def begin(self) -> None:
        """Read the head."""
        super().begin()
        if self.msg.get_payload():
            raise _Refused("a line of its head is not a header")
        self.fp = self.file

    def _read_status(self) -> tuple[str, int, str]:
        """Give out every interim answer as 100, the only one that http.client passes over."""
        version, status, reason = super()._read_status()  # type: ignore[misc]
        if not 100 <= status < 200:
            return version, status, reason
        if status == _SWITCHING_PROTOCOLS:
            raise _Refused("it switches to a protocol that nobody asked for (101)")
        self._interim_answers += 1
        if self._interim_answers > MOST_INTERIM_ANSWERS:
            raise _Refused(f"more than {MOST_INTERIM_ANSWERS} interim answers (1xx)")
        return version, http.HTTPStatus.CONTINUE, reason


class Timed(HTTPConnection):
    """A connection whose every wait ends at the deadline of the exchange it serves."""

    response_class = Head

    def _new_conn(self) -> socket.socket:
        """Connect to one of the addresses of the host, or of the proxy."""
        exchange = current_exchange()
        exchange.fresh = True
        sock = connected(self._dns_host, self.port, exchange.deadline, self.socket_options or ())
        sock.settimeout(seconds_left(exchange.deadline))
        return sock

    def _tunnel(self) -> None:
        """Ask the proxy for a tunnel, and leave the rest of the time to the handshake."""
        super()._tunnel()
        self.sock.settimeout(seconds_left(current_exchange().deadline))

    def request(
        self, method: str, url: str, body: Any = None, headers: Any = None, **options: Any
    ) -> None:
        """Send a request with the headers given and no others."""
        exchange = current_exchange()
        if self.sock is None:
            self.connect()
        exchange.reused = not exchange.fresh
        exchange.head = None  # the one there may be is the proxy's
        exchange.deadline = exchange.deadlines.answering()
        super().request(method, url, body, _without_defaults(headers), **options)

    def send(self, data: Any) -> None:
        """Send a part of a request before the deadline."""
        self.sock.settimeout(seconds_left(current_exchange().deadline))
        super().send(data)


def _without_defaults(headers: Mapping[str, str]) -> Any:
    """Return headers, and for those that urllib3 would add of itself the word not to."""
    named = {name.lower() for name in headers}
    wanted = cast("Any", headers).copy()
    for name in ("User-Agent", "Accept-Encoding"):
        if name.lower() not in named:
            wanted[name] = SKIP_HEADER
    return wanted


class TimedTLS(Timed, HTTPSConnection):
    """The same over TLS; the handshake is part of the connecting."""
