"""The ordinary form of completions and chunks."""

from __future__ import annotations

from typing import Any

from evoclient.testing.answers import answer
from evoclient.testing.chunks import chat_chunks, chat_completion, text_chunks, text_completion
from evoclient.testing.question import read_chat

CLOCK = {"type": "function", "function": {"name": "clock"}}


def made(text: str, **fields: Any) -> Any:
    """An answer to a user message."""
    messages = [{"role": "user", "content": text}]
    return answer(read_chat({"model": "m", "messages": messages, **fields}), id="x")


def test_a_stream_of_text() -> None:
    """The role comes first and once, then the text in pieces, then the reason alone."""
    chunks = chat_chunks(made("count to 3"), usage=False)
    deltas = [chunk["choices"][0]["delta"] for chunk in chunks]
    assert deltas[0] == {"role": "assistant", "content": "", "refusal": None}
    assert [delta["content"] for delta in deltas[1:-1]] == ["1", " 2", " 3"]
    assert deltas[-1] == {}
    reasons = [chunk["choices"][0]["finish_reason"] for chunk in chunks]
    assert reasons == [None, None, None, None, "stop"]
    assert all("usage" not in chunk for chunk in chunks)


def test_usage_comes_last() -> None:
    """Usage is a chunk without choices at the end, announced by null before."""
    *chunks, last = chat_chunks(made("hi"), usage=True)
    assert last["choices"] == []
    assert last["usage"]["total_tokens"] > 0
    assert all(chunk["usage"] is None for chunk in chunks)


def test_choices_take_turns() -> None:
    """Several choices are interleaved, each in its own order."""
    chunks = chat_chunks(made("count to 2", n=2), usage=False)
    assert [chunk["choices"][0]["index"] for chunk in chunks] == [0, 1] * 4


def test_calls_come_in_pieces() -> None:
    """A call begins with its id and name, and its arguments follow in pieces."""
    answered = made("clock", tools=[CLOCK])
    chunks = chat_chunks(answered, usage=False)
    parts = [call for c in chunks for call in c["choices"][0]["delta"].get("tool_calls", [])]
    assert parts[0]["id"] == answered.choices[0].calls[0].id
    assert parts[0]["function"] == {"name": "clock", "arguments": ""}
    assert all(set(part) == {"index", "function"} for part in parts[1:])
    joined = "".join(part["function"]["arguments"] for part in parts)
    assert joined == answered.choices[0].calls[0].arguments
    assert chunks[0]["choices"][0]["delta"]["content"] is None


def test_whole_and_streamed_agree() -> None:
    """The pieces of a stream are the text of the whole completion."""
    answered = made("hello", n=2)
    whole = chat_completion(answered)
    for choice in whole["choices"]:
        pieces = [
            part["delta"].get("content") or ""
            for chunk in chat_chunks(answered, usage=False)
            for part in chunk["choices"]
            if part["index"] == choice["index"]
        ]
        assert "".join(pieces) == choice["message"]["content"]


def test_whole_calls() -> None:
    """A whole completion with calls has no content."""
    message = chat_completion(made("clock", tools=[CLOCK]))["choices"][0]["message"]
    assert message["content"] is None
    assert message["tool_calls"][0]["function"]["arguments"] == "{}"


def test_legacy_completions() -> None:
    """The legacy form has text instead of messages and deltas."""
    answered = made("count to 2")
    assert text_completion(answered)["choices"][0]["text"] == "1 2"
    *chunks, last = text_chunks(answered, usage=True)
    assert "".join(chunk["choices"][0]["text"] for chunk in chunks) == "1 2"
    assert last["usage"]["completion_tokens"] == 2
    assert len(text_chunks(answered, usage=False)) == len(chunks)
