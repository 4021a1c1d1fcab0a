"""Framing gives the same for any cut of a stream; what it gives, `test_decoders` judges."""

from __future__ import annotations

from collections.abc import Iterable

from hypothesis import given
from hypothesis import strategies as st

from evoclient.ground import Secrets
from evoclient.streaming.opening import Opening
from evoclient.streaming.sse import Framing, KeepAlive, ServerEvent, Wire

from .cuts import cut, cuts

# The alphabet of streams: what means something, and what does not but might.
WORDS = [
    b"data", b"event", b"id", b"retry", b"error", b"foo", b":", b": ", b" ", b"\n", b"\r",
    b"\r\n", b"\n\n", b"data: ", b"data: x\n\n", b"a", b"\0", b"\t", b"\x0b", b"\x0c", b"\xff",
    b"\xe2\x80\xa8", b"\xe2\x80", b"\xc2\x85", b"\xef\xbb\xbf", b"7",
]  # fmt: skip
STREAMS = st.lists(st.sampled_from(WORDS), max_size=30).map(b"".join)


def written_out(wires: Iterable[Wire]) -> list[ServerEvent | KeepAlive]:
    """Return what was given, the short form of an event written out, empty data left out."""
    return [
        ServerEvent(wire.decode("utf-8", "replace")) if isinstance(wire, bytes) else wire
        for wire in wires
        if wire not in (b"", KeepAlive(""))
    ]


def framed(blocks: Iterable[bytes]) -> list[ServerEvent | KeepAlive]:
    """Return everything that framing gives."""
    framing = Framing()
    found = [wire for block in blocks for wire in framing.feed(block)]
    return written_out(found + framing.finish())


def opened(blocks: Iterable[bytes]) -> list[ServerEvent | KeepAlive]:
    """Return everything that an opening gives."""
    opening = Opening(2**20, Secrets())
    found = [wire for block in blocks for wire in opening.feed(block)]
    return written_out(found + opening.finish())


@given(STREAMS, st.data())
def test_any_cut(stream: bytes, data: st.DataObject) -> None:
    """Events and comments do not depend on where the bytes were cut."""
    assert framed(data.draw(cuts(stream))) == framed([stream])


@given(st.binary(max_size=60), st.data())
def test_any_bytes(stream: bytes, data: st.DataObject) -> None:
    """Any bytes at all are framed without an error, and alike for any cut."""
    assert framed(data.draw(cuts(stream))) == framed([stream])


@given(STREAMS, st.data())
def test_any_cut_of_an_opening(stream: bytes, data: st.DataObject) -> None:
    """A byte order mark and white space at the beginning may be cut as well."""
    stream = b"\xef\xbb\xbf" + stream.lstrip(b"\x0b\x0c")
    assert opened(data.draw(cuts(stream))) == opened([stream])


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\n"), min_size=1))
def test_data_survives(text: str) -> None:
    """Whatever text stands in a data line comes out of it."""
    found = framed([b"data: " + text.encode() + b"\n\n"])
    assert found == [ServerEvent(text)]


@given(st.binary(max_size=50), st.lists(st.integers(0, 60), max_size=9))
def test_cutting(data: bytes, places: list[int]) -> None:
    """The pieces of a cut, put together, are the whole."""
    assert b"".join(cut(data, places)) == data
