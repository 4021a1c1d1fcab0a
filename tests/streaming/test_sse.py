"""Framing, against the HTML standard's "Interpreting an event stream"."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable, Iterable, Sequence

import pytest
from sseclient import SSEClient

from evoclient.errors.tree import StreamDecodeError
from evoclient.streaming.sse import Framing, KeepAlive, ServerEvent, Wire

from .driving import growth, pieces


def decoded(blocks: Iterable[bytes], most: int = 2**20) -> list[ServerEvent | KeepAlive]:
    """Return everything that framing gives, the short form of an event written out."""
    framing = Framing(most)
    found: list[Wire] = [wire for block in blocks for wire in framing.feed(block)]
    found += framing.finish()
    return [
        ServerEvent(wire.decode("utf-8", "replace")) if isinstance(wire, bytes) else wire
        for wire in found
        if wire != b""
    ]


def data(*payloads: str) -> list[ServerEvent]:
    """Return events that have nothing but data."""
    return [ServerEvent(payload) for payload in payloads]


CASES: dict[str, tuple[bytes, Sequence[ServerEvent | KeepAlive]]] = {
    "LF": (b"data: a\n\ndata: b\n\n", data("a", "b")),
    "CRLF": (b"data: a\r\n\r\ndata: b\r\n\r\n", data("a", "b")),
    "CRLF between lines": (b"data: a\r\ndata: b\r\n\r\n", data("a\nb")),
    "CR between lines": (b"data: a\rdata: b\r\r", data("a\nb")),
    "CR": (b"data: a\r\rdata: b\r\r", data("a", "b")),
    "CRLF then LF": (b"data: a\r\n\ndata: b\n\r\n", data("a", "b")),
    "LF then CR": (b"data: a\n\rdata: b\n\n", data("a", "b")),
    "CR then CRLF": (b"data: a\r\r\ndata: b\n\n", data("a", "b")),
    "no space": (b"data:a\n\n", data("a")),
    "one space goes": (b"data:  a \n\n", data(" a ")),
    "a tab stays": (b"data:\ta\n\n", data("\ta")),
    "several data lines": (b"data: a\ndata: b\ndata:c\n\n", data("a\nb\nc")),
    "empty lines of data": (b"data: a\ndata\ndata:\ndata: b\n\n", data("a\n\n\nb")),
    "two empty lines of data": (b"data\ndata\n\n", data("\n")),
    "colons in data": (b"data: a: b:c\n\n", data("a: b:c")),
    "event": (b"event: ping\ndata: a\n\n", [ServerEvent("a", event="ping")]),
    "event behind data": (b"data: a\nevent: ping\n\n", [ServerEvent("a", event="ping")]),
    "the last name counts": (b"event: x\nevent: y\ndata: a\n\n", [ServerEvent("a", event="y")]),
    "an empty name": (b"event:\ndata: a\n\n", data("a")),
    "a name lasts one event": (
        b"event: x\ndata: a\n\ndata: b\n\n",
        [ServerEvent("a", event="x"), ServerEvent("b")],
    ),
    "id": (b"id: 7\ndata: a\n\n", [ServerEvent("a", id="7")]),
    "an id with NUL is ignored": (b"id: 7\0\ndata: a\n\n", data("a")),
    "retry": (b"retry: 10\ndata: a\n\n", [ServerEvent("a", retry="10")]),
    "unknown field": (b"foo: bar\ndata: a\n\n", data("a")),
    "names are exact": (b" data: a\nDATA: b\ndata : c\ndatas: d\ndata: e\n\n", data("e")),
    "a field without colon": (b"foo\ndata: a\n\n", data("a")),
    "only an unknown field": (b"Internal Server Error\n\n", []),
    "empty data": (b"data:\n\n", []),
    "event without data": (b"event: ping\n\n", [KeepAlive("")]),
    "event with empty data": (b"event: ping\ndata:\n\n", [KeepAlive("")]),
    "an error without data": (b"event: error\ndata:\n\n", [ServerEvent("", event="error")]),
    "id alone (Q2)": (b"id: 1\n\n", [KeepAlive("")]),
    "leading blank lines": (b"\n\n\r\n\rdata: a\n\n", data("a")),
    "many blank lines": (b"data: a\n\n\n\n\n\n\ndata: b\n\n", data("a", "b")),
    "comment": (b": PROCESSING\n\n", [KeepAlive("PROCESSING")]),
    "empty comment": (b":\n\n", [KeepAlive("")]),
    "comment without a blank line": (b": a\n: b\n", [KeepAlive("a"), KeepAlive("b")]),
    "comment before data": (b": c\ndata: a\n\n", [KeepAlive("c"), ServerEvent("a")]),
    "comment inside an event": (
        b"data: a\n: c\ndata: b\n\n",
        [KeepAlive("c"), ServerEvent("a\nb")],
    ),
    "id and comment (Q2)": (
        b"id: 1\ndata: a\n\n: c\n\n",
        [ServerEvent("a", id="1"), KeepAlive("c")],
    ),
    "a wrapped comment (Q3)": (b"data: : PROCESSING\n\n", data(": PROCESSING")),
    "bad UTF-8": (b"data: a\xffb\n\n", data("a\ufffdb")),
    "bad UTF-8 beside fields": (b"id: 1\ndata: \xc3\n\n", [ServerEvent("\ufffd", id="1")]),
    "cut UTF-8 at a line end": (b"data: \xe2\x82\ndata: x\n\n", data("\ufffd\nx")),
    "NUL in data": (b"data: a\0b\n\n", data("a\0b")),
    "NUL in data of two lines": (b"data: a\0b\ndata: c\n\n", data("a\0b\nc")),
    "BOM inside": (b"data: \xef\xbb\xbfa\n\n", data("\ufeffa")),
    "unfinished event": (b"data: a\n\ndata: b", data("a", "b")),
    "unfinished event, whole line": (b"data: b\n", data("b")),
    "unfinished event, CR": (b"data: b\r", data("b")),
    "nothing": (b"", []),
}


@pytest.mark.parametrize("size", [10**6, 1, 2, 3, 7])
@pytest.mark.parametrize("case", CASES)
def test_the_standard(case: str, size: int) -> None:
    """Each case gives its events, however the bytes are cut."""
    stream, events = CASES[case]
    assert decoded(pieces(stream, size)) == list(events)


SEPARATORS = "\u2028\u2029\u0085\x0b\x0c\x1c\x1d\x1e"


@pytest.mark.parametrize("second", ["", "data: b\n"])
def test_only_line_ends_split_lines(second: str) -> None:
    """Characters that `str.splitlines` splits at stay in the data (Q7)."""
    text = "a".join(SEPARATORS)
    expected = text + ("\nb" if second else "")
    assert decoded([f"data: {text}\n{second}\n".encode()]) == data(expected)


def test_usual_events_come_as_bytes() -> None:
    """An event of one data line is handed on undecoded, which the speed of streams rests on."""
    assert Framing().feed(b'data: {"a": 1}\n\ndata:x\n\n') == [b'{"a": 1}', b"x"]


def test_events_come_at_once() -> None:
    """An event is given out by the block that completes it, a comment by its line end."""
    framing = Framing()
    assert framing.feed(b"data: a\n") == []
    assert framing.feed(b"\n: c") == [b"a"]
    assert framing.feed(b"\nda") == [KeepAlive("c")]
    assert framing.feed(b"ta: b\r") == []
    assert framing.feed(b"\r") == [b"b"]


def test_finish_twice() -> None:
    """What was left at the end is given out once."""
    framing = Framing()
    framing.feed(b"data: a")
    assert framing.finish() == [b"a"]
    assert framing.finish() == []


AGREED = [
    b"data: a\n\ndata: b\n\n",
    b"id: 1\r\nevent: x\r\ndata: a\r\ndata: b\r\n\r\n",
    b"retry: 5\rdata:a\r\r: c\r\rdata: b\r\r",
    b"foo: 1\nbar\ndata:  a\n\n",
]


@pytest.mark.parametrize("stream", AGREED)
def test_fields_are_those_of_sseclient(stream: bytes) -> None:
    """Where sseclient-py follows the standard, we give what it gives."""
    theirs = [
        ServerEvent(found.data, found.event, found.id, found.retry)
        for found in SSEClient(iter([stream])).events()
    ]
    assert [wire for wire in decoded([stream]) if isinstance(wire, ServerEvent)] == theirs


ENDLESS = {
    "a line": (b"data: ", b"x" * 1024),
    "a comment": (b": ", b"x" * 1024),
    "an event": (b"data: a\n", b"data: " + b"x" * 1017 + b"\n"),
    "tiny lines": (b"data: a\n", b"data\n" * 200),
}


@pytest.mark.parametrize("kind", ENDLESS)
def test_bounds(kind: str) -> None:
    """What never ends is refused near the bound, and the memory stays near it too."""
    first, more = ENDLESS[kind]
    most = 512 * 1024
    framing = Framing(most)
    fed = 0

    def feed_for_ever() -> None:
        nonlocal fed
        for block in (first, *[more] * (2 * most // len(more))):
            fed += len(block)
            framing.feed(block)

    tracemalloc.start()
    try:
        with pytest.raises(StreamDecodeError, match="larger than 524288 bytes") as caught:
            feed_for_ever()
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert most < fed <= most + 2 * len(more)
    assert peak < 4 * most
    assert caught.value.details == {"max_event_bytes": most}
    assert framing.finish() == []  # what was too large is not kept


def test_endless_comments_are_no_event() -> None:
    """Comments and blank lines never add up to the bound: they are given out as they come."""
    framing = Framing(1000)
    found = [wire for _ in range(100) for wire in framing.feed(b": " + b"x" * 100 + b"\n")]
    found += [wire for _ in range(100) for wire in framing.feed(b"\n" * 100)]
    assert found == [KeepAlive("x" * 100)] * 100


def test_events_up_to_the_bound_pass() -> None:
    """The bound is for one event, not for the stream."""
    framing = Framing(1000)
    block = b"data: " + b"x" * 900 + b"\n\n"
    assert [len(framing.feed(block)) for _ in range(50)] == [1] * 50


@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
@pytest.mark.parametrize("before", [b"", b"data: a\n\n", b": wait\n" * 40, b"data: a\n\n:\n\n"])
@pytest.mark.parametrize("size", [1, 7, 50, 10**6])
def test_the_bound_depends_on_no_block(size: int, before: bytes, end: bytes) -> None:
    """An event of just the bound passes and a larger one is refused, in blocks of any size."""
    for length, is_refused in ((100, False), (101, True)):
        event = b"data: " + b"x" * (length - 7) + b"\n"
        for behind in (b"\n", b"\ndata: b\n\n", b"\ndata: b\n"):
            stream = (before + event + behind).replace(b"\n", end)
            blocks = [stream[at : at + size] for at in range(0, len(stream), size)]
            if is_refused:
                with pytest.raises(StreamDecodeError, match="larger than 100 bytes"):
                    decoded(blocks, 100)
            else:
                assert ServerEvent("x" * (length - 7)) in decoded(blocks, 100)


def feed_all(blocks: Iterable[bytes]) -> None:
    """Decode and forget."""
    framing = Framing(2**30)
    for block in blocks:
        framing.feed(block)
    framing.finish()


LINEAR: dict[str, tuple[int, Callable[[int], list[bytes]]]] = {
    "a large event in small pieces": (4096, lambda n: [b"data: ", *[b"x" * 1024] * n, b"\n\n"]),
    "a long comment in small pieces": (4096, lambda n: [b": ", *[b"x" * 1024] * n, b"\n\n"]),
    "tiny comments in one piece": (2**15, lambda n: [b":\n" * n]),
    "tiny comments in small pieces": (2**15, lambda n: pieces(b":\n" * n, 1024)),
    "comments inside an event": (2**14, lambda n: [b"data: a\n" + b":\n" * n + b"\n"]),
    "many data lines": (2**14, lambda n: [b"data: 0123456789012345678901234567890\n" * n + b"\n"]),
    "many unknown lines": (2**14, lambda n: [b"data: x\n" + b"x: y\n" * n + b"\n"]),
    "many line ends": (2**16, lambda n: pieces(b"\r\n" * n, 1024)),
    "many events in one piece": (2**14, lambda n: [b"data: x\n\n" * n]),
}


@pytest.mark.parametrize("kind", LINEAR)
def test_linear_time(kind: str) -> None:
    """Twice the bytes take about twice the time, whatever they are made of."""
    size, make = LINEAR[kind]
    assert growth(lambda n: feed_all(make(n)), size) < 2.6
