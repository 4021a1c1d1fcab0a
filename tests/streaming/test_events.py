"""Typed events: what a stream says, one thing at a time."""

from __future__ import annotations

from typing import Any, get_args

import attrs
import pytest

from evoclient.errors.tree import APIConnectionError
from evoclient.models.chat import ChatCompletion
from evoclient.models.chunks import read_chunk
from evoclient.models.completions import read_completion_chunk
from evoclient.models.finish import Finish
from evoclient.models.tools import ToolCall
from evoclient.streaming.events import (
    ContentEvent,
    FinishEvent,
    KeepAliveEvent,
    ReasoningEvent,
    RefusalEvent,
    RestartEvent,
    RetryEvent,
    StreamEvent,
    ToolCallDeltaEvent,
    ToolCallDoneEvent,
    ToolCallStartEvent,
    UsageEvent,
)
from evoclient.streaming.sse import KeepAlive
from evoclient.streaming.telling import EventReader

from ..samples import Sample
from .test_assemble_samples import STREAMS, assembled, documents

Raw = dict[str, Any]


def one(delta: Raw, finish: object = None, index: object = 0) -> Raw:
    """Return a chunk with one choice."""
    return {"choices": [{"index": index, "delta": delta, "finish_reason": finish}]}


def calling(*calls: Raw, finish: object = None, index: int = 0) -> Raw:
    """Return a chunk with pieces of tool calls."""
    return one({"tool_calls": list(calls)}, finish, index)


def piece(name: object = None, arguments: object = None, **more: Any) -> Raw:
    """Return a piece of a call; what is None is left out."""
    function = {"name": name, "arguments": arguments}
    return {**more, "function": {k: v for k, v in function.items() if v is not None}}


def told(*chunks: Raw) -> list[StreamEvent]:
    """Return the events of some chunks."""
    reader = EventReader()
    return [event for raw in chunks for event in reader.feed(read_chunk(raw))]


def short(events: list[StreamEvent]) -> list[Any]:
    """Return events in a few letters: the start, the pieces and the end of calls, and the rest."""
    found: list[Any] = []
    for event in events:
        match event:
            case ToolCallStartEvent():
                found.append(("start", event.number, event.id, event.name))
            case ToolCallDeltaEvent():
                found.append((event.number, event.arguments))
            case ToolCallDoneEvent():
                found.append(("done", event.number, event.call.function.arguments))
            case _:
                found.append(event.type)
    return found


@pytest.mark.parametrize(
    ("raw", "events"),
    [
        (one({"content": "a"}), [ContentEvent(text="a")]),
        (one({"content": "a"}, index=2), [ContentEvent(text="a", choice=2)]),
        (one({"content": "a"}, index="1"), [ContentEvent(text="a", choice=1)]),
        (one({"content": "a"}, index=[]), [ContentEvent(text="a")]),
        (one({"content": ""}), []),
        (one({"content": 5}), []),
        (one({"content": [{"type": "text", "text": "a"}]}), [ContentEvent(text="a")]),
        (one({"role": "assistant", "content": "a"}), [ContentEvent(text="a")]),
        (one({"role": "assistant", "content": None}), []),
        (one({}, finish=""), []),
        (one({}, finish=5), []),
        (one({"reasoning": "r"}), [ReasoningEvent(text="r")]),
        (one({"reasoning": 5, "refusal": 5}), []),
        (one({"reasoning_content": "r", "content": None}), [ReasoningEvent(text="r")]),
        (
            one(
                {"content": [{"type": "thinking", "thinking": "r"}, {"type": "text", "text": "a"}]}
            ),
            [ReasoningEvent(text="r"), ContentEvent(text="a")],
        ),
        (one({"refusal": "no"}), [RefusalEvent(text="no")]),
        (one({"tool_calls": []}), []),
        (one({"tool_calls": [{"function": None}, 5]}), []),
        (one({}, "stop"), [FinishEvent(finish_reason="stop", finish=Finish.stop)]),
        (
            one({"content": "a"}, "eos"),
            [ContentEvent(text="a"), FinishEvent(finish_reason="eos", finish=Finish.stop)],
        ),
        ({"choices": []}, []),
        ({"choices": [], "usage": None}, []),
        ({"choices": [], "usage": {}}, []),
        ({}, []),
    ],
)
def test_chunks(raw: Raw, events: list[StreamEvent]) -> None:
    """A chunk gives one event for each thing it says, and none for what is empty."""
    assert told(raw) == events


def test_the_order_within_a_chunk() -> None:
    """A chunk that says everything at once is told in an order that never changes."""
    delta = {
        "tool_calls": [piece("f", "{}", id="c")],
        "refusal": "no",
        "content": "a",
        "reasoning": "r",
    }
    *events, last = told({"usage": {"total_tokens": 3}, **one(delta, "stop")})
    assert [event.type for event in events] == [
        "reasoning",
        "content",
        "refusal",
        "tool_call.start",
        "tool_call.delta",
        "tool_call.done",
        "finish",
    ]
    assert isinstance(last, UsageEvent)
    assert last.usage.total_tokens == 3


def test_usage_of_groq() -> None:
    """Usage is told wherever it comes from."""
    (event,) = told({"choices": [], "x_groq": {"usage": {"total_tokens": 3}}})
    assert isinstance(event, UsageEvent)
    assert event.usage.total_tokens == 3


def test_a_stage_before() -> None:
    """What a stage has assigned is told, not what the server sent."""
    chunk = read_chunk(one({"content": "abc"}, "length"))
    chunk.choices[0].delta.content = "a"
    chunk.choices[0].finish_reason = "stop"
    assert EventReader().feed(chunk) == [
        ContentEvent(text="a"),
        FinishEvent(finish_reason="stop", finish=Finish.stop),
    ]


def test_the_older_endpoint() -> None:
    """Chunks of the completions endpoint are told as those of the chat endpoint."""
    raw = {"choices": [{"index": 0, "text": "a", "finish_reason": "stop"}]}
    assert short(EventReader().feed(read_completion_chunk(raw))) == ["content", "finish"]


def test_signs_of_life_and_of_trouble() -> None:
    """A comment is an event, and retries and restarts are told as they are."""
    reader = EventReader()
    assert reader.feed(KeepAlive("hi")) == [KeepAliveEvent(comment="hi")]
    retry = RetryEvent(attempt=1, wait=0.5, error=APIConnectionError("away"))
    restart = RestartEvent(choice=1, keep=3, reasoning=0, tool_calls=0)
    assert reader.feed(retry) == [retry]
    assert reader.feed(restart) == [restart]


def test_types_tell_kinds_apart() -> None:
    """Each kind has a `type` of its own to match on."""
    kinds = get_args(StreamEvent)
    types = [attrs.fields_dict(kind)["type"].default for kind in kinds]
    assert len(set(types)) == len(kinds) == 12


def test_a_call_in_pieces() -> None:
    """A call starts with its name, grows by its arguments, and is done when these close."""
    call = ToolCall(id="c", type="function", function={"name": "f", "arguments": '{"a":1}'})
    first = told(calling(piece("f", "", index=1, id="c", type="function"), index=2))
    assert first == [ToolCallStartEvent(number=0, id="c", name="f", choice=2)]
    reader = EventReader()
    reader.feed(read_chunk(calling(piece("f", "", index=1, id="c"), index=2)))
    rest = [calling(piece(None, text, index=1), index=2) for text in ('{"a"', ":1", "}", " ", "")]
    assert [reader.feed(read_chunk(raw)) for raw in rest] == [
        [ToolCallDeltaEvent(number=0, index=1, id=None, name=None, arguments='{"a"', choice=2)],
        [ToolCallDeltaEvent(number=0, index=1, id=None, name=None, arguments=":1", choice=2)],
        [
            ToolCallDeltaEvent(number=0, index=1, id=None, name=None, arguments="}", choice=2),
            ToolCallDoneEvent(number=0, call=call, choice=2),
        ],
        [],
        [],
    ]


def test_what_a_piece_says_of_itself() -> None:
    """A piece of arguments has the index, the id and the name that it was sent with."""
    _, delta = told(calling(piece("f", "{", index=4, id="c")))
    assert delta == ToolCallDeltaEvent(number=0, index=4, id="c", name="f", arguments="{")


@pytest.mark.parametrize(
    ("chunks", "wanted"),
    [
        pytest.param(
            [calling(piece("f", "{}", index=0, id="a")), one({}, "stop")],
            [("start", 0, "a", "f"), (0, "{}"), ("done", 0, "{}"), "finish"],
            id="whole in one piece",
        ),
        pytest.param(
            [
                calling(piece(None, '{"a":', index=1), piece(None, "1", index=1)),
                calling(piece("f", "}", index=1, id="a")),
            ],
            [("start", 0, "a", "f"), (0, '{"a":'), (0, "1"), (0, "}"), ("done", 0, '{"a":1}')],
            id="the name after the arguments",
        ),
        pytest.param(
            [calling(piece(None, "{}", index=0)), calling(piece("f", " ", index=0))],
            [("start", 0, None, "f"), (0, "{}"), ("done", 0, "{} ")],
            id="the name when the arguments are closed",
        ),
        pytest.param(
            [calling(piece("f", "{}", index=0, id="a"), piece("g", "{}", index=0, id="b"))],
            [
                *[("start", 0, "a", "f"), (0, "{}"), ("done", 0, "{}")],
                *[("start", 1, "b", "g"), (1, "{}"), ("done", 1, "{}")],
            ],
            id="one index for two calls",
        ),
        pytest.param(
            [
                calling(piece("f", "", index=1, id="a"), piece("g", "", index=2, id="b")),
                calling(piece(None, "{", index=2), piece(None, "{", index=1)),
                calling(piece(None, "}", index=1), piece(None, "}", index=2)),
            ],
            [
                *[("start", 0, "a", "f"), ("start", 1, "b", "g"), (1, "{"), (0, "{")],
                *[(0, "}"), ("done", 0, "{}"), (1, "}"), ("done", 1, "{}")],
            ],
            id="interleaved",
        ),
        pytest.param(
            [calling(piece("f", {"a": 1}, id="null", index=0))],
            [("start", 0, None, "f"), (0, '{"a":1}'), ("done", 0, '{"a":1}')],
            id="an object for arguments",
        ),
        pytest.param(
            [calling(piece("f", "[1", id="a")), calling(piece("f", "]", id="a"))],
            [("start", 0, "a", "f"), (0, "[1"), (0, "]"), ("done", 0, "[1]")],
            id="no index, and the name on every piece",
        ),
        pytest.param(
            [calling(piece("f", None, index=0, id="a")), one({}, "tool_calls")],
            [("start", 0, "a", "f"), ("done", 0, ""), "finish"],
            id="no arguments",
        ),
        pytest.param(
            [calling(piece("f", 7, index=0, id="a"), finish="tool_calls")],
            [("start", 0, "a", "f"), ("done", 0, ""), "finish"],
            id="arguments of a wrong type",
        ),
        pytest.param(
            [
                calling(piece("f", '"a" + "b"', index=0, id="a")),
                calling(piece(None, "12 ", index=0), finish="stop"),
            ],
            [
                *[("start", 0, "a", "f"), (0, '"a" + "b"'), (0, "12 ")],
                *[("done", 0, '"a" + "b"12 '), "finish"],
            ],
            id="arguments that are no JSON",
        ),
        pytest.param(
            [calling(piece("f", "{", index=0, id="a")), one({}, "tool_calls")],
            [("start", 0, "a", "f"), (0, "{"), ("done", 0, "{"), "finish"],
            id="arguments that the model left open",
        ),
        pytest.param(
            [calling(piece(None, "{}", index=0)), one({}, "stop")],
            [("start", 0, None, None), (0, "{}"), ("done", 0, "{}"), "finish"],
            id="never a name",
        ),
        pytest.param(
            [one({"function_call": {"name": "f", "arguments": text}}) for text in ("", "{", "}")],
            [("start", 0, None, "f"), (0, "{"), (0, "}"), ("done", 0, "{}")],
            id="the older protocol",
        ),
        pytest.param(
            [calling(piece("f", "{}", index=0, id="a"), index=choice) for choice in (0, 1)],
            [("start", 0, "a", "f"), (0, "{}"), ("done", 0, "{}")] * 2,
            id="two choices",
        ),
    ],
)
def test_calls_of_every_dialect(chunks: list[Raw], wanted: list[Any]) -> None:
    """However a server sends its calls, each has a start, its pieces and one end."""
    assert short(told(*chunks)) == wanted


def test_a_custom_tool() -> None:
    """The free text of a custom tool may look like JSON, and is done with the choice."""
    events = told(
        calling({"index": 0, "id": "a", "type": "custom", "custom": {"name": "sh", "input": "{}"}}),
        calling({"index": 0, "custom": {"input": " ls"}}, finish="tool_calls"),
    )
    assert [event.type for event in events] == [
        *("tool_call.start", "tool_call.delta", "tool_call.delta", "tool_call.done", "finish")
    ]
    start, delta, _, done, _ = events
    assert start == ToolCallStartEvent(number=0, id="a", name="sh")
    assert delta == ToolCallDeltaEvent(number=0, index=0, id="a", name="sh", arguments="{}")
    assert isinstance(done, ToolCallDoneEvent)
    assert done.call.to_dict()["custom"] == {"name": "sh", "input": "{} ls"}


@pytest.mark.parametrize("reason", ["length", "content_filter", "error"])
@pytest.mark.parametrize("arguments", ["", "{", "7"])
def test_a_call_that_was_cut(reason: str, arguments: str) -> None:
    """A call whose arguments did not close is not done where the choice was cut."""
    whole, cut = piece("f", "{}", index=0, id="a"), piece("g", arguments, index=1, id="b")
    events = told(calling(whole, cut), one({}, reason))
    assert [e.number for e in events if isinstance(e, ToolCallDoneEvent)] == [0]
    assert isinstance(events[-1], FinishEvent)


@pytest.mark.parametrize(
    "delta", [{"tool_calls": [piece("f", "{}", index=0)]}, {"function_call": {"name": "f"}}]
)
def test_a_stop_after_tool_calls(delta: Raw) -> None:
    """A "stop" means tool calls where this choice, and no other, called a tool before."""
    *_, last, other = told(one(delta), one({}, "stop"), one({}, "stop", 1))
    assert last == FinishEvent(finish_reason="stop", finish=Finish.tool_calls)
    assert other == FinishEvent(finish_reason="stop", finish=Finish.stop, choice=1)


def test_a_finish_that_is_repeated() -> None:
    """A finish reason that is sent again, as beside the usage, is told once."""
    last = {**one({}, "stop"), "usage": {"total_tokens": 3}}
    assert short(told(one({}, "stop"), last)) == ["finish", "usage"]
    assert short(told(one({}, "stop"), one({}, "length"))) == ["finish", "finish"]


@pytest.mark.parametrize(("arguments", "before"), [("", 1), ("{", 2), ("{}", 3)])
def test_the_end_without_a_finish_reason(arguments: str, before: int) -> None:
    """Calls that nobody ended are done with a stream that came to its end, and only once."""
    reader = EventReader()
    first = reader.feed(read_chunk(calling(piece("f", arguments, index=0, id="a"))))
    assert len(first) == before
    found = first + reader.finish()
    assert short(found)[-1] == ("done", 0, arguments)
    assert reader.finish() == []


def test_the_end_after_a_cut() -> None:
    """A call that its finish reason has cut is not done at the end of the stream either."""
    reader = EventReader()
    reader.feed(read_chunk(calling(piece("f", "{", index=0), finish="length")))
    assert reader.finish() == []


def test_a_restart() -> None:
    """After a restart the calls that do not stay are forgotten, with the end of the choice."""
    reader = EventReader()
    whole, half = piece("f", "{}", index=0, id="a"), piece("g", "{", index=1, id="b")
    other = piece("k", "{", index=0, id="z")
    reader.feed(read_chunk(calling(other, index=1)))
    reader.feed(read_chunk(calling(whole, half, finish="length")))
    reader.feed(RestartEvent(choice=0, keep=0, reasoning=0, tool_calls=1))
    again = piece("h", "{}", index=1, id="c")
    late = {"index": 0, "extra_content": {"google": {"thought_signature": "S"}}}
    events = reader.feed(read_chunk(calling(late, again, finish="length")))
    assert short(events) == [("start", 1, "c", "h"), (1, "{}"), ("done", 1, "{}"), "finish"]
    assert short(reader.feed(read_chunk(calling(piece(None, "}", index=0), index=1)))) == [
        (0, "}"),
        ("done", 0, "{}"),
    ]


@pytest.mark.parametrize("names", [{"id": "a", "index": 0}, {"id": "a"}, {"index": 0}, {}])
def test_a_restart_from_the_beginning(names: Raw) -> None:
    """A choice that begins anew has no calls until it calls again."""
    reader = EventReader()
    reader.feed(read_chunk(calling(piece("f", "{", **names))))
    reader.feed(RestartEvent(choice=0, keep=0, reasoning=0, tool_calls=0))
    events = reader.feed(read_chunk(calling(piece("f", "{}", **names))))
    assert short(events) == [("start", 0, names.get("id"), "f"), (0, "{}"), ("done", 0, "{}")]
    reader.feed(RestartEvent(choice=0, keep=0, reasoning=0, tool_calls=0))
    (finish,) = reader.feed(read_chunk(one({}, "stop")))
    assert finish == FinishEvent(finish_reason="stop", finish=Finish.stop)


@pytest.mark.parametrize("sample", STREAMS, ids=lambda sample: sample.name)
def test_events_and_completion_are_alike(sample: Sample) -> None:
    """The events of what servers send add up to the completion, and every call is done once."""
    assert sample.stream is not None
    chunks = documents(sample.stream)
    reader = EventReader()
    events = [event for raw in chunks for event in reader.feed(read_chunk(raw))]
    events += reader.finish()
    wanted: ChatCompletion = assembled(*chunks)
    text = "".join(e.text for e in events if isinstance(e, ContentEvent) and e.choice == 0)
    reasoning = "".join(e.text for e in events if isinstance(e, ReasoningEvent) and e.choice == 0)
    if "surrogate" not in sample.name:  # these are mended by a stage before
        assert text == wanted.text
    assert reasoning == (wanted.reasoning or "")
    finishes = [e.finish for e in events if isinstance(e, FinishEvent) and e.choice == 0]
    assert finishes == ([wanted.finish] if wanted.finish else [])
    done = [e.call for e in events if isinstance(e, ToolCallDoneEvent) and e.choice == 0]
    old = wanted.choices[0].message.function_call if wanted.choices else None
    calls = [call.function for call in wanted.tool_calls] or ([old] if old else [])
    if wanted.finish != Finish.length:
        assert [(c.function.name, c.function.arguments) for c in done] == [
            (function.name, function.arguments) for function in calls
        ]
