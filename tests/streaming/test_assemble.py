"""Assembling chunks to a completion."""

from __future__ import annotations

from typing import Any

import pytest

from evoclient.models.chat import ChatCompletion
from evoclient.models.chunks import ChatCompletionChunk, ChoiceDelta, read_chunk
from evoclient.streaming.assemble import Assembly

Raw = dict[str, Any]


def assembled(*chunks: Raw) -> ChatCompletion:
    """Return the completion of some raw chunks."""
    assembly = Assembly()
    for raw in chunks:
        assembly.feed(read_chunk(raw))
    return assembly.completion()


def piece(delta: Raw | None = None, index: object = 0, **more: Any) -> Raw:
    """Return a raw chunk of one choice."""
    return {"choices": [{"index": index, "delta": delta or {}, **more}]}


def message_of(*deltas: Raw) -> Raw:
    """Return the message that some deltas give."""
    found: Raw = assembled(*map(piece, deltas)).to_dict()["choices"][0]["message"]
    return found


def test_nothing_gives_an_empty_completion() -> None:
    """An assembly that was fed nothing gives a completion without choices."""
    completion = Assembly().completion()
    assert completion.to_dict() == {"object": "chat.completion", "choices": []}
    assert completion.text == ""


def test_the_completion_so_far() -> None:
    """A completion can be had at any time, is kept until the next chunk, and then is another."""
    assembly = Assembly()
    assembly.feed(read_chunk(piece({"content": "один"})))
    first = assembly.completion()
    assert assembly.completion() is first
    assembly.feed(read_chunk(piece({"content": " два"})))
    assert (first.text, assembly.completion().text) == ("один", "один два")


def test_what_is_known_of_the_end() -> None:
    """The choices seen, their finish reasons and the usage are at hand while it grows."""
    assembly = Assembly()
    chunks: list[Raw] = [
        piece({"content": "a"}, finish_reason=""),
        piece({"content": "b"}, 2),
        piece({}, 2, finish_reason="length"),
        piece({}, finish_reason=7),
        {"choices": [], "usage": {"total_tokens": 3}},
        {"choices": [], "usage": {}},
        {"choices": [], "usage": None},
    ]
    for raw in chunks:
        assembly.feed(read_chunk(raw))
    assert assembly.seen == {0, 2}
    assert assembly.finish_reasons == {2: "length"}
    assert assembly.usage is not None
    assert assembly.usage.total_tokens == 3
    assert assembly.completion().usage == assembly.usage


@pytest.mark.parametrize(
    ("index", "place"), [(None, 0), ("1", 1), (1.0, 1), ([], 0), ("x", 0), (float("inf"), 0)]
)
def test_an_index_of_a_wrong_type(index: object, place: int) -> None:
    """An index that is no number counts as the number it says, or as 0."""
    assembly = Assembly()
    assembly.feed(read_chunk(piece({"content": "a"}, index, finish_reason="stop")))
    assert assembly.seen == {place}
    assert assembly.finish_reasons == {place: "stop"}
    assert assembly.completion().choices[0].index == place


def test_fields_of_the_chunk() -> None:
    """Fields are set once or by the last value, and what has a meaning in the stream only goes."""
    completion = assembled(
        {"id": "", "created": 0, "model": "", "object": "", "provider": None, "choices": []},
        {"id": "a", "created": 1, "model": "m", "service_tier": "auto", "timings": {"n": 1}},
        {"id": "b", "created": 2, "model": "x", "obfuscation": "zz", "timings": {"n": 2}},
        {"id": "b", "created": 3, "model": "x", "timings": None, "prompt_progress": {"n": 9}},
        {"system_fingerprint": "fp", "x_groq": {"id": "r"}},
        {"x_groq": {"usage": {"total_tokens": 1}, "id": None}},
    )
    assert completion.to_dict() == {
        "id": "a",
        "created": 1,
        "model": "m",
        "object": "chat.completion",
        "choices": [],
        "service_tier": "auto",
        "timings": {"n": 2},
        "system_fingerprint": "fp",
        "x_groq": {"id": "r", "usage": {"total_tokens": 1}},
    }
    assert completion.usage is not None


def test_fields_of_the_choice() -> None:
    """The fields of a choice go by their rules: extended, merged, or the last one."""
    completion = assembled(
        piece({"content": "a"}, token_ids=[1], logprobs={"content": [1], "refusal": None}),
        piece({"content": "b"}, token_ids=[1], logprobs={"content": [2]}, stop_reason=None),
        piece(
            {"content": "c"}, native_finish_reason="x", content_filter_results={"hate": {"a": 1}}
        ),
        piece({"content": "d"}, stop_reason=5, content_filter_results={"hate": {"b": 2}}),
        piece({"content": "e"}, unknown="first"),
        piece({"content": "f"}, unknown="last", finish_reason="stop"),
    )
    assert completion.to_dict()["choices"] == [
        {
            "index": 0,
            "message": {"role": "assistant", "content": "abcdef"},
            "token_ids": [1, 1],
            "logprobs": {"content": [1, 2]},
            "native_finish_reason": "x",
            "content_filter_results": {"hate": {"a": 1, "b": 2}},
            "stop_reason": 5,
            "unknown": "last",
            "finish_reason": "stop",
        }
    ]


def test_choices_in_any_order() -> None:
    """Choices stand by their index, and what is alike in two chunks counts twice."""
    choices = assembled(
        *[piece({"content": "b"}, 1, token_ids=[7])] * 3, piece({"content": "a"})
    ).choices
    assert [(choice.index, choice.message.content) for choice in choices] == [(0, "a"), (1, "bbb")]
    assert choices[1].token_ids == [7, 7, 7]


def test_fields_of_the_message() -> None:
    """The fields of a delta go by their rules, and null never takes anything away."""
    message = message_of(
        {"role": "assistant", "content": "", "refusal": "n", "audio": {"id": "a", "data": "QQ"}},
        {"role": None, "content": None, "refusal": "o", "audio": {"id": "b", "data": "=="}},
        {"images": [1], "annotations": {"a": 1}, "odd": "x", "audio": "none", "refusal": 5},
        {"images": [2], "annotations": [{"b": 2}], "odd": "y", "audio": {"expires_at": 3}},
        {
            "odd": None,
            "content": 5,
            "reasoning": "r",
            "reasoning_content": "s",
            "executed_tools": "t",
        },
        {"reasoning": "R", "reasoning_content": "S", "executed_tools": [{"index": 0}]},
    )
    assert message == {
        "role": "assistant",
        "content": "",
        "refusal": "no",
        "audio": {"id": "a", "data": "QQ==", "expires_at": 3},
        "images": [1, 2],
        "annotations": [{"a": 1}, {"b": 2}],
        "odd": "y",
        "reasoning": "rR",
        "reasoning_content": "sS",
        "executed_tools": ["t", {"index": 0}],
    }


def test_reasoning_details_without_index() -> None:
    """Details without an index go on with the last one of their type, encrypted ones never."""
    text, secret = {"type": "reasoning.text"}, {"type": "reasoning.encrypted", "data": "QQ=="}
    message = message_of(
        {"reasoning_details": [{**text, "text": "a"}]},
        {"reasoning_details": [{**text, "text": "b", "signature": "s"}]},
        {"reasoning_details": [secret, secret]},
        {"reasoning_details": [{**text, "text": "c"}]},
        {"reasoning_details": [{**text, "text": "d", "id": "1"}, {**text, "text": "e", "id": "2"}]},
    )
    assert message["reasoning_details"] == [
        {**text, "text": "ab", "signature": "s"},
        secret,
        secret,
        {**text, "text": "cd", "id": "1"},
        {**text, "text": "e", "id": "2"},
    ]


def test_content_in_parts_and_text() -> None:
    """Parts and text are put in a row: runs of text are joined, other parts stay between them."""
    image = {"type": "image_url", "image_url": "x"}
    thinking = {"type": "thinking", "thinking": ["a"]}
    message = message_of(
        {"content": "на"},
        {"content": [{"type": "text", "text": "чало"}, thinking]},
        {"content": [{**thinking, "signature": "s"}, image, 5]},
        {"content": {"type": "text", "text": "ко\ud83d"}},
        {"content": ""},
        {"content": "\ude00нец"},
    )
    assert message["content"] == [
        {"type": "text", "text": "начало"},
        {"type": "thinking", "thinking": [{"type": "text", "text": "aa"}], "signature": "s"},
        image,
        5,
        {"type": "text", "text": "ко😀нец"},
    ]


def test_nothing_is_shared_with_the_chunks() -> None:
    """Changing a completion changes neither the chunks nor the next completion."""
    chunk = read_chunk(piece({"images": [{"n": 1}]}, odd={"k": []}))
    assembly = Assembly()
    assembly.feed(chunk)
    raw = assembly.completion()._raw
    raw["choices"][0]["message"]["images"][0]["n"] = 2
    raw["choices"][0]["odd"]["k"].append(1)
    assembly.feed(read_chunk({}))
    assert assembly.completion().to_dict()["choices"][0] == {
        "index": 0,
        "message": {"role": "assistant", "content": None, "images": [{"n": 1}]},
        "odd": {"k": []},
        "finish_reason": None,
    }
    assert chunk.choices[0].delta.images == [{"n": 1}]


def test_slots_win_over_the_mapping() -> None:
    """Text, reasoning, arguments and reason count as the records show them, not as mapped."""
    assembly = Assembly()
    raw = piece({"content": "x"})
    for text in ("a", "b", "c"):
        chunk = read_chunk(raw)
        chunk.choices[0].delta.content = text
        assembly.feed(chunk)
    chunk = read_chunk(
        piece({"reasoning_content": "x", "tool_calls": [{"function": {"name": "f"}}]})
    )
    delta = chunk.choices[0].delta
    delta.reasoning = "r"
    assert delta.tool_calls is not None
    delta.tool_calls[0].function.arguments = "{}"
    chunk.choices[0].finish_reason = "stop"
    assembly.feed(chunk)
    completion = assembly.completion()
    assert (completion.text, completion.reasoning) == ("abc", "r")
    assert (completion.tool_calls[0].function.arguments, completion.finish_reason) == ("{}", "stop")


def test_a_changed_text_wins_over_parts() -> None:
    """Where a stage has changed a text that came in parts, the text counts."""
    chunk = read_chunk(piece({"content": [{"type": "text", "text": "long"}]}))
    chunk.choices[0].delta.content = "lo"
    assembly = Assembly()
    assembly.feed(chunk)
    assert assembly.completion().to_dict()["choices"][0]["message"]["content"] == "lo"


def test_chunks_made_by_hand() -> None:
    """Chunks that `read_chunk` has not made are assembled as well, and deltas can be made anew."""
    assembly = Assembly()
    chunk = ChatCompletionChunk.from_dict(piece({"content": "<b>", "tool_calls": None}))
    chunk.choices[0].delta = ChoiceDelta(reasoning="b")
    assembly.feed(chunk)
    assert assembly.completion().reasoning == "b"
