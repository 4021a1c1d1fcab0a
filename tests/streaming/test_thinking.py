"""`<think>` blocks: what is moved to the reasoning, what is held back, what stays."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from evoclient.models.chat import ChatCompletion
from evoclient.models.chunks import read_chunk
from evoclient.models.completions import Completion, read_completion_chunk
from evoclient.streaming.thinking import Thinking, split_completion

from .driving import chunk, growth
from .staging import Piece, assembled, contents, documents, passed

# The pieces of the content; content and reasoning of what comes out, chunk by chunk.
CASES: dict[str, tuple[list[str], list[str], list[str]]] = {
    "no block": (["a < b ", "> c"], ["a < b ", "> c"], ["", ""]),
    "a whole block": (["<think>why</think>so"], ["so"], ["why"]),
    "cut anywhere": (
        ["a<th", "ink>w", "hy</", "thin", "k>so"],
        ["a", "", "", "", "so"],
        ["", "w", "hy", "", ""],
    ),
    "nothing is stripped": (["<think>\nwhy\n</think>\n\nso"], ["\n\nso"], ["\nwhy\n"]),
    "several blocks": (["<think>a</think>b<think>c</think>d"], ["bd"], ["ac"]),
    "in the middle": (["a<think>b</think>c"], ["ac"], ["b"]),
    "not closed": (["a<think>b", "c"], ["a", ""], ["b", "c"]),
    "an empty block": (["a<think></think>b"], ["ab"], [""]),
    "a false beginning": (["a<thi", "s> b"], ["a", "<this> b"], ["", ""]),
    "a false end": (["<think>a</", "b>c"], ["", ""], ["a", "</b>c"]),
    "one beginning after another": (["a<", "<think>b"], ["a", "<"], ["", "b"]),
    "a beginning after another sign": (["a < b<th", "ink>c"], ["a < b", ""], ["", "c"]),
    "held to the end": (["a<thi"], ["a", "<thi"], ["", ""]),
    "held to the end of a block": (["<think>a</t"], ["", ""], ["a", "</t"]),
    "a tag that closes nothing": (["a</think>b"], ["a</think>b"], [""]),
    "a tag that opens once more": (["<think>a<think>b</think>c"], ["c"], ["a<think>b"]),
    "capitals": (["<THINK>a</THINK>"], ["<THINK>a</THINK>"], [""]),
}


@pytest.mark.parametrize("case", CASES)
def test_pieces(case: str) -> None:
    """Blocks become reasoning, and only what may be the beginning of a tag is held back."""
    pieces, content, reasoning = CASES[case]
    chunks = passed(Thinking(), documents(map(Piece, pieces)))
    assert [text or "" for text in contents(chunks)] == content
    assert [c.choices[0].delta.reasoning or "" for c in chunks] == reasoning


FINISHES: dict[str, tuple[list[Piece], list[object], list[object]]] = {
    "outside": ([Piece("a<"), Piece("t", finish="stop")], ["a", "<t"], [None, None]),
    "inside": ([Piece("<think>a<"), Piece("/", finish="length")], ["", ""], ["a", "</"]),
    "inside, without content": (
        [Piece("<think>a<"), Piece(None, finish="length")],
        ["", ""],
        ["a", "<"],
    ),
    "outside, without content": ([Piece("a<"), Piece(None, finish="stop")], ["a", "<"], [None] * 2),
    "nothing held": ([Piece("<think>a"), Piece(None, finish="stop")], ["", None], ["a", None]),
    "text after the finish": (
        [Piece("<think>a", finish="stop"), Piece("b")],
        ["", "b"],
        ["a", None],
    ),
}


@pytest.mark.parametrize("case", FINISHES)
def test_finish_of_the_server(case: str) -> None:
    """What is held comes out in the chunk that has the finish reason."""
    pieces, content, reasoning = FINISHES[case]
    chunks = passed(Thinking(), documents(pieces))
    assert contents(chunks) == content
    assert [c.choices[0].delta.reasoning for c in chunks] == reasoning
    assert len(chunks) == 2


def test_the_end_gives_what_is_held_once() -> None:
    """The end of the stream gives what is held of each choice, where it belongs, one time."""
    thinking = Thinking()
    for piece in documents([Piece("a<th"), Piece("<think>b</", 1), Piece("<think>c", 2)]):
        assert thinking.feed(read_chunk(piece))
    rest = thinking.finish()
    assert rest is not None
    assert rest.object == "chat.completion.chunk"
    found = [(c.index, c.delta.content, c.delta.reasoning) for c in rest.choices]
    assert found == [(0, "<th", None), (1, None, "</")]
    assert thinking.finish() is None


def test_choices_are_apart() -> None:
    """A block in one choice leaves the others as they are, also where an index is a text."""
    pieces = [Piece("<think>a"), Piece("b", 1), Piece("c</think>d"), Piece("<", 1), Piece("e", 1)]
    given = [*documents(pieces), {"choices": [{"index": "1", "delta": {"content": "<think>f"}}]}]
    completion = assembled(passed(Thinking(), given)).completion()
    assert [c.message.content for c in completion.choices] == ["d", "b<e"]
    assert [c.message.reasoning for c in completion.choices] == ["ac", "f"]


def test_other_fields_stay() -> None:
    """Whatever else a delta has goes along, and what was parsed is not changed."""
    call = {"index": 0, "id": "1", "function": {"name": "f", "arguments": "{}"}}
    delta = {"role": "assistant", "content": "<think>a</think>b", "tool_calls": [call], "new": [1]}
    given = [{"choices": [{"index": 0, "delta": delta, "finish_reason": None}]}]
    before = copy.deepcopy(given)
    found = passed(Thinking(), given)[0].choices[0].delta
    assert found.to_dict() == {**delta, "content": "b", "reasoning": "a"}
    assert found.tool_calls is not None
    assert found.tool_calls[0].function.arguments == "{}"
    assert given == before


@pytest.mark.parametrize("key", ["reasoning", "reasoning_content"])
def test_reasoning_of_its_own(key: str) -> None:
    """Moved text comes after reasoning of the server's own, under the name that this one uses."""
    given: list[dict[str, Any]] = [
        {"choices": [{"index": 0, "delta": {"content": content, key: own}}]}
        for content, own in ((None, "1"), ("", "2"), ("<think>3", None), ("5</", "4"))
    ]
    chunks = passed(Thinking(), given)
    assert [c.choices[0].delta.reasoning for c in chunks] == ["1", "2", "3", "45", "</"]
    message = assembled(chunks).completion().choices[0].message
    assert message.to_dict() == {"role": "assistant", "content": "", key: "12345</"}


def test_the_name_of_reasoning_that_is_empty() -> None:
    """Moved text comes under the name that the server uses, also where it says nothing there."""
    given = [{"choices": [{"delta": {"content": "", "reasoning_content": ""}}]}, chunk("<think>a")]
    message = assembled(passed(Thinking(), given)).completion().choices[0].message
    assert message.to_dict()["reasoning_content"] == "a"


@pytest.mark.parametrize("content", [None, 5, True])
def test_content_that_is_no_text(content: Any) -> None:
    """Content that is no text goes through and changes nothing of what is held."""
    odd = {"choices": [{"index": 0, "delta": {"content": content}}]}
    given = [odd, chunk("a<"), odd, chunk("think>b")]
    assert contents(passed(Thinking(), given)) == [content, "a", content, ""]


def test_the_older_endpoint() -> None:
    """A block in a chunk of the older completions endpoint is taken out of its text."""
    read = read_completion_chunk({"choices": [{"index": 0, "text": "a<think>b</think>c"}]})
    assert Thinking().feed(read)
    choice = read.choices[0]
    assert (choice.text, choice.delta.reasoning) == ("ac", "b")
    assert read.to_dict()["choices"][0]["text"] == "ac"


def test_whole_answers() -> None:
    """A whole answer is split in place, choice by choice."""
    messages: list[dict[str, Any]] = [
        {"content": "<think>a</think>b"},
        {"content": "<think>a", "reasoning_content": "0"},
        {"content": "<think></think>b"},
        {"content": "a < b<th"},
        {"content": None},
        {"content": 5},
    ]
    completion = ChatCompletion.from_dict({"choices": [{"message": m} for m in messages]})
    split_completion(completion)
    assert [choice["message"] for choice in completion.to_dict()["choices"]] == [
        {"content": "b", "reasoning": "a"},
        {"content": "", "reasoning_content": "0a"},
        {"content": "b"},
        *messages[3:],
    ]


def test_a_whole_answer_of_the_older_endpoint() -> None:
    """A block is taken out of the text of an answer of the older completions endpoint."""
    completion = Completion.from_dict({"choices": [{"index": 0, "text": "<think>a</think>b"}]})
    split_completion(completion)
    assert (completion.choices[0].text, completion.text, completion.reasoning) == ("b", "b", "a")
    assert completion.to_dict()["choices"][0]["text"] == "b"


def test_linear() -> None:
    """Twice the text takes twice the time, also where every character may begin a tag."""

    def work(size: int) -> None:
        thinking = Thinking()
        read = read_chunk(chunk("<"))
        for _ in range(size):
            read.choices[0].delta.content = "<"
            thinking.feed(read)
        thinking.feed(read_chunk(chunk("<think>" * size)))
        thinking.feed(read_chunk(chunk("</think><think>" * size)))

    assert growth(work, 5_000) < 3


def test_thinking_parts_beside_a_block() -> None:
    """Thinking that comes as a part of the content stays, and that of a block comes after it."""
    parts = [{"type": "thinking", "thinking": [{"type": "text", "text": "1"}]},
             {"type": "text", "text": "<think>2</think>3"}]  # fmt: skip
    given = [{"choices": [{"index": 0, "delta": {"content": parts}}]}]
    completion = assembled(passed(Thinking(), given)).completion()
    assert (completion.text, completion.reasoning) == ("3", "12")
