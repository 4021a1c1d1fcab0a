"""Collecting a whole body within a bound."""

from __future__ import annotations

import gzip

import pytest

from evoclient.streaming.collect import Collector
from evoclient.streaming.inflate import InflateError
from evoclient.wire import Deadline, Timeouts

from .driving import Clock, patience, pieces


def collected(
    body: bytes, most: int, encoding: str | None = None, size: int = 7
) -> tuple[bytes, bool]:
    """Return what a collector keeps of a body, and whether it wanted no more."""
    collector = Collector(patience(), encoding, most=most)
    blocks = iter(pieces(body, size))
    while not collector.over:
        if collector.pending:
            collector.feed(b"")
        elif block := next(blocks, b""):
            collector.feed(block)
        else:
            collector.finish()
            break
    return collector.content, collector.over


@pytest.mark.parametrize("encoding", [None, "", "identity", " Identity ", "gzip"])
def test_whole_body(encoding: str | None) -> None:
    """A body within the bound is kept whole, its encoding undone."""
    body = b"0123456789" * 10
    sent = gzip.compress(body) if encoding == "gzip" else body
    assert collected(sent, 1000, encoding) == (body, False)


@pytest.mark.parametrize(
    ("length", "is_over"), [(0, False), (99, False), (100, False), (101, True), (5000, True)]
)
def test_bound(length: int, is_over: bool) -> None:
    """At the bound it is content, above it the body is cut and no more is wanted."""
    content, over = collected(b"x" * length, 100)
    assert (len(content), over) == (min(length, 100), is_over)


def test_a_bomb_stops_at_the_bound() -> None:
    """A compressed body is not unpacked beyond the bound."""
    content, over = collected(gzip.compress(bytes(64 * 2**20)), 1000, "gzip", 10**9)
    assert (len(content), over) == (1000, True)


def test_cut_body() -> None:
    """A compressed body that ends early raises, and what came is there."""
    collector = Collector(patience(), "gzip", most=1000)
    collector.feed(gzip.compress(b"hello")[:-4])
    with pytest.raises(InflateError):
        collector.finish()
    assert collector.content == b"hello"


def test_unknown_encoding() -> None:
    """An encoding that cannot be undone is refused before the body is read."""
    with pytest.raises(InflateError, match="br"):
        Collector(patience(), "br", most=1000)


def test_blank_lines_are_life() -> None:
    """A server that pads with empty lines while it works gets `idle` for each (Q5)."""
    clock = Clock(1000)
    collector = Collector(patience(clock, Timeouts(first_chunk=600, idle=60)), None, most=100)
    assert collector.deadline() == Deadline(1600, "first_chunk", 600)
    clock.now += 300
    collector.feed(b"\n")
    assert collector.deadline() == Deadline(1360, "idle", 60)


def test_compressed_bytes_are_no_lines() -> None:
    """A byte of a compressed body that looks like a line end is none."""
    clock = Clock(1000)
    collector = Collector(patience(clock, Timeouts(first_chunk=600, idle=60)), "gzip", most=100)
    body = gzip.compress(b"no line end", mtime=0x0A0A0A0A)
    assert b"\n" in body
    collector.deadline()
    collector.feed(body)
    assert collector.deadline() == Deadline(1600, "first_chunk", 600)
