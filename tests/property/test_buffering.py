"""However text is cut, and whenever it is asked for, it is shown whole, in order, and uncut."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evoclient.streaming.buffering import Buffer, By
from evoclient.streaming.graphemes import (
    Clusters,
    classifier,
    guessed_kind,
    is_boundary,
    kind_by_regex,
)

# Characters on which the rules turn, beside any other.
TURNS = (
    'ab. Ж中。」"”!?…\n\r\t\u2028;1A\u0301\u0323\u20dd\u200d\u200c\ufe0f🏽👨👩❤😀🇷🇺'
    "\u1100\u1161\u11a8가각\u0e33\u0915\u094d\u0937\u093f\u0600\U000e0067\U00011a3a\U0003fffd"
)
TEXTS = st.text(st.sampled_from(TURNS) | st.characters(exclude_categories=["Cs"]), max_size=40)
PIECES = st.lists(st.text(st.sampled_from(TURNS), max_size=6), max_size=20)
WAYS: list[By] = ["char", "word", "line", "sentence", re.compile(r";|\d(?!\w)")]
WAYS_OF = st.sampled_from(WAYS)


def shown(pieces: list[tuple[str, float]], **options: Any) -> list[tuple[float, str]]:
    """Return the updates of a text in pieces, each followed by a while, and when they came."""
    buffer, now, updates = Buffer(**options), 0.0, []
    for piece, pause in pieces:
        buffer.add(piece)
        due = buffer.due()
        text = buffer.ready(now)
        assert bool(text) == (due is not None and due <= now)
        updates += [(now, text)] if text else []
        now += pause
    rest = buffer.flush()
    return updates + ([(now, rest)] if rest else [])


@given(
    st.lists(st.tuples(st.text(st.sampled_from(TURNS), max_size=6), st.floats(0, 3))),
    st.floats(0, 2),
    st.integers(1, 9),
    WAYS_OF,
)
def test_any_grouping_and_any_times(
    pieces: list[tuple[str, float]], interval: float, min_chars: int, by: By
) -> None:
    """The updates together are the text, not oftener than asked for and not smaller."""
    updates = shown(pieces, interval=interval, min_chars=min_chars, by=by)
    text = "".join(piece for piece, _ in pieces)
    assert "".join(update for _, update in updates) == text
    for (earlier, _), (later, _) in pairwise(updates[:-1]):
        assert later >= earlier + interval
    assert all(len(update) >= min_chars for _, update in updates[:-1])
    place = 0
    for _, update in updates[:-1]:
        place += len(update)
        assert is_boundary(text, place)


@given(PIECES, WAYS_OF)
def test_any_grouping_ends_units_alike(pieces: list[str], by: By) -> None:
    """What is held back when all has come does not depend on how it came."""
    if isinstance(by, re.Pattern):
        by = "line"  # what a pattern matches may depend on what has been cut off before it

    def held(parts: list[str]) -> str:
        buffer = Buffer(interval=0, by=by)
        for part in parts:
            buffer.add(part)
            buffer.ready(0)
        # White space goes with the word or sentence before it as far as it came in time.
        return buffer.flush() if by in ("char", "line") else buffer.flush().lstrip()

    text = "".join(pieces)
    assert held(list(text)) == held(pieces) == held([text])


@given(PIECES)
def test_any_cut_settles_alike(pieces: list[str]) -> None:
    """The last boundary in a text is found in pieces as in one."""
    clusters, place, settled = Clusters(), 0, 0
    for piece in pieces:
        found = clusters.feed(piece)
        settled = settled if found is None else place + found
        place += len(piece)
    text = "".join(pieces)
    assert settled == (Clusters().feed(text) or 0)
    assert all(not is_boundary(text, later) for later in range(settled + 1, len(text)))
    assert settled in (0, len(text)) or is_boundary(text, settled)


def boundaries_by_reference(text: str) -> set[int]:
    """Return the ends of grapheme clusters as the library `regex` finds them."""
    regex: Any = pytest.importorskip("regex")
    return {found.end() for found in regex.finditer(r"\X", text)}


@given(TEXTS, TEXTS)
def test_boundaries_are_those_of_the_standard(start: str, end: str) -> None:
    """With the library, boundaries are those of `\\X`; without, none lies where it has none."""
    text = start + end
    reference = boundaries_by_reference(text) - {len(text)}
    exact = {p for p in range(1, len(text)) if is_boundary(text, p, kind_by_regex())}
    assert exact == reference
    assert {p for p in range(1, len(text)) if is_boundary(text, p, guessed_kind)} <= reference


@given(TEXTS, st.integers(1, 4), WAYS_OF, st.booleans())
def test_no_update_cuts_a_character(text: str, size: int, by: By, guesses: bool) -> None:
    """Every update ends where the standard allows it, with the library and without."""
    reference = boundaries_by_reference(text)
    pieces = [text[place : place + size] for place in range(0, len(text), size)]
    with pytest.MonkeyPatch.context() as patch:
        if guesses:
            patch.setattr("evoclient.streaming.graphemes.classifier", lambda: guessed_kind)
        updates = shown([(piece, 1.0) for piece in pieces], interval=0, by=by)
    place = 0
    for _, update in updates:
        place += len(update)
        assert place in reference


def test_the_library_is_used_where_it_is_there() -> None:
    """The exact way is taken where it can be."""
    pytest.importorskip("regex")
    assert classifier() is kind_by_regex()
