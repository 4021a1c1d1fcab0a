"""What callbacks can count on, in both colours: when they are called, and with what."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any, Final

import pytest

from evoclient.errors.tree import (
    APIConnectionError,
    BadRequestError,
    RateLimitError,
    StreamInterruptedError,
)
from evoclient.ground import ConfigurationError
from evoclient.streaming.callbacks import NAMES, Callbacks
from evoclient.transports.memory import MemoryReply
from tests.colours import MESSAGES, Colour
from tests.twins.scripts import chunk, cut, failing, refusing, streamed, taken, whole

AnyColour = Colour[Any, Any]

CALL: Final = {"index": 0, "id": "t", "function": {"name": "f", "arguments": "{}"}}
USAGE: Final = {"total_tokens": 7, "completion_tokens": 2, "cost": 0.25}


class Log(list[tuple[str, Any]]):
    """What callbacks were told of, in order."""

    def all(self) -> dict[str, Callable[[Any], None]]:
        """Return a callback of each kind."""
        return {f"on_{name}": self.of(name) for name in NAMES}

    def of(self, name: str) -> Callable[[Any], None]:
        """Return a callback that notes what it gets under a name."""
        return lambda told: self.append((name, told))

    def names(self) -> list[str]:
        """Return what was told of."""
        return [name for name, _ in self]

    def told(self, name: str) -> list[Any]:
        """Return what the callbacks of a name were told."""
        return [what for found, what in self if found == name]


def client_of(colour: AnyColour, *script: MemoryReply, **options: Any) -> tuple[Any, Any]:
    """Return a transport that plays a script, and a client of it that waits for nothing."""
    transport = colour.memory(list(script))
    options = {"model": "m", "retry_delay": 0, **options}
    return transport, colour.client(transport=transport, **options)


def full() -> MemoryReply:
    """Return a stream with something for each callback."""
    return MemoryReply.stream(
        chunk("one "),
        chunk("two"),
        {"choices": [{"index": 0, "delta": {"tool_calls": [CALL]}}]},
        chunk(None, "stop", usage=USAGE),
    )


# What each is told.


def test_a_stream(colour: AnyColour) -> None:
    """Each callback of a stream gets what belongs to it, in the order of the stream."""
    log = Log()
    _, client = client_of(colour, full(), callbacks=log.all())
    stream = colour.stream(client)
    chunks = list(colour.chunks(stream))
    assert log.names() == [
        *["start", "chunk", "text", "chunk", "text", "chunk", "tool_call_chunk", "chunk", "finish"]
    ]
    start = log.told("start")[0]
    assert (start.model, start.messages) == ("m", MESSAGES)
    assert start["messages"] == MESSAGES
    assert all(a is b for a, b in zip(log.told("chunk"), chunks, strict=True))
    assert log.told("text") == ["one ", "two"]
    assert log.told("tool_call_chunk") == [chunks[2]]
    assert log.told("tool_call_chunk")[0].tool_calls[0].function.name == "f"
    assert log.told("chunk")[-1].usage.total_tokens == 7


def test_what_finish_is_told(colour: AnyColour) -> None:
    """`on_finish` gets the completion: model, tokens, cost, time, and whether tools were called."""
    log = Log()
    _, client = client_of(colour, full(), callbacks=log.all())
    stream = colour.stream(client)
    list(colour.chunks(stream))
    (completion,) = log.told("finish")
    assert (completion.model, completion.total_tokens, completion.cost) == ("m", 7, 0.25)
    assert (completion.text, completion.has_tool_calls) == ("one two", True)
    assert completion.response_time == stream.metrics.duration > 0


def test_a_whole_answer(colour: AnyColour) -> None:
    """A whole answer has a start and a finish, and no chunks."""
    log = Log()
    _, client = client_of(colour, whole("Hi", usage=USAGE), callbacks=log.all())
    completion = colour.create(client)
    assert log.names() == ["start", "finish"]
    assert log.told("finish")[0] is completion
    assert (completion.total_tokens, completion.has_tool_calls) == (7, False)
    assert completion.response_time is not None


def test_the_older_endpoint(colour: AnyColour) -> None:
    """Completions of a prompt are told of as chats are; their messages are the prompt."""
    log = Log()
    answer = {"choices": [{"index": 0, "text": "a", "finish_reason": "stop"}]}
    replies = [MemoryReply.json(answer), MemoryReply.stream(answer)]
    _, client = client_of(colour, *replies, callbacks=log.all())
    colour.run(client.completions.create(prompt="p"))
    list(colour.chunks(colour.run(client.completions.create(prompt="p", stream=True))))
    assert log.names() == ["start", "finish", "start", "chunk", "text", "finish"]
    assert [start.messages for start in log.told("start")] == ["p", "p"]


def test_other_endpoints_have_none(colour: AnyColour) -> None:
    """Embeddings, models and raw requests call nobody, also where they fail."""
    log = Log()
    answers: list[Any] = [
        {"data": [{"index": 0, "embedding": [1.0]}]},
        {"data": [{"id": "m"}]},
        {"a": 1},
    ]
    replies = [*map(MemoryReply.json, answers), refusing(400)]
    _, client = client_of(colour, *replies, callbacks=log.all())
    colour.run(client.embeddings.create(input="a"))
    colour.run(client.models.list())
    colour.run(client.request("GET", "/key"))
    with pytest.raises(BadRequestError):
        colour.run(client.models.list())
    assert log == []


def test_start_comes_before_the_request(colour: AnyColour) -> None:
    """`on_start` is called before anything is sent, streamed or not."""
    seen: list[int] = []
    transport, client = client_of(
        colour, streamed("a"), whole(), callbacks={"on_start": lambda _: seen.append(sent())}
    )

    def sent() -> int:
        return len(transport.requests)

    list(colour.chunks(colour.stream(client)))
    colour.create(client)
    assert seen == [0, 1]


def test_live_figures(colour: AnyColour) -> None:
    """A chunk that `on_chunk` gets has the live figures of its stream."""
    seen: list[tuple[int, int]] = []

    def show(found: Any) -> None:
        seen.append((found.metrics.chunks, found.metrics.characters))
        assert found.metrics.rate.to_dict()

    _, client = client_of(
        colour, *[MemoryReply.stream(chunk("ab"), chunk("c"), chunk(None, "stop"))]
    )
    stream = colour.stream(client, on_chunk=show)
    list(colour.chunks(stream))
    assert seen == [(1, 2), (2, 3), (3, 3)]


def test_a_chunk_is_told_of_before_it_is_handed_out(colour: AnyColour) -> None:
    """When a reader has a chunk, the callbacks have had it; those behind it wait for their turn."""
    log = Log()
    pieces = b"".join(streamed("a", "b").pieces)
    _, client = client_of(colour, MemoryReply(pieces=[pieces]))
    stream = colour.stream(client, on_text=log.of("text"))
    assert colour.next(stream).text == "a"
    assert log.told("text") == ["a"]
    assert colour.next(stream).text == "b"
    assert log.told("text") == ["a", "b"]
    colour.close(stream)


@pytest.mark.parametrize("reads", ["text", "events", "until_done"])
def test_all_readers(colour: AnyColour, reads: str) -> None:
    """Callbacks are called however the stream is read."""
    log = Log()
    _, client = client_of(colour, full(), callbacks=log.all())
    stream = colour.stream(client)
    if reads == "until_done":
        colour.run(stream.until_done())
    else:
        getattr(colour, reads)(stream)
    assert log.names().count("chunk") == 4
    assert log.names()[-1] == "finish"


def test_text_is_what_the_stages_leave(colour: AnyColour) -> None:
    """Callbacks see what the reader sees: cut before a stop sequence, and without thinking."""
    log = Log()
    _, client = client_of(colour, streamed("<think>hm</think>a E", "ND b"))
    stream = colour.stream(client, stop="END", split_think=True, on_text=log.of("text"))
    assert colour.text(stream) == ["a "]
    assert log.told("text") == ["a "]


# Who is called, and in what order.


def test_ways_to_register(colour: AnyColour) -> None:
    """Those of the client come first, then the call's `callbacks`, then its keywords, in order."""
    log = Log()
    _, client = client_of(colour, streamed("a"))
    assert client.callbacks.on("text", log.of("1")).on("text", log.of("2")) is client.callbacks
    client.callbacks.on_text(log.of("3"))
    given = {"on_text": [log.of("4"), log.of("5")]}
    stream = colour.stream(client, callbacks=given, on_text=[log.of("6"), log.of("7")])
    colour.text(stream)
    assert log.names() == ["1", "2", "3", "4", "5", "6", "7"]


def test_callbacks_as_an_object(colour: AnyColour) -> None:
    """A `Callbacks` object may serve a client and a call, and is not changed by either."""
    log = Log()
    callbacks = Callbacks(on_text=log.of("text"))
    _, client = client_of(colour, streamed("a"), callbacks=callbacks)
    assert client.callbacks is callbacks
    colour.text(colour.stream(client, callbacks=callbacks, on_text=log.of("own")))
    assert log.names() == ["text", "text", "own"]
    assert len(callbacks.registered) == 1


def test_callbacks_are_not_sent(colour: AnyColour) -> None:
    """Nothing of the callbacks goes into the body."""
    log = Log()
    transport, client = client_of(colour, streamed("a"))
    colour.text(colour.stream(client, callbacks=log.all(), **{**log.all(), "on_start": None}))
    assert b"on_" not in transport.requests[0].body
    assert b"callbacks" not in transport.requests[0].body


def test_clearing(colour: AnyColour) -> None:
    """`clear_callbacks` counts from the next call on."""
    log = Log()
    _, client = client_of(colour, streamed("a"), streamed("b"), callbacks=log.all())
    stream = colour.stream(client)
    client.clear_callbacks()
    colour.text(stream)
    assert "finish" in log.names()
    log.clear()
    colour.text(colour.stream(client))
    assert log == []


def test_a_copy_with_other_callbacks(colour: AnyColour) -> None:
    """A copy takes its callbacks in the place of the client's; one without them shares those."""
    log = Log()
    _, client = client_of(
        colour, *[streamed("a")] * 4, callbacks=Callbacks(on_text=log.of("client"))
    )
    other = client.with_options(callbacks=Callbacks(on_text=log.of("copy")))
    for each in (other, client, client.with_options(timeout=5)):
        colour.text(colour.stream(each))
    assert log.names() == ["copy", "client", "client"]
    colour.text(colour.stream(client.with_options(callbacks=Callbacks())))
    assert len(log) == 3


@pytest.mark.parametrize("streams", [True, False], ids=["streamed", "whole"])
@pytest.mark.parametrize(
    ("options", "argument"),
    [
        ({"on_text": 5}, "on_text"),
        ({"callbacks": {"on_texts": print}}, "callbacks"),
        ({"callbacks": print}, "callbacks"),
    ],
)
def test_wrong_callbacks(
    colour: AnyColour, streams: bool, options: dict[str, Any], argument: str
) -> None:
    """What is no callback is refused before anything is sent."""
    transport, client = client_of(colour)
    with pytest.raises(ConfigurationError) as caught:
        (colour.stream if streams else colour.create)(client, **options)
    assert caught.value.argument == argument
    assert transport.requests == []


def test_streams_do_not_mix(colour: AnyColour) -> None:
    """Of streams that are read in turns, each tells its own callbacks."""
    logs = [Log() for _ in range(3)]
    _, client = client_of(colour, *[streamed(str(number), "x") for number in range(3)])
    streams = [colour.stream(client, callbacks=log.all()) for log in logs]
    for _ in range(2):
        for stream in streams:
            colour.next(stream)
    for stream in streams:
        list(colour.chunks(stream))
    assert [log.told("text") for log in logs] == [[str(number), "x"] for number in range(3)]
    assert [log.told("finish")[0].text for log in logs] == ["0x", "1x", "2x"]


# Coroutine functions.


def coroutine(log: Log, name: str, turns: int = 1) -> Callable[[Any], Any]:
    """Return a coroutine function that lets others have their turns before it notes its call."""

    async def note(told: Any) -> None:
        import asyncio

        for _ in range(turns):
            await asyncio.sleep(0)
        log.append((name, told))

    return note


def test_coroutines(colour: AnyColour) -> None:
    """An async client awaits them in order, before it goes on; a sync one refuses them unsent."""
    log = Log()
    callbacks = {f"on_{name}": [coroutine(log, name, 3), coroutine(log, name)] for name in NAMES}
    transport, client = client_of(colour, failing(), full(), callbacks=callbacks)
    if colour.name == "sync":
        with pytest.raises(ConfigurationError, match="AsyncClient") as caught:
            colour.stream(client)
        assert caught.value.argument == "on_start"
        assert transport.requests == []
        return
    stream = colour.stream(client)
    assert log.names() == ["start", "start", "retry", "retry"]
    colour.next(stream)
    assert log.names()[4:] == ["chunk", "chunk", "text", "text"]
    list(colour.chunks(stream))
    assert log.names()[-2:] == ["finish", "finish"]


def test_plain_functions_that_return_coroutines(colour: AnyColour) -> None:
    """What a plain function returns is awaited; in the sync colour it is reported as an error."""
    log = Log()
    returning = coroutine(log, "text")
    _, client = client_of(colour, streamed("a"))
    stream = colour.stream(client, on_text=lambda text: returning(text), on_error=log.of("error"))
    assert colour.text(stream) == ["a"]
    if colour.name == "sync":
        (error,) = log.told("error")
        assert isinstance(error, ConfigurationError)
    else:
        assert log == [("text", "a")]


# Failures of the call.


def test_a_retry(colour: AnyColour) -> None:
    """`on_retry` gets the number of the attempt, the wait and the error, before the wait."""
    log = Log()
    _, client = client_of(colour, failing("refused"), streamed("a"), callbacks=log.all())
    colour.text(colour.stream(client))
    assert log.names()[:3] == ["start", "retry", "chunk"]
    (state,) = log.told("retry")
    assert (state.attempt, state.wait) == (1, 0)
    assert isinstance(state.error, APIConnectionError)


def test_a_retry_of_a_stream_that_has_begun(colour: AnyColour) -> None:
    """A stream that breaks before its first chunk is a retry as well, and no error."""
    log = Log()
    empty = MemoryReply.stream(done=False)
    _, client = client_of(colour, empty, streamed("a"), callbacks=log.all())
    assert colour.text(colour.stream(client)) == ["a"]
    assert log.names() == ["start", "retry", "chunk", "text", "chunk", "finish"]


def test_a_reader_that_leaves_at_a_retry(colour: AnyColour) -> None:
    """`on_retry` has been called, and awaited, when a reader of events is told of the retry."""
    log = Log()
    told = log.of("retry") if colour.name == "sync" else coroutine(log, "retry")
    transport, client = client_of(colour, MemoryReply.stream(done=False), streamed("a"))
    stream = colour.stream(client, on_retry=told)
    assert next(colour.each(stream.events())).type == "retry"
    assert log.names() == ["retry"]
    colour.close(stream)
    assert len(transport.requests) == 1


def test_a_retry_of_a_whole_answer(colour: AnyColour) -> None:
    """A whole answer is told of as a stream is."""
    log = Log()
    _, client = client_of(colour, refusing(500), whole(), callbacks=log.all())
    colour.create(client)
    assert log.names() == ["start", "retry", "finish"]


def test_the_wait_comes_after_on_retry(colour: AnyColour) -> None:
    """`on_retry` is called, and awaited, before the wait begins."""
    log = Log()
    transport, client = client_of(colour, failing(), streamed("a"), retry_delay=30)

    def give_up(state: Any) -> None:
        log.append(("retry", (state.wait > 1, len(transport.requests))))
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        colour.stream(client, on_retry=give_up)
    assert log == [("retry", (True, 1))]


def test_an_error(colour: AnyColour) -> None:
    """`on_error` gets the error that is raised; there is no finish."""
    log = Log()
    _, client = client_of(colour, refusing(400), refusing(400), callbacks=log.all())
    for ask in (colour.stream, colour.create):
        log.clear()
        with pytest.raises(BadRequestError) as caught:
            ask(client)
        assert log.names() == ["start", "error"]
        assert log.told("error")[0] is caught.value


def test_an_error_in_a_stream(colour: AnyColour) -> None:
    """An error after the first chunk is told of once, with what came as `partial`."""
    log = Log()
    _, client = client_of(colour, cut("a"), callbacks=log.all())
    stream = colour.stream(client)
    for _ in range(2):
        with pytest.raises(StreamInterruptedError) as caught:
            list(colour.chunks(stream))
    assert log.names() == ["start", "chunk", "text", "error"]
    (error,) = log.told("error")
    assert error is caught.value
    assert error.partial_text == "a"


def test_errors_by_class(colour: AnyColour) -> None:
    """A callback that names classes is told of these errors only."""
    log = Log()
    _, client = client_of(colour, refusing(429), refusing(400), max_retries=0)
    client.callbacks.on("error", log.of("limit"), kind=RateLimitError)
    client.callbacks.on_error(BadRequestError, StreamInterruptedError)(log.of("bad"))
    client.callbacks.on_error(log.of("any"))
    for _ in range(2):
        with pytest.raises((RateLimitError, BadRequestError)):
            colour.stream(client)
    assert log.names() == ["limit", "any", "bad", "any"]


def test_a_stream_that_its_reader_closes(colour: AnyColour) -> None:
    """One that was left early has neither a finish nor an error."""
    log = Log()
    _, client = client_of(colour, streamed("a", "b"), callbacks=log.all())
    colour.first(colour.stream(client))
    assert log.names() == ["start", "chunk", "text"]


# Failures of callbacks.


class OwnError(Exception):
    """What a callback raises."""


def fail(told: Any) -> None:
    """Raise."""
    raise OwnError(f"cannot {told!r:.20}")


async def fail_later(told: Any) -> None:
    """Raise when awaited."""
    fail(told)


def failing_ones(colour: AnyColour) -> list[Callable[[Any], Any]]:
    """Return the kinds of callbacks that raise."""
    return [fail] if colour.name == "sync" else [fail, fail_later]


@pytest.mark.parametrize("name", [name for name in NAMES if name != "error"])
def test_a_callback_that_raises(
    colour: AnyColour, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    """It is logged and reported, those after it are called, and no text is lost."""
    for function in failing_ones(colour):
        log = Log()
        _, client = client_of(colour, failing(), full())
        given = {f"on_{name}": [function, log.of(name)], "on_error": log.of("error")}
        caplog.clear()
        with caplog.at_level(logging.ERROR, "evoclient"):
            stream = colour.stream(client, **given)
            text = "".join(colour.text(stream))
        assert text == "one two"
        assert (stream.outcome, stream.completion.text) == ("complete", "one two")
        calls = len(log.told(name))
        assert calls >= 1
        assert [type(error) for error in log.told("error")] == [OwnError] * calls
        title = f"the callback on_{name} ({function.__qualname__}) raised"
        logged = [(record.message, bool(record.exc_info)) for record in caplog.records]
        assert logged[0] == (title, True)
        again = [(message.startswith(f"{title} again: OwnError"), full) for message, full in logged]
        assert again[1:] == [(True, False)] * (calls - 1)


def test_an_on_error_that_raises(colour: AnyColour, caplog: pytest.LogCaptureFixture) -> None:
    """It is logged, and the error of the call is raised all the same."""
    log = Log()
    _, client = client_of(colour, refusing(400))
    callbacks = Callbacks(on_error=[fail, log.of("error")], errors="stop")
    with pytest.raises(BadRequestError):
        colour.stream(client, callbacks=callbacks)
    assert log.names() == ["error"]
    assert "on_error (fail) raised" in caplog.text


@pytest.mark.parametrize("name", ["chunk", "text"])
def test_a_callback_that_stops_the_stream(colour: AnyColour, name: str) -> None:
    """With ``errors="stop"`` its exception leaves the loop, and the connection is closed."""
    for function in failing_ones(colour):
        log = Log()
        transport, client = client_of(colour, streamed("a", "b"))
        given = Callbacks(errors="stop").on(name, function).on(name, log.of("late"))
        stream = colour.stream(
            client, callbacks=given, on_error=log.of("error"), on_finish=log.of("finish")
        )
        with pytest.raises(OwnError) as caught:
            list(colour.chunks(stream))
        colour.settle()
        assert stream.completion.text == "a"
        assert (transport.open_bodies, stream.outcome) == (0, "cancelled")
        assert log.told("error") == [caught.value]
        assert log.told("finish") == []
        assert len(log.told("late")) <= 1  # a plain one runs before the coroutines of its chunk


def test_stopping_at_a_chunk_of_the_last_block(colour: AnyColour) -> None:
    """The body is closed, and the figures stand still, though the stream had come to its end."""
    pieces = b"".join(streamed("a", "b END").pieces)
    transport, client = client_of(colour, MemoryReply(pieces=[pieces, b":\n\n"]))
    stream = colour.stream(client, stop="END", callbacks=Callbacks(on_text=fail, errors="stop"))
    with pytest.raises(OwnError):
        list(colour.chunks(stream))
    colour.settle()
    assert transport.open_bodies == 0
    assert stream.metrics.duration == stream.metrics.duration


def test_stopping_at_the_start(colour: AnyColour) -> None:
    """An `on_start` that stops the call leaves nothing sent, streamed or not."""
    for function in failing_ones(colour):
        log = Log()
        transport, client = client_of(colour)
        callbacks = Callbacks(on_start=function, on_error=log.of("error"), errors="stop")
        for ask in (colour.stream, colour.create):
            with pytest.raises(OwnError):
                ask(client, callbacks=callbacks)
        assert transport.requests == []
        assert log.names() == ["error", "error"]


def test_stopping_at_a_retry(colour: AnyColour) -> None:
    """An `on_retry` that stops the call is raised in the place of a further attempt."""
    for function in failing_ones(colour):
        transport, client = client_of(colour, failing(), MemoryReply.stream(done=False))
        callbacks = Callbacks(on_retry=function, errors="stop")
        with pytest.raises(OwnError):
            colour.stream(client, callbacks=callbacks)
        stream = colour.stream(client, callbacks=callbacks)
        with pytest.raises(OwnError):
            list(colour.chunks(stream))
        assert list(colour.chunks(stream)) == []
        assert (len(transport.requests), transport.open_bodies) == (2, 0)
        assert stream.outcome == "cancelled"


def test_stopping_at_the_finish(colour: AnyColour) -> None:
    """An `on_finish` that stops is raised behind the last chunk, and the completion is there."""
    for function in failing_ones(colour):
        transport, client = client_of(colour, streamed("a", "b"), whole())
        callbacks = Callbacks(on_finish=function, errors="stop")
        stream = colour.stream(client, callbacks=callbacks)
        seen: list[Any] = []
        with pytest.raises(OwnError):
            taken(colour.chunks(stream), seen)
        assert [each.text for each in seen] == ["a", "b", ""]
        assert stream.completion.text == "ab"
        assert (stream.outcome, transport.open_bodies) == ("complete", 0)
        with pytest.raises(OwnError):
            colour.create(client, callbacks=callbacks)
