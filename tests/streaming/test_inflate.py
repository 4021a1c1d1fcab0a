"""Content encodings, undone in bounded steps."""

from __future__ import annotations

import gzip
import random
import tracemalloc
import zlib
from collections.abc import Callable, Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evoclient.streaming.inflate import STEP, Inflate, InflateError

from .driving import pieces

TEXT = b"".join(b"data: %d\n\n" % number for number in range(5000))
NOISE = random.Random(7).randbytes(3 * STEP)


def raw(data: bytes) -> bytes:
    """Compress without any header, as some servers do for "deflate"."""
    squeezer = zlib.compressobj(wbits=-15)
    return squeezer.compress(data) + squeezer.flush()


FORMS: dict[str, tuple[str, Callable[[bytes], bytes]]] = {
    "gzip": ("gzip", gzip.compress),
    "x-gzip": (" X-GZIP ", gzip.compress),
    "zlib": ("deflate", zlib.compress),
    "raw": ("Deflate", raw),
}


def inflated(encoding: str, blocks: Iterable[bytes]) -> bytes:
    """Return everything that a body gives, each step checked."""
    inflate = Inflate(encoding)
    found = b""
    for block in blocks:
        inflate.give(block)
        for _ in range(10_000):
            if not inflate.pending:
                break
            step = inflate.take()
            assert len(step) <= STEP
            found += step
        else:
            pytest.fail("it stays pending for ever")
    inflate.finish()
    return found


@pytest.mark.parametrize("size", [1, 2, 3, 1000, 10**7])
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("plain", [b"", b"x", TEXT], ids=["empty", "one", "text"])
def test_round_trip(form: str, plain: bytes, size: int) -> None:
    """Each encoding is undone, however its bytes are cut."""
    encoding, compress = FORMS[form]
    assert inflated(encoding, pieces(compress(plain), size)) == plain


@pytest.mark.parametrize("form", FORMS)
def test_what_cannot_be_squeezed(form: str) -> None:
    """A body that needs several steps for one block comes out whole."""
    encoding, compress = FORMS[form]
    assert inflated(encoding, [compress(NOISE)]) == NOISE


def until_fault(encoding: str, blocks: Iterable[bytes]) -> tuple[bytes, str]:
    """Return what a malformed body gives before its error, each step checked, and the error."""
    inflate = Inflate(encoding)
    found = b""
    for block in blocks:
        inflate.give(block)
        while inflate.pending:
            try:
                step = inflate.take()
            except InflateError as error:
                return found, str(error)
            assert len(step) <= STEP
            found += step
    pytest.fail("nothing was wrong")


@pytest.mark.parametrize("size", [1, 7, 10**7])
@pytest.mark.parametrize("plain", [b"x", TEXT, bytes(2 * STEP)], ids=["one", "text", "large"])
@pytest.mark.parametrize("form", ["gzip", "zlib"])
def test_a_wrong_checksum_takes_no_bytes(form: str, plain: bytes, size: int) -> None:
    """All that stands before a checksum that does not fit is given, and then comes the error."""
    encoding, compress = FORMS[form]
    whole = compress(plain)
    place = len(whole) - (8 if form == "gzip" else 4)
    spoilt = whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :]
    found, fault = until_fault(encoding, pieces(spoilt, size))
    assert found == plain
    assert "check" in fault


@given(st.integers(0, 10_000), st.integers(1, 255), st.integers(1, 5000))
def test_what_is_given_of_a_spoilt_body_depends_on_no_cut(
    place: int, change: int, size: int
) -> None:
    """A body gives the same bytes before its error, whether it comes whole or in pieces."""
    whole = gzip.compress(TEXT)
    place %= len(whole) - 8  # the size of the plain text is behind the checksum
    spoilt = whole[:place] + bytes([whole[place] ^ change]) + whole[place + 1 :]
    if is_malformed(spoilt):
        assert until_fault("gzip", pieces(spoilt, size)) == until_fault("gzip", [spoilt])


def is_malformed(body: bytes) -> bool:
    """Return whether zlib refuses a body; a change of the time in its header spoils nothing."""
    try:
        inflated("gzip", [body])
    except InflateError as error:
        return "cut" not in str(error)
    return False


@pytest.mark.parametrize("size", [1, 50, 10**7])
def test_members(size: int) -> None:
    """A gzip body may be several in a row."""
    body = gzip.compress(b"one ") + gzip.compress(b"") + gzip.compress(b"two")
    assert inflated("gzip", pieces(body, size)) == b"one two"


@pytest.mark.parametrize("form", ["zlib", "raw"])
@pytest.mark.parametrize("size", [1, 10**7])
def test_rubbish_behind_deflate_is_dropped(form: str, size: int) -> None:
    """What follows the end of a deflate body is passed over, and leaves nothing pending."""
    encoding, compress = FORMS[form]
    assert inflated(encoding, pieces(compress(b"text") + b"rubbish" * 9, size)) == b"text"


@pytest.mark.parametrize("form", FORMS)
def test_cut(form: str) -> None:
    """A body that ends too early gives what there is, and says so at its end."""
    encoding, compress = FORMS[form]
    with pytest.raises(InflateError, match="cut before its end"):
        inflated(encoding, [compress(TEXT)[:-9]])


def test_steps_do_not_wait_for_more_input() -> None:
    """What stands in the decoder when all bytes were used up comes without a further block."""
    for length in range(STEP - 8, 2 * STEP, 1021):
        squeezer = zlib.compressobj(wbits=-15)
        body = squeezer.compress(bytes(length)) + squeezer.flush(zlib.Z_SYNC_FLUSH)
        for end in range(1, 8):
            sent = body[:-end]
            inflate = Inflate("deflate")
            inflate.give(sent)
            total = 0
            while inflate.pending:
                total += len(inflate.take())
            assert total == len(zlib.decompressobj(-15).decompress(sent))


def test_empty_is_cut() -> None:
    """No bytes at all are not a compressed body."""
    with pytest.raises(InflateError, match="cut before its end"):
        inflated("gzip", [])


@pytest.mark.parametrize("size", [1, 10**7])
@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
def test_garbage(encoding: str, size: int) -> None:
    """What is not compressed at all raises our error, never zlib's."""
    with pytest.raises(InflateError, match="malformed"):
        inflated(encoding, pieces(b"\xffthis is not compressed at all" * 20, size))


def test_damaged() -> None:
    """A wrong byte in the middle is noticed."""
    body = bytearray(gzip.compress(NOISE))
    body[len(body) // 2] ^= 0xFF
    body[-6] ^= 0xFF
    with pytest.raises(InflateError, match="malformed"):
        inflated("gzip", [bytes(body)])


@pytest.mark.parametrize("encoding", ["br", "zstd", "gzip, gzip", "*"])
def test_unknown(encoding: str) -> None:
    """An encoding that nobody asked for is named."""
    with pytest.raises(InflateError, match="not one evoclient can undo") as caught:
        Inflate(encoding)
    assert repr(encoding) in str(caught.value)


@pytest.mark.parametrize("form", FORMS)
def test_bomb(form: str) -> None:
    """A block that stands for 64 MiB comes in steps, and the memory holds few of them."""
    encoding, compress = FORMS[form]
    bomb = compress(bytes(64 * 2**20))
    inflate = Inflate(encoding)
    tracemalloc.start()
    try:
        inflate.give(bomb)
        total = 0
        while inflate.pending:
            step = inflate.take()
            assert len(step) <= STEP
            total += len(step)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert total == 64 * 2**20
    assert peak < 2**20
