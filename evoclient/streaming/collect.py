"""Collect a whole body, within a bound."""

from __future__ import annotations

from typing import Final

from .intake import BodyIntake
from .timing import Patience

__all__ = ["MOST_ANSWER_BYTES", "MOST_ERROR_BYTES", "Collector"]

#: The most bytes of a whole answer: the largest embedding batches come to some 80 MB.
MOST_ANSWER_BYTES: Final = 128 * 2**20

#: The most bytes of an error body that are read; what comes after is of no use to anybody.
MOST_ERROR_BYTES: Final = 64 * 1024


class Collector(BodyIntake):
    """An intake that keeps the first bytes of a body."""

    def __init__(self, patience: Patience, encoding: str | None, *, most: int) -> None:
        """Start collecting.

        Args:
            patience: How long each read may take.
            encoding: The value of Content-Encoding, or None.
            most: How many bytes to keep.

        Raises:
            InflateError: The encoding is not known.
        """
        super().__init__(patience, encoding)
        self._most = most
        self._pieces: list[bytes] = []
        self._size = 0

    @property
    def over(self) -> bool:
        """Whether more than the bound has come; the rest is not wanted."""
        return self._size > self._most

    @property
    def content(self) -> bytes:
        """What was collected, cut at the bound."""
        return b"".join(self._pieces)[: self._most]

    def feed(self, block: bytes) -> None:
        """Take a block.

        Raises:
            InflateError: The block is not what the content encoding says.
        """
        piece = self._plain(block)
        if block:
            # JSON has few lines: servers that pad with empty lines while they work show life.
            self._patience.waited(line_completed=b"\n" in piece)
        self._pieces.append(piece)
        self._size += len(piece)

    def finish(self) -> None:
        """Learn that the body has ended.

        Raises:
            InflateError: The compressed body was cut.
        """
        if self._inflate is not None:
            self._inflate.finish()
