"""A transport on plain sockets, as another distribution would offer it.

It stands on what evoclient has for transports: `connected`, `HeadWatch`, `framing_of` and the
errors of `failures`. Proxies it knows none.
"""

from __future__ import annotations

import select
import socket
import threading
from contextlib import suppress
from email.parser import BytesParser
from email.policy import HTTP
from time import monotonic
from urllib.parse import urlsplit

from evoclient.transports.addresses import connected
from evoclient.transports.base import closed
from evoclient.transports.environment import Cert, Verify, check_tls, tls_context
from evoclient.transports.failures import cut, has_passed, no_reply
from evoclient.transports.framing import Framing, Malformed, framing_of
from evoclient.transports.heads import HeadWatch
from evoclient.wire import Deadline, Deadlines, Headers, Reply, Request, check_header

__all__ = ["PlainTransport"]

Place = tuple[str, str, int]


class Line:
    """One connection."""

    def __init__(self, sock: socket.socket, place: Place) -> None:
        self.sock = sock
        self.place = place
        self.reused = False
        self.received = 0

    def limit(self, deadline: Deadline | None) -> None:
        """Let the next wait end in time."""
        left = None if deadline is None else deadline.when - monotonic()
        if left is not None and left <= 0:
            raise TimeoutError("the deadline has passed")
        self.sock.settimeout(left)

    def receive(self, deadline: Deadline | None) -> bytes:
        """Wait for bytes."""
        self.limit(deadline)
        block = self.sock.recv(65536)
        self.received += len(block)
        return block


class PlainTransport:
    """Sends requests over sockets, for threads."""

    def __init__(self, *, verify: Verify = True, cert: Cert = None) -> None:
        check_tls(verify, cert)
        self._tls = verify, cert
        self._idle: list[Line] = []
        self._closed = False

    def send(self, request: Request, deadlines: Deadlines) -> Reply:
        """Send a request and return its reply."""
        for name, value in request.headers.pairs:
            check_header(name, value, "headers")
        while not self._closed:
            line = self._taken(_place(request.url))
            # No error is raised where a local variable holds a header.
            outcome, line, deadline = self._exchanged(line, request, deadlines)
            if isinstance(outcome, Reply):
                return outcome
            dead = line is not None and line.reused and not line.received
            if line is not None:
                line.sock.close()
            if not dead or has_passed(deadline, monotonic()):
                raise no_reply(outcome, request.url, deadline, monotonic())
            self._drop_idle()  # where one is dead, the others may be
        raise closed()

    def _exchanged(
        self, line: Line | None, request: Request, deadlines: Deadlines
    ) -> tuple[Reply | Exception, Line | None, Deadline | None]:
        deadline = deadlines.connecting()
        try:
            if line is None:
                line = self._opened(_place(request.url), deadline)
            deadline = deadlines.answering()
            line.limit(deadline)
            line.sock.sendall(_head(request) + (request.body or b""))
            watch, early = HeadWatch(), b""
            while not watch.done:
                block = line.receive(deadline)
                if not block:
                    raise ConnectionResetError("the connection ended before the answer")
                early = watch.feed(block)
            status, headers = _parsed(watch.head)
            framing = framing_of(request.method, status, headers)
            body = PlainBody(self, line, framing, early, request.url)
            body.keeps = headers.get("connection", "").lower() != "close"
        except (OSError, Malformed) as exc:
            return exc, line, deadline
        return Reply(status, headers, body), line, deadline

    def _opened(self, place: Place, deadline: Deadline | None) -> Line:
        scheme, host, port = place
        line = Line(connected(host, port, deadline, ()), place)
        if scheme == "https":
            line.limit(deadline)
            line.sock = tls_context(*self._tls).wrap_socket(line.sock, server_hostname=host)
        return line

    def _taken(self, place: Place) -> Line | None:
        for line in list(self._idle):
            if line.place == place:
                with suppress(ValueError):  # another thread was faster
                    self._idle.remove(line)
                    if not select.select([line.sock], [], [], 0)[0]:
                        line.reused, line.received = True, 0
                        return line
                    line.sock.close()
        return None

    def give_back(self, line: Line) -> None:
        """Keep a connection for the next request."""
        self._idle.append(line)
        if self._closed:
            self._drop_idle()

    def _drop_idle(self) -> None:
        while self._idle:
            self._idle.pop().sock.close()

    def close(self) -> None:
        """Close idle connections and refuse further requests."""
        self._closed = True
        self._drop_idle()


class PlainBody:
    """The body of a reply."""

    keeps = True

    def __init__(
        self, owner: PlainTransport, line: Line, framing: Framing, early: bytes, url: str
    ) -> None:
        self._owner, self._line, self._framing, self._url = owner, line, framing, url
        self._early: bytes | None = early or None
        self._lock = threading.Lock()
        self._reading = self._over = False
        if framing.done:
            framing.excess = bool(early)
            self._finish()

    def read(self, deadline: Deadline | None) -> bytes:
        """Return what has arrived, waiting for at least a byte."""
        if not self._begin():
            return b""
        failure: Exception | None = None
        piece = b""
        try:
            piece = self._next(deadline)
        except (OSError, Malformed) as exc:
            failure = exc
        if self._end():  # closed meanwhile
            self._line.sock.close()
            return b""
        if failure is not None:
            self.close()
            raise cut(failure, self._url, deadline, monotonic())
        if self._framing.done:
            self._finish()
        return piece

    def _begin(self) -> bool:
        with self._lock:
            self._reading = not self._over
            return self._reading

    def _end(self) -> bool:
        with self._lock:
            self._reading = False
            return self._over

    def _next(self, deadline: Deadline | None) -> bytes:
        while not self._framing.done:
            block, self._early = self._early or self._line.receive(deadline), None
            if not block:
                self._framing.end()
            elif piece := self._framing.feed(block):
                return piece
        return b""

    def _finish(self) -> None:
        self._over = True
        if self.keeps and not self._framing.excess:
            self._owner.give_back(self._line)
        else:
            self._line.sock.close()

    def close(self) -> None:
        """Close the connection, and free a reader."""
        with self._lock:
            if self._over:
                return
            self._over = True
            with suppress(OSError):
                socket.socket.shutdown(self._line.sock, socket.SHUT_RDWR)
            if not self._reading:
                self._line.sock.close()

    def __del__(self) -> None:
        self.close()


def _place(url: str) -> Place:
    parts = urlsplit(url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    return parts.scheme, parts.hostname or "", port


def _head(request: Request) -> bytes:
    parts = urlsplit(request.url)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    fields = [("Host", parts.netloc), *request.headers.pairs]
    if request.body is not None or request.method == "POST":
        fields.append(("Content-Length", str(len(request.body or b""))))
    lines = [f"{request.method} {target} HTTP/1.1", *(f"{name}: {it}" for name, it in fields)]
    return "\r\n".join([*lines, "", ""]).encode("ascii")


def _parsed(head: bytes) -> tuple[int, Headers]:
    first, _, rest = head.partition(b"\n")
    version, _, status = first.partition(b" ")
    fields = BytesParser(policy=HTTP).parsebytes(rest + b"\n\n", headersonly=True)
    if not version.startswith(b"HTTP/1.") or not status[:3].isdigit() or fields.defects:
        raise Malformed("its head is not one of HTTP")
    return int(status[:3]), Headers((name, str(value)) for name, value in fields.items())
