"""`<think>` blocks are split off alike for any cut of the text into chunks, or for none."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from evoclient.models.chat import ChatCompletion
from evoclient.models.chunks import read_chunk
from evoclient.streaming.thinking import Thinking, split_completion

from ..streaming.driving import chunk
from ..streaming.staging import Piece, assembled, documents, passed

PARTS = [
    "<think>", "</think>", "<", "</", "<thin", "</thin", "k>", "think>", "/", ">",
    "a", " ", "\n", "мысль", "想", "👨\u200d👩\u200d👧", "<b>",
]  # fmt: skip
TEXTS = st.lists(st.sampled_from(PARTS), max_size=12).map("".join)


@st.composite
def pieces_of(draw: st.DrawFn, text: str) -> list[str]:
    """Draw a way to cut a text; pieces may be empty."""
    if draw(st.booleans()):
        return list(text)
    places = draw(st.lists(st.integers(0, len(text)), max_size=6))
    return [text[a:b] for a, b in pairwise([0, *sorted(places), len(text)])]


def split_naively(text: str) -> tuple[str, str]:
    """Return content and reasoning of a whole text."""
    content = reasoning = ""
    while text:
        outside, _, text = text.partition("<think>")
        inside, _, text = text.partition("</think>")
        content += outside
        reasoning += inside
    return content, reasoning


@given(TEXTS, st.data(), st.booleans(), st.sampled_from([None, "", "0"]))
def test_any_grouping(text: str, data: st.DataObject, ends: bool, own: str | None) -> None:
    """However a text is cut, content and reasoning are those of the whole answer."""
    pieces = [Piece(piece) for piece in data.draw(pieces_of(text))]
    if ends:
        pieces.append(Piece(None, finish="stop"))
    given = documents(pieces)
    key = data.draw(st.sampled_from(["reasoning", "reasoning_content"]))
    first = {"choices": [{"index": 0, "delta": {"content": "", key: own}}]}
    chunks = passed(Thinking(), [first, *given])
    streamed = assembled(chunks).completion()

    whole = assembled(map(read_chunk, [first, *given])).completion()
    split_completion(whole)
    content, reasoning = split_naively(text)
    for completion in (streamed, whole):
        assert completion.text == content
        assert (completion.reasoning or "") == (own or "") + reasoning
    assert streamed.to_dict()["choices"] == whole.to_dict()["choices"]


@given(TEXTS, st.data())
def test_never_too_much_and_never_too_little(text: str, data: st.DataObject) -> None:
    """At any moment, all but the beginning of a tag has been handed out where it belongs."""
    whole_content, whole_reasoning = split_naively(text)
    thinking = Thinking()
    fed = content = reasoning = ""
    for piece in data.draw(pieces_of(text)):
        read = read_chunk(chunk(piece))
        assert thinking.feed(read)
        fed += piece
        content += read.text
        reasoning += read.choices[0].delta.reasoning or ""
        assert whole_content.startswith(content)
        assert whole_reasoning.startswith(reasoning)
        held = held_naively(fed)
        assert sum(map(len, split_naively(fed))) == len(content + reasoning + held)


def held_naively(text: str) -> str:
    """Return the longest end of a text that may be the beginning of the next tag."""
    tag = "<think>"
    while (at := text.find(tag)) >= 0:
        text = text[at + len(tag) :]
        tag = "</think>" if tag == "<think>" else "<think>"
    return next(tag[:size] for size in range(len(tag) - 1, -1, -1) if text.endswith(tag[:size]))


@given(TEXTS, TEXTS, st.data())
def test_choices_that_come_in_turns(one: str, other: str, data: st.DataObject) -> None:
    """Choices whose pieces come in any order are each split as if they were alone."""
    waiting = [data.draw(pieces_of(text)) for text in (one, other)]
    turns = data.draw(st.lists(st.integers(0, 1), max_size=30))
    order = turns + [index for index, pieces in enumerate(waiting) for _ in pieces]
    pieces = [Piece(waiting[index].pop(0), index) for index in order if waiting[index]]
    completion = assembled(passed(Thinking(), documents(pieces))).completion()
    for choice in completion.choices:
        message = choice.message
        found = (message.content or "", message.reasoning or "")
        assert found == split_naively((one, other)[choice.index])


@given(TEXTS)
def test_whole_answers(text: str) -> None:
    """A whole answer is split as the naive reading says."""
    completion = ChatCompletion.from_dict({"choices": [{"message": {"content": text}}]})
    split_completion(completion)
    assert (completion.text, completion.reasoning or "") == split_naively(text)
