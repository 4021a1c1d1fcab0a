"""What a body is, told by its first bytes."""

from __future__ import annotations

import pytest

from evoclient.errors.tree import StreamDecodeError
from evoclient.ground import Secrets
from evoclient.streaming.opening import Opening
from evoclient.streaming.sse import KeepAlive, ServerEvent, Wire

from .driving import pieces

BOM = b"\xef\xbb\xbf"


def opened(body: bytes, size: int, most: int = 10_000) -> tuple[list[Wire], Opening]:
    """Feed a body in pieces; return what it gives and the opening."""
    opening = Opening(most, Secrets())
    found = [wire for piece in pieces(body, size) for wire in opening.feed(piece)]
    return found + opening.finish(), opening


STREAMS = {
    "plain": b"data: a\n\n",
    "BOM": BOM + b"data: a\n\n",
    "BOM and blank lines": BOM + b"\n\ndata: a\n\n",
    "blank lines": b"\r\n\r\n\ndata: a\n\n",
    "spaces": b"  \n data: a\n\n",
    "no space": b"data:a",
    "blank lines, CR": b"\r\rdata: a\r\r",
}


@pytest.mark.parametrize("size", [1, 2, 3, 4, 1000])
@pytest.mark.parametrize("case", STREAMS)
def test_event_streams(case: str, size: int) -> None:
    """A byte order mark and white space before the first event are dropped, wherever cut."""
    found, opening = opened(STREAMS[case], size)
    assert found == [b"a"]
    assert not opening.is_whole


@pytest.mark.parametrize("size", [1, 2, 1000])
@pytest.mark.parametrize(
    ("body", "first"),
    [
        (b": hi\n\ndata: a\n\n", KeepAlive("hi")),
        (b"event: x\ndata: a\n\n", ServerEvent("a", event="x")),
        (b"id: 1\ndata: a\n\n", ServerEvent("a", id="1")),
        (b"retry: 1\ndata: a\n\n", ServerEvent("a", retry="1")),
    ],
)
def test_other_first_fields(body: bytes, first: Wire, size: int) -> None:
    """A stream may begin with a comment or any field."""
    assert opened(body, size)[0][0] == first


@pytest.mark.parametrize("size", [1, 2, 1000])
@pytest.mark.parametrize(
    "body",
    [b'{"a": [1, 2]}', b"[1]", BOM + b'{"a": 1}', b"\n\n\n  " + b'{"a": 1}\n\n{"b": 2}\n\n'],
)
def test_whole_answers(body: bytes, size: int) -> None:
    """What begins with a brace or bracket is one answer, given out at the end (Q5)."""
    found, opening = opened(body, size)
    assert opening.is_whole
    assert found == [body.removeprefix(BOM).lstrip()]


@pytest.mark.parametrize("size", [1, 1000])
@pytest.mark.parametrize("body", [b"<!DOCTYPE html><title>Login</title>", b"\n <html>"])
def test_web_pages(body: bytes, size: int) -> None:
    """A web page is refused at once, and the message says what to check."""
    with pytest.raises(StreamDecodeError, match=r"a web page came.*base_url"):
        opened(body, size)


def test_a_web_page_shows_no_secret() -> None:
    """A key that the page repeats is masked."""
    opening = Opening(1000, Secrets(["sk-hidden"]))
    with pytest.raises(StreamDecodeError) as caught:
        opening.feed(b"<html>your key sk-hidden is wrong")
    assert "sk-hidden" not in str(caught.value)
    assert "***" in str(caught.value)


@pytest.mark.parametrize("body", [b"", b"\n", BOM, BOM[:1], BOM[:2], b" \r\n\t "])
@pytest.mark.parametrize("size", [1, 1000])
def test_nothing(body: bytes, size: int) -> None:
    """White space and a byte order mark, even a cut one, are nothing."""
    found, opening = opened(body, size)
    assert found == []
    assert not opening.is_whole
    assert opening.beginning.strip("\ufffd") == ""


@pytest.mark.parametrize("size", [1, 100])
def test_one_mark_only(size: int) -> None:
    """A second byte order mark belongs to the first field's name, as the standard has it."""
    found, _ = opened(BOM + BOM + b"data: a\n\n" + b"data: b\n\n", size)
    assert found == [b"b"]


@pytest.mark.parametrize("size", [1, 25, 1000])
def test_beginning(size: int) -> None:
    """The beginning is kept for messages, short and masked, wherever it was cut."""
    opening = Opening(1000, Secrets(["sk-hidden"]))
    body = b"\n Internal Server Error sk-hidden " + b"x" * 165 + b" sk-hidden " + b"x" * 500
    for piece in pieces(body, size):
        opening.feed(piece)
    assert opening.beginning == "Internal Server Error *** " + "x" * 165 + " ***" + " xxxx"
    assert len(opening.beginning) == 200


@pytest.mark.parametrize("body", [b"[" + b"1," * 1000, b"data: " + b"x" * 2000])
@pytest.mark.parametrize("size", [1, 10_000])
def test_bounds(body: bytes, size: int) -> None:
    """A whole answer and an event are bounded alike."""
    with pytest.raises(StreamDecodeError, match="1000 bytes"):
        opened(body, size, most=1000)


def test_events_go_straight_on() -> None:
    """Once it is clear that it is a stream, blocks give their events at once."""
    opening = Opening(1000, Secrets())
    assert opening.feed(b"da") == []
    assert opening.feed(b"ta: a\n\ndata: b\n\nda") == [b"a", b"b"]
    assert opening.feed(b"ta: c\n\n") == [b"c"]
