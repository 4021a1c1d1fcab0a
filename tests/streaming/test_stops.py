"""Stop sequences: what is held back, where the text is cut, what a choice then says."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from evoclient.models.chat import ChatCompletion
from evoclient.models.chunks import ChatCompletionChunk, read_chunk
from evoclient.models.completions import Completion, CompletionChunk, read_completion_chunk
from evoclient.streaming import matching
from evoclient.streaming.matching import beginning
from evoclient.streaming.stops import Stops, cut_completion

from .driving import chunk, growth
from .staging import Piece, assembled, contents, documents, passed

FAMILY = "👨‍👩‍👧"

# Sequences, pieces of the text, what comes out of each piece and in the end, what fired.
CASES: dict[str, tuple[list[str], list[str], list[str], str | None]] = {
    "nothing like it": (["###"], ["Hello, ", "world"], ["Hello, ", "world"], None),
    "within a chunk": (["END"], ["one END two"], ["one "], "END"),
    "at the beginning": (["END"], ["END two"], [""], "END"),
    "over three chunks": (["</s>"], ["a <", "/", "s> b"], ["a ", "", ""], "</s>"),
    "a false beginning": (["</s>"], ["a <", "/", "b> c"], ["a ", "", "</b> c"], None),
    "one beginning in another": (["aab"], ["a", "a", "a", "b"], ["", "", "a", ""], "aab"),
    "held to the end": (["END"], ["the E", "N"], ["the ", "", "EN"], None),
    "one character": (["."], ["One", ". Two"], ["One", ""], "."),
    "the first to complete": (["abcd", "bc"], ["ab", "cd"], ["", "a"], "bc"),
    "the longest of two": (["cd", "bcd", "d"], ["ab", "cd"], ["a", ""], "bcd"),
    "a sequence that begins another": (["ab", "abc"], ["abc"], [""], "ab"),
    "from one sequence into another": (["abx", "bcd"], ["ab", "cd"], ["", "a"], "bcd"),
    "nine first characters": (list("abcdefghi"), ["XY", "Za"], ["XY", "Z"], "a"),
    "two first characters": (["#1", "%1"], ["XY", "Z%", "1"], ["XY", "Z", ""], "%1"),
    "Russian": (["Конец"], ["Это Ко", "мета. Ко", "нец"], ["Это ", "Комета. ", ""], "Конец"),
    "Chinese": (["结束"], ["故事结", "尾。结", "束了"], ["故事", "结尾。", ""], "结束"),
    "emoji": ([FAMILY], ["a👨", "\u200d👩\u200d", "👧b"], ["a", "", ""], FAMILY),
    "another family": ([FAMILY], ["a👨", "\u200d👩\u200d👦"], ["a", "👨\u200d👩\u200d👦"], None),
    "twice": (["ab"], ["xab", "ab"], ["x"], "ab"),
    "no pieces": (["ab"], [], [], None),
}


@pytest.mark.parametrize("case", CASES)
def test_pieces(case: str) -> None:
    """What may be the beginning of a sequence is held back, and only that."""
    sequences, pieces, out, fired = CASES[case]
    stops = Stops(sequences)
    assert contents(passed(stops, documents(map(Piece, pieces)))) == out
    assert stops.fired == ({0: fired} if fired else {})


def test_the_choice_that_was_ended() -> None:
    """A choice that was ended says so as servers do, in its chunk and in the completion."""
    chunks = passed(Stops(["END"]), documents([Piece("one E"), Piece("ND two"), Piece("three")]))
    assert len(chunks) == 2
    choice = chunks[1].choices[0]
    assert (choice.delta.content, choice.finish_reason, choice.stop_reason) == ("", "stop", "END")
    completion = assembled(chunks).completion()
    assert completion.text == "one "
    assert completion.finish_reason == "stop"
    assert completion.choices[0].stop_reason == "END"
    sent = chunks[1].to_dict()["choices"][0]
    assert sent == {
        "index": 0, "delta": {"content": ""}, "finish_reason": "stop", "stop_reason": "END",
    }  # fmt: skip


def test_what_was_parsed_stays() -> None:
    """The parsed objects, which chunks may share, are not changed."""
    given = documents([Piece("one E"), Piece("ND two"), Piece("three")])
    before = copy.deepcopy(given)
    passed(Stops(["END"]), given)
    assert given == before


FINISHES: dict[str, tuple[list[Piece], list[object], str, dict[int, str]]] = {
    "with content": ([Piece("a E"), Piece("N", finish="length")], ["a ", "EN"], "length", {}),
    "without content": ([Piece("a E"), Piece(None, finish="stop")], ["a ", "E"], "stop", {}),
    "with empty content": ([Piece("a E"), Piece("", finish="stop")], ["a ", "E"], "stop", {}),
    "nothing held": ([Piece("a"), Piece(None, finish="stop")], ["a", None], "stop", {}),
    "in its only chunk": ([Piece("a E", finish="stop")], ["a E"], "stop", {}),
    "in the chunk of a match": (
        [Piece("a E"), Piece("ND b", finish="length")],
        ["a ", ""],
        "stop",
        {0: "END"},
    ),
}


@pytest.mark.parametrize("case", FINISHES)
def test_finish_of_the_server(case: str) -> None:
    """What is held comes out with the server's finish reason, unless it completes a sequence."""
    pieces, out, reason, fired = FINISHES[case]
    stops = Stops(["END"])
    chunks = passed(stops, documents(pieces))
    assert contents(chunks) == out
    assert chunks[-1].choices[0].finish_reason == reason
    assert stops.fired == fired


def test_the_end_gives_what_is_held_once() -> None:
    """The end of the stream gives what is held of each choice that has not ended, one time."""
    stops = Stops(["END"])
    for piece in documents([Piece("a E"), Piece("b EN", 1), Piece("c END", 2), Piece("d", 3)]):
        stops.feed(read_chunk(piece))
    assert [stops.held(index) for index in range(5)] == ["E", "EN", "", "", ""]
    rest = stops.finish()
    assert rest is not None
    assert rest.object == "chat.completion.chunk"
    found = [(c.index, c.delta.content, c.finish_reason) for c in rest.choices]
    assert found == [(0, "E", None), (1, "EN", None)]
    assert stops.finish() is None
    assert not stops.feed(read_chunk(chunk("more", index=2))), "choice 2 stays ended"


def test_choices_are_apart() -> None:
    """Each choice has its own text, and ends for itself."""
    pieces = [Piece("a E"), Piece("b E", 1), Piece("ND x"), Piece("ight", 1), Piece("y"),
              Piece("c", 1, "stop")]  # fmt: skip
    stops = Stops(["END"])
    chunks = passed(stops, documents(pieces))
    assert contents(chunks) == ["a ", ""]
    assert contents(chunks, 1) == ["b ", "Eight", "c"]
    assert stops.fired == {0: "END"}


def two(first: str, second: str, **more: Any) -> ChatCompletionChunk:
    """Return a chunk of two choices."""
    choices = [
        {"index": index, "delta": {"content": text}} for index, text in enumerate((first, second))
    ]
    return read_chunk({"choices": choices, **more})


def test_several_choices_in_one_chunk() -> None:
    """From a chunk of several choices, the pieces of those that have ended are taken out."""
    stops = Stops(["."])
    assert stops.feed(two("a.", "b"))
    later = two("c", "d")
    assert stops.feed(later)
    assert [(c.index, c.delta.content) for c in later.choices] == [(1, "d")]
    assert stops.feed(two("e", "f."))
    assert not stops.feed(two("g", "h"))
    counted = two("i", "j", usage={"total_tokens": 3})
    assert stops.feed(counted), "a chunk that brings usage is handed out"
    assert counted.choices == []
    assert counted.to_dict()["choices"] == []
    assert stops.feed(read_chunk({"choices": [], "prompt_filter_results": []}))


def test_equal_pieces_in_one_chunk() -> None:
    """Of two equal pieces of a choice in one chunk, the first ends it and the second is gone."""
    piece = {"index": 0, "delta": {"content": "."}}
    read = read_chunk({"choices": [piece, piece]})
    assert Stops(["."]).feed(read)
    assert [c.finish_reason for c in read.choices] == ["stop"]


def test_only_content() -> None:
    """Reasoning, refusals and the arguments of tools go through, also beside held content."""
    call = {"index": 0, "id": "1", "function": {"name": "f", "arguments": "END"}}
    delta = {"content": "a E", "reasoning": "END", "refusal": "END", "tool_calls": [call]}
    chunks = passed(Stops(["END"]), [{"choices": [{"index": 0, "delta": delta}]}])
    first = chunks[0].choices[0].delta
    assert first.to_dict() == {**delta, "content": "a "}
    assert contents(chunks) == ["a ", "E"]


@pytest.mark.parametrize("content", [None, 5, True, 1.5])
def test_content_that_is_no_text(content: Any) -> None:
    """Content that is no text goes through and changes nothing of what is held."""
    odd = {"choices": [{"index": 0, "delta": {"content": content}}]}
    given = [odd, chunk("a E"), odd, chunk("ND")]
    assert contents(passed(Stops(["END"]), given)) == [content, "a ", content, ""]


@pytest.mark.parametrize(("index", "place"), [("1", 1), (None, 0), ([], 0), (1.0, 1)])
def test_odd_indices(index: Any, place: int) -> None:
    """An index of a wrong type stands for the choice that the assembly takes it for."""
    stops = Stops(["END"])
    given = [{"choices": [{"index": index, "delta": {"content": part}}]} for part in ("a E", "ND")]
    chunks = passed(stops, given)
    assert stops.fired == {place: "END"}
    assert assembled(chunks).finish_reasons == {place: "stop"}


def test_going_on_with_another_reply() -> None:
    """What is held at the break of a reply goes on in the next one."""
    stops = Stops(["END"])
    stops.feed(read_chunk(chunk("a E")))
    assert stops.held(0) == "E"
    assert contents(passed(stops, [chunk("ND b")])) == [""]
    assert stops.fired == {0: "END"}


def test_the_older_endpoint() -> None:
    """Chunks of the older completions endpoint are cut in their text as well."""
    stops = Stops(["END"], read=read_completion_chunk)
    found = []
    for text in ("a E", "N", "D b"):
        read = read_completion_chunk({"choices": [{"index": 0, "text": text}]})
        assert stops.feed(read)
        found.append(read)
    assert [c.choices[0].text for c in found] == ["a ", "", ""]
    assert [c.to_dict()["choices"][0]["text"] for c in found] == ["a ", "", ""]
    assert "delta" not in found[0].to_dict()["choices"][0]
    other = Stops(["END"], read=read_completion_chunk)
    other.feed(read_completion_chunk({"choices": [{"index": 1, "text": "a E"}]}))
    rest = other.finish()
    assert isinstance(rest, CompletionChunk)
    assert [(c.index, c.text) for c in rest.choices] == [(1, "E")]


def answer(*contents: Any) -> ChatCompletion:
    """Return a whole answer."""
    return ChatCompletion.from_dict(
        {
            "choices": [
                {"index": index, "message": {"content": content}, "finish_reason": "length"}
                for index, content in enumerate(contents)
            ]
        }
    )


def test_a_whole_answer() -> None:
    """A whole answer is cut as a stream is."""
    completion = answer("one END two", "one EN", None, 5, "END")
    assert cut_completion(completion, ["two", "END"]) == {0: "END", 4: "END"}
    assert [c.message.content for c in completion.choices] == ["one ", "one EN", None, 5, ""]
    assert [c.finish_reason for c in completion.choices] == ["stop", *["length"] * 3, "stop"]
    assert [c.stop_reason for c in completion.choices] == ["END", None, None, None, "END"]
    assert completion.to_dict()["choices"][0] == {
        "index": 0,
        "message": {"content": "one "},
        "finish_reason": "stop",
        "stop_reason": "END",
    }


def test_a_whole_answer_of_the_older_endpoint() -> None:
    """An answer of the older completions endpoint is cut in its text and in its message."""
    completion = Completion.from_dict(
        {"choices": [{"index": 0, "text": "one END two", "finish_reason": "length"}]}
    )
    assert completion.choices[0].text == "one END two"
    assert cut_completion(completion, ["END"]) == {0: "END"}
    choice = completion.choices[0]
    assert (choice.text, choice.message.content, completion.text) == ("one ", "one ", "one ")
    assert completion.to_dict()["choices"] == [
        {"index": 0, "text": "one ", "finish_reason": "stop", "stop_reason": "END"}
    ]


def states_of(start: matching.State) -> int:
    """Return how many ways from one state to another are kept."""
    seen = {id(start): start}
    waiting = [start]
    while waiting:
        for state in waiting.pop().values():
            if id(state) not in seen:
                seen[id(state)] = state
                waiting.append(state)
    return sum(map(len, seen.values()))


def test_what_is_kept_does_not_grow_with_the_text() -> None:
    """A text of all characters leaves no more behind than the sequences allow."""
    text = "".join(f"{chr(code)}a{chr(code)}ab" for code in range(0x20, 0xD800))
    start = state = beginning(["ab\x01", "ab\x02", "zz"])
    for char in text:
        state = state[char]
    assert state.held == "ab"
    assert states_of(start) < 2500


def feed_by_character(sequences: list[str], text: str) -> None:
    """Feed a text, one character in each chunk."""
    stops = Stops(sequences)
    read = read_chunk(chunk("a"))
    delta = read.choices[0].delta
    for char in text:
        delta.content = char
        stops.feed(read)
    assert not stops.fired


@pytest.mark.parametrize(
    "sequence",
    [
        pytest.param(lambda size: "a" * size + "b", id="all held"),
        pytest.param(lambda size: "a" * (size // 2) + "b", id="half held"),
        pytest.param(lambda size: "a" * 50 + "b", id="short"),
        pytest.param(lambda size: ("ab" * size)[:size] + "c", id="period of two"),
    ],
)
def test_linear_on_adversarial_text(sequence: Any) -> None:
    """Twice the text takes twice the time, also where all of it may be a beginning."""

    def work(size: int) -> None:
        feed_by_character([sequence(size)], "ab" * (size // 2))
        feed_by_character([sequence(size)], "a" * size)

    assert growth(work, 10_000) < 3
