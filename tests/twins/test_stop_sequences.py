"""What a user of `stop` can count on, in both colours: whole and streamed, however it is cut."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Final

import pytest

from evoclient.errors.tree import StreamInterruptedError, StreamProviderError
from evoclient.ground import ConfigurationError
from evoclient.models.finish import Finish
from evoclient.streaming.events import ContentEvent, ErrorEvent, FinishEvent, ToolCallDoneEvent
from evoclient.transports.memory import MemoryReply
from evoclient.wire import Request
from tests.colours import Colour, sampled
from tests.twins.scripts import chunk, cut, streamed, taken, whole

AnyColour = Colour[Any, Any]

FOUR: Final = ["a", "b", "c", "d"]
FIVE: Final = [*FOUR, "e"]


def opened(colour: AnyColour, *script: MemoryReply, **asked: Any) -> tuple[Any, Any]:
    """Return a transport that plays a script, and the stream opened through it."""
    transport = colour.memory(script)
    client = colour.client(transport=transport, model="m", max_retries=0)
    return transport, colour.stream(client, **asked)


def of(index: int, text: str | None, finish: str | None = None) -> dict[str, Any]:
    """Return the document of a chunk of any choice."""
    delta = {} if text is None else {"content": text}
    return {"choices": [{"index": index, "delta": delta, "finish_reason": finish}]}


def body_of(request: Request) -> dict[str, Any]:
    """Return what was asked."""
    found: dict[str, Any] = json.loads(request.body or b"")
    return found


# What is sent.

SENT: Final = [
    pytest.param("both", "END", "END", id="both, one"),
    pytest.param("both", FOUR, FOUR, id="both, as many as the server takes"),
    pytest.param("both", FIVE, FOUR, id="both, one more"),
    pytest.param("both", [*FOUR, "a"], FOUR, id="both, one twice"),
    pytest.param("both", (*FOUR,), FOUR, id="both, a tuple"),
    pytest.param("both", [], [], id="both, an empty list"),
    pytest.param("server", FOUR, FOUR, id="server"),
    pytest.param("client", FIVE, None, id="client"),
    pytest.param("both", None, None, id="none"),
]


@pytest.mark.parametrize(("mode", "stop", "sent"), SENT)
@pytest.mark.parametrize("streams", [True, False], ids=["streamed", "whole"])
def test_what_is_sent(colour: AnyColour, mode: str, stop: Any, sent: Any, streams: bool) -> None:
    """`stop_mode` says what the server is sent; it is never sent itself."""
    transport = colour.memory([streamed("x") if streams else whole("x")])
    client = colour.client(transport=transport, model="m")
    options = {} if stop is None else {"stop": stop}
    if streams:
        colour.text(colour.stream(client, stop_mode=mode, **options))
    else:
        colour.create(client, stop_mode=mode, **options)
    body = body_of(transport.requests[0])
    assert body.get("stop") == sent
    assert "stop_mode" not in body


def test_all_are_enforced_where_some_are_sent(colour: AnyColour) -> None:
    """A sequence that the server was not sent, as it takes no more, ends the answer here."""
    _, stream = opened(colour, streamed("x", "e", "y"), stop=FIVE)
    assert "".join(colour.text(stream)) == "x"
    assert (stream.stop_sequence, stream.outcome) == ("e", "stopped")


@pytest.mark.parametrize(("provider", "is_sent"), [("openai", False), ("vllm", True)])
def test_how_many_a_provider_takes(colour: AnyColour, provider: str, is_sent: bool) -> None:
    """A provider that takes any number of sequences is sent all of them."""
    transport = colour.memory([streamed("x")])
    client = colour.client(transport=transport, provider=provider, model="m", api_key="k")
    colour.text(colour.stream(client, stop=FIVE))
    assert body_of(transport.requests[0])["stop"] == (FIVE if is_sent else FOUR)


@pytest.mark.parametrize("streams", [True, False], ids=["streamed", "whole"])
def test_too_many_for_the_server_alone(colour: AnyColour, streams: bool) -> None:
    """Where the server alone is to stop, more sequences than it takes are an error."""
    transport = colour.memory([])
    client = colour.client(transport=transport, model="m")
    with pytest.raises(ConfigurationError) as caught:
        (colour.stream if streams else colour.create)(client, stop=FIVE, stop_mode="server")
    assert caught.value.argument == "stop"
    assert transport.requests == []


@pytest.mark.parametrize("stop", ["", 5, ["a", ""], ["a", 5], [["a"]], b"a"])
def test_wrong_sequences(colour: AnyColour, stop: Any) -> None:
    """What is no text, or an empty one, is refused before anything is sent."""
    transport = colour.memory([])
    client = colour.client(transport=transport, model="m")
    with pytest.raises(ConfigurationError) as caught:
        colour.stream(client, stop=stop)
    assert caught.value.argument == "stop"
    assert transport.requests == []


def test_a_wrong_mode(colour: AnyColour) -> None:
    """An unknown `stop_mode` is refused, and named."""
    client = colour.client(transport=colour.memory([]), model="m")
    with pytest.raises(ConfigurationError, match="both, server, client") as caught:
        colour.stream(client, stop="a", stop_mode="nobody")
    assert caught.value.argument == "stop_mode"


@pytest.mark.parametrize("streams", [True, False], ids=["streamed", "whole"])
def test_the_server_alone(colour: AnyColour, streams: bool) -> None:
    """With ``stop_mode="server"`` the text is left as it came."""
    transport = colour.memory([streamed("a END b") if streams else whole("a END b")])
    client = colour.client(transport=transport, model="m")
    if streams:
        stream = colour.stream(client, stop="END", stop_mode="server")
        assert colour.text(stream) == ["a END b"]
        assert (stream.stop_sequence, stream.outcome) == (None, "complete")
    else:
        completion = colour.create(client, stop="END", stop_mode="server")
        assert (completion.text, completion.stop_sequence) == ("a END b", None)


# Where the text is cut.

#: The sequences, and an answer that holds what begins like one of them before it holds one.
CUTS: Final = [
    pytest.param(["Стоп"], "Сто лет, Ст", "Стоп", " и дальше", id="russian"),
    pytest.param(["完毕。", "結束"], "完了，完毕，", "完毕。", "还有", id="chinese"),
    pytest.param(["👩‍👩‍👧"], "x 👩‍👩‍👦 👩‍", "👩‍👩‍👧", "‍👦 y", id="zwj"),
    pytest.param(["🇩🇪"], "🇩🇰🇫🇷", "🇩🇪", "🇫🇷", id="flags"),
    pytest.param(["e\u0301"], "cafe", "e\u0301", "!", id="combining"),
    pytest.param(["END", "ND."], "EN", "END", ".", id="overlapping"),
]


def bodies(texts: list[str]) -> Iterator[bytes]:
    """Yield a stream of texts with its characters as they are, and escaped."""
    for is_ascii in (False, True):
        events = [*map(chunk, texts), chunk(None, "length")]
        documents = [json.dumps(event, ensure_ascii=is_ascii) for event in events]
        yield "".join(f"data: {each}\n\n" for each in [*documents, "[DONE]"]).encode()


def check_cut(colour: AnyColour, stream: Any, text: str, sequence: str) -> None:
    """Read a stream, which must be cut before a sequence."""
    assert "".join(colour.text(stream)) == text == stream.completion.text
    assert (stream.stop_sequence, stream.completion.stop_sequence) == (sequence, sequence)
    assert (stream.finish_reason, stream.finish) == ("stop", Finish.stop)
    assert stream.outcome == "stopped"


@pytest.mark.parametrize(("stop", "before", "sequence", "after"), CUTS)
def test_every_cut_of_the_bytes(
    colour: AnyColour, stop: list[str], before: str, sequence: str, after: str
) -> None:
    """The text ends right before the sequence, wherever the bytes of the body are cut."""
    script: list[MemoryReply] = []
    transport = colour.memory(lambda _: script[-1])
    client = colour.client(transport=transport, model="m", max_retries=0)
    for body in bodies([before[:-1], before[-1] + sequence[0], sequence[1:] + after]):
        cuts = [[body[:place], body[place:]] for place in sampled(colour, range(1, len(body)))]
        for pieces in (*cuts, [body[place : place + 1] for place in range(len(body))]):
            script.append(MemoryReply(pieces=pieces))
            check_cut(colour, colour.stream(client, stop=stop), before, sequence)
    assert transport.open_bodies == 0


@pytest.mark.parametrize(("stop", "before", "sequence", "after"), CUTS)
def test_every_cut_into_chunks(
    colour: AnyColour, stop: list[str], before: str, sequence: str, after: str
) -> None:
    """The text ends right before the sequence, wherever the text is cut into chunks."""
    script: list[MemoryReply] = []
    client = colour.client(transport=colour.memory(lambda _: script[-1]), model="m")
    text = before + sequence + after
    for pieces in ([text], list(text), *([text[:at], text[at:]] for at in range(1, len(text)))):
        script.append(streamed(*pieces, finish="length"))
        check_cut(colour, colour.stream(client, stop=stop), before, sequence)


@pytest.mark.parametrize(("stop", "before", "sequence", "after"), CUTS)
def test_a_whole_answer(
    colour: AnyColour, stop: list[str], before: str, sequence: str, after: str
) -> None:
    """A whole answer is cut as a stream is, and its usage stays what the server counted."""
    reply = whole(before + sequence + after, "length", usage={"total_tokens": 9})
    completion = colour.create(
        colour.client(transport=colour.memory([reply]), model="m"), stop=stop
    )
    assert (completion.text, completion.stop_sequence) == (before, sequence)
    assert (completion.finish_reason, completion.finish) == ("stop", Finish.stop)
    assert completion.total_tokens == 9


# What a stopped stream says.


def test_all_readers_agree(colour: AnyColour) -> None:
    """Chunks, text, events and `until_done` tell of the same text and the same end."""
    reply = streamed("one ", "E", "ND two")
    _, stream = opened(colour, reply, stop="END")
    chunks = list(colour.chunks(stream))
    assert "".join(each.text for each in chunks) == "one "
    assert chunks[-1].finish_reason == "stop"
    _, stream = opened(colour, reply, stop="END")
    events = colour.events(stream)
    assert "".join(event.text for event in events if isinstance(event, ContentEvent)) == "one "
    assert events[-1] == FinishEvent(finish_reason="stop", finish=Finish.stop)
    _, stream = opened(colour, reply, stop="END")
    completion = colour.run(stream.until_done())
    assert (completion.text, completion.stop_sequence) == ("one ", "END")
    assert (stream.outcome, stream.usage) == ("stopped", None)


def test_the_body_is_closed_at_the_match(colour: AnyColour) -> None:
    """The rest is not read, and the body is closed before the reader has the last chunk."""
    reply = MemoryReply.stream(
        chunk("one "), chunk("END"), chunk("two"), chunk(None, "stop"), pauses=[0, 0, 30, 30, 30]
    )
    transport, stream = opened(colour, reply, stop="END")
    assert [colour.next(stream).text, transport.open_bodies] == ["one ", 1]
    assert [colour.next(stream).text, transport.open_bodies] == ["", 0]
    assert list(colour.chunks(stream)) == []
    assert stream.outcome == "stopped"


def test_leaving_the_loop_at_a_chunk_before_the_match(colour: AnyColour) -> None:
    """A reader that leaves between the chunks of the block that ends the stream leaves no body."""
    events = b"".join(MemoryReply.stream(chunk("one "), chunk("END"), done=False).pieces)
    transport, stream = opened(colour, MemoryReply(pieces=[events, b": ping\n\n"]), stop="END")
    assert [each.text for each in colour.first(stream)] == ["one "]
    assert transport.open_bodies == 0


def test_the_servers_own_word(colour: AnyColour) -> None:
    """A server that says which sequence it stopped at is believed, and the stream is complete."""
    last = {"index": 0, "delta": {}, "finish_reason": "stop", "stop_reason": "END"}
    reply = MemoryReply.stream(chunk("one "), {"choices": [last]})
    _, stream = opened(colour, reply, stop="END")
    assert colour.text(stream) == ["one "]
    assert (stream.stop_sequence, stream.outcome) == ("END", "complete")


# Text that is held back.


def test_held_text_comes_out_at_once(colour: AnyColour) -> None:
    """Only what may be a beginning is held, and only until it is none."""
    _, stream = opened(colour, streamed("a E", "N", "X", "b"), stop="END")
    assert [each.text for each in colour.chunks(stream)] == ["a ", "", "ENX", "b", ""]


HELD: Final = [
    pytest.param(streamed("a", "b EN"), "complete", id="finish"),
    pytest.param(streamed("a", "b EN", finish=None), "unconfirmed", id="marker alone"),
    pytest.param(streamed("a", "b EN", done=False), "complete", id="no marker"),
    pytest.param(
        MemoryReply.stream(chunk("a"), chunk("b EN", "length")), "complete", id="finish beside"
    ),
]


@pytest.mark.parametrize("reads", ["text", "events"])
@pytest.mark.parametrize(("reply", "outcome"), HELD)
def test_held_text_comes_out_at_the_end(
    colour: AnyColour, reply: MemoryReply, outcome: str, reads: str
) -> None:
    """Text that is held at the end is no sequence, and belongs to the answer."""
    _, stream = opened(colour, reply, stop="END")
    if reads == "text":
        text = "".join(colour.text(stream))
    else:
        events = colour.events(stream)
        text = "".join(event.text for event in events if isinstance(event, ContentEvent))
    assert text == "ab EN" == stream.completion.text
    assert (stream.outcome, stream.stop_sequence) == (outcome, None)


def test_held_text_comes_before_the_finish(colour: AnyColour) -> None:
    """A reader of events has all of the text when it is told that the choice has ended."""
    _, stream = opened(colour, streamed("a EN"), stop="END")
    assert [event.type for event in colour.events(stream)] == ["content", "content", "finish"]


FAILURES: Final = [
    pytest.param(cut("a", "b EN"), StreamInterruptedError, id="cut"),
    pytest.param(streamed("a", "b EN", finish=None, done=False), StreamInterruptedError, id="end"),
    pytest.param(
        MemoryReply.stream(chunk("a"), chunk("b EN"), {"error": {"message": "no"}}),
        StreamProviderError,
        id="provider",
    ),
]


@pytest.mark.parametrize(("reply", "kind"), FAILURES)
def test_held_text_comes_out_before_an_error(
    colour: AnyColour, reply: MemoryReply, kind: type[Exception]
) -> None:
    """Text that is held when the stream breaks is handed out first, and is in `partial`."""
    _, stream = opened(colour, reply, stop="END")
    seen: list[Any] = []
    with pytest.raises(kind) as caught:
        taken(colour.chunks(stream), seen)
    assert "".join(each.text for each in seen) == "ab EN" == stream.completion.text
    assert getattr(caught.value, "partial_text", None) == "ab EN"


def test_held_text_and_the_error_event(colour: AnyColour) -> None:
    """Readers of events get the held text before the error."""
    _, stream = opened(colour, cut("a EN"), stop="END")
    seen: list[Any] = []
    with pytest.raises(StreamInterruptedError):
        taken(colour.each(stream.events()), seen)
    assert [type(event) for event in seen] == [ContentEvent, ContentEvent, ErrorEvent]
    assert seen[-1].error.partial_text == "a EN"


# Several choices.

USAGE: Final = {"choices": [], "usage": {"total_tokens": 7}}


def test_one_choice_stops_and_another_ends(colour: AnyColour) -> None:
    """One that stopped does not end the other; the stream is `stopped`, its usage read."""
    reply = MemoryReply.stream(
        of(0, "a END"), of(1, "x"), of(0, "more"), of(1, " y"), of(1, None, "length"), USAGE
    )
    _, stream = opened(colour, reply, stop="END", n=2)
    assert [each.choices[0].index for each in colour.chunks(stream) if each.choices] == [0, 1, 1, 1]
    choices = stream.completion.choices
    assert [choice.message.content for choice in choices] == ["a ", "x y"]
    assert [choice.finish_reason for choice in choices] == ["stop", "length"]
    assert [choice.stop_reason for choice in choices] == ["END", None]
    assert stream.outcome == "stopped"
    assert stream.usage is not None
    assert stream.usage.total_tokens == 7


def test_one_choice_ends_and_another_stops(colour: AnyColour) -> None:
    """When the last choice is stopped, nothing more is read."""
    reply = MemoryReply.stream(
        of(1, "x"), of(1, None, "stop"), of(0, "a END"), of(0, "more"), pauses=[0, 0, 0, 30, 30]
    )
    transport, stream = opened(colour, reply, stop="END", n=2)
    list(colour.chunks(stream))
    assert [choice.message.content for choice in stream.completion.choices] == ["a ", "x"]
    assert (stream.outcome, stream.stop_sequence, transport.open_bodies) == ("stopped", "END", 0)


def test_all_choices_stop(colour: AnyColour) -> None:
    """When every choice has stopped, nothing more is read; one that is to come is waited for."""
    reply = MemoryReply.stream(
        of(0, "a END"), of(0, "more"), of(1, "x E"), of(1, "ND"), of(1, "m"), pauses=[0] * 4 + [30]
    )
    transport, stream = opened(colour, reply, stop=["END", "."], n=2)
    list(colour.chunks(stream))
    assert [choice.message.content for choice in stream.completion.choices] == ["a ", "x "]
    assert [choice.stop_reason for choice in stream.completion.choices] == ["END", "END"]
    assert (stream.outcome, transport.open_bodies) == ("stopped", 0)


# What is no content.


def test_reasoning_and_tool_calls(colour: AnyColour) -> None:
    """A sequence in the reasoning, or in the arguments of a tool, is left where it is."""
    call = {"index": 0, "id": "t", "function": {"name": "f", "arguments": '{"a":"END"}'}}
    reply = MemoryReply.stream(
        {"choices": [{"index": 0, "delta": {"reasoning": "the END "}}]},
        {"choices": [{"index": 0, "delta": {"reasoning": "EN"}}]},
        chunk("D"),
        {"choices": [{"index": 0, "delta": {"tool_calls": [call]}}]},
        chunk(None, "stop"),
    )
    _, stream = opened(colour, reply, stop="END")
    events = colour.events(stream)
    assert [e.call.function.arguments for e in events if isinstance(e, ToolCallDoneEvent)] == [
        '{"a":"END"}'
    ]
    completion = stream.completion
    assert (completion.text, completion.reasoning) == ("D", "the END EN")
    assert (stream.outcome, stream.finish) == ("complete", Finish.tool_calls)


def test_reasoning_and_tool_calls_of_a_whole_answer(colour: AnyColour) -> None:
    """The same holds for a whole answer."""
    call = {"id": "t", "function": {"name": "f", "arguments": '{"a":"END"}'}}
    message = {"content": "a", "reasoning": "END", "tool_calls": [call]}
    choice = {"index": 0, "message": message, "finish_reason": "tool_calls"}
    transport = colour.memory([MemoryReply.json({"choices": [choice]})])
    completion = colour.create(colour.client(transport=transport, model="m"), stop="END")
    assert (completion.reasoning, completion.finish_reason) == ("END", "tool_calls")
    assert completion.tool_calls[0].function.arguments == '{"a":"END"}'


# The older endpoint.


def pieces_of(*texts: str) -> MemoryReply:
    """Return a stream of the older endpoint."""
    choices = [{"index": 0, "text": text, "finish_reason": None} for text in texts]
    choices.append({"index": 0, "text": "", "finish_reason": "length"})
    return MemoryReply.stream(*({"choices": [choice]} for choice in choices))


def test_the_older_endpoint(colour: AnyColour) -> None:
    """Completions of a prompt are cut as chats are, streamed and whole."""
    answer = {"choices": [{"index": 0, "text": "a END b", "finish_reason": "length"}]}
    transport = colour.memory([pieces_of("a E", "N", "D b"), MemoryReply.json(answer)])
    client = colour.client(transport=transport, model="m")
    stream = colour.run(client.completions.create(prompt="p", stop="END", stream=True))
    assert "".join(each.choices[0].text for each in colour.chunks(stream)) == "a "
    assert (stream.completion.text, stream.stop_sequence, stream.outcome) == (
        "a ",
        "END",
        "stopped",
    )
    completion = colour.run(client.completions.create(prompt="p", stop="END"))
    assert (completion.choices[0].text, completion.stop_sequence) == ("a ", "END")
    assert completion.finish_reason == "stop"
    assert [body_of(request)["stop"] for request in transport.requests] == ["END", "END"]


def test_an_echoed_prompt(colour: AnyColour) -> None:
    """With ``echo=True`` a prompt that holds the sequence is not taken for the answer."""
    answer = {"choices": [{"index": 0, "text": "p END a", "finish_reason": "stop"}]}
    transport = colour.memory([pieces_of("p END", " a"), MemoryReply.json(answer)])
    client = colour.client(transport=transport, model="m")
    asked = {"prompt": "p END", "stop": "END", "echo": True}
    stream = colour.run(client.completions.create(**asked, stream=True))
    assert "".join(colour.text(stream)) == "p END a"
    assert (stream.outcome, stream.stop_sequence) == ("complete", None)
    assert colour.run(client.completions.create(**asked)).text == "p END a"
    assert [body_of(request)["stop"] for request in transport.requests] == ["END", "END"]
