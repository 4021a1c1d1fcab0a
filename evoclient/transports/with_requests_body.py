"""The body of a reply that came over one of our connections, or from a mock of requests."""

from __future__ import annotations

import threading
from time import monotonic
from typing import Any, Final

from urllib3.exceptions import HTTPError

from ..wire import Deadline
from .failures import cut
from .framing import Framing, Malformed
from .http_heads import Head
from .with_requests_sockets import Reader

__all__ = ["SocketBody", "StandInBody"]

#: The most bytes taken from a socket at once.
_BLOCK: Final = 64 * 1024


class SocketBody:
    """A body that is read from its connection (see `evoclient.wire.Body`)."""

    def __init__(self, head: Head, reader: Reader, framing: Framing, url: str) -> None:
        """Read a body.

        Args:
            head: The head that came before; it knows how to give the connection back.
            reader: What the body is read from.
            framing: Where the body ends.
            url: The URL asked, for messages.
        """
        self._head = head
        self._reader: Reader | None = reader
        self._next = reader.read
        self._framing = framing
        self._url = url
        # Guards the three below. It is held for microseconds, never across a read.
        self._lock = threading.Lock()
        self._reading = False
        self._closed = False
        if framing.done:
            self._give_back()

    def read(self, deadline: Deadline | None) -> bytes:
        """Return what has arrived, waiting for at least a byte; ``b""`` at the end."""
        if (reader := self._begin()) is None:
            return b""
        failure: Exception | None = None
        reader.deadline = deadline
        try:
            block = self._pull()
        except (HTTPError, OSError, ValueError, Malformed) as exc:
            failure, block = exc, b""
        finally:
            if closed := self._end():
                self._drop()
        if failure is None or closed:
            return block
        self._drop()
        raise cut(failure, self._url, deadline, monotonic())

    def _pull(self) -> bytes:
        """Read until there is a piece of the body, or its end."""
        framing = self._framing
        while not framing.broken and (block := self._next()):
            piece = framing.feed(block)
            if framing.done:
                self._give_back()
                return piece
            if piece:
                return piece
        framing.end()
        self._give_back()
        return b""

    def _begin(self) -> Reader | None:
        """Note that a read is under way, unless there is nothing to read any more."""
        with self._lock:
            if self._closed or self._reader is None:
                return None
            self._reading = True
            return self._reader

    def _end(self) -> bool:
        """Note that it is over, and return whether the body was closed meanwhile."""
        with self._lock:
            self._reading = False
            return self._closed

    def close(self) -> None:
        """Close the connection, unless the body was read to its end."""
        with self._lock:
            if self._closed or self._reader is None:
                return
            self._closed = True
            if self._reading:
                # Closing the file under a blocked reader would wait for it: the reader is
                # woken instead, and closes.
                self._reader.shutdown()
                return
        self._drop()

    def _give_back(self) -> None:
        """Give the connection back after the end of the body."""
        reader = self._reader
        if self._framing.excess or not self._head.keeps or (reader is not None and reader.early):
            self._drop()
        elif self._let_go() is not None:
            self._head.release_conn()

    def _drop(self) -> None:
        """Close the connection."""
        if (reader := self._let_go()) is not None:
            # A forked child may hold a copy of the socket, so closing ours alone ends nothing.
            reader.shutdown()
            self._head.close()

    def __del__(self) -> None:
        """Close the connection of a body that was forgotten."""
        self.close()

    def _let_go(self) -> Reader | None:
        """Take the connection from the body, once."""
        with self._lock:
            reader, self._reader = self._reader, None
        return reader


class StandInBody:
    """A body that a mock of requests made; it has no connection and no time passes in it."""

    def __init__(self, raw: Any, url: str) -> None:
        """Read urllib3's response."""
        self._raw = raw
        self._url = url
        self._closed = False

    def read(self, deadline: Deadline | None) -> bytes:
        """Return a part of the body."""
        if self._closed:
            return b""
        try:
            data: bytes = self._raw.read(_BLOCK, decode_content=False)
        except (HTTPError, OSError) as exc:
            failure = cut(exc, self._url, deadline, monotonic())
        else:
            return data
        raise failure

    def close(self) -> None:
        """Close it."""
        self._closed = True
        self._raw.close()
