"""What of a second answer is handed out, and what an error or an end keeps of the two."""

from __future__ import annotations

import json
from typing import Any

import pytest

from evoclient.errors.tree import StreamInterruptedError
from evoclient.ground import ConfigurationError
from evoclient.streaming.ending import Outcome
from evoclient.streaming.events import RestartEvent
from evoclient.transports.memory import MemoryReply
from tests.colours import Colour
from tests.twins.recovering import broken

AnyColour = Colour[Any, Any]

TEXT = "Blue light is scattered most by the small molecules"


def thought(text: str) -> dict[str, Any]:
    """Return a chunk with a piece of reasoning."""
    return {"choices": [{"index": 0, "delta": {"reasoning": text}, "finish_reason": None}]}


def said(text: str | None, finish: str | None = None) -> dict[str, Any]:
    """Return a chunk with a piece of text."""
    return {"choices": [{"index": 0, "delta": {"content": text}, "finish_reason": finish}]}


def opened(colour: AnyColour, *script: MemoryReply, **options: Any) -> tuple[Any, Any]:
    """Return a transport that plays a script, and the stream that recovers from its breaks."""
    transport = colour.memory(list(script))
    client = colour.client(
        transport=transport, model="m", retry_delay=0, provider=options.pop("provider", None)
    )
    return transport, colour.stream(client, **options)


def test_thoughts_that_differ_are_no_other_answer(colour: AnyColour) -> None:
    """A reader of text gets the answer whole, although the second answer thinks differently."""
    first = MemoryReply.stream(thought("One way."), said("Blue "), done=False)
    second = MemoryReply.stream(thought("Another way."), said("Blue "), said("light.", "stop"))
    _, stream = opened(colour, first, second, recover="restart")
    chunks = list(colour.chunks(stream))
    assert "".join(chunk.text for chunk in chunks) == "Blue light."
    shown = "".join(chunk.choices[0].delta.reasoning or "" for chunk in chunks if chunk.choices)
    assert shown == "One way."
    assert (stream.completion.reasoning, stream.completion.text) == ("Another way.", "Blue light.")


def test_thoughts_that_differ_are_told_to_readers_of_events(colour: AnyColour) -> None:
    """A reader of events is told which thoughts are void, and gets the others."""
    first = MemoryReply.stream(thought("One way."), said("Blue "), done=False)
    second = MemoryReply.stream(thought("Another way."), said("Blue light.", "stop"))
    _, stream = opened(colour, first, second, recover="restart")
    events = colour.events(stream)
    restarts = [event for event in events if isinstance(event, RestartEvent)]
    assert [(event.keep, event.reasoning) for event in restarts] == [(5, 8), (5, 0)]


def test_a_thought_that_was_cut_begins_anew(colour: AnyColour) -> None:
    """An answer that broke in the middle of a thought is asked for from the beginning."""
    first = MemoryReply.stream(said(TEXT), thought("Hm, let me"), done=False)
    second = MemoryReply.stream(said(TEXT + " of the air.", "stop"))
    transport, stream = opened(colour, first, second, recover="continue", provider="vllm")
    assert "".join(colour.text(stream)) == TEXT + " of the air."
    assert len(json.loads(transport.requests[1].body)["messages"]) == 1


def test_thoughts_of_a_continuation_are_left_out(colour: AnyColour) -> None:
    """What a model thinks before it goes on is no part of the answer."""
    first = MemoryReply.stream(thought("I know."), said(TEXT), done=False)
    second = MemoryReply.stream(thought("Where was I?"), said(" of the air.", "stop"))
    _, stream = opened(colour, first, second, recover="continue", provider="vllm")
    assert "".join(colour.text(stream)) == TEXT + " of the air."
    assert stream.completion.reasoning == "I know."


def test_an_answer_that_the_user_had_begun(colour: AnyColour) -> None:
    """A conversation that ends with an assistant message is gone on with in that message."""
    messages = [{"role": "user", "content": "Why?"}, {"role": "assistant", "content": "Because "}]
    second = MemoryReply.stream(said(" of the air.", "stop"))
    transport, stream = opened(
        colour, broken([TEXT]), second, recover="continue", provider="vllm", messages=messages
    )
    colour.text(stream)
    asked = json.loads(transport.requests[1].body)["messages"]
    assert asked == [messages[0], {"role": "assistant", "content": "Because " + TEXT}]


def test_a_departure_is_never_accepted(colour: AnyColour) -> None:
    """`incomplete="accept"` takes a cut for an end, and another answer for none."""
    error = {"error": {"message": "overloaded", "code": 503}}
    first = MemoryReply.stream(said(TEXT), error, done=False)
    second = MemoryReply.stream({"choices": []}, said("Something else"), said(None, "stop"))
    _, stream = opened(colour, first, second, recover="restart", incomplete="accept")
    with pytest.raises(StreamInterruptedError) as caught:
        colour.text(stream)
    assert caught.value.partial_text == TEXT
    assert caught.value.departed is not None
    assert caught.value.departed.text == "Something else"


def test_a_key_function_that_fails_between_attempts(colour: AnyColour) -> None:
    """What the user's function raised is raised and told, and the call is over."""
    keys = iter(["key-number-one"])
    told: list[Exception] = []

    def key() -> str:
        found = next(keys, None)
        if found is None:
            raise OSError("the vault is closed")
        return found

    client = colour.client(
        transport=colour.memory([broken([TEXT])]),
        base_url="http://memory.invalid/v1",
        api_key=key,
        model="m",
        retry_delay=0,
    )
    stream = colour.stream(client, recover="restart", on_error=told.append)
    with pytest.raises(OSError, match="vault") as caught:
        colour.text(stream)
    assert told == [caught.value]
    assert stream.completion.text == TEXT


def test_usage_that_came_with_the_stop(colour: AnyColour) -> None:
    """Usage in the block in which the stop sequence came is read, though the rest is not."""
    lines = [
        said("one STOP two"),
        said(" three", "stop"),
        {"choices": [], "usage": {"total_tokens": 7}},
    ]
    block = "".join(f"data: {json.dumps(line)}\n\n" for line in lines).encode()
    reply = MemoryReply(headers={"Content-Type": "text/event-stream"}, pieces=[block])
    _, stream = opened(colour, reply, stop=["STOP"])
    assert colour.text(stream) == ["one "]
    assert (stream.outcome, stream.completion.text) == (Outcome.stopped, "one ")
    assert stream.usage.total_tokens == 7


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("max_retries", "with_options"),
        ("slow_after", "with_options"),
        ("transport", r"Client\(…\)"),
        ("on_token", "no such callback"),
    ],
)
def test_options_that_are_none_of_a_call(colour: AnyColour, name: str, words: str) -> None:
    """An option of the client and a misspelt callback are refused, and nothing is sent."""
    transport = colour.memory()
    client = colour.client(transport=transport, model="m")
    with pytest.raises(ConfigurationError, match=words) as caught:
        colour.stream(client, **{name: print})
    assert caught.value.argument == name
    assert transport.requests == []


def detailed(text: str, **more: Any) -> dict[str, Any]:
    """Return a chunk with a piece of reasoning, and the same once more as a detail."""
    details = [{"type": "reasoning.text", "text": text, "index": 0}]
    delta = {"reasoning": text, "reasoning_details": details, **more}
    return {"choices": [{"index": 0, "delta": delta, "finish_reason": None}]}


@pytest.mark.parametrize("again", ["Another way.", "One way."])
def test_details_that_are_not_handed_out_are_not_in_what_an_error_keeps(
    colour: AnyColour, again: str
) -> None:
    """Where the other answers break too, no details of thoughts are kept that nobody was given."""
    first = MemoryReply.stream(detailed("One way."), said("Blue "), done=False)
    second = MemoryReply.stream(detailed(again, content="Bl"), done=False)
    _, stream = opened(colour, first, *[second] * 4, recover="restart")
    chunks: list[Any] = []
    with pytest.raises(StreamInterruptedError) as caught:
        chunks.extend(colour.chunks(stream))
    assert caught.value.partial is not None
    kept = caught.value.partial.choices[0].message
    assert (kept.reasoning, kept.content) == ("One way.", "Blue ")
    assert [detail["text"] for detail in kept.reasoning_details or ()] == ["One way."]
