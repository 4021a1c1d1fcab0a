"""The scanner agrees with the decoder, for any document and any cut."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from evoclient.models.codec import loads
from evoclient.partial_json import Scanner

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=12,
)
DOCUMENTS = st.builds(
    lambda value, ascii_only, indent, around: (
        around + json.dumps(value, ensure_ascii=ascii_only, indent=indent) + around
    ),
    JSON,
    st.booleans(),
    st.sampled_from([None, 0, 2]),
    st.sampled_from(["", " ", "\r\n\t"]),
)
#: Text that is often nearly JSON.
RUBBISH = st.lists(
    st.sampled_from(
        [*'{}[],:"\\0159.eE+- \n\ufeff', "null", "true", "NaN", "-Infinity", '"a"', '"a":', "\\u12"]
    ),
    max_size=12,
).map("".join)


def state(pieces: list[str]) -> tuple[bool, bool, str | None]:
    """Return what a scanner says after some pieces."""
    scanner = Scanner()
    for piece in pieces:
        scanner.feed(piece)
    return scanner.is_valid, scanner.is_closed, scanner.completed()


@st.composite
def pieces_of(draw: st.DrawFn, texts: st.SearchStrategy[str]) -> list[str]:
    """Return a text in pieces, some of them empty."""
    text = draw(texts)
    if draw(st.booleans()):
        return list(text)
    cuts = sorted(draw(st.lists(st.integers(0, len(text)), max_size=6)))
    return [text[a:b] for a, b in zip([0, *cuts], [*cuts, len(text)], strict=True)]


@given(pieces_of(DOCUMENTS | RUBBISH))
def test_any_cut(pieces: list[str]) -> None:
    """Where a text is cut makes no difference to what is known of it."""
    assert state(pieces) == state(["".join(pieces)])


@given(pieces_of(DOCUMENTS))
def test_documents(pieces: list[str]) -> None:
    """A document is valid all the way, and in the end closed, with the value that it has."""
    scanner = Scanner()
    for piece in pieces:
        scanner.feed(piece)
        assert scanner.is_valid
    scanner.finish()
    assert (scanner.is_valid, scanner.is_closed) == (True, True)
    assert repr(scanner.value_so_far()) == repr(json.loads("".join(pieces)))


@given(st.lists(JSON) | st.dictionaries(st.text(), JSON))
def test_closed_exactly_at_the_end(value: Any) -> None:
    """An object or array is closed by its last bracket, and by nothing before it."""
    scanner = Scanner()
    for char in json.dumps(value, ensure_ascii=False):
        assert not scanner.is_closed
        scanner.feed(char)
    assert scanner.is_closed


@given(RUBBISH)
def test_rubbish(text: str) -> None:
    """What the scanner takes for a whole document is what the decoder reads."""
    try:
        value = loads(text)
    except ValueError:
        is_json = False
    else:
        is_json = True
    scanner = Scanner()
    scanner.feed(text)
    scanner.finish()
    assert scanner.is_valid is is_json
    if is_json:
        assert repr(scanner.value_so_far()) == repr(value)


@given(DOCUMENTS | RUBBISH)
def test_what_came_so_far_is_json(text: str) -> None:
    """The document so far can be read at any place, and begins with the same text ever after."""
    scanner = Scanner()
    for number, char in enumerate(text):
        scanner.feed(char)
        completed = scanner.completed()
        if completed is not None:
            loads(completed)
            kept = completed.rstrip('"]}')
            assert text[: number + 1].startswith(kept)
