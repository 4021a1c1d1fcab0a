"""Typed events: what a chunk says, one thing at a time."""

from __future__ import annotations

from typing import Any

import pytest

from evoclient.models.chunks import read_chunk
from evoclient.models.finish import Finish
from evoclient.streaming.events import (
    ContentEvent,
    FinishEvent,
    KeepAliveEvent,
    ReasoningEvent,
    RefusalEvent,
    StreamEvent,
    ToolCallDeltaEvent,
    UsageEvent,
    events_of,
)
from evoclient.streaming.sse import KeepAlive


def one(delta: dict[str, Any], finish: object = None, index: int = 0) -> dict[str, Any]:
    """Return a chunk with one choice."""
    return {"choices": [{"index": index, "delta": delta, "finish_reason": finish}]}


CALL = {"index": 1, "id": "c", "function": {"name": "f", "arguments": "{"}}

CASES: list[tuple[dict[str, Any], list[StreamEvent]]] = [
    (one({"content": "a"}), [ContentEvent(text="a")]),
    (one({"content": "a"}, index=2), [ContentEvent(text="a", choice=2)]),
    (one({"content": ""}), []),
    (one({"role": "assistant", "content": None}), []),
    (one({}, finish=""), []),
    (one({"reasoning": "r"}), [ReasoningEvent(text="r")]),
    (one({"reasoning_content": "r", "content": None}), [ReasoningEvent(text="r")]),
    (one({"refusal": "no"}), [RefusalEvent(text="no")]),
    (one({"reasoning": "r", "content": "a"}), [ReasoningEvent(text="r"), ContentEvent(text="a")]),
    (
        one({"tool_calls": [CALL]}),
        [ToolCallDeltaEvent(index=1, id="c", name="f", arguments="{")],
    ),
    (
        one({"tool_calls": [{"function": None}, 5]}),
        [ToolCallDeltaEvent(index=None, id=None, name=None, arguments="")],
    ),
    (one({"tool_calls": []}), []),
    (one({}, "stop"), [FinishEvent(finish_reason="stop", finish=Finish.stop)]),
    (
        one({"content": "a"}, "eos"),
        [ContentEvent(text="a"), FinishEvent(finish_reason="eos", finish=Finish.stop)],
    ),
    (
        one({"tool_calls": [CALL]}, "stop"),
        [
            ToolCallDeltaEvent(index=1, id="c", name="f", arguments="{"),
            FinishEvent(finish_reason="stop", finish=Finish.tool_calls),
        ],
    ),
    ({"choices": []}, []),
    ({}, []),
]


@pytest.mark.parametrize(("raw", "events"), CASES)
def test_chunks(raw: dict[str, Any], events: list[StreamEvent]) -> None:
    """A chunk gives one event for each thing it says, and none for what is empty."""
    assert list(events_of(read_chunk(raw), set())) == events


def test_usage_comes_last() -> None:
    """A count of tokens follows what it counts."""
    raw = {**one({"content": "a"}, "stop"), "usage": {"total_tokens": 3}}
    *_, last = events_of(read_chunk(raw), set())
    assert isinstance(last, UsageEvent)
    assert last.usage.total_tokens == 3


def test_signs_of_life() -> None:
    """A comment is an event of its own."""
    assert list(events_of(KeepAlive("hi"), set())) == [KeepAliveEvent(comment="hi")]


def test_types_tell_kinds_apart() -> None:
    """Each kind has a `type` of its own to match on."""
    types = [
        event.type
        for raw, _ in CASES
        for event in (*events_of(read_chunk(raw), set()), *events_of(KeepAlive(""), set()))
    ]
    assert set(types) == {
        "content",
        "reasoning",
        "refusal",
        "tool_call.delta",
        "finish",
        "keep_alive",
    }


def test_a_stop_after_tool_calls() -> None:
    """A "stop" means tool calls where the choice called a tool in an earlier chunk."""
    call = {"index": 0, "id": "t1", "function": {"name": "f", "arguments": "{}"}}
    calling: set[int] = set()
    for choice in ({"delta": {"tool_calls": [call]}}, {"delta": {}, "finish_reason": "stop"}):
        *_, last = events_of(read_chunk({"choices": [{"index": 0, **choice}]}), calling)
    assert last == FinishEvent(finish_reason="stop", finish=Finish.tool_calls)
