"""Targets that read bytes off the wire: events, HTTP framing, heads, compressed bodies."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

from evoclient.errors.tree import StreamDecodeError
from evoclient.streaming.inflate import STEP, Inflate, InflateError
from evoclient.streaming.sse import Framing, KeepAlive, ServerEvent, Wire
from evoclient.transports.framing import Chunked, Malformed, framing_of
from evoclient.transports.heads import HeadWatch
from evoclient.wire import Headers
from tests.property.standard import interpreted

from .shape import SECRET, Target, pieces_of

__all__ = ["CHUNKED", "EVENTS", "HEADS", "INFLATE"]

T = TypeVar("T")

#: What is judged by the standard's own steps, which take a character at a time.
_JUDGED = 4096


def _alike(read: Callable[[Iterable[bytes]], T], data: bytes) -> T:
    """Return what comes of an input, which must not depend on where it was cut."""
    whole = read([data])
    assert read(pieces_of(data)) == whole
    return whole


def _events(blocks: Iterable[bytes]) -> list[ServerEvent | KeepAlive] | None:
    framing = Framing(2**24)
    found: list[Wire] = []
    for block in blocks:
        found += framing.feed(block)
    return [
        ServerEvent(wire.decode("utf-8", "replace")) if isinstance(wire, bytes) else wire
        for wire in found + framing.finish()
        if wire not in (b"", KeepAlive(""))
    ]


def read_events(data: bytes) -> None:
    """Events are those of the standard, and the same for any cut; a small bound is kept."""
    found = _alike(_events, data) or []
    if len(data) <= _JUDGED and not data.startswith(b"\xef\xbb\xbf"):
        ours = [item.data for item in found if isinstance(item, ServerEvent) and item.data]
        assert ours == [event.data for event in interpreted([data + b"\n\n"]) if event.data]
    bounded = Framing(64)
    try:
        for block in pieces_of(data):
            for wire in bounded.feed(block):
                assert not isinstance(wire, bytes) or len(wire) <= 64
    except StreamDecodeError:
        return


def _dechunked(blocks: Iterable[bytes]) -> tuple[bytes, str]:
    """Return the body, and whether its end has come, is awaited, or is no HTTP."""
    framing = Chunked()
    body = b""
    try:
        for block in blocks:
            if not framing.done:
                body += framing.feed(block)
    except Malformed:
        return body, "malformed"
    if framing.broken:
        return body, "malformed"
    return body, "done" if framing.done else "open"


def read_chunks_of_http(data: bytes) -> None:
    """A chunked body is the same for any cut, up to what is refused, and adds nothing."""
    body, _ = _alike(_dechunked, data)
    assert len(body) <= len(data)


def _headed(blocks: Iterable[bytes]) -> tuple[bytes, bytes] | None:
    watch = HeadWatch()
    rest = b""
    try:
        for block in blocks:
            rest += watch.feed(block)
    except Malformed:
        return None
    return (watch.head, rest) if watch.done else (b"", b"")


def read_head(data: bytes) -> None:
    """A head ends at the same place for any cut, and tells how its body is framed, or nothing."""
    found = _alike(_headed, data)
    head = found[0] if found else data
    lines = head.decode("latin-1").splitlines()[1:]
    pairs = [(name.strip(), value.strip()) for name, _, value in (s.partition(":") for s in lines)]
    headers = Headers([*pairs, ("Authorization", SECRET)])
    assert SECRET not in repr(headers)
    for method, status in (("POST", 200), ("HEAD", 200), ("POST", 204)):
        try:
            framing = framing_of(method, status, headers)
        except Malformed:
            continue
        if not framing.done:
            body = framing.feed(b"1\r\nx\r\n0\r\n\r\n")
            assert len(body) <= 11


def _inflated(encoding: str) -> Callable[[Iterable[bytes]], bytes | None]:
    def read(blocks: Iterable[bytes]) -> bytes | None:
        inflate = Inflate(encoding)
        found = []
        try:
            for block in blocks:
                inflate.give(block)
                while inflate.pending:
                    found.append(inflate.take())
                    assert len(found[-1]) <= STEP
            inflate.finish()
        except InflateError:
            return None
        return b"".join(found)

    return read


def inflate(data: bytes) -> None:
    """A compressed body is undone alike for any cut, or refused; a bomb comes in steps."""
    for encoding in ("gzip", "deflate"):
        found = _alike(_inflated(encoding), data)
        assert found is None or len(found) <= 1032 * len(data)


EVENTS = Target(
    "events",
    read_events,
    (
        b"data", b"event", b"id", b"retry", b"error", b":", b": ", b"\n", b"\r", b"\r\n", b"\n\n",
        b"data: ", b"\0", b"\xff", b"\xe2\x80\xa8", b"\xef\xbb\xbf", b"\n\ndata: ",
    ),
)  # fmt: skip
CHUNKED = Target(
    "chunked",
    read_chunks_of_http,
    (b"\r\n", b"0\r\n\r\n", b"1\r\n", b"ffffffff", b"0000000000000001", b";a=b", b"A\r\n", b"\n"),
)
HEADS = Target(
    "heads",
    read_head,
    (
        b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 103 E\r\n\r\n",
        b"Content-Length: ", b"Transfer-Encoding: chunked\r\n", b"\r\n", b"\n\n", b"\n\r\n",
        b"101", b"204", b"identity", b", ", b"99999999999999999999",
    ),
)  # fmt: skip
INFLATE = Target(
    "inflate",
    inflate,
    (b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03", b"\x78\x9c", b"\x03\x00", b"\x00\x00\xff\xff"),
)
