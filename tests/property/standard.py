"""Event streams by the HTML standard's text alone: a second decoder, to compare ours with.

It is written from the section "Interpreting an event stream" step by step, one character at a
time, and shares nothing with the package. It does not skip, tolerate or bound anything.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterable

import attrs

__all__ = ["Dispatched", "Interpreter", "interpreted"]


@attrs.frozen
class Dispatched:
    """An event as a page gets it.

    Attributes:
        data: Its data.
        type: Its name; "message" where none was sent.
        last_event_id: The id sent last in the stream, by this event or an earlier one.
        reconnection_time: The `retry` sent last, in milliseconds, or None.
    """

    data: str
    type: str
    last_event_id: str
    reconnection_time: int | None


class Interpreter:
    """The buffers of the standard, and what its steps do with them."""

    def __init__(self) -> None:
        """Begin with empty buffers."""
        self.events: list[Dispatched] = []
        # "Streams must be decoded using the UTF-8 decode algorithm": bad bytes are replaced, one
        # byte order mark at the beginning is stripped.
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._is_first = True
        self._line = ""
        self._after_cr = False
        self._data = ""
        self._type = ""
        self._id = ""
        self._last_event_id = ""
        self._reconnection_time: int | None = None

    def feed(self, block: bytes, *, is_last: bool = False) -> None:
        """Take bytes."""
        for character in self._decoder.decode(block, is_last):
            is_mark, self._is_first = self._is_first and character == "\ufeff", False
            if is_mark:
                continue
            after_cr, self._after_cr = self._after_cr, character == "\r"
            if character == "\n" and after_cr:
                continue  # a CR LF pair is one end of a line
            if character in "\r\n":
                line, self._line = self._line, ""
                self._process(line)
            else:
                self._line += character

    def _process(self, line: str) -> None:
        if line == "":
            self._dispatch()
        elif line[0] == ":":
            pass
        elif ":" in line:
            at = line.index(":")
            value = line[at + 1 :]
            if value[:1] == " ":
                value = value[1:]
            self._process_field(line[:at], value)
        else:
            self._process_field(line, "")

    def _process_field(self, name: str, value: str) -> None:
        if name == "event":
            self._type = value
        elif name == "data":
            self._data += value
            self._data += "\n"
        elif name == "id":
            if "\0" not in value:
                self._id = value
        elif name == "retry" and value and all(digit in "0123456789" for digit in value):
            self._reconnection_time = int(value)

    def _dispatch(self) -> None:
        self._last_event_id = self._id
        if self._data == "":
            self._type = ""
            return
        data = self._data
        if data[-1] == "\n":
            data = data[:-1]
        self.events.append(
            Dispatched(data, self._type or "message", self._last_event_id, self._reconnection_time)
        )
        self._data = ""
        self._type = ""


def interpreted(blocks: Iterable[bytes]) -> list[Dispatched]:
    """Return the events of a stream that comes in blocks; a half one at the end is discarded."""
    interpreter = Interpreter()
    for block in blocks:
        interpreter.feed(block)
    interpreter.feed(b"", is_last=True)
    return interpreter.events
