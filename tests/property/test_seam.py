"""A seam shows nothing twice and leaves nothing out, for any text and any cut of the reply."""

from __future__ import annotations

import time
from collections.abc import Callable
from itertools import pairwise

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from evoclient.models.chunks import read_chunk
from evoclient.streaming.comparing import Overlap, Repetition
from evoclient.streaming.seam import LEAST_OVERLAP, Manner, Seam

TEXTS = st.text(st.characters(codec="utf-8"), max_size=40)
#: Few characters, so that texts repeat themselves.
PERIODIC = st.text("ab ", max_size=40)
#: What the rules about beginnings look at.
WRITING = st.text("abA .,\n\"'*-1я…字", max_size=30)
ANY_TEXT = st.one_of(TEXTS, PERIODIC, WRITING)


@st.composite
def pieces_of(draw: st.DrawFn, text: str) -> list[str]:
    """Draw a way to cut a text, some pieces of which may be empty; or character by character."""
    if draw(st.booleans()):
        return list(text)
    cuts = sorted(draw(st.lists(st.integers(0, len(text)), max_size=8)))
    return [text[a:b] for a, b in pairwise([0, *cuts, len(text)])]


def replied(seam: Seam, pieces: list[str], *, with_reason: bool) -> str:
    """Return what is handed out of a reply."""
    found = ""
    for piece in pieces:
        chunk = read_chunk({"choices": [{"index": 0, "delta": {"content": piece}}]})
        assert seam.feed(chunk)
        found += chunk.text
    if with_reason:
        chunk = read_chunk({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})
        seam.feed(chunk)
        found += chunk.text
    rest = seam.finish()
    assert not (rest and with_reason)
    return found + (rest.text if rest else "")


def longest_overlap(known: str, text: str) -> int:
    """Return the length of the longest end of one text that another begins with."""
    return max(k for k in range(len(known) + 1) if text.startswith(known[len(known) - k :]))


@given(st.data(), ANY_TEXT, ANY_TEXT, st.booleans())
def test_the_whole_is_repeated(
    data: st.DataObject, handed: str, rest: str, with_reason: bool
) -> None:
    """Of a reply that repeats the whole text, exactly what follows is handed out."""
    seam = Seam(handed, "repeats")
    pieces = data.draw(pieces_of(handed + rest))
    assert replied(seam, pieces, with_reason=with_reason) == rest
    assert (seam.departed, seam.overlap) == (False, len(handed))


@given(st.data(), ANY_TEXT, ANY_TEXT)
def test_the_text_is_continued(data: st.DataObject, handed: str, reply: str) -> None:
    """A reply that continues the text is handed out as it is; another answer is told apart."""
    seam = Seam(handed, "continues")
    assert replied(seam, data.draw(pieces_of(reply)), with_reason=True) == reply
    is_word = reply[:1].isupper() and reply[1:2].islower()
    assert seam.departed == (handed[-1:].islower() and is_word)


@given(st.data(), ANY_TEXT, ANY_TEXT, st.booleans())
def test_asked_and_repeated(data: st.DataObject, handed: str, rest: str, is_whole: bool) -> None:
    """Of a reply that repeats the whole text or its end, exactly what follows is handed out."""
    assume(is_whole or len(handed) >= LEAST_OVERLAP)
    length = len(handed) if is_whole else data.draw(st.integers(LEAST_OVERLAP, len(handed)))
    reply = handed[len(handed) - length :] + rest
    # With text that repeats itself, the reply may repeat more than was meant.
    for known, text in (
        (handed, reply),
        (handed, reply.lstrip()),
        (handed.rstrip(), reply),
        (handed.rstrip(), reply.lstrip()),
    ):
        assume(longest_overlap(known, text) <= length - (len(handed) - len(known)))
    seam = Seam(handed, "asked")
    assert replied(seam, data.draw(pieces_of(reply)), with_reason=data.draw(st.booleans())) == rest
    assert (seam.departed, seam.overlap) == (False, length)


@given(st.data(), ANY_TEXT, ANY_TEXT, st.sampled_from(["repeats", "asked"]))
def test_any_cut_gives_the_same(
    data: st.DataObject, handed: str, reply: str, manner: Manner
) -> None:
    """However a reply is cut, the same is handed out, and the same is said of it."""
    if data.draw(st.booleans()):
        reply = handed[data.draw(st.integers(0, len(handed))) :] + reply
    whole, cut = Seam(handed, manner), Seam(handed, manner)
    expected = replied(whole, [reply], with_reason=True)
    assert replied(cut, data.draw(pieces_of(reply)), with_reason=True) == expected
    assert (cut.departed, cut.keep, cut.overlap) == (whole.departed, whole.keep, whole.overlap)
    assert expected == reply[whole.overlap :]


@given(st.data(), ANY_TEXT, ANY_TEXT)
def test_no_overlap_is_handed_out_twice(data: st.DataObject, handed: str, reply: str) -> None:
    """What follows never begins as the text ends, unless more than that was dropped already."""
    if data.draw(st.booleans()):
        reply = handed[data.draw(st.integers(0, len(handed))) :] + reply
    seam = Seam(handed, "asked")
    replied(seam, [reply], with_reason=True)
    if not seam.departed and not seam.overlap and reply.strip():
        assert longest_overlap(handed, reply) < min(len(handed) or 1, 4)


@given(st.data(), PERIODIC, PERIODIC)
def test_overlap(data: st.DataObject, known: str, text: str) -> None:
    """The overlap is the longest one, and further text cannot make a longer one."""
    overlap = Overlap(known)
    came = ""
    for piece in data.draw(pieces_of(text)):
        was_done, before = overlap.is_done, overlap.length
        overlap.feed(piece)
        came += piece
        assert not was_done or overlap.length == before
    if overlap.is_done:
        assert overlap.length == longest_overlap(known, came)
        lengths = [k for k in range(len(known), 0, -1) if came.startswith(known[-k:])]
        assert overlap.lengths == lengths


@given(st.data(), PERIODIC, PERIODIC)
def test_repetition(data: st.DataObject, known: str, text: str) -> None:
    """What is left of a text is what follows the beginning that it shares with the known one."""
    repetition = Repetition(known)
    left = "".join(repetition.feed(piece) for piece in data.draw(pieces_of(text)))
    repetition.finish()
    same = next((k for k, (a, b) in enumerate(zip(known, text, strict=False)) if a != b), None)
    assert repetition.same == (min(len(known), len(text)) if same is None else same)
    assert left == text[repetition.same :]
    assert repetition.departed == (not text.startswith(known))


ADVERSARIAL: dict[str, Callable[[int], tuple[str, str]]] = {
    "one character": lambda n: ("a" * n, "a" * n),
    "one character, and another": lambda n: ("a" * n, "a" * n + "b"),
    "two characters": lambda n: ("ab" * n, "ab" * n + "c"),
    "growing": lambda n: ("a" * n + "b", "a" * n),
    "shrinking": lambda n: (("a" * 9 + "b") * (n // 10), ("a" * 8 + "b") * (n // 10)),
    "half": lambda n: ("a" * n + "b" + "a" * n, "a" * n + "b" + "a" * n),
    "blanks": lambda n: (" " * n, " " * n + "x"),
    "blanks at the end": lambda n: ("a" * n + " " * n, "a" * n + "x"),
    "nothing in common": lambda n: ("a" * n, "B" + "a" * n),
}


@pytest.mark.parametrize("case", ADVERSARIAL)
@pytest.mark.parametrize("manner", ["repeats", "asked"])
def test_linear_on_adversarial_text(case: str, manner: Manner) -> None:
    """Four times the text takes less than eight times as long, character by character."""

    def seconds(size: int) -> float:
        handed, reply = ADVERSARIAL[case](size)
        chunks = [read_chunk({"choices": [{"delta": {"content": c}}]}) for c in reply]
        start = time.process_time()
        seam = Seam(handed, manner)
        for chunk in chunks:
            seam.feed(chunk)
        seam.finish()
        return time.process_time() - start

    seconds(500)
    small, large = (min(seconds(size) for _ in range(3)) for size in (1_500, 6_000))
    assert large < 8 * small
