"""The encoder of server-sent events, judged by the decoder that users know."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sseclient import Event, SSEClient

from evoclient.streaming.encode import encode_comment, encode_event

# A lone surrogate has no UTF-8; everything else may stand in data.
TEXT = st.text(st.characters(exclude_categories=["Cs"]))
NAME = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\n\0"), min_size=1)


def decode(*blocks: bytes) -> list[Event]:
    """All events sseclient finds in these bytes."""
    return list(SSEClient(iter(blocks)).events())


@given(data=TEXT)
def test_data_survives(data: str) -> None:
    """What is encoded is decoded to the same data, but for the kind of line ends."""
    [event] = decode(encode_event(data))
    assert event.data == re.sub("\r\n|\r", "\n", data)


@given(data=TEXT, event=NAME, id=NAME, retry=st.integers(0, 10**9))
def test_fields_survive(data: str, event: str, id: str, retry: int) -> None:
    """Name, id and retry come back as they were, whatever the data."""
    [decoded] = decode(encode_event(data, event=event, id=id, retry=retry))
    assert (decoded.event, decoded.id, decoded.retry) == (event, id, str(retry))


@given(comment=TEXT, data=TEXT)
def test_comments_are_skipped(comment: str, data: str) -> None:
    """A comment of any text adds no event and spoils none."""
    noise = encode_comment(comment)
    assert len(decode(noise, encode_event(data), noise)) == 1


def test_exact_bytes() -> None:
    """The bytes are those of the specification: one space, LF, a blank line at the end."""
    encoded = encode_event("a\r\nb\rc\nd", event="e", id="7", retry=5)
    assert encoded == b"event: e\nid: 7\nretry: 5\ndata: a\ndata: b\ndata: c\ndata: d\n\n"
    assert encode_comment("x\ny") == b": x\n: y\n\n"


def test_unicode_line_separators_do_not_split() -> None:
    """U+2028, U+2029, U+0085, VT and FF are characters like others."""
    text = "a\u2028b\u2029c\u0085d\x0be\x0cf"
    assert encode_event(text) == b"data: " + text.encode() + b"\n\n"


@pytest.mark.parametrize("bad", ["a\nb", "a\rb", "a\0b"])
@pytest.mark.parametrize("field", ["event", "id"])
def test_names_cannot_break_the_frame(field: str, bad: str) -> None:
    """CR, LF and NUL are refused where they would begin another field."""
    with pytest.raises(ValueError, match=f"{field} must not hold"):
        encode_event("x", **{field: bad})  # type: ignore[arg-type]


def test_negative_retry_is_refused() -> None:
    """A reader cannot wait less than no time."""
    with pytest.raises(ValueError, match="negative"):
        encode_event("x", retry=-1)
