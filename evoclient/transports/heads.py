"""Watches the head of a reply in what arrives: bounded in size, a bounded number of interim ones.

For libraries that read the head themselves and bound neither.
"""

from __future__ import annotations

import re
from typing import Final

from .base import MOST_HEAD_BYTES, MOST_INTERIM_ANSWERS
from .framing import Malformed

__all__ = ["HeadWatch"]

_END = re.compile(rb"\n\r?\n")
_STATUS = re.compile(rb"HTTP/[0-9.]+ ([0-9]{3})")
_BEGINNING: Final = b"HTTP/"
_NO_HTTP: Final = "it does not begin as an answer of HTTP does"
#: As many as http.client takes.
_MOST_FIELDS: Final = 100


class HeadWatch:
    """Finds the end of the head; the interim answers before it count with their bytes."""

    def __init__(self) -> None:
        """Expect the first byte of an answer."""
        self._held = bytearray()
        self._line_ends = 0  # in what is held
        self._interim_answers = 0
        #: Whether the head of the final answer has come.
        self.done = False
        #: That head, without the empty line at its end.
        self.head = b""

    def feed(self, block: bytes) -> bytes:
        """Return what of a block lies behind the head.

        Raises:
            Malformed: The head is too large, there are too many before it, or it is a 101.
        """
        if self.done:
            return block
        held = self._held
        counted = len(held)
        # The end may have begun in what was there before.
        searched = max(0, counted - 2)
        held += block
        while found := _END.search(held, searched):
            head = bytes(held[: found.start()])
            del held[: found.end()]
            _check(head, len(head), head.count(b"\n"))
            if not head.startswith(_BEGINNING):
                raise Malformed(_NO_HTTP)
            if not self._is_interim(head):
                self.done = True
                self.head = head.removesuffix(b"\r")
                self._held = bytearray()
                return bytes(held)
            searched = counted = self._line_ends = 0
        self._line_ends += held.count(b"\n", counted)
        # The end of the last line may be the beginning of the head's.
        last = bytes(held[-3:])
        end = last[len(last.rstrip(b"\r\n")) :]
        _check(held, len(held) - len(end), self._line_ends - end.count(b"\n"))
        return b""

    def _is_interim(self, head: bytes) -> bool:
        """Return whether a head is one before the final one, and count it."""
        status = _STATUS.match(head)
        if status is None or not status[1].startswith(b"1"):
            return False
        if status[1] == b"101":
            raise Malformed("it switches to a protocol that nobody asked for (101)")
        self._interim_answers += 1
        if self._interim_answers > MOST_INTERIM_ANSWERS:
            raise Malformed(f"more than {MOST_INTERIM_ANSWERS} interim answers (1xx)")
        return True


def _check(head: bytes | bytearray, size: int, fields: int) -> None:
    """Bound a head, whole or not."""
    if not _BEGINNING.startswith(head[: len(_BEGINNING)]):
        raise Malformed(_NO_HTTP)
    if size > MOST_HEAD_BYTES:
        raise Malformed(f"its head has more than {MOST_HEAD_BYTES} bytes")
    if fields > _MOST_FIELDS:
        raise Malformed(f"its head has more than {_MOST_FIELDS} fields")
