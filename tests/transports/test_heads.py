"""The head of a reply as it comes, for libraries that do not bound it."""

from __future__ import annotations

from contextlib import nullcontext

import pytest

from evoclient.transports.framing import Malformed
from evoclient.transports.heads import HeadWatch
from tests.streaming.driving import growth

OK = b"HTTP/1.1 200 OK\r\nA: b"
INTERIM = b"HTTP/1.1 103 Early\r\nLink: x\r\n\r\n"


@pytest.mark.parametrize("size", [1, 3, 1000])
def test_a_head_ends_wherever_it_is_cut(size: int) -> None:
    """Interim answers are passed over, and what follows the head is given back."""
    wire = INTERIM * 2 + OK + b"\r\n\r\nbody"
    watch, rest = HeadWatch(), b""
    for at in range(0, len(wire), size):
        rest += watch.feed(wire[at : at + size])
    assert (watch.done, watch.head, rest) == (True, OK, b"body")


@pytest.mark.parametrize(
    ("wire", "reason"),
    [
        (INTERIM * 21, "interim"),
        (OK + b"x" * 70_000, "65536 bytes"),
        (OK + b"\r\nX: y" * 101, "100 fields"),
        (b"HTTP/1.1 101 Switching\r\n\r\n", "101"),
        (b"SSH-2.0", "does not begin"),
        (b"HT\n\nTP/1.1 200 OK\r\n\r\n", "does not begin"),
        (b"\r\n\r\n", "does not begin"),
    ],
)
def test_what_is_too_much_is_refused(wire: bytes, reason: str) -> None:
    """Each bound says which it is."""
    with pytest.raises(Malformed, match=reason):
        HeadWatch().feed(wire)


@pytest.mark.parametrize("size", [1, 3, 1000])
@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
def test_the_most_fields_pass_wherever_they_are_cut(size: int, end: bytes) -> None:
    """A hundred fields are taken, one more is refused, whatever the cuts."""
    for fields, is_taken in ((100, True), (101, False)):
        wire = end.join([b"HTTP/1.1 200 OK", *[b"A: b"] * fields, b"", b""])
        watch = HeadWatch()
        with nullcontext() if is_taken else pytest.raises(Malformed, match="100 fields"):
            for at in range(0, len(wire), size):
                watch.feed(wire[at : at + size])
        assert watch.done is is_taken


def test_a_head_in_single_bytes_takes_linear_time() -> None:
    """What was searched and counted is not searched and counted again."""

    def feed(size: int) -> None:
        watch = HeadWatch()
        watch.feed(OK)
        for _ in range(size):
            watch.feed(b"x")

    assert growth(feed, 30_000) < 2.6
