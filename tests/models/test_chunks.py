"""Chunks, read fast."""

from __future__ import annotations

import copy
import pickle
from threading import Lock
from typing import Any

import pytest

from evoclient.models.chat import ChatMessage
from evoclient.models.chunks import ChoiceDelta, ChunkChoice, read_chunk


def first(delta: Any, **more: Any) -> ChunkChoice:
    """Return the choice of a chunk with one choice."""
    return read_chunk({"choices": [{"delta": delta, **more}]}).choices[0]


@pytest.mark.parametrize(
    "raw",
    [
        {},
        {"choices": None},
        {"choices": {}},
        {"choices": []},
        {"choices": ["x", None, 5]},
        {"choices": [{}]},
        {"choices": [{"index": 0, "delta": None}]},
        {"choices": [{"index": 0, "delta": {"content": None}}]},
        {"choices": [{"index": 0, "delta": {"content": 5}}]},
        {"choices": [{"index": 1, "delta": {"content": "other"}}]},
        {"choices": [{"index": [], "delta": {"content": "other"}}]},
    ],
)
def test_text_never_raises(raw: dict[str, Any]) -> None:
    """A chunk without text for choice 0 has the empty text, whatever its shape."""
    chunk = read_chunk(raw)
    assert chunk.text == ""
    assert all(isinstance(choice.delta, ChoiceDelta) for choice in chunk.choices)


def test_text_of_choice_0() -> None:
    """The text is that of the choice with index 0, which may be left out."""
    two = [{"index": 1, "delta": {"content": "b"}}, {"index": 0, "delta": {"content": "a"}}]
    assert read_chunk({"choices": two}).text == "a"
    assert read_chunk({"choices": [{"delta": {"content": "я"}}]}).text == "я"


def test_an_index_as_text() -> None:
    """An index that is a string of digits is that number."""
    said = {"delta": {"content": "a", "tool_calls": [{"id": "b"}]}, "finish_reason": "stop"}
    zero, one = (read_chunk({"choices": [{"index": index, **said}]}) for index in ("0", "1"))
    assert (zero.text, len(zero.tool_calls), zero.finish_reason) == ("a", 1, "stop")
    assert (one.text, len(one.tool_calls), one.finish_reason) == ("", 0, None)


def test_the_usual_slots() -> None:
    """What every reader touches is there, and typed."""
    choice = first({"content": "a"}, finish_reason="stop", index=3)
    assert (choice.index, choice.finish_reason) == (3, "stop")
    delta = choice.delta
    assert (delta.content, delta.reasoning, delta.refusal, delta.tool_calls) == ("a",) + (None,) * 3


def test_tool_calls_of_a_delta() -> None:
    """Calls are a list of records, or None where there is no list; an empty list stays one."""
    assert first({"tool_calls": []}).delta.tool_calls == []
    assert first({"tool_calls": None}).delta.tool_calls is None
    assert first({"tool_calls": "x", "content": "a"}).delta.tool_calls is None
    calls = first(
        {"tool_calls": [{"function": {"name": "f"}}, 5, {"function": 6}]}
    ).delta.tool_calls
    assert calls is not None
    assert [(call.function.name, call.function.arguments) for call in calls] == [
        ("f", ""),
        (None, ""),
    ]


@pytest.mark.parametrize(
    ("delta", "reasoning"),
    [
        ({"reasoning": "a"}, "a"),
        ({"content": "", "reasoning": None, "reasoning_content": "b"}, "b"),
        ({"content": "x", "role": "assistant"}, None),
        ({"content": [{"type": "thinking", "thinking": "c"}]}, "c"),
        ({"content": "", "reasoning": "d", "tool_calls": []}, "d"),
    ],
)
def test_reasoning_of_a_delta(delta: dict[str, Any], reasoning: str | None) -> None:
    """Reasoning is found in each of its places."""
    assert first(delta).delta.reasoning == reasoning


def test_calls_and_finish_reason_of_choice_0() -> None:
    """A chunk hands on the tool calls and the finish reason of choice 0, and of no other."""
    one = {"index": 1, "delta": {"tool_calls": [{"id": "b"}]}, "finish_reason": "length"}
    zero = {"index": 0, "delta": {"tool_calls": [{"id": "a"}]}, "finish_reason": "stop"}
    both = read_chunk({"choices": [one, zero]})
    assert [call.id for call in both.tool_calls] == ["a"]
    assert both.finish_reason == "stop"
    others: list[dict[str, Any]] = [{}, {"choices": [one]}, {"choices": [{"delta": {}}]}]
    for raw in others:
        chunk = read_chunk(raw)
        assert (chunk.tool_calls, chunk.finish_reason) == ([], None)


def test_metrics_stay_with_their_stream() -> None:
    """Live figures are no part of the JSON, and neither pickle nor copy takes them along."""
    raw = {"choices": [], "metrics": {"own": 1}}
    chunk = read_chunk(raw)
    assert chunk.metrics is None
    chunk.metrics = live = Lock()  # like live figures, nothing that can be pickled
    assert chunk.metrics is live
    assert chunk.to_dict() == raw
    assert chunk == read_chunk(raw)
    for twin in (
        pickle.loads(pickle.dumps(chunk)),  # noqa: S301 - our own bytes
        copy.copy(chunk),
        copy.deepcopy(chunk),
    ):
        assert (twin.metrics, twin.to_dict()) == (None, raw)


def test_obfuscation_is_a_field() -> None:
    """OpenAI's padding is read as it was sent, and None where there is none."""
    assert read_chunk({"choices": [], "obfuscation": "xK"}).obfuscation == "xK"
    assert read_chunk({"choices": []}).obfuscation is None


@pytest.mark.parametrize("kind", [ChoiceDelta, ChatMessage])
def test_reasoning_content_is_the_reasoning(kind: type[ChoiceDelta | ChatMessage]) -> None:
    """What is assigned to the reasoning is seen by its other name too, if it was sent by that."""
    made = kind.from_dict({"reasoning_content": "a"})
    made.reasoning = "b"
    assert made.reasoning_content == "b"
    assert made.to_dict() == {"reasoning_content": "b"}


@pytest.mark.parametrize("kind", [ChoiceDelta, ChatMessage])
@pytest.mark.parametrize(
    ("sent", "wanted"),
    [
        ({"reasoning": "a", "reasoning_content": "b"}, "b"),
        ({"reasoning_content": "", "content": [{"type": "thinking", "thinking": "c"}]}, ""),
        ({"reasoning_content": None}, None),
        ({"reasoning_content": ["d"]}, ["d"]),
    ],
)
def test_reasoning_content_beside_the_reasoning(
    kind: type[ChoiceDelta | ChatMessage], sent: dict[str, Any], wanted: object
) -> None:
    """Where it is not the text of the reasoning, it is what was sent."""
    assert kind.from_dict(sent).reasoning_content == wanted
    assert not hasattr(kind.from_dict({"content": "a"}), "reasoning_content")
