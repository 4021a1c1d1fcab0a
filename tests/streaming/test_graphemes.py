"""Characters, as their reader sees them, are found whole."""

from __future__ import annotations

from itertools import accumulate

import pytest

from evoclient.streaming.graphemes import (
    Classify,
    Clusters,
    Kind,
    guessed_kind,
    is_boundary,
    kind_by_regex,
)


@pytest.fixture(params=["guessed", "regex"])
def classify(request: pytest.FixtureRequest) -> Classify:
    """Give both ways to tell the kind of a character."""
    if request.param == "guessed":
        return guessed_kind
    pytest.importorskip("regex")
    return kind_by_regex()


WHOLE = {
    "an accent": "e\u0301",
    "several marks": "a\u0323\u0301\u20dd",
    "a family": "👨\u200d👩\u200d👧\u200d👦",
    "a colour of skin": "👍🏽",
    "a form of emoji": "❤\ufe0f",
    "a form inside a sequence": "🏳\ufe0f\u200d🌈",
    "a keycap": "1\ufe0f\u20e3",
    "a flag": "🇷🇺",
    "a flag of tags": "🏴\U000e0067\U000e0062\U000e007f",
    "a line end": "\r\n",
    "jamo": "\u1112\u1161\u11ab",
    "a syllable and jamo": "가\u11a8",
    "a Thai vowel": "\u0e19\u0e33",
    "a halfwidth mark": "ｶﾞ",
    "a conjunct": "\u0915\u094d\u200d\u0937\u093f",
    "a number sign": "\u0600\u0661",
}


@pytest.mark.parametrize("text", WHOLE.values(), ids=WHOLE)
def test_what_is_never_cut(classify: Classify, text: str) -> None:
    """What is one character to its reader has no boundary inside, and one on either side."""
    found = [is_boundary(f"x{text}x", place, classify) for place in range(1, len(text) + 2)]
    # Only a prepended sign stays with the letter behind it, and here there is none.
    assert found == [True, *[False] * (len(text) - 1), True]


APART = [
    "a",
    "b",
    "Ж",
    "中",
    "国",
    "🇷🇺",
    "🇨🇳",
    "😀",
    "👍🏽",
    "\n",
    "\r\n",
    "\r",
    "가",
    "각",
    " ",
    "é",
]


def test_what_is_cut(classify: Classify) -> None:
    """Whole characters side by side are told apart, flags without space between them included."""
    text = "".join(APART)
    ends = set(accumulate(map(len, APART)))
    assert {p for p in range(1, len(text)) if is_boundary(text, p, classify)} == ends - {len(text)}


def test_flags_are_counted_from_the_start(classify: Classify) -> None:
    """In a row of regional indicators, boundaries lie behind every second one."""
    text = "x" + "🇷🇺" * 5
    found = [p for p in range(1, len(text)) if is_boundary(text, p, classify)]
    assert found == [1, 3, 5, 7, 9]


def test_the_last_cluster_stays_open(classify: Classify) -> None:
    """What has come is settled up to the last cluster, which what follows may still lengthen."""
    clusters = Clusters(classify)
    pieces = ["He", "l", "o\u0301", "\u0323", "👨", "\u200d", "👩x"]
    assert [clusters.feed(piece) for piece in pieces] == [1, 0, 0, None, 0, None, 1]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\u2028", "\x00"])
def test_a_line_end_is_settled_at_once(classify: Classify, end: str) -> None:
    """Nothing can lengthen a line end or a control character."""
    assert Clusters(classify).feed(f"ab{end}") == 2 + len(end)


def test_a_carriage_return_waits(classify: Classify) -> None:
    """A carriage return is not settled, because a line feed may follow."""
    clusters = Clusters(classify)
    assert clusters.feed("ab\r") == 2
    assert clusters.feed("\nc") == 1


def test_unknown_characters_are_kept_together() -> None:
    """A character that this Python does not know is cut neither before nor behind."""
    assert guessed_kind("\U0003fffd") is Kind.UNKNOWN
    assert not is_boundary("a\U0003fffdb", 1, guessed_kind)
    assert not is_boundary("a\U0003fffdb", 2, guessed_kind)
