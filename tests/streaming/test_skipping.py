"""Leaving out what a reader has already of an answer that is asked for again."""

from __future__ import annotations

from typing import Any

import pytest

from evoclient.models.chunks import ChatCompletionChunk, read_chunk
from evoclient.streaming.assemble import Assembly
from evoclient.streaming.skipping import Departure, Handed, Skipper, handed_of


def piece(delta: dict[str, Any], finish: str | None = None, index: int = 0) -> ChatCompletionChunk:
    """Return a chunk of one choice."""
    return read_chunk({"choices": [{"index": index, "delta": delta, "finish_reason": finish}]})


def call(arguments: str | None, name: str | None = None, index: int | None = 0) -> dict[str, Any]:
    """Return a delta with a piece of a tool call."""
    function = {"name": name, "arguments": arguments}
    fields: dict[str, Any] = {"index": index} if index is not None else {}
    if name is not None:
        fields["id"] = f"new_{index}"
    return {"tool_calls": [{**fields, "function": function}]}


def calls_of(chunk: ChatCompletionChunk) -> list[tuple[object, ...]]:
    """Return index, id, name and arguments of the tool calls of a chunk."""
    return [
        (call.index, call.id, call.function.name, call.function.arguments)
        for call in chunk.choices[0].delta.tool_calls or ()
    ]


def departure(choice: int = 0, **kept: int) -> Departure:
    """Return a departure where nothing is kept but what is named."""
    return Departure(choice=choice, **{"keep": 0, "reasoning": 0, "tool_calls": 0, **kept})


def test_handed_of_a_completion() -> None:
    """Of an assembled completion, all texts and tool calls of each choice were handed out."""
    assembly = Assembly()
    for chunk in (
        piece({"role": "assistant", "reasoning_content": "hm"}),
        piece({"content": "a"}),
        piece(call('{"x"', "f")),
        piece({"refusal": "no"}, index=1),
    ):
        assembly.feed(chunk)
    assert handed_of(assembly.completion()) == {
        0: Handed(content="a", reasoning="hm", tool_calls=[("f", '{"x"')]),
        1: Handed(refusal="no"),
    }


def test_a_repetition_is_dropped() -> None:
    """Chunks that only repeat are not handed out, the one that goes on is trimmed."""
    skipper = Skipper({0: Handed(content="abcd")})
    assert not skipper.feed(piece({"role": "assistant", "content": ""}))
    assert not skipper.feed(piece({"content": "ab"}))
    within = [skipper.is_within]
    chunk = piece({"content": "cde"})
    assert skipper.feed(chunk)
    assert chunk.text == "e"
    assert [*within, skipper.is_within] == [True, False]
    assert skipper.feed(piece({"content": ""}))
    assert (skipper.departed, skipper.take_departures()) == (False, [])


def test_details_of_repeated_reasoning_reach_nobody() -> None:
    """The reasoning once more as details is neither handed out nor kept by who notes what was."""
    skipper = Skipper({0: Handed(content="a", reasoning="hm")})
    chunk = piece({"content": "ab", "reasoning": "hm", "reasoning_details": [{"text": "hm"}]})
    assert skipper.feed(chunk)
    assembly = Assembly()
    assembly.feed(chunk)
    for message in (chunk.choices[0].delta, assembly.completion().choices[0].message):
        assert (message.content, message.reasoning_details) == ("b", None)


@pytest.mark.parametrize("name", ["content", "reasoning", "refusal"])
def test_each_text_is_compared(name: str) -> None:
    """Content, reasoning and refusals are each trimmed, and what is left of them comes through."""
    handed = {
        "content": Handed(content="abc"),
        "reasoning": Handed(reasoning="abc"),
        "refusal": Handed(refusal="abc"),
    }
    skipper = Skipper({0: handed[name]})
    assert not skipper.feed(piece({name: "ab"}))
    chunk = piece({name: "cd"})
    assert skipper.feed(chunk)
    assert getattr(chunk.choices[0].delta, name) == "d"


def test_usage_and_finish_reason_pass() -> None:
    """A chunk with usage or a finish reason is handed out though its content is a repetition."""
    skipper = Skipper({0: Handed(content="abc")})
    usage = read_chunk({"choices": [], "usage": {"total_tokens": 3}})
    assert skipper.feed(usage)
    both = read_chunk(
        {"choices": [{"index": 0, "delta": {"content": "ab"}}], "usage": {"total_tokens": 3}}
    )
    assert skipper.feed(both)
    assert both.text == ""
    chunk = piece({"content": "c"}, "stop")
    assert skipper.feed(chunk)
    assert (chunk.text, chunk.choices[0].finish_reason) == ("", "stop")
    assert not skipper.departed


def test_another_text() -> None:
    """The chunk with the first other character begins with it, and says how much is kept."""
    skipper = Skipper({0: Handed(content="abcd", reasoning="hm")})
    skipper.feed(piece({"reasoning": "hm"}))
    chunk = piece({"content": "abX"})
    assert skipper.feed(chunk)
    assert chunk.text == "X"
    assert skipper.departed
    assert skipper.take_departures() == [departure(keep=2, reasoning=2)]
    assert skipper.take_departures() == []
    later = piece({"content": "abcd"})
    assert skipper.feed(later)
    assert later.text == "abcd"
    assert skipper.departures == {0: departure(keep=2, reasoning=2)}


def test_a_departure_without_text_is_handed_out() -> None:
    """The chunk that shows a shorter answer is handed out with its departure."""
    skipper = Skipper({0: Handed(content="abcd")})
    assert skipper.feed(piece({"content": "ab"}, "stop"))
    assert skipper.take_departures() == [departure(keep=2)]


def test_reasoning_departs_before_content() -> None:
    """Other reasoning keeps the content until that departs too, with what came meanwhile."""
    skipper = Skipper({0: Handed(content="abcd", reasoning="hmm")})
    chunk = piece({"reasoning": "ha"})
    assert skipper.feed(chunk)
    assert chunk.choices[0].delta.reasoning == "a"
    assert skipper.take_departures() == [departure(keep=4, reasoning=1)]
    assert skipper.feed(piece({"reasoning": "h"}))
    assert not skipper.feed(piece({"content": "ab"}))
    chunk = piece({"content": "X", "reasoning": "!"})
    assert skipper.feed(chunk)
    assert (chunk.text, chunk.choices[0].delta.reasoning) == ("X", "!")
    assert skipper.take_departures() == [departure(keep=2, reasoning=3)]


def test_two_channels_depart_at_once() -> None:
    """Two channels that depart in one chunk are one departure."""
    skipper = Skipper({0: Handed(content="ab", reasoning="hm")})
    skipper.feed(piece({"content": "aX", "reasoning": "X"}))
    assert skipper.take_departures() == [departure(keep=1)]


def test_new_reasoning_is_kept_where_content_departs() -> None:
    """Of a channel that went on, a departure of another one keeps all that was handed out."""
    skipper = Skipper({0: Handed(content="ab", reasoning="h")})
    skipper.feed(piece({"reasoning": "hm"}))
    skipper.feed(piece({"reasoning": "m", "content": "X"}))
    assert skipper.take_departures() == [departure(reasoning=2)]


def test_a_departure_ends_the_repetition() -> None:
    """An answer that has departed repeats nothing, though a channel of it was not compared yet."""
    skipper = Skipper({0: Handed(content="ab", reasoning="h")})
    within = [skipper.is_within]
    skipper.feed(piece({"content": "X"}))
    assert [*within, skipper.is_within] == [True, False]


def test_each_choice_departs_for_itself() -> None:
    """A departure of one choice leaves the others, and a new choice passes."""
    skipper = Skipper({0: Handed(content="ab"), 1: Handed(content="cd")})
    choices = [{"index": i, "delta": {"content": text}} for i, text in enumerate(("b", "c", "e"))]
    chunk = read_chunk({"choices": choices})
    assert skipper.feed(chunk)
    assert [choice.delta.content for choice in chunk.choices] == ["b", "", "e"]
    assert skipper.take_departures() == [departure()]
    skipper.feed(piece({"content": "x"}, index=1))
    assert skipper.take_departures() == [departure(1, keep=1)]


def test_details_of_repeated_reasoning_are_dropped() -> None:
    """The other form of the reasoning goes with it while it is repeated, and only then."""
    skipper = Skipper({0: Handed(reasoning="ab")})
    details = {"reasoning_details": [{"type": "reasoning.text", "text": "ab"}]}
    assert not skipper.feed(piece({"reasoning": "ab", **details}))
    chunk = piece({"reasoning": "c", **details})
    assert skipper.feed(chunk)
    assert chunk.choices[0].delta.reasoning_details == details["reasoning_details"]


def test_other_fields_are_handed_out() -> None:
    """A chunk with a picture is handed out while the text is repeated."""
    skipper = Skipper({0: Handed(content="ab")})
    assert skipper.feed(piece({"content": "a", "images": [{"type": "image_url"}]}))


CALLS = Handed(tool_calls=[("f", '{"a": 1}'), ("g", '{"b"')])


def test_repeated_tool_calls() -> None:
    """Repeated calls are dropped, and the unfinished one goes on without id and name."""
    skipper = Skipper({0: CALLS})
    assert not skipper.feed(piece(call('{"a"', "f")))
    assert not skipper.feed(piece(call(": 1}")))
    assert not skipper.feed(piece(call("", "g", 1)))
    chunk = piece(call('{"b": ', None, 1))
    assert skipper.feed(chunk)
    assert calls_of(chunk) == [(1, None, None, ": ")]
    again = piece(call("2}", "g", 1))
    assert skipper.feed(again)
    assert calls_of(again) == [(1, None, None, "2}")]
    third = piece(call("{}", "h", 2))
    assert skipper.feed(third)
    assert calls_of(third) == [(2, "new_2", "h", "{}")]
    assert skipper.feed(piece({}, "tool_calls"))
    assert not skipper.departed


def test_a_name_that_had_not_come() -> None:
    """A name that was not handed out is handed out when it comes."""
    skipper = Skipper({0: Handed(tool_calls=[("", "{")])})
    chunk = piece(call("{", "f"))
    assert skipper.feed(chunk)
    assert calls_of(chunk) == [(0, None, "f", "")]
    assert not skipper.departed


def test_a_name_that_does_not_come() -> None:
    """A call whose name was handed out, and comes without one, has departed at its end."""
    skipper = Skipper({0: Handed(tool_calls=[("f", "")])})
    assert not skipper.feed(piece(call("")))
    assert skipper.feed(piece({}, "tool_calls"))
    assert skipper.take_departures() == [departure()]


OTHER_CALLS = {
    "name": [call('{"a": 1}', "f"), call("{", "X", 1)],
    "arguments": [call('{"a": 1}', "f"), call("", "g", 1), call("[", None, 1)],
    "custom": [
        call('{"a": 1}', "f"),
        {"tool_calls": [{"index": 1, "id": "new_1", "custom": {"name": "g", "input": "[1"}}]},
    ],
}


@pytest.mark.parametrize("case", OTHER_CALLS)
def test_other_tool_calls(case: str) -> None:
    """Where a call is another one, those before it are kept, and it comes whole from its start."""
    skipper = Skipper({0: CALLS})
    *before, last = [piece(delta) for delta in OTHER_CALLS[case]]
    assert not any(skipper.feed(chunk) for chunk in before)
    assert skipper.feed(last)
    assert skipper.take_departures() == [departure(tool_calls=1)]
    calls = last.choices[0].delta.tool_calls
    assert calls is not None
    assert [(call.index, call.id) for call in calls] == [(1, "new_1")]
    if case != "custom":
        name = "X" if case == "name" else "g"
        assert calls_of(last) == [(1, "new_1", name, "{" if case == "name" else "[")]
    later = piece(call("more", None, 1))
    assert skipper.feed(later)
    assert calls_of(later) == [(1, None, None, "more")]


def test_calls_that_come_at_once_and_depart() -> None:
    """Calls that are void come anew in the chunk, also those whose deltas had passed."""
    skipper = Skipper({0: CALLS})
    deltas = [call("{}", "f"), call('{"b": 1}', "g", 1), call("{}", "h", 2)]
    chunk = piece({"tool_calls": [delta["tool_calls"][0] for delta in deltas]})
    assert skipper.feed(chunk)
    assert skipper.take_departures() == [departure()]
    assert calls_of(chunk) == [
        (0, "new_0", "f", "{}"),
        (1, "new_1", "g", '{"b": 1}'),
        (2, "new_2", "h", "{}"),
    ]


def test_fewer_tool_calls() -> None:
    """At the finish reason, a call that is missing or too short has departed."""
    skipper = Skipper({0: CALLS})
    skipper.feed(piece(call('{"a": 1}', "f")))
    chunk = piece(call("{", "g", 1), "tool_calls")
    assert skipper.feed(chunk)
    assert skipper.take_departures() == [departure(tool_calls=1)]
    assert calls_of(chunk) == [(1, "new_1", "g", "{")]


def test_text_departs_and_calls_stay() -> None:
    """Other content keeps the tool calls, which were not compared yet."""
    skipper = Skipper({0: Handed(content="a", tool_calls=[("f", "{}")])})
    skipper.feed(piece({"content": "b"}))
    assert skipper.take_departures() == [departure(tool_calls=1)]
    assert not skipper.feed(piece(call("{}", "f")))


def test_an_end_without_finish_reasons() -> None:
    """At the end, choices that are missing or too short have departed."""
    skipper = Skipper({0: CALLS, 1: Handed(content="ab"), 2: Handed(content="c")})
    skipper.feed(piece({"content": "c"}, index=2))
    skipper.feed(piece(call('{"a": 2', "f")))
    assert skipper.take_departures() == [departure()]
    assert skipper.finish() is None
    assert skipper.take_departures() == [departure(1)]


def test_an_end_with_calls_that_are_too_short() -> None:
    """At the end, the calls in the place of those that are void are let out."""
    skipper = Skipper({0: CALLS})
    assert not skipper.feed(piece(call('{"a": 1', "f")))
    chunk = skipper.finish()
    assert chunk is not None
    assert calls_of(chunk) == [(0, "new_0", "f", '{"a": 1')]
    assert chunk.choices[0].finish_reason is None
    assert skipper.take_departures() == [departure()]
    assert skipper.finish() is None


def test_what_the_reader_has_after_a_second_break() -> None:
    """For a third answer, the reader has the longer of both in each channel that has not departed.

    What has departed is the new one.
    """
    handed = {
        0: Handed(content="abcd", reasoning="hm", tool_calls=[("f", "{}"), ("g", "{}")]),
        1: Handed(content="x"),
        2: Handed(content="abcd"),
    }
    skipper, assembly = Skipper(handed), Assembly()
    for chunk in (
        piece({"reasoning": "hmm", "content": "ab", **call("{}", "f")}),
        piece({"content": "abX"}, index=2),
        piece({"content": "new"}, index=3),
    ):
        assembly.feed(chunk)
        skipper.feed(chunk)
    assert skipper.seen(assembly.completion()) == {
        0: Handed(content="abcd", reasoning="hmm", tool_calls=[("f", "{}"), ("g", "{}")]),
        1: Handed(content="x"),
        2: Handed(content="abX"),
        3: Handed(content="new"),
    }


def test_values_that_are_no_text_pass() -> None:
    """What is no text where text should be is neither compared nor changed."""
    skipper = Skipper({0: Handed(content="5", reasoning="5", tool_calls=[("f", "5")])})
    chunk = piece({"content": 5, "reasoning": 5, **call(None)})
    assert skipper.feed(chunk)
    assert chunk.choices[0].delta.to_dict() == {"content": 5, "reasoning": 5, "tool_calls": None}


def test_nothing_was_handed_out() -> None:
    """Where a reader has nothing, everything passes."""
    skipper = Skipper({0: Handed()})
    assert skipper.feed(piece({"role": "assistant"}))
    assert skipper.finish() is None
    assert not skipper.is_within
