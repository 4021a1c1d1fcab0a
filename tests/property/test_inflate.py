"""Content encodings are undone in bounded steps, for any bytes and any cut of them."""

from __future__ import annotations

import zlib
from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evoclient.streaming.inflate import STEP, Inflate, InflateError

from .cuts import cuts

#: The window arguments of zlib for a gzip header, a zlib header, and none.
WINDOWS = {"gzip": 31, "zlib": 15, "raw": -15}
ENCODINGS = {"gzip": "gzip", "zlib": "deflate", "raw": "deflate"}
FORMS = st.sampled_from(sorted(WINDOWS))

PLAIN = st.binary(max_size=200) | st.builds(
    lambda piece, times: piece * times, st.binary(min_size=1, max_size=40), st.integers(1, 5000)
)


@st.composite
def squeezed(draw: st.DrawFn, form: str, plain: bytes) -> bytes:
    """Compress as any server might: any level and strategy, flushed anywhere."""
    squeezer = zlib.compressobj(
        draw(st.integers(0, 9)),
        zlib.DEFLATED,
        WINDOWS[form],
        draw(st.integers(1, 9)),
        draw(st.sampled_from([zlib.Z_DEFAULT_STRATEGY, zlib.Z_HUFFMAN_ONLY, zlib.Z_FIXED])),
    )
    sent = b""
    for piece in [*draw(cuts(plain[:60])), plain[60:]]:
        sent += squeezer.compress(piece)
        if draw(st.booleans()):
            sent += squeezer.flush(zlib.Z_SYNC_FLUSH)
    return sent + squeezer.flush()


def steps(inflate: Inflate, blocks: Iterable[bytes]) -> list[bytes]:
    """Return what the blocks give, step by step; never more steps than the bytes call for."""
    found: list[bytes] = []
    for block in blocks:
        inflate.give(block)
        empty = 0
        while inflate.pending:
            step = inflate.take()
            assert len(step) <= STEP
            found.append(step)
            empty = 0 if step else empty + 1
            # One byte may end a member, a header or a guess; none of them asks for more.
            assert empty <= 4 * (len(block) + 4), "it stays pending for ever"
    return found


@given(FORMS, PLAIN, st.data())
def test_round_trip(form: str, plain: bytes, data: st.DataObject) -> None:
    """However a body was compressed and cut, it comes out as it was, and its end is its end."""
    sent = data.draw(squeezed(form, plain))
    inflate = Inflate(ENCODINGS[form])
    blocks = data.draw(cuts(sent)) if len(sent) < 500 else [sent[:7], sent[7:]]
    assert b"".join(steps(inflate, blocks)) == plain
    inflate.finish()


@given(FORMS, PLAIN, st.data())
def test_cut_anywhere(form: str, plain: bytes, data: st.DataObject) -> None:
    """A body cut anywhere gives the beginning of what it was, and says that it was cut."""
    sent = data.draw(squeezed(form, plain))
    inflate = Inflate(ENCODINGS[form])
    found = b"".join(steps(inflate, [sent[: data.draw(st.integers(0, len(sent) - 1))]]))
    assert plain.startswith(found)
    with pytest.raises(InflateError, match="cut before its end"):
        inflate.finish()


@given(st.lists(PLAIN, min_size=1, max_size=4), st.data())
def test_members(plains: list[bytes], data: st.DataObject) -> None:
    """Members of a gzip body in a row give their contents in a row."""
    sent = b"".join(data.draw(squeezed("gzip", plain)) for plain in plains)
    inflate = Inflate("gzip")
    blocks = data.draw(cuts(sent)) if len(sent) < 500 else [sent]
    assert b"".join(steps(inflate, blocks)) == b"".join(plains)
    inflate.finish()


def outcome(encoding: str, blocks: Iterable[bytes]) -> tuple[bytes, str | None]:
    """Return what came of a body, and what was wrong with it."""
    inflate = Inflate(encoding)
    found = b""
    try:
        for block in blocks:
            for step in steps(inflate, [block]):
                found += step
        inflate.finish()
    except InflateError as error:
        return found, str(error)
    return found, None


@given(st.sampled_from(["gzip", "deflate"]), st.binary(max_size=60), st.data())
def test_any_bytes(encoding: str, body: bytes, data: st.DataObject) -> None:
    """Any bytes at all are undone, or refused with our error, alike for any cut."""
    found, wrong = outcome(encoding, data.draw(cuts(body)))
    whole, expected = outcome(encoding, [body])
    assert (wrong is None) is (expected is None)
    if wrong is None:
        assert found == whole


@given(FORMS, PLAIN, st.data())
def test_a_wrong_byte(form: str, plain: bytes, data: st.DataObject) -> None:
    """A body with a wrong byte is refused or, where nothing tells, still bounded."""
    sent = bytearray(data.draw(squeezed(form, plain)))
    place = data.draw(st.integers(0, len(sent) - 1))
    sent[place] ^= data.draw(st.integers(1, 255))
    found, wrong = outcome(ENCODINGS[form], [bytes(sent)])
    # One byte of DEFLATE stands for at most 1032.
    assert len(found) <= 1032 * len(sent)
    if form == "gzip" and wrong is None:
        assert found == plain
