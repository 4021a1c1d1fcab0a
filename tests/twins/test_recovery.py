"""A stream that breaks is gone on with, or begun anew, and no reader sees two answers as one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from evoclient.errors.tree import StreamInterruptedError
from evoclient.providers.base import Provider
from evoclient.providers.presets import GENERIC
from evoclient.streaming.events import RestartEvent
from evoclient.transports.memory import MemoryReply
from tests.colours import MESSAGES, Colour, sampled
from tests.twins.recovering import (
    ENGLISH,
    MANNERS,
    READERS,
    REPEATS,
    TEXTS,
    Breaking,
    Manner,
    applied,
    asked_of,
    broken,
    in_pieces,
    named,
    read,
    reply,
    streaming,
)
from tests.twins.scripts import chunk

AnyColour = Colour[Any, Any]

#: After how many of 200 pieces an answer may break.
EVERY_CUT = range(1, 200)


def assert_whole_at_every_cut(
    colour: AnyColour,
    text: str,
    manner: Manner,
    reader_of: Callable[[int], str],
    cuts: Sequence[int] = EVERY_CUT,
) -> None:
    """Break an answer behind each of its chunks; the reader has all of it each time."""
    server = Breaking(text, manner.anew)
    opened = streaming(colour, server, provider=manner.provider)
    for after in sampled(colour, cuts):
        server.cuts = [after]
        stream = opened(recover="continue")
        assert (after, read(colour, stream, reader_of(after))) == (after, text)
        assert (stream.completion.text, stream.finish_reason) == (text, "stop")
        assert stream.outcome == "complete"
        assert stream.metrics.attempts == 2


@pytest.mark.parametrize("takes_back", [False, True], ids=["chunks and text", "events"])
@pytest.mark.parametrize("manner", MANNERS, ids=named)
def test_continued_at_every_cut(colour: AnyColour, manner: Manner, takes_back: bool) -> None:
    """Whatever a server repeats when it goes on, each reader gets exactly the uncut text."""
    assert_whole_at_every_cut(
        colour, ENGLISH, manner, lambda after: "events" if takes_back else READERS[after % 2]
    )


@pytest.mark.parametrize("name", sorted(TEXTS.keys() - {"english"}))
@pytest.mark.parametrize("manner", MANNERS, ids=named)
def test_continued_in_any_script(colour: AnyColour, manner: Manner, name: str) -> None:
    """Words are not looked for, so text without spaces and with emoji is continued as well."""
    # For the sake of time, each colour takes every other cut.
    cuts = range(1 if colour.name == "sync" else 2, 200, 2)
    assert_whole_at_every_cut(colour, TEXTS[name], manner, lambda after: READERS[after % 3], cuts)


@pytest.mark.parametrize("manner", MANNERS[:2], ids=named)
def test_continued_where_the_text_repeats_itself(colour: AnyColour, manner: Manner) -> None:
    """What a server is known to do is not guessed, so periodic text is continued as well."""
    assert_whole_at_every_cut(colour, "ha " * 200, manner, lambda after: READERS[after % 3])


def new_answer(came: str, rest: str) -> str:
    """Begin a new sentence instead of going on."""
    return f"Sure! The rest is short. {rest}"


@pytest.mark.parametrize("reader", ["text", "chunks"])
@pytest.mark.parametrize("provider", [GENERIC, REPEATS], ids=["asked", "repeats"])
def test_a_new_sentence_is_said_to_be_one(
    colour: AnyColour, provider: Provider, reader: str
) -> None:
    """Readers who cannot take text back get an error with both texts, and none of the second."""
    server = Breaking(ENGLISH, new_answer)
    pieces = in_pieces(ENGLISH, 200)
    for after in sampled(colour, range(6, 200)):  # a shorter text is asked for anew
        opened = streaming(colour, server, provider=provider)  # each failure costs a client
        server.cuts = [after]
        got: list[str] = []
        stream = opened(recover="continue", on_text=got.append)
        with pytest.raises(StreamInterruptedError, match="departs") as caught:
            read(colour, stream, reader)
        handed = "".join(pieces[:after])
        assert "".join(got) == handed
        assert caught.value.partial is not None
        assert caught.value.partial.text == handed
        assert caught.value.departed is not None
        assert new_answer(handed, ENGLISH[len(handed) :]).startswith(caught.value.departed.text)
        assert caught.value.departed.text
        assert len(caught.value.attempts) == 1


@pytest.mark.parametrize("provider", [GENERIC, REPEATS], ids=["asked", "repeats"])
def test_events_tell_a_new_sentence(colour: AnyColour, provider: Provider) -> None:
    """A reader of events is told how much to keep, and then has the new answer."""
    server = Breaking(ENGLISH, new_answer)
    opened = streaming(colour, server, provider=provider)
    pieces = in_pieces(ENGLISH, 200)
    for after in sampled(colour, range(6, 200)):
        server.cuts = [after]
        stream = opened(recover="continue")
        events = colour.events(stream)
        handed = "".join(pieces[:after])
        second = new_answer(handed, ENGLISH[len(handed) :])
        assert applied(events) == second == stream.completion.text
        assert [event.keep for event in events if isinstance(event, RestartEvent)] == [0]
        assert stream.outcome == "complete"


def test_what_both_answers_begin_with_is_kept(colour: AnyColour) -> None:
    """A new answer that begins like the old one takes back no more than it must."""
    first, second = "The cat sat on the mat and slept", "The cat sat on a chair. It slept."
    opened = streaming(colour, [broken([first[:20], first[20:]]), reply([second[:9], second[9:]])])
    events = colour.events(opened(recover="continue"))
    assert [event.keep for event in events if isinstance(event, RestartEvent)] == [15]
    assert applied(events) == second


def repeating(came: str, rest: str) -> str:
    """Fail: a request to begin anew has no partial text."""
    raise AssertionError("nothing is to be gone on with")


@pytest.mark.parametrize("reader", READERS)
def test_restarted_at_every_cut(colour: AnyColour, reader: str) -> None:
    """A server that repeats itself shows no character twice to any reader."""
    server = Breaking(ENGLISH, repeating)
    opened = streaming(colour, server)
    for after in sampled(colour, EVERY_CUT):
        server.cuts = [after]
        stream = opened(recover="restart")
        assert (after, read(colour, stream, reader)) == (after, ENGLISH)
        assert stream.completion.text == ENGLISH
        assert (stream.outcome, stream.finish_reason) == ("complete", "stop")
        assert server.requests[-1].body == server.requests[-2].body


def test_a_restart_gives_another_text(colour: AnyColour) -> None:
    """Readers of text get an error where the second answer differs, at whatever place it does."""
    other = ENGLISH[:300] + "—but then " + ENGLISH[300:]
    for after in sampled(colour, range(70, 200, 3)):
        handed = "".join(in_pieces(ENGLISH, 200)[:after])
        script = [broken(in_pieces(ENGLISH, 200)[:after]), reply(in_pieces(other, 100))]
        got: list[str] = []
        stream = streaming(colour, script)(recover="restart", on_text=got.append)
        with pytest.raises(StreamInterruptedError, match="departs") as caught:
            read(colour, stream, READERS[after % 2])
        assert "".join(got) == handed
        assert caught.value.partial is not None
        assert caught.value.partial.text == handed
        assert caught.value.departed is not None
        assert caught.value.departed.text[:301] == other[:301]


def test_a_restart_that_is_shorter(colour: AnyColour) -> None:
    """A second answer that ends before the first one broke is another answer."""
    script = [broken(["One two ", "three."]), reply(["One two"])]
    with pytest.raises(StreamInterruptedError) as caught:
        colour.text(streaming(colour, script)(recover="restart"))
    assert caught.value.departed is not None
    assert caught.value.departed.text == "One two"
    events = colour.events(streaming(colour, script)(recover="restart"))
    assert [e.keep for e in events if isinstance(e, RestartEvent)] == [14, 7]
    assert applied(events) == "One two"


def test_events_of_a_restart(colour: AnyColour) -> None:
    """Events tell the retry, that all is kept for now, and then how much really is."""
    script = [broken(["One ", "two"]), reply(["One", " tw", "elve"])]
    events = colour.events(streaming(colour, script)(recover="restart"))
    assert [event.type for event in events] == [
        "content",
        "content",
        "retry",
        "restart",
        "restart",
        "content",
        "finish",
    ]
    assert [e.keep for e in events if isinstance(e, RestartEvent)] == [7, 6]
    assert applied(events) == "One twelve"


ASKED = {"messages": MESSAGES, "temperature": 0.5, "stop": ["###"], "max_tokens": 900}


def bodies(
    colour: AnyColour, *, provider: Provider | str, text: str = ENGLISH[:120], **asked: Any
) -> tuple[dict[str, Any], dict[str, Any], list[str | None]]:
    """Return the bodies of a first and a second request, and their idempotency keys."""
    transport = colour.memory([broken([text]), reply([text, " End."])])
    opened = streaming(colour, None, transport=transport, provider=provider)
    colour.events(opened(**{**ASKED, **asked}))
    first, second = transport.requests
    return (
        asked_of(first),
        asked_of(second),
        [each.headers.get("Idempotency-Key") for each in (first, second)],
    )


def test_a_prefill_is_sent(colour: AnyColour) -> None:
    """A server that continues messages gets the partial text as the last one, and its options."""
    first, second, keys = bodies(colour, provider="vllm", recover="continue")
    assert second == {
        **first,
        "messages": [*MESSAGES, {"role": "assistant", "content": ENGLISH[:120]}],
        "continue_final_message": True,
        "add_generation_prompt": False,
    }
    assert keys[0] != keys[1]


def test_a_message_is_sent(colour: AnyColour) -> None:
    """Another server is shown the partial text and asked to go on from its last words."""
    first, second, keys = bodies(colour, provider="generic", recover="continue")
    *before, last = second["messages"]
    assert before == [*MESSAGES, {"role": "assistant", "content": ENGLISH[:120]}]
    assert last["role"] == "user"
    tail = last["content"].partition("«")[2].partition("»")[0]
    assert ENGLISH[:120].endswith(tail)
    assert 24 <= len(tail) <= 60
    assert ENGLISH[: 120 - len(tail)].endswith(" ")
    assert {**second, "messages": None} == {**first, "messages": None}
    assert keys[0] != keys[1]


def test_a_restart_asks_the_same(colour: AnyColour) -> None:
    """The same question, under a key of its own: a server may have kept the broken answer."""
    first, second, keys = bodies(colour, provider="vllm", recover="restart")
    assert second == first
    assert keys[0] != keys[1]


@pytest.mark.parametrize(
    ("text", "asked"),
    [("Hello, you", {}), (ENGLISH[:120], {"response_format": {"type": "json_object"}})],
    ids=["too short", "told to answer in JSON"],
)
def test_what_cannot_be_asked_in_words(colour: AnyColour, text: str, asked: dict[str, Any]) -> None:
    """Where words cannot make a model go on, it is asked anew; a prefill still works."""
    first, second, _ = bodies(colour, provider="generic", text=text, recover="continue", **asked)
    assert second == first
    first, second, _ = bodies(colour, provider="vllm", text=text, recover="continue", **asked)
    assert second["messages"][-1] == {"role": "assistant", "content": text}


def test_the_older_endpoint(colour: AnyColour) -> None:
    """A completion of text goes on with the prompt and what came; anything else is asked anew."""

    def answer(text: str, reason: str | None = None) -> dict[str, Any]:
        return {"choices": [{"index": 0, "text": text, "finish_reason": reason}]}

    script = [
        MemoryReply.stream(answer("One two"), answer(" three"), done=False),
        MemoryReply.stream(answer(" four"), answer("", "stop")),
    ]
    transport = colour.memory(script)
    client = colour.client(transport=transport, model="m", retry_delay=0)
    asked = client.completions.create(
        prompt="Count: ", stream=True, recover="continue", temperature=0
    )
    stream = colour.run(asked)
    assert "".join(colour.text(stream)) == "One two three four"
    first, second = map(asked_of, transport.requests)
    assert second == {**first, "prompt": "Count: One two three"}
    assert (stream.completion.text, stream.outcome) == ("One two three four", "complete")


FRUIT = {"index": 0, "id": "t1", "type": "function", "function": {"name": "f", "arguments": '{"a'}}


def delta(finish: str | None = None, index: int = 0, **fields: Any) -> dict[str, Any]:
    """Return the document of a chunk with any delta."""
    return {"choices": [{"index": index, "delta": fields, "finish_reason": finish}]}


#: A beginning that cannot be gone on with, and options of the call.
BEGINNINGS: dict[str, tuple[list[dict[str, Any]], dict[str, Any]]] = {
    "tool call": ([chunk(ENGLISH[:90]), delta(tool_calls=[FRUIT])], {}),
    "reasoning": ([delta(reasoning="Let me see. This is "), delta(reasoning="long enough")], {}),
    "think tag": (
        [chunk("<think>Let me see. This is "), chunk("long enough")],
        {"split_think": True},
    ),
    "half a tag": ([chunk(f"<think>Let me see. {ENGLISH[:60]} </thi")], {"split_think": True}),
    "two choices": ([chunk(ENGLISH[:90]), delta(index=1, content=ENGLISH[:80])], {"n": 2}),
    "one of two choices": ([chunk(ENGLISH[:90])], {"n": 2}),
}


@pytest.mark.parametrize("name", BEGINNINGS)
def test_half_finished_things_are_restarted(colour: AnyColour, name: str) -> None:
    """Half a tool call, half a thought and several answers are asked for anew, and skipped."""
    begun, asked = BEGINNINGS[name]
    ends = [delta("stop"), delta("stop", index=1)][: asked.get("n", 1)]
    rest = [delta(tool_calls=[{"index": 0, "function": {"arguments": '": 1}'}}])]
    whole = [*begun, *(rest if name == "tool call" else [chunk(" It is."), *()]), *ends]
    transport = colour.memory([MemoryReply.stream(*begun, done=False), MemoryReply.stream(*whole)])
    opened = streaming(colour, None, transport=transport, provider="vllm")
    uncut = streaming(colour, [MemoryReply.stream(*whole)], provider="vllm")(**asked)
    before = [piece.to_dict() for piece in colour.chunks(uncut)]
    stream = opened(recover="continue", **asked)
    pieces = [piece.to_dict() for piece in colour.chunks(stream)]
    assert asked_of(transport.requests[0]) == asked_of(transport.requests[1])
    assert len(pieces) <= len(before)
    assert stream.completion.to_dict() == uncut.completion.to_dict()
    assert stream.outcome == "complete"
