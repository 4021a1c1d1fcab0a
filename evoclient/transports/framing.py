"""Where the body of an HTTP/1.1 reply ends, from the bytes as they come.

Each framing is fed with blocks cut anywhere and gives back the bytes of the body in them. It is
strict: what is not framed as RFC 9112 says is `Malformed`, since guessing would mix bodies up.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Final, Protocol

from .base import MOST_HEAD_BYTES

__all__ = ["Chunked", "Framing", "Malformed", "Sized", "ToClose", "framing_of"]

_SIZE = re.compile(rb"([0-9A-Fa-f]{1,16})[ \t]*(?:;.*)?\r?", re.DOTALL)
_USUAL_SIZE = re.compile(rb"[0-9A-Fa-f]{1,8}")
_USUAL_LINE: Final = 10
_MOST_KNOWN: Final = 256
_LENGTH = re.compile(r"[0-9]{1,18}")
# Statuses that never have a body (RFC 9112, section 6.3).
_BODILESS: Final = frozenset({204, 304})


class Malformed(Exception):
    """What came is not HTTP; the text says how."""


class Framing(Protocol):
    """Finds the body in what arrives."""

    #: Whether the end of the body has come.
    done: bool
    #: Whether bytes came after the end, so that the connection cannot serve again.
    excess: bool
    #: Whether what follows the bytes given last is malformed, so that none need be waited for.
    broken: bool

    def feed(self, block: bytes) -> bytes:
        """Return the bytes of the body that are in a block.

        Raises:
            Malformed: It begins with what is not framed as it must be. Bytes of the body that
                stand before that are returned first: what is kept depends on no packet.
        """
        ...

    def end(self) -> None:
        """Take note that the connection has ended.

        Raises:
            Malformed: The body has not, or it is broken.
        """
        ...


class Sized:
    """A body of a known length (Content-Length)."""

    broken = False

    def __init__(self, length: int) -> None:
        """Expect a number of bytes."""
        self._left = length
        self.done = length == 0
        self.excess = False

    def feed(self, block: bytes) -> bytes:
        """Return what is still wanted of the block."""
        if len(block) > self._left:
            self.excess = True
            block = block[: self._left]
        self._left -= len(block)
        self.done = not self._left
        return block

    def end(self) -> None:
        """Complain unless all bytes have come."""
        if not self.done:
            raise Malformed(f"{self._left} bytes of the body were still to come")


class ToClose:
    """A body that lasts as long as the connection."""

    broken = False

    def __init__(self) -> None:
        """Expect anything."""
        self.done = False
        self.excess = True

    def feed(self, block: bytes) -> bytes:
        """Return the block."""
        return block

    def end(self) -> None:
        """Take the end of the connection as that of the body."""
        self.done = True


class Chunked:
    """A body in chunks (Transfer-Encoding: chunked)."""

    def __init__(self) -> None:
        """Expect the size of the first chunk."""
        self.done = False
        self.excess = False
        self.broken = False
        self._fault = ""  # what is wrong behind the chunks that were given
        self._held = b""  # the beginning of a line
        self._left = 0  # bytes of the current chunk still to come
        self._trailers = 0
        self._line: Callable[[bytes], None] = self._size
        self._sizing = True  # whether the next line is the size of a chunk
        self._known: dict[bytes, int] = {}  # sizes by their line; most chunks of a stream are alike

    def feed(self, block: bytes) -> bytes:
        """Return the contents of the chunks in a block, joined."""
        if self._held:
            block = self._held + block
            self._held = b""
        elif self._sizing and (piece := self._only_chunk(block)):
            return piece
        elif self.broken:
            raise Malformed(self._fault)
        pieces: list[bytes] = []
        self._take(block, pieces)
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def _take(self, block: bytes, pieces: list[bytes]) -> None:
        """Add the contents of the chunks in a block to pieces."""
        at, size = 0, len(block)
        try:
            while at < size and not self.done:
                if self._sizing:
                    at = self._whole_chunks(block, at, pieces)
                    if at == size:
                        break
                if self._left:
                    piece = block[at : at + self._left]
                    pieces.append(piece)
                    at += len(piece)
                    self._left -= len(piece)
                    continue
                end = block.find(b"\n", at, at + MOST_HEAD_BYTES)
                if end < 0:
                    self._hold(block[at:])
                    at = size
                else:
                    self._line(block[at:end])
                    at = end + 1
        except Malformed as fault:
            if not pieces:
                raise
            self._break(str(fault))
        self.excess = at < size

    def _break(self, fault: str) -> None:
        """Keep what is wrong until the chunks before it have been taken."""
        self.broken = True
        self._fault = fault
        self._sizing = False  # no chunk is looked for any more

    def _only_chunk(self, block: bytes) -> bytes:
        """Return the content of a block that is one chunk of a known size, else nothing."""
        end = block.find(b"\r\n", 0, _USUAL_LINE)
        size = self._known.get(block[:end])
        if size is None or len(block) != end + size + 4 or not block.endswith(b"\r\n"):
            return b""
        return block[end + 2 : -2]

    def _whole_chunks(self, block: bytes, at: int, pieces: list[bytes]) -> int:
        """Take the usual chunks that lie whole in a block, and return where they end.

        Nothing is lost by leaving one out: the rest of the class takes chunks of any kind.
        """
        find, known = block.find, self._known
        while True:
            end = find(b"\r\n", at, at + _USUAL_LINE)
            if end < 0:
                return at
            size = known.get(block[at:end]) or self._usual_size(block[at:end])
            start = end + 2
            stop = start + size
            if not size or block[stop : stop + 2] != b"\r\n":
                return at
            pieces.append(block[start:stop])
            at = stop + 2

    def _usual_size(self, line: bytes) -> int:
        """Return the size in a line that is nothing but a size, else 0."""
        if not _USUAL_SIZE.fullmatch(line):
            return 0
        size = int(line, 16)
        if len(self._known) < _MOST_KNOWN:
            self._known[line] = size
        return size

    def _size(self, line: bytes) -> None:
        """Read the size of the next chunk; extensions mean nothing to us."""
        found = _SIZE.fullmatch(line)
        if found is None:
            raise Malformed("the size of a chunk is not a hexadecimal number")
        self._left = int(found[1], 16)
        self._line = self._gap if self._left else self._trailer
        self._sizing = False

    def _gap(self, line: bytes) -> None:
        """Pass over the line end after the content of a chunk."""
        if line not in (b"\r", b""):
            raise Malformed("a chunk does not end where its size says")
        self._line = self._size
        self._sizing = True

    def _trailer(self, line: bytes) -> None:
        """Pass over a trailer; an empty line ends the body."""
        self._trailers += len(line) + 1
        if self._trailers > MOST_HEAD_BYTES:
            raise Malformed(f"its trailers have more than {MOST_HEAD_BYTES} bytes")
        self.done = line in (b"\r", b"")

    def _hold(self, rest: bytes) -> None:
        """Keep the beginning of a line until the rest comes."""
        if len(rest) >= MOST_HEAD_BYTES:
            raise Malformed(f"a line between chunks has more than {MOST_HEAD_BYTES} bytes")
        self._held = rest

    def end(self) -> None:
        """Complain unless the last chunk has come."""
        if self.broken:
            raise Malformed(self._fault)
        if not self.done:
            raise Malformed("the last chunk of the body had not come")


def framing_of(method: str, status: int, headers: Mapping[str, str]) -> Framing:
    """Return how the body of a reply is framed (RFC 9112, section 6.3).

    Args:
        method: The method of the request.
        status: The status of the reply.
        headers: The fields of the reply, found in any case, repeated ones joined by commas.

    Raises:
        Malformed: The head contradicts itself, or names a coding that nobody asked for.
    """
    if method == "HEAD" or status in _BODILESS:
        return Sized(0)
    coding = headers.get("transfer-encoding", "").strip().lower()
    if coding == "chunked":
        return Chunked()
    if coding not in ("", "identity"):
        raise Malformed("its transfer coding is not one that was asked for")
    length = headers.get("content-length")
    if length is None:
        return ToClose()
    values = {value.strip() for value in length.split(",")}
    value = values.pop()
    if values or not _LENGTH.fullmatch(value):
        raise Malformed("its Content-Length is not a number")
    return Sized(int(value))
