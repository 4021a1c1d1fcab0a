"""Bytes to events: our framing, sseclient-py for the fields.

The framing follows the HTML standard ("Interpreting an event stream"): lines end in LF, CR or
CRLF, one byte order mark at the very beginning is dropped, an empty line ends an event. Bytes
may be cut anywhere. An event is found with one search through bytes not searched before, so the
time is linear in the size of the stream.
"""

from __future__ import annotations

import logging
import re
from typing import Any, Final, NamedTuple, TypeAlias

from ..errors.tree import StreamDecodeError

__all__ = ["MOST_EVENT_BYTES", "Framing", "KeepAlive", "ServerEvent", "Wire"]

#: The most bytes of one event, hence of one line. The largest events in the wild are images in
#: base64, a few MiB.
MOST_EVENT_BYTES: Final = 16 * 2**20

_FIELDS: Final = frozenset({"data", "event", "id", "retry"})


class ServerEvent(NamedTuple):
    """One event with its fields.

    Attributes:
        data: The data lines joined by line feeds.
        event: The event's name; "message" where none was sent.
        id: The event's id, or None.
        retry: The `retry` field as sent, or None.
    """

    data: str
    event: str = "message"
    id: str | None = None
    retry: str | None = None


class KeepAlive(NamedTuple):
    """A comment, or an event without data, that only shows that the server is alive.

    Attributes:
        comment: Its text, such as ``OPENROUTER PROCESSING``.
    """

    comment: str


#: What framing gives: the payload of an event that is exactly one ``data:`` line, as bytes; any
#: other event with its fields; a sign of life.
Wire: TypeAlias = bytes | ServerEvent | KeepAlive


class Framing:
    """The decoder of an event stream: `feed` bytes, get what is complete."""

    def __init__(self, most: int = MOST_EVENT_BYTES) -> None:
        """Start at the beginning of a stream, behind the byte order mark.

        Args:
            most: The most bytes of one event.
        """
        self._most = most
        # What is there of an event that is not complete, with LF for every line end.
        self._tail = bytearray()
        self._after_cr = False

    def feed(self, block: bytes) -> list[Wire]:
        """Take bytes and return the events that they complete.

        Raises:
            StreamDecodeError: An event is larger than the bound.
        """
        if self._after_cr or _CARRIAGE_RETURN in block:
            block = self._with_line_feeds(block)
        tail = self._tail
        if not tail and block.endswith(b"\n\n"):  # as a server writes whole events
            if len(block) > self._most:
                self._judge(block[:-2])
            return _events(block[:-2])
        if tail:
            searched = max(0, len(tail) - 1)
            tail += block
            if tail.find(b"\n\n", searched) < 0:
                return self._unfinished(searched)
            block = bytes(tail)
        end = block.rfind(b"\n\n")
        if end >= self._most:
            self._judge(block[:end])
        rest = block if end < 0 else block[end + 2 :]
        self._tail = bytearray(rest)
        found = [] if end < 0 else _events(block[:end])
        return found + self._unfinished(0) if rest else found

    def finish(self) -> list[Wire]:
        """Return what an unfinished event holds, as if its empty line had come.

        The standard drops it. Here a last event without its empty line is taken, because some
        servers end so; whether it is whole is for the reader of its payload to see.
        """
        rest, self._tail = bytes(self._tail), bytearray()
        return _wires(rest)

    def _with_line_feeds(self, block: bytes) -> bytes:
        """Turn CRLF and CR into LF; an LF right after a CR that was the last byte is dropped."""
        if self._after_cr and block[:1] == b"\n":
            block = block[1:]
            self._after_cr = False
        if block:
            self._after_cr = block[-1:] == b"\r"
        return block.replace(b"\r\n", b"\n").replace(b"\r", b"\n")

    def _unfinished(self, searched: int) -> list[Wire]:
        """Give out the comments at the front of the tail, which need no empty line.

        Args:
            searched: How much of the tail was there before, with no line end in a comment there.
        """
        tail = self._tail
        found: list[Wire] = []
        start = 0
        while tail.startswith((b":", b"\n"), start) and (end := tail.find(b"\n", searched)) >= 0:
            found += _wires(bytes(tail[start:end]))
            start = searched = end + 1
        del tail[:start]
        if len(tail) > self._most:
            raise self._too_large()
        return found

    def _judge(self, block: bytes) -> None:
        """Refuse complete events of which one is larger than the bound.

        Args:
            block: The events, the last one without its empty line.
        """
        for event in block.split(b"\n\n"):
            if len(event) >= self._most:
                # Comments at its front count as little as where they are given out before it.
                lines = event + b"\n"
                if len(_FRONT.sub(b"", lines, count=1)) > self._most:
                    raise self._too_large()

    def _too_large(self) -> StreamDecodeError:
        """Return the error for an event that is larger than the bound, and forget it."""
        self._tail = bytearray()
        return StreamDecodeError(
            f"An event of the stream is larger than {self._most} bytes. If the server is "
            "right to send such events, raise max_event_bytes of the client.",
            details={"max_event_bytes": self._most},
        )


# To look for a number in bytes costs a sixth of what it costs to look for bytes.
_LINE_FEED: Final = ord("\n")
_CARRIAGE_RETURN: Final = ord("\r")

#: The comments and empty lines before the first field of an event.
_FRONT: Final = re.compile(rb"\A(?:(?::[^\n]*)?\n)*")

#: sseclient-py logs every event whole, and a server may echo a key in it.
_SILENT: Final = logging.Logger("evoclient.silent", logging.CRITICAL)


def _events(block: bytes) -> list[Wire]:
    """Read events, the last one without its empty line."""
    # By far the most events are one data line. To split between two of these, and to look for a
    # number in bytes, are the fastest ways that there are.
    first, *others = block.split(b"\n\ndata: ")
    found = _any_events(first) if _LINE_FEED in first else _wires(first)
    for payload in others:
        if _LINE_FEED in payload:
            found += _any_events(b"data: " + payload)
        else:
            found.append(payload)
    return found


def _any_events(block: bytes) -> list[Wire]:
    """Read events of any kind, the last one without its empty line."""
    return [wire for event in block.split(b"\n\n") for wire in _wires(event)]


def _wires(event: bytes) -> list[Wire]:
    """Read the lines of one event."""
    if event[:5] == b"data:" and _LINE_FEED not in event:
        # By far the most events are one data line: they are not worth a parser.
        return [event[6:] if event[5:6] == b" " else event[5:]]
    return _parsed(event) if event.strip(b"\n") else []


def _parsed(event: bytes) -> list[Wire]:
    """Read an event with sseclient-py, and its comments, which sseclient-py drops."""
    found: list[Wire] = []
    data: list[str] = []
    last: dict[str, str] = {}
    for line in event.decode("utf-8", "replace").split("\n"):
        name, _, value = line.partition(":")
        if name in _FIELDS and not (name == "id" and "\0" in value):
            last[name] = line
            if name == "data":
                data.append(value.removeprefix(" "))
        elif line and not name:
            found.append(KeepAlive(value.strip()))
    if not last:
        return found
    from sseclient import SSEClient  # loaded when the first unusual event comes

    # sseclient-py adds line to line, in quadratic time: it gets the last line of each field, which
    # is the one that counts; only data lines are joined.
    few = "\n".join([*last.values(), "", ""]).encode()
    text = "\n".join(data)
    reader: Any = SSEClient(iter([few]))
    reader._logger = _SILENT
    for parsed in reader.events():
        if text or parsed.event == "error":
            found.append(ServerEvent(text, parsed.event, parsed.id, parsed.retry))
            return found
    # An event without data, such as "event: ping", is no event, but life.
    found.append(KeepAlive(""))
    return found
