"""How an answer is read, in both colours: thinking, nothing kept, and events."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import pytest

from evoclient.errors.tree import (
    APIConnectionError,
    APIStatusError,
    RateLimitError,
    StreamInterruptedError,
)
from evoclient.models.finish import Finish
from evoclient.streaming.events import (
    ContentEvent,
    ErrorEvent,
    FinishEvent,
    ReasoningEvent,
    RetryEvent,
    StreamEvent,
    ToolCallDeltaEvent,
    ToolCallDoneEvent,
    ToolCallStartEvent,
    UsageEvent,
)
from evoclient.transports.memory import MemoryReply
from tests.colours import Colour
from tests.twins.scripts import chunk, cut, failing, refusing, streamed, taken, whole

AnyColour = Colour[Any, Any]

SAMPLES: Final = Path(__file__).parent.parent / "samples"


def opened(colour: AnyColour, *script: MemoryReply, **asked: Any) -> Any:
    """Return a stream that is played by a script, whose client waits for nothing."""
    client = colour.client(transport=colour.memory(list(script)), model="m", retry_delay=0)
    return colour.stream(client, **asked)


# Thinking among the content.

THINKING: Final = "<think>First the cat,\nthen the < dog.</think>\n\nThe cat <b> won."


def test_thinking_is_split_off(colour: AnyColour) -> None:
    """``<think>`` blocks become reasoning, wherever the text is cut into chunks."""
    for place in range(1, len(THINKING)):
        reply = streamed(THINKING[:place], THINKING[place:])
        stream = opened(colour, reply, split_think=True)
        events = colour.events(stream)
        text = "".join(event.text for event in events if isinstance(event, ContentEvent))
        thought = "".join(event.text for event in events if isinstance(event, ReasoningEvent))
        assert (text, thought) == ("\n\nThe cat <b> won.", "First the cat,\nthen the < dog.")
        assert (stream.completion.text, stream.completion.reasoning) == (text, thought)


def test_thinking_of_a_whole_answer(colour: AnyColour) -> None:
    """A whole answer is split as a stream is."""
    client = colour.client(transport=colour.memory([whole(THINKING)]), model="m")
    completion = colour.create(client, split_think=True)
    assert completion.text == "\n\nThe cat <b> won."
    assert completion.reasoning == "First the cat,\nthen the < dog."


def test_thinking_is_left_by_default(colour: AnyColour) -> None:
    """Without `split_think`, the text is what the server sent; the option is never sent."""
    transport = colour.memory([streamed(THINKING), whole(THINKING), streamed("a")])
    client = colour.client(transport=transport, model="m")
    assert "".join(colour.text(colour.stream(client))) == THINKING
    assert colour.create(client).text == THINKING
    colour.text(colour.stream(client, split_think=True))
    assert all(b"split_think" not in request.body for request in transport.requests)


def test_thinking_that_is_not_closed(colour: AnyColour) -> None:
    """A block that the server never closes lasts to the end; a tag that is cut is given out."""
    stream = opened(colour, streamed("<think>hm", "m</thi"), split_think=True)
    assert colour.text(stream) == []
    assert (stream.completion.text, stream.completion.reasoning) == ("", "hmm</thi")
    stream = opened(colour, streamed("a <thi"), split_think=True)
    assert "".join(colour.text(stream)) == "a <thi"


def test_stops_are_not_looked_for_in_thinking(colour: AnyColour) -> None:
    """A stop sequence ends the answer, not the thinking before it; streamed and whole."""
    text = "<think>a END b</think>c END d"
    stream = opened(colour, streamed(*text), split_think=True, stop="END")
    assert "".join(colour.text(stream)) == "c "
    assert (stream.completion.reasoning, stream.outcome) == ("a END b", "stopped")
    client = colour.client(transport=colour.memory([whole(text)]), model="m")
    completion = colour.create(client, split_think=True, stop="END")
    assert (completion.text, completion.reasoning) == ("c ", "a END b")


def test_thinking_of_a_broken_stream(colour: AnyColour) -> None:
    """What an error keeps is split as well."""
    stream = opened(colour, cut("<think>hm</think>a", " <thi"), split_think=True)
    with pytest.raises(StreamInterruptedError) as caught:
        colour.text(stream)
    assert caught.value.partial is not None
    assert (caught.value.partial_text, caught.value.partial.reasoning) == ("a <thi", "hm")


# Nothing kept.

CALL: Final = {"index": 0, "id": "t", "function": {"name": "f", "arguments": "{}"}}


@pytest.mark.parametrize("reads", ["text", "events"])
def test_nothing_kept(colour: AnyColour, reads: str) -> None:
    """With ``accumulate=False`` the reader has the same text, and the completion has none."""
    reply = MemoryReply.stream(
        chunk("one "), chunk("two"), chunk(None, "stop", usage={"total_tokens": 5})
    )
    stream = opened(colour, reply, accumulate=False)
    if reads == "text":
        text = "".join(colour.text(stream))
    else:
        events = colour.events(stream)
        text = "".join(event.text for event in events if isinstance(event, ContentEvent))
    assert text == "one two"
    completion = stream.completion
    assert (completion.text, completion.tool_calls) == ("", [])
    assert (completion.finish_reason, completion.finish, completion.model) == ("stop", "stop", "m")
    assert stream.usage == completion.usage
    assert completion.total_tokens == 5
    assert (stream.outcome, stream.metrics.characters) == ("complete", 7)


def test_nothing_kept_of_tool_calls(colour: AnyColour) -> None:
    """The judgement of the finish is right without the calls, which events tell of whole."""
    reply = MemoryReply.stream(
        {"choices": [{"index": 0, "delta": {"tool_calls": [CALL]}}]}, chunk(None, "stop")
    )
    stream = opened(colour, reply, accumulate=False)
    events = colour.events(stream)
    assert [e.call.function.name for e in events if isinstance(e, ToolCallDoneEvent)] == ["f"]
    assert (stream.finish, stream.finish_reason) == (Finish.tool_calls, "stop")
    assert stream.completion.has_tool_calls
    assert stream.completion.tool_calls == []


def test_nothing_kept_of_what_stops(colour: AnyColour) -> None:
    """The other stages work without an assembly."""
    texts = ("<think>hm</think>a E", "ND b")
    options: dict[str, Any] = {"accumulate": False, "split_think": True, "stop": "END"}
    stream = opened(colour, streamed(*texts), **options)
    assert "".join(colour.text(stream)) == "a "
    assert (stream.outcome, stream.stop_sequence, stream.finish) == ("stopped", "END", "stop")
    stream = opened(colour, streamed("a EN"), **options)
    assert "".join(colour.text(stream)) == "a EN"


def test_nothing_kept_of_a_broken_stream(colour: AnyColour) -> None:
    """The error has a partial completion, which says what is known but for the text."""
    stream = opened(colour, cut("a"), accumulate=False)
    with pytest.raises(StreamInterruptedError) as caught:
        colour.text(stream)
    assert caught.value.partial is not None
    assert (caught.value.partial.model, caught.value.partial_text) == ("m", "")


def test_a_whole_answer_is_kept(colour: AnyColour) -> None:
    """`accumulate` is about streams; it is never sent."""
    transport = colour.memory([whole("Hi")])
    client = colour.client(transport=transport, model="m")
    assert colour.create(client, accumulate=False).text == "Hi"
    assert b"accumulate" not in transport.requests[0].body


# Events.


def retries_of(events: list[StreamEvent]) -> list[RetryEvent]:
    """Return the retries among events."""
    return [event for event in events if isinstance(event, RetryEvent)]


def test_retries_before_the_reply(colour: AnyColour) -> None:
    """Events begin with the retries that there were before `create` returned."""
    stream = opened(colour, refusing(429), failing(), streamed("a"))
    events = colour.events(stream)
    assert [event.type for event in events] == ["retry", "retry", "content", "finish"]
    first, second = retries_of(events)
    assert (first.attempt, second.attempt, first.wait) == (1, 2, 0)
    assert isinstance(first.error, RateLimitError)
    assert isinstance(second.error, APIConnectionError)


def test_retries_before_the_first_chunk(colour: AnyColour) -> None:
    """Failures after the head and before the first chunk are told where they happen."""
    empty = MemoryReply.stream(": ping\n\n", done=False)
    stream = opened(colour, failing(), empty, streamed("a"))
    kinds = [event.type for event in colour.events(stream)]
    assert kinds == ["retry", "keep_alive", "retry", "content", "finish"]


def test_retries_while_a_stream_is_had_again(colour: AnyColour) -> None:
    """Several failures in a row, of a head and of its body, are all told, in order."""
    stream = opened(colour, MemoryReply.stream(done=False), refusing(503), streamed("a"))
    events = colour.events(stream)
    assert [event.type for event in events] == ["retry", "retry", "content", "finish"]
    first, second = retries_of(events)
    assert (first.attempt, second.attempt) == (1, 2)
    assert isinstance(first.error, StreamInterruptedError)
    assert isinstance(second.error, APIStatusError)


def test_retries_are_no_chunks(colour: AnyColour) -> None:
    """A reader of chunks or text is told of none."""
    script = (failing(), MemoryReply.stream(done=False), streamed("a"))
    assert [each.text for each in colour.chunks(opened(colour, *script))] == ["a", ""]
    assert colour.text(opened(colour, *script)) == ["a"]


def test_the_error_event(colour: AnyColour) -> None:
    """A stream that fails tells its error last, with what came, and then raises it."""
    stream = opened(colour, failing(), cut("a"))
    seen: list[Any] = []
    with pytest.raises(StreamInterruptedError) as caught:
        taken(colour.each(stream.events()), seen)
    assert [type(event) for event in seen] == [RetryEvent, ContentEvent, ErrorEvent]
    assert seen[-1].error is caught.value
    assert caught.value.partial_text == "a"


def test_the_error_event_after_retries(colour: AnyColour) -> None:
    """Where no attempt gives a chunk, the retries are told, and the last error."""
    stream = opened(colour, *[MemoryReply.stream(done=False)] * 3)
    seen: list[Any] = []
    with pytest.raises(StreamInterruptedError) as caught:
        taken(colour.each(stream.events()), seen)
    assert [type(event) for event in seen] == [RetryEvent, RetryEvent, ErrorEvent]
    assert len(caught.value.attempts) == 2


#: What the tool calls of samples are told as: the starts, the arguments by call, and the calls.
DIALECTS: Final = {
    "q19_arguments_null": [("call_1", "now", "", "")],
    "q30_no_index": None,
    "q30_one_index_for_all": [
        ("call_a", "f", '{"a":1}', '{"a":1}'),
        ("call_b", "f", '{"a":2}', '{"a":2}'),
        ("call_c", "g", "{}", "{}"),
    ],
    "q48_arguments_object": None,
    "q60_arguments_before_name": [
        ("c1", "f", '{"x": "щ"}', '{"x": "щ"}'),
        ("c2", "g", "{}", "{}"),
    ],
    "q60_ids_and_names_repeated": None,
    "q60_names_repeated_without_id": None,
}


@pytest.mark.parametrize("size", [1 << 20, 5], ids=["whole", "cut"])
@pytest.mark.parametrize(("sample", "wanted"), DIALECTS.items())
def test_tool_calls(colour: AnyColour, sample: str, wanted: Any, size: int) -> None:
    """Each call is told as a start, its arguments, and a whole call, in every dialect."""
    body = (SAMPLES / sample / "stream.sse").read_bytes()
    pieces = [body[start : start + size] for start in range(0, len(body), size)]
    stream = opened(colour, MemoryReply(pieces=pieces))
    events = colour.events(stream)
    told: dict[int, list[str]] = {}
    done = {}
    found: dict[int, tuple[str | None, str | None]] = {}
    for event in events:
        if isinstance(event, ToolCallStartEvent):
            assert event.number not in found
            found[event.number] = (event.id, event.name)
            told[event.number] = []
        elif isinstance(event, ToolCallDeltaEvent):
            assert event.number not in done
            told[event.number].append(event.arguments)
        elif isinstance(event, ToolCallDoneEvent):
            assert event.number not in done
            done[event.number] = event.call
    calls = stream.completion.tool_calls
    assert calls
    assert list(done.values()) == calls
    assert list(found) == list(range(len(calls)))
    for number, call in enumerate(calls):
        assert "".join(told[number]) == call.function.arguments
    if wanted is not None:
        assert wanted == [
            (*found[number], "".join(told[number]), done[number].function.arguments)
            for number in found
        ]
    assert isinstance(events[-1], FinishEvent | UsageEvent)
    assert stream.finish == Finish.tool_calls


def test_a_call_is_told_as_soon_as_it_closes(colour: AnyColour) -> None:
    """A reader has a call before the server has sent anything after it."""
    reply = MemoryReply.stream(
        {"choices": [{"index": 0, "delta": {"tool_calls": [CALL]}}]},
        chunk(None, "tool_calls"),
        pauses=[0, 30, 30],
    )
    stream = opened(colour, reply)
    events = colour.each(stream.events())
    kinds = [next(events).type for _ in range(3)]
    assert kinds == ["tool_call.start", "tool_call.delta", "tool_call.done"]
    colour.close(stream)
    assert list(events) == []


def test_usage_events(colour: AnyColour) -> None:
    """Each count of the server is told, and the last one counts."""
    reply = MemoryReply.stream(
        chunk("a", usage={"total_tokens": 1}),
        chunk(None, "stop", usage={"total_tokens": 2}),
        {"choices": [], "usage": {"total_tokens": 3}},
    )
    stream = opened(colour, reply)
    events = [event for event in colour.events(stream) if isinstance(event, UsageEvent)]
    assert [event.usage.total_tokens for event in events] == [1, 2, 3]
    assert stream.usage is not None
    assert stream.usage.total_tokens == 3
