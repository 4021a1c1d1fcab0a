"""Stop sequences cut alike for any cut of the text into chunks."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from evoclient.models.chat import ChatCompletion
from evoclient.models.chunks import read_chunk
from evoclient.streaming.stops import Stops, cut_completion

from ..streaming.driving import chunk
from ..streaming.staging import Piece, assembled, documents, passed

ALPHABETS = ["ab", "aб中", "👨👩\u200d👧", "😀😁\ufe0f", "\n#"]
Case = tuple[list[str], str]


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """Draw sequences, and a text that is likely to hold them or their beginnings."""
    alphabet = draw(st.sampled_from(ALPHABETS))
    sequences = draw(st.lists(st.text(alphabet, min_size=1, max_size=5), min_size=1, max_size=12))
    parts = st.one_of(
        st.text(alphabet, max_size=4),
        st.text("xyя", max_size=3),
        st.sampled_from(sequences).flatmap(
            lambda sequence: st.integers(0, len(sequence)).map(lambda size: sequence[:size])
        ),
    )
    return sequences, "".join(draw(st.lists(parts, max_size=8)))


@st.composite
def pieces_of(draw: st.DrawFn, text: str) -> list[str]:
    """Draw a way to cut a text; pieces may be empty."""
    if draw(st.booleans()):
        return list(text)
    places = draw(st.lists(st.integers(0, len(text)), max_size=6))
    return [text[a:b] for a, b in pairwise([0, *sorted(places), len(text)])]


def cut_naively(sequences: list[str], text: str) -> tuple[str, str | None]:
    """Return the text before the first sequence, and that, by trying every end of the text."""
    for end in range(len(text) + 1):
        fitting = [sequence for sequence in sequences if text[:end].endswith(sequence)]
        if fitting:
            longest = max(fitting, key=len)
            return text[: end - len(longest)], longest
    return text, None


def held_naively(sequences: list[str], text: str) -> str:
    """Return the longest end of a text with which a sequence begins that is longer."""
    sizes = range(min(len(text), max(map(len, sequences))), 0, -1)
    for size in sizes:
        end = text[-size:]
        if any(sequence.startswith(end) and sequence != end for sequence in sequences):
            return end
    return ""


@given(cases(), st.data(), st.sampled_from([None, "stop", "length"]))
def test_any_grouping(case: Case, data: st.DataObject, reason: str | None) -> None:
    """However a text is cut, it is cut before the same sequence, and ends with the same reason."""
    sequences, text = case
    pieces = [Piece(piece) for piece in data.draw(pieces_of(text))]
    if reason:
        last = data.draw(st.sampled_from([None, "", pieces.pop().text if pieces else ""]))
        pieces.append(Piece(last, finish=reason))
        text = "".join(piece.text or "" for piece in pieces)
    stops = Stops(sequences)
    assembly = assembled(passed(stops, documents(pieces)))
    content, fired = cut_naively(sequences, text)
    assert assembly.completion().text == content
    assert stops.fired == ({0: fired} if fired else {})
    assert assembly.finish_reasons.get(0) == ("stop" if fired else reason)


@given(cases(), st.data())
def test_never_too_much_and_never_too_little(case: Case, data: st.DataObject) -> None:
    """At any moment, all but the longest end that may begin a sequence has been handed out."""
    sequences, text = case
    content, _ = cut_naively(sequences, text)
    stops = Stops(sequences)
    fed = out = ""
    for piece in data.draw(pieces_of(text)):
        read = read_chunk(chunk(piece))
        was_handed_out = stops.feed(read)
        fed += piece
        if was_handed_out:
            out += read.text
        if stops.fired:
            assert stops.held(0) == ""
            assert out == content
        else:
            assert was_handed_out
            assert stops.held(0) == held_naively(sequences, fed)
            assert out + stops.held(0) == fed
        assert content.startswith(out)


@given(cases(), st.lists(st.integers(0, 2), max_size=40), st.data())
def test_choices_that_come_in_turns(case: Case, turns: list[int], data: st.DataObject) -> None:
    """Choices whose pieces come in any order are each cut as if they were alone."""
    sequences, text = case
    texts = [text, text[::-1], text[len(text) // 2 :] + text]
    waiting = [data.draw(pieces_of(one)) for one in texts]
    order = turns + [index for index, pieces in enumerate(waiting) for _ in pieces]
    pieces = [Piece(waiting[index].pop(0), index) for index in order if waiting[index]]
    stops = Stops(sequences)
    completion = assembled(passed(stops, documents(pieces))).completion()
    found = {choice.index: choice.message.content or "" for choice in completion.choices}
    expected = dict(enumerate(cut_naively(sequences, one) for one in texts))
    assert all(found.get(index, "") == content for index, (content, _) in expected.items())
    assert stops.fired == {index: fired for index, (_, fired) in expected.items() if fired}


@given(cases())
def test_whole_answers(case: Case) -> None:
    """A whole answer is cut as a stream is."""
    sequences, text = case
    completion = ChatCompletion.from_dict({"choices": [{"message": {"content": text}}]})
    content, sequence = cut_naively(sequences, text)
    assert cut_completion(completion, sequences) == ({0: sequence} if sequence else {})
    assert completion.text == content
