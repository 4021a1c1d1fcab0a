"""Halves of characters, cut over chunks."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evoclient.models.chunks import read_chunk
from evoclient.streaming.surrogates import Surrogates, may_hold_surrogates

HIGH, LOW = "\ud83d", "\ude00"
Piece = tuple[int, object, str | None]


def mended(*given: Piece) -> list[tuple[int, object]]:
    """Return index and content of choices that come one per chunk."""
    surrogates = Surrogates()
    found: list[tuple[int, object]] = []
    for index, content, finish in given:
        delta = {} if content is None else {"content": content}
        raw: dict[str, Any] = {
            "choices": [{"index": index, "delta": delta, "finish_reason": finish}]
        }
        chunk = read_chunk(raw)
        surrogates.mend(chunk)
        found.append((index, chunk.choices[0].delta.content))
    return found


def test_reasoning_and_refusal() -> None:
    """Halves are put together in reasoning and refusals too, each apart from the others."""
    surrogates = Surrogates()
    found = []
    for half in (HIGH, LOW):
        delta = {"content": half, "reasoning": half, "refusal": half}
        chunk = read_chunk({"choices": [{"index": 0, "delta": delta}]})
        surrogates.mend(chunk)
        mended_delta = chunk.choices[0].delta
        found.append((mended_delta.content, mended_delta.reasoning, mended_delta.refusal))
    assert found == [("", "", ""), ("😀", "😀", "😀")]


CASES: dict[str, tuple[list[Piece], list[object]]] = {
    "cut": ([(0, "a" + HIGH, None), (0, LOW + "b", None)], ["a", "😀b"]),
    "alone in its chunk": ([(0, HIGH, None), (0, LOW, None)], ["", "😀"]),
    "an empty chunk between": (
        [(0, HIGH, None), (0, "", None), (0, None, None), (0, LOW, None)],
        ["", "", None, "😀"],
    ),
    "whole": ([(0, "a😀" + HIGH + LOW, None)], ["a😀😀"]),
    "lone first half": ([(0, HIGH, None), (0, "b", None)], ["", "\ufffdb"]),
    "lone second half": ([(0, "a" + LOW + "b", None)], ["a\ufffdb"]),
    "two first halves": ([(0, HIGH, None), (0, HIGH, None), (0, LOW, None)], ["", "\ufffd", "😀"]),
    "inside": ([(0, "a" + HIGH + "b", None)], ["a\ufffdb"]),
    "at the finish": ([(0, "a" + HIGH, "length")], ["a\ufffd"]),
    "finish without content": ([(0, "a" + HIGH, None), (0, None, "length")], ["a", "\ufffd"]),
    "finish with empty content": ([(0, "a" + HIGH, None), (0, "", "stop")], ["a", "\ufffd"]),
    "finish of nothing held": ([(0, "a", None), (0, None, "stop")], ["a", None]),
    "BOM": ([(0, "\ufeffa", None)], ["\ufeffa"]),
    "no text": ([(0, None, None)], [None]),
}


@pytest.mark.parametrize("case", CASES)
def test_mending(case: str) -> None:
    """Halves are put together, and a half that stays alone becomes U+FFFD."""
    chunks, contents = CASES[case]
    assert [content for _, content in mended(*chunks)] == contents


def test_choices_are_apart() -> None:
    """A half waits for the second half of its own choice."""
    found = mended((0, HIGH, None), (1, LOW, None), (0, LOW, None))
    assert found == [(0, ""), (1, "\ufffd"), (0, "😀")]


@pytest.mark.parametrize("index", [None, "0", [], {}, 1.5])
def test_odd_indices(index: Any) -> None:
    """An index of a wrong type stands for the first choice, as in the assembly."""
    assert [text for _, text in mended((index, HIGH, None), (0, LOW, None))] == ["", "😀"]


@given(st.text(st.characters(exclude_categories=["Cs"])), st.data())
def test_any_cut(text: str, data: st.DataObject) -> None:
    """However the UTF-16 units of a text are cut, the text comes out."""
    raw = text.encode("utf-16-le")
    units = [raw[at : at + 2].decode("utf-16-le", "surrogatepass") for at in range(0, len(raw), 2)]
    cuts = data.draw(st.lists(st.integers(0, len(units)), max_size=4).map(sorted))
    bounds = [0, *cuts, len(units)]
    parts = ["".join(units[a:b]) for a, b in pairwise(bounds)]
    found = [content for _, content in mended(*[(0, part, None) for part in parts])]
    assert "".join(str(piece) for piece in found) == text


def test_truth() -> None:
    """It is true while a half is held back."""
    surrogates = Surrogates()
    assert not surrogates
    surrogates.mend(read_chunk({"choices": [{"delta": {"content": HIGH}}]}))
    assert surrogates


@pytest.mark.parametrize(
    ("payload", "may"),
    [
        (rb'"\ud83d"', True),
        (rb'"\uD83D"', True),
        (r'"\ud83d"', True),
        (r'"\uDE00"', True),
        (rb'"\u00e9"', False),
        ("😀", False),
        ("😀".encode(), False),
    ],
)
def test_cheap_look(payload: bytes | str, may: bool) -> None:
    """Only a payload with an escaped half is looked at closely."""
    assert may_hold_surrogates(payload) is may
