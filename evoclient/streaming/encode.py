"""The one encoder of server-sent events in the house.

Text goes in, the bytes of one event or comment come out. It is pure: no state, no sockets, so the
same two functions serve the demo server, the web handlers and the recordings.
"""

from __future__ import annotations

import re

__all__ = ["encode_comment", "encode_event"]

# Only these three end a line in an event stream. str.splitlines() also splits at U+2028, U+0085,
# VT and FF, which are ordinary characters inside JSON and must survive.
_LINE_END = re.compile(r"\r\n|\r|\n")

# A line end inside a name or an id would start a new field; browsers ignore an id that holds NUL.
_FORBIDDEN = re.compile(r"[\r\n\0]")


def encode_event(
    data: str, *, event: str | None = None, id: str | None = None, retry: int | None = None
) -> bytes:
    """Encode one event, blank line included.

    Args:
        data: The payload. Every line of it, however ended, becomes a ``data:`` line; a reader gets
            them back joined with LF.
        event: The name of the event; a reader takes ``message`` when there is none.
        id: The id a reader sends back as ``Last-Event-ID``.
        retry: Milliseconds a reader waits before it connects again.

    Raises:
        ValueError: ``event`` or ``id`` holds CR, LF or NUL, ``retry`` is negative, or the text
            holds a lone surrogate, which UTF-8 cannot carry.
    """
    lines = []
    if event is not None:
        lines.append(f"event: {_one_line('event', event)}")
    if id is not None:
        lines.append(f"id: {_one_line('id', id)}")
    if retry is not None:
        if retry < 0:
            raise ValueError(f"retry must not be negative, got {retry}")
        lines.append(f"retry: {retry:d}")
    lines.extend(f"data: {line}" for line in _LINE_END.split(data))
    return "\n".join([*lines, "", ""]).encode()


def encode_comment(text: str) -> bytes:
    """Encode a comment, which readers skip; proxies and idle timers see that the stream lives.

    Several lines become several comment lines. The blank line at the end makes it leave a reader
    that waits for whole events.

    Raises:
        ValueError: The text holds a lone surrogate.
    """
    lines = [f": {line}" for line in _LINE_END.split(text)]
    return "\n".join([*lines, "", ""]).encode()


def _one_line(field: str, value: str) -> str:
    if _FORBIDDEN.search(value):
        raise ValueError(f"{field} must not hold CR, LF or NUL, got {value!r}")
    return value
