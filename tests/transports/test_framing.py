"""Where bodies end, whatever way the bytes are cut."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evoclient.transports.framing import (
    Chunked,
    Framing,
    Malformed,
    Sized,
    ToClose,
    framing_of,
)
from evoclient.wire import Headers


def cut(wire: bytes, places: list[int]) -> list[bytes]:
    """Cut bytes at some places."""
    at = sorted({place % (len(wire) + 1) for place in places})
    return [wire[a:b] for a, b in zip([0, *at], [*at, len(wire)], strict=True)]


def fed(framing: Framing, blocks: list[bytes]) -> bytes:
    """Feed blocks up to the end of the body."""
    out = bytearray()
    feed_all(framing, blocks, out)
    return bytes(out)


def feed_all(framing: Framing, blocks: list[bytes], out: bytearray) -> None:
    """Feed blocks up to the end of the body, and add what comes out."""
    for block in blocks:
        if not framing.done:
            out += framing.feed(block)


chunks = st.lists(st.binary(min_size=1, max_size=40), max_size=6)
ends = st.sampled_from([b"\r\n", b"\n"])
extensions = st.sampled_from([b"", b";a=b", b' ; q="\r"', b"  "])
trailers = st.sampled_from([b"", b"X-T: 1\r\n", b"A: b\r\nC: d\n"])
places = st.lists(st.integers(0, 1000), max_size=30)


alike = st.lists(st.sampled_from([b"ab", b"cd", b"\r\n", b"a", b"3\r\nabc\r\n"]), max_size=8)


@given(alike, st.sampled_from([b"\r\n", b"\n"]), st.booleans())
def test_chunks_of_a_server_that_flushes_come_out_one_by_one(
    contents: list[bytes], end: bytes, ends: bool
) -> None:
    """A block that is one chunk gives its content, whatever is in it and has come before."""
    framing = Chunked()
    blocks = [b"%x%b%b%b" % (len(content), end, content, end) for content in contents]
    assert [framing.feed(block) for block in blocks] == contents
    assert (framing.done, framing.excess) == (False, False)
    # A chunk that is cut or that goes on too long is none.
    content = (contents or [b"x"])[0]
    if ends:
        assert framing.feed(b"%x%b%b%b0\r\n\r\n" % (len(content), end, content, end)) == content
        assert framing.done
    else:
        assert framing.feed(b"%x%b%bxx\r\n" % (len(content), end, content)) == content
        with pytest.raises(Malformed):
            framing.feed(b"\r\n")


@given(chunks, ends, extensions, trailers, places)
def test_chunks_come_out_whatever_the_cuts(
    contents: list[bytes], end: bytes, extension: bytes, trailer: bytes, at: list[int]
) -> None:
    """Any cut of a chunked body gives the same bytes and the same end."""
    wire = b"".join(b"%X%b%b%b%b" % (len(c), extension, end, c, end) for c in contents)
    wire += b"000" + extension + end + trailer + end
    framing = Chunked()
    assert fed(framing, cut(wire, at)) == b"".join(contents)
    assert framing.done
    assert not framing.excess
    framing.end()


def test_a_size_line_may_be_cut_in_its_line_end() -> None:
    """A size whose line is not whole yet is not acted upon, whatever stands elsewhere."""
    framing = Chunked()
    blocks = [b"4\r\nabcd\r\n6\r", b"\nefghij\r\n0\r\n\r\n"]
    assert [framing.feed(block) for block in blocks] == [b"abcd", b"efghij"]


@given(chunks, st.integers(0, 1000))
def test_a_chunked_body_that_is_cut_short_is_noticed(contents: list[bytes], length: int) -> None:
    """No proper beginning of a chunked body passes for the whole."""
    wire = b"".join(b"%x\r\n%b\r\n" % (len(c), c) for c in contents) + b"0\r\n\r\n"
    framing = Chunked()
    framing.feed(wire[: length % len(wire)])
    assert not framing.done
    with pytest.raises(Malformed):
        framing.end()


@given(chunks, ends, st.sampled_from([b"zz\r\n", b"\r\n", b"-1\r\n", b"2\r\nabc\r\n"]), places)
def test_what_stands_before_rubbish_is_given_whatever_the_cuts(
    contents: list[bytes], end: bytes, rubbish: bytes, at: list[int]
) -> None:
    """Chunks before a malformed one come out first, and then every feed, and the end, fails."""
    wire = b"".join(b"%x%b%b%b" % (len(c), end, c, end) for c in contents) + rubbish
    framing = Chunked()
    out = bytearray()
    with pytest.raises(Malformed) as first:
        feed_all(framing, [*cut(wire, at), b"0\r\n", b"\r\n"], out)
    assert out == b"".join(contents) + (b"ab" if b"ab" in rubbish else b"")
    assert not framing.done
    if framing.broken:
        assert framing.excess
        for again in (framing.end, lambda: framing.feed(b"1\r\na\r\n")):
            with pytest.raises(Malformed, match=f"^{first.value}$"):
                again()


def test_rubbish_in_the_block_of_a_chunk_is_known_before_more_comes() -> None:
    """Who reads need not wait for another block to learn that nothing good can follow."""
    framing = Chunked()
    assert framing.feed(b"1\r\na\r\nzz\r\n") == b"a"
    assert framing.broken


@pytest.mark.parametrize(
    "wire",
    [
        b"\r\n", b"-1\r\n", b"+1\r\n", b"0x1\r\n", b"1_0\r\n", b" 1\r\n", b"g\r\n",
        b"1" * 17 + b"\r\n", b"1\r\nab\r\n", b"1\r\naX\n", b"2;" + b"x" * 70_000,
        b"0\r\n" + b"x: y\r\n" * 20_000,
    ],
)  # fmt: skip
def test_bad_chunks_are_refused(wire: bytes) -> None:
    """Sizes, line ends and lengths of lines are taken strictly."""
    with pytest.raises(Malformed):
        fed(Chunked(), [wire, b"\r\n"])


@given(st.binary(max_size=60), st.binary(max_size=5), places)
def test_a_sized_body_ends_at_its_size(body: bytes, more: bytes, at: list[int]) -> None:
    """What follows the body is not of it, and is noticed where it came with the end."""
    framing = Sized(len(body))
    assert fed(framing, cut(body + more, at)) == body
    assert framing.done
    whole = Sized(len(body))
    whole.feed(body + more)
    assert whole.excess is bool(more)


def test_a_sized_body_that_is_cut_short_is_noticed() -> None:
    """The end of the connection is not the end of the body."""
    framing = Sized(3)
    assert framing.feed(b"ab") == b"ab"
    with pytest.raises(Malformed, match="1 bytes"):
        framing.end()


@pytest.mark.parametrize(
    ("method", "status", "pairs", "kind", "done"),
    [
        ("POST", 200, [("Content-Length", "5")], Sized, False),
        ("POST", 200, [("Content-Length", "0")], Sized, True),
        ("POST", 200, [("Content-Length", "5"), ("content-length", "5")], Sized, False),
        ("POST", 200, [("Transfer-Encoding", "Chunked"), ("Content-Length", "5")], Chunked, False),
        ("POST", 200, [("Transfer-Encoding", "identity")], ToClose, False),
        ("POST", 200, [], ToClose, False),
        ("POST", 204, [("Content-Length", "5")], Sized, True),
        ("POST", 304, [], Sized, True),
        ("HEAD", 200, [("Transfer-Encoding", "chunked")], Sized, True),
    ],
)
def test_the_head_says_how_the_body_is_framed(
    method: str, status: int, pairs: list[tuple[str, str]], kind: type, done: bool
) -> None:
    """The rules are those of RFC 9112, in their order."""
    framing = framing_of(method, status, Headers(pairs))
    assert isinstance(framing, kind)
    assert framing.done is done


@pytest.mark.parametrize(
    "pairs",
    [
        [("Content-Length", "-5")],
        [("Content-Length", "+5")],
        [("Content-Length", "5, 6")],
        [("Content-Length", "")],
        [("Content-Length", "9" * 30)],
        [("Transfer-Encoding", "gzip, chunked")],
    ],
)
def test_heads_that_leave_the_end_open_are_refused(pairs: list[tuple[str, str]]) -> None:
    """A length that is none, or a coding that nobody asked for, is not guessed at."""
    with pytest.raises(Malformed):
        framing_of("POST", 200, Headers(pairs))
