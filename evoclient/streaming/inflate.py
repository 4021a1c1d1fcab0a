"""Undo a content encoding in bounded steps, so that a small bomb cannot fill the memory."""

from __future__ import annotations

import zlib
from typing import Final

__all__ = ["Inflate", "InflateError"]

#: The most bytes that one step gives.
STEP: Final = 64 * 1024

# zlib's window arguments: with a gzip header, with a zlib header, and neither.
_GZIP, _ZLIB, _RAW = 31, 15, -15

# The bytes of a zlib header; once they were accepted, the body is not raw.
_ZLIB_HEADER: Final = 2


class InflateError(ValueError):
    """The bytes are not what their content encoding says, or end too early."""


class Inflate:
    """A decoder of gzip and deflate: `give` bytes, then `take` steps while `pending`."""

    def __init__(self, encoding: str) -> None:
        """Start decoding.

        Args:
            encoding: The value of Content-Encoding.

        Raises:
            InflateError: It is an encoding that was not asked for and is not known here.
        """
        name = encoding.strip().lower()
        if name not in ("gzip", "x-gzip", "deflate"):
            raise InflateError(f"the content encoding {encoding!r} is not one evoclient can undo")
        self._is_gzip = name != "deflate"
        self._inner = zlib.decompressobj(_GZIP if self._is_gzip else _ZLIB)
        self._input = b""
        # What came of a deflate body before it was clear whether it has a zlib header.
        self._first = b""
        self._may_be_raw = not self._is_gzip
        self._has_more = False
        self._fault = ""  # what is wrong behind the bytes that were given

    @property
    def pending(self) -> bool:
        """Whether `take` has something to work on."""
        return bool(self._input or self._has_more or self._fault)

    def give(self, block: bytes) -> None:
        """Add bytes as they came."""
        self._input += block

    def take(self) -> bytes:
        """Return the next decoded bytes, at most 64 KiB; perhaps none.

        Raises:
            InflateError: The bytes are malformed. What comes of those before was returned first.
        """
        if self._fault:
            raise InflateError(self._fault)
        if self._inner.eof and not self._is_gzip:
            # What follows a deflate body is dropped.
            self._input, self._has_more = b"", False
            return b""
        if self._inner.eof:
            self._next_member()
        data, self._input = self._input, b""
        if self._may_be_raw:
            self._first += data
        # zlib gives nothing of a step that fails: what was good of it is made once more.
        before = self._inner.copy()
        try:
            step = self._inner.decompress(data, STEP)
        except zlib.error as error:
            if self._may_be_raw and not _has_zlib_header(self._first):
                # "deflate" means zlib (RFC 9110, section 8.4.1.2), but some servers send it raw.
                self._may_be_raw = False
                self._inner = zlib.decompressobj(_RAW)
                self._input, self._first = self._first, b""
                return self.take()
            self._fault = f"the compressed body is malformed ({error})"
            if good := _good(before, data):
                return good
            raise InflateError(self._fault) from error
        if step or len(self._first) > _ZLIB_HEADER:
            self._may_be_raw, self._first = False, b""
        self._input = self._inner.unconsumed_tail or self._inner.unused_data
        self._has_more = len(step) == STEP
        return step

    def finish(self) -> None:
        """Learn that there are no more bytes.

        Raises:
            InflateError: The body was cut.
        """
        if not self._inner.eof:
            raise InflateError("the compressed body was cut before its end")

    def _next_member(self) -> None:
        """Go on with the next member of a gzip body."""
        if self._input:
            self._inner = zlib.decompressobj(_GZIP)


def _has_zlib_header(data: bytes) -> bool:
    """Return whether bytes begin with a header of zlib; a raw body has other bytes there."""
    try:
        zlib.decompressobj(_ZLIB).decompress(data[:_ZLIB_HEADER])
    except zlib.error:
        return False
    return True


def _good(inner: zlib._Decompress, data: bytes) -> bytes:
    """Return what comes of bytes before the one at which their decoder fails."""
    pieces: list[bytes] = []
    try:
        pieces.append(inner.decompress(b"", STEP))  # what a bounded step has left over
        for at in range(len(data)):
            pieces.append(inner.decompress(data[at : at + 1], STEP))
    except zlib.error:
        pass
    return b"".join(pieces)
