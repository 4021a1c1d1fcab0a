"""A server that sends exactly the bytes, pauses and cuts that a test wants."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from types import TracebackType
from typing import Self

__all__ = [
    "CHUNKED",
    "OK",
    "Peer",
    "Play",
    "RawServer",
    "chunk",
    "content_length",
    "deaf_port",
    "once",
    "replies",
    "sized",
]

Play = Callable[["Peer"], None]

OK = b"HTTP/1.1 200 OK\r\n"


def sized(body: bytes, status: bytes = b"200 OK", extra: bytes = b"") -> bytes:
    """Return a whole reply with a Content-Length."""
    return b"HTTP/1.1 %b\r\n%bContent-Length: %d\r\n\r\n%b" % (status, extra, len(body), body)


def chunk(content: bytes) -> bytes:
    """Return a chunk of a chunked body; the empty one ends it."""
    return b"%x\r\n%b\r\n" % (len(content), content)


CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"


class Peer:
    """The server's end of one connection."""

    def __init__(self, server: RawServer, sock: socket.socket) -> None:
        """Take a connection that has been accepted."""
        self.server = server
        self.sock = sock
        #: Set when the client has closed its end.
        self.closed = threading.Event()
        #: Set when this end is closed too.
        self.ended = threading.Event()

    def read_request(self) -> bytes:
        """Return the next request, head and body; empty when the client has closed."""
        data = b""
        while b"\r\n\r\n" not in data:
            block = self._receive()
            if not block:
                return b""
            data += block
        head, _, body = data.partition(b"\r\n\r\n")
        while len(body) < content_length(head):
            block = self._receive()
            if not block:
                return b""
            body += block
        request = head + b"\r\n\r\n" + body
        self.server.requests.append(request)
        return request

    def _receive(self) -> bytes:
        """Receive, taking a reset as the end."""
        try:
            return self.sock.recv(65536)
        except OSError:
            return b""

    def send(self, *blocks: bytes) -> None:
        """Send, unless the client has gone."""
        for block in blocks:
            try:
                self.sock.sendall(block)
            except OSError:
                return

    def until_closed(self, seconds: float = 10) -> None:
        """Wait until the client closes."""
        self.sock.settimeout(seconds)
        while self._receive():
            pass
        self.closed.set()

    def trickle(self, block: bytes, every: float) -> None:
        """Send byte by byte until the client goes or the server stops."""
        for at in range(len(block)):
            try:
                self.sock.sendall(block[at : at + 1])
            except OSError:
                break
            if self.server.stopping.wait(every):
                break

    def reset(self) -> None:
        """Close with RST instead of FIN."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()

    def half_close(self) -> None:
        """Send no more, and go on receiving."""
        self.sock.shutdown(socket.SHUT_WR)


def content_length(head: bytes) -> int:
    """Return the Content-Length of a request."""
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            value = line.partition(b":")[2].strip()
            return int(value) if value.isdigit() else 0
    return 0


def replies(*blocks: bytes) -> Play:
    """Answer each request of a connection with the same bytes, until the client closes."""

    def play(peer: Peer) -> None:
        while peer.read_request():
            peer.send(*blocks)
        peer.closed.set()

    return play


def once(*blocks: bytes) -> Play:
    """Answer one request, then close."""

    def play(peer: Peer) -> None:
        peer.read_request()
        peer.send(*blocks)

    return play


@contextmanager
def deaf_port() -> Iterator[int]:
    """Give a port where connections are neither accepted nor refused."""
    with ExitStack() as stack:
        listener = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        port: int = listener.getsockname()[1]
        for _ in range(4):  # fill what the system queues
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(("127.0.0.1", port))
        yield port


class RawServer:
    """Plays one function for each connection in turn; the last serves all further ones.

    Attributes:
        requests: What came, in order.
        peers: The connections, in order.
        stopping: Set when the test is over.
    """

    def __init__(
        self, *plays: Play, wrap: Callable[[socket.socket], socket.socket] | None = None
    ) -> None:
        """Listen.

        Args:
            plays: What to do with a connection.
            wrap: Makes a connection secure, or None.
        """
        self._plays = plays
        self._wrap = wrap
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=256)
        self.port: int = self._listener.getsockname()[1]
        self.requests: list[bytes] = []
        self.peers: list[Peer] = []
        self.stopping = threading.Event()
        self._threads: list[threading.Thread] = []

    @property
    def url(self) -> str:
        """The URL of something on it."""
        scheme = "https" if self._wrap else "http"
        return f"{scheme}://127.0.0.1:{self.port}/v1/chat/completions"

    def __enter__(self) -> Self:
        """Begin to accept."""
        self._start(self._accept)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        """End every connection."""
        self.stopping.set()
        # Closing alone does not wake the thread that accepts; nor does this, on some systems,
        # which refuse it. There a last connection does.
        try:
            self._listener.shutdown(socket.SHUT_RDWR)
        except OSError:
            with suppress(OSError):
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
        self._listener.close()
        for peer in self.peers:
            try:
                peer.sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue
        for thread in self._threads:
            thread.join(10)

    def _start(self, work: Callable[..., None], *arguments: object) -> None:
        thread = threading.Thread(target=work, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while True:
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            if self.stopping.is_set():
                sock.close()
                return
            play = self._plays[min(len(self.peers), len(self._plays) - 1)]
            peer = Peer(self, sock)
            self.peers.append(peer)
            self._start(self._play, peer, play)

    def _play(self, peer: Peer, play: Play) -> None:
        try:
            if self._wrap is not None:
                peer.sock = self._wrap(peer.sock)
            play(peer)
        except OSError:
            pass  # the client did what the test is about
        finally:
            peer.sock.close()
            peer.ended.set()
