"""Telling callbacks: who is told what, in what order, and what a failure does."""

from __future__ import annotations

import asyncio
import functools
import gc
import logging
from collections.abc import Callable
from typing import Any
from unittest.mock import AsyncMock

import pytest

from evoclient.errors.tree import APIConnectionError
from evoclient.ground import ConfigurationError
from evoclient.models.chat import ChatCompletion
from evoclient.models.chunks import ChatCompletionChunk, read_chunk
from evoclient.streaming.announcing import Announcer
from evoclient.streaming.callbacks import Callbacks, Start

Log = list[Any]


class Wrong(Exception):
    """What the callbacks of these tests raise."""


def chunk_of(*deltas: dict[str, Any]) -> ChatCompletionChunk:
    """Return a chunk with one choice for each delta."""
    return read_chunk({"choices": [{"index": n, "delta": d} for n, d in enumerate(deltas)]})


HELLO = chunk_of({"content": "Hello"})
CALL = {"tool_calls": [{"index": 0, "function": {"name": "f", "arguments": "{"}}]}


def failing(log: Log, error: Exception, name: str = "failed") -> Callable[[Any], None]:
    """Return a function that says it was called, and raises."""

    def fail(what: object) -> None:
        log.append(name)
        raise error

    return fail


def noting(log: Log, name: str) -> Callable[[Any], None]:
    """Return a function that says it was called, and with what."""
    return lambda what: log.append((name, what))


def plain(*callbacks: Callbacks) -> Announcer:
    """Return an announcer of the sync colour."""
    return Announcer(callbacks, is_async=False)


async def settle(announcer: Announcer) -> None:
    """Await what is pending, as a driver does."""
    while announcer.pending:
        await announcer.pending.pop(0)


def test_everybody_is_told_their_part() -> None:
    """Each method tells the callbacks of its name, and gives them what they are promised."""
    log: Log = []
    callbacks = Callbacks()
    for name in ("start", "chunk", "text", "tool_call_chunk", "finish", "error", "retry"):
        callbacks.on(name, noting(log, name))
    announcer = plain(callbacks)
    messages = [{"role": "user", "content": "hi"}]
    both = chunk_of({"content": "a", **CALL})
    completion, error, state = ChatCompletion(), Wrong(), object()
    announcer.start("m", messages)
    announcer.item(HELLO)
    announcer.item(both)
    announcer.retry(state)
    announcer.finish(completion)
    announcer.error(error)
    assert log == [
        ("start", Start("m", messages)),
        ("chunk", HELLO),
        ("text", "Hello"),
        ("chunk", both),
        ("text", "a"),
        ("tool_call_chunk", both),
        ("retry", state),
        ("finish", completion),
        ("error", error),
    ]
    assert log[1][1] is HELLO
    assert announcer.pending == []


@pytest.mark.parametrize(
    ("chunk", "text"),
    [
        (chunk_of({"content": ""}), None),
        (chunk_of({"content": 5}), None),
        (chunk_of({"reasoning": "r"}), None),
        (chunk_of(), None),
        (chunk_of({}, {"content": "other"}), None),
        (read_chunk({"choices": [{"index": 1, "delta": {"content": "other"}}]}), None),
        (read_chunk({"choices": [{"index": "0", "delta": {"content": "a"}}]}), "a"),
        (chunk_of({"content": "a"}, {"content": "b"}), "a"),
        (chunk_of({"role": "assistant", "content": "я"}), "я"),
    ],
)
def test_text_is_that_of_choice_0(chunk: ChatCompletionChunk, text: str | None) -> None:
    """`on_text` gets the text of choice 0, and is not called where there is none."""
    log: Log = []
    plain(Callbacks(on_text=log.append)).item(chunk)
    assert log == ([] if text is None else [text])


@pytest.mark.parametrize(
    ("chunk", "is_told"),
    [
        (chunk_of(CALL), True),
        (chunk_of({"content": "a"}, CALL), True),
        (chunk_of(CALL, CALL), True),
        (chunk_of({"tool_calls": []}), False),
        (chunk_of({"tool_calls": None}), False),
        (HELLO, False),
        (chunk_of(), False),
    ],
)
def test_tool_calls_of_any_choice(chunk: ChatCompletionChunk, is_told: bool) -> None:
    """`on_tool_call_chunk` gets each chunk with tool calls once, whichever choice has them."""
    log: Log = []
    plain(Callbacks(on_tool_call_chunk=log.append)).item(chunk)
    assert log == ([chunk] if is_told else [])


def test_the_order_of_callbacks() -> None:
    """The callbacks of the client come before those of the call, each in their order."""
    log: Log = []
    client = Callbacks(on_text=[noting(log, "a"), noting(log, "b")])
    call = Callbacks(on_text=noting(log, "c"))
    plain(client, call).item(HELLO)
    assert [name for name, _ in log] == ["a", "b", "c"]


def test_a_call_keeps_its_callbacks() -> None:
    """What is added or cleared while a call is under way counts from the next one on."""
    log: Log = []
    callbacks = Callbacks(on_text=log.append)
    under_way = plain(callbacks)
    callbacks.clear().on("text", noting(log, "new"))
    under_way.item(HELLO)
    plain(callbacks).item(HELLO)
    assert log == ["Hello", ("new", "Hello")]


def test_registering_from_a_callback() -> None:
    """A callback may add and clear callbacks, of which its own call takes no notice."""
    log: Log = []
    callbacks = Callbacks()

    @callbacks.on_text
    def add(text: str) -> None:
        log.append(text)
        callbacks.clear().on("text", noting(log, "new"))

    announcer = plain(callbacks)
    announcer.item(HELLO)
    announcer.item(HELLO)
    assert log == ["Hello", "Hello"]


def test_who_wants_what() -> None:
    """An announcer without callbacks is false, and one that no chunk concerns says so."""
    assert not plain()
    assert not plain(Callbacks(), Callbacks())
    for name in ("chunk", "text", "tool_call_chunk"):
        announcer = plain(Callbacks(), Callbacks().on(name, print))
        assert announcer
        assert announcer.wants_chunks
    for name in ("start", "finish", "error", "retry"):
        announcer = plain(Callbacks().on(name, print))
        assert announcer
        assert not announcer.wants_chunks


def test_errors_by_class() -> None:
    """All `on_error` callbacks whose classes match are called, in the order they were added."""
    log: Log = []
    callbacks = Callbacks(on_error=noting(log, "all"))
    callbacks.on("error", noting(log, "key"), kind=KeyError)
    callbacks.on("error", noting(log, "either"), kind=(OSError, LookupError))
    callbacks.on_error(APIConnectionError)(noting(log, "connection"))
    error = KeyError("x")
    plain(callbacks).error(error)
    assert log == [("all", error), ("key", error), ("either", error)]


def test_a_failure_is_reported_and_the_rest_goes_on(caplog: pytest.LogCaptureFixture) -> None:
    """What a callback raises is logged and told to `on_error`, and the others are called."""
    log: Log = []
    error = Wrong("no")
    callbacks = Callbacks(
        on_chunk=[failing(log, error), noting(log, "chunk")],
        on_text=noting(log, "text"),
        on_error=noting(log, "error"),
    )
    announcer = plain(callbacks)
    announcer.item(HELLO)
    announcer.item(HELLO)
    assert log == ["failed", ("error", error), ("chunk", HELLO), ("text", "Hello")] * 2
    assert [(r.name, r.levelno) for r in caplog.records] == [("evoclient", logging.ERROR)] * 2
    record = caplog.records[0]
    assert record.exc_info is not None
    assert record.exc_info[1] is error
    assert "on_chunk (failing.<locals>.fail)" in record.getMessage()


@pytest.mark.parametrize("errors", ["report", "stop"])
def test_a_failure_of_on_error_is_only_logged(
    errors: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """An `on_error` callback that raises is logged, told to nobody, and never stops anything."""
    log: Log = []
    callbacks = Callbacks(
        on_error=[failing(log, Wrong("first")), noting(log, "second")], errors=errors
    )
    error = OSError("cut")
    plain(callbacks).error(error)
    assert log == ["failed", ("second", error)]
    assert len(caplog.records) == 1


def test_a_failure_that_stops() -> None:
    """With errors="stop" a failure is reported and raised, and only `on_error` is called on."""
    log: Log = []
    error = Wrong("no")
    client = Callbacks(
        on_error=[failing(log, OSError("again"), "client fails"), noting(log, "client")],
        on_finish=noting(log, "finish"),
    )
    call = Callbacks(
        on_chunk=[failing(log, error), noting(log, "chunk")],
        on_text=noting(log, "text"),
        on_error=noting(log, "call"),
        errors="stop",
    )
    announcer = plain(client, call)
    with pytest.raises(Wrong) as caught:
        announcer.item(HELLO)
    assert caught.value is error
    announcer.item(HELLO)
    announcer.finish(ChatCompletion())
    announcer.error(error)
    assert log == ["failed", "client fails", ("client", error), ("call", error)]
    later = OSError("cut")
    announcer.error(later)
    assert log[4:] == ["client fails", ("client", later), ("call", later)]


def test_each_object_decides_for_its_own() -> None:
    """A failure stops the stream only if the object that the callback belongs to says so."""
    log: Log = []
    client = Callbacks(on_text=failing(log, Wrong("client"), "client"))
    call = Callbacks(on_text=failing(log, Wrong("call"), "call"), errors="stop")
    with pytest.raises(Wrong, match="call"):
        plain(client, call).item(HELLO)
    assert log == ["client", "call"]


@pytest.mark.parametrize("name", ["start", "finish", "retry"])
def test_every_method_stops(name: str) -> None:
    """A failure at the start, at the end and before a retry stops as one at a chunk does."""
    announcer = plain(Callbacks(errors="stop").on(name, failing([], Wrong("no"))))
    given: Any = ("m", []) if name == "start" else (object(),)
    with pytest.raises(Wrong):
        getattr(announcer, name)(*given)


def test_an_interruption_is_no_failure() -> None:
    """What is no `Exception`, such as Ctrl-C, goes through a callback untold."""
    log: Log = []

    def interrupted(text: str) -> None:
        raise KeyboardInterrupt

    announcer = plain(Callbacks(on_text=interrupted, on_error=log.append))
    with pytest.raises(KeyboardInterrupt):
        announcer.item(HELLO)
    assert log == []


async def coroutine(what: object) -> None:
    """Be a coroutine function."""


class Awaiting:
    """An object that is called and awaited."""

    async def __call__(self, what: object) -> None:
        """Be an asynchronous call."""

    async def method(self, what: object) -> None:
        """Be an asynchronous method."""


@pytest.mark.parametrize(
    "function",
    [
        coroutine,
        functools.partial(coroutine),
        Awaiting(),
        functools.partial(functools.partial(Awaiting())),
        Awaiting().method,
        AsyncMock(),
    ],
)
def test_coroutine_functions_in_the_sync_colour(function: Any) -> None:
    """A coroutine function is refused before the call, by name, where nobody awaits it."""
    callbacks = Callbacks(on_finish=function)
    with pytest.raises(ConfigurationError, match=r"on_finish \(.*AsyncClient or a plain") as caught:
        plain(callbacks)
    assert caught.value.argument == "on_finish"
    assert Announcer([callbacks], is_async=True)


def test_what_looks_plain_and_is_not(recwarn: pytest.WarningsRecorder) -> None:
    """In the sync colour a coroutine that a plain function returns is closed, and is a failure."""
    log: Log = []
    callbacks = Callbacks(on_text=lambda text: coroutine(text), on_error=log.append)
    plain(callbacks).item(HELLO)
    gc.collect()
    assert [type(error) for error in log] == [ConfigurationError]
    assert "returned something to await" in str(log[0])
    assert not recwarn.list


def test_other_results_are_ignored() -> None:
    """What a callback returns and nobody could await has no meaning."""
    log: Log = []
    callbacks = Callbacks(on_text=[lambda text: 5, lambda text: [coroutine]], on_error=log.append)
    plain(callbacks).item(HELLO)
    announcer = Announcer([callbacks], is_async=True)
    announcer.item(HELLO)
    assert (log, announcer.pending) == ([], [])


def slowly(log: Log, name: str, error: Exception | None = None) -> Callable[[Any], Any]:
    """Return a coroutine function that says when it begins and ends, and may raise."""

    async def say(what: object) -> None:
        log.append(f"{name} begins")
        await asyncio.sleep(0)
        if error is not None:
            raise error
        log.append(f"{name} ends")

    return say


async def test_coroutines_run_in_order() -> None:
    """Coroutines run one after the other in their order, after the plain functions of the item."""
    log: Log = []
    callbacks = Callbacks(on_chunk=[slowly(log, "a"), lambda chunk: log.append("plain")])
    callbacks.on("text", slowly(log, "b"))
    announcer = Announcer([callbacks], is_async=True)
    announcer.item(HELLO)
    assert log == ["plain"]
    await settle(announcer)
    assert log == ["plain", "a begins", "a ends", "b begins", "b ends"]


async def test_other_awaitables() -> None:
    """A future or a task that a plain function returns is awaited, too."""
    log: Log = []
    future = asyncio.get_running_loop().create_future()
    callbacks = Callbacks(
        on_text=[lambda text: future, lambda text: asyncio.ensure_future(slowly(log, "a")(text))],
        on_error=log.append,
    )
    announcer = Announcer([callbacks], is_async=True)
    announcer.item(HELLO)
    error = Wrong("of the future")
    future.set_exception(error)
    await settle(announcer)
    # The task has begun while the future was waited for.
    assert log == ["a begins", error, "a ends"] or log == [error, "a begins", "a ends"]


async def test_a_coroutine_that_fails(caplog: pytest.LogCaptureFixture) -> None:
    """What a coroutine raises is logged and told to `on_error`, and the others are awaited."""
    log: Log = []
    error = Wrong("no")
    callbacks = Callbacks(
        on_text=[slowly(log, "a", error), slowly(log, "b")],
        on_error=[noting(log, "error"), slowly(log, "report", Wrong("again"))],
    )
    announcer = Announcer([callbacks], is_async=True)
    announcer.item(HELLO)
    await settle(announcer)
    assert log == ["a begins", ("error", error), "b begins", "b ends", "report begins"]
    assert len(caplog.records) == 2


async def test_a_coroutine_that_stops(recwarn: pytest.WarningsRecorder) -> None:
    """With errors="stop" only reports run after the failed coroutine, and then it is raised."""
    log: Log = []
    error = Wrong("no")
    reported = Callbacks(
        on_text=slowly(log, "first", OSError("only reported")), on_error=slowly(log, "report")
    )
    stopping = Callbacks(on_text=[slowly(log, "a", error), slowly(log, "b")], errors="stop")
    announcer = Announcer([reported, stopping], is_async=True)
    announcer.item(HELLO)
    with pytest.raises(Wrong) as caught:
        await settle(announcer)
    assert caught.value is error
    assert log == ["first begins", "a begins", *["report begins", "report ends"] * 2]
    announcer.error(error)
    announcer.item(HELLO)
    assert announcer.pending == []
    gc.collect()
    assert not recwarn.list


async def test_a_failed_report_does_not_hide_what_stops() -> None:
    """Where the coroutine of `on_error` fails as well, what stops the stream is raised still."""
    log: Log = []
    callbacks = Callbacks(
        on_text=slowly(log, "a", Wrong("no")),
        on_error=[slowly(log, "report", OSError("again")), slowly(log, "other")],
        errors="stop",
    )
    announcer = Announcer([callbacks], is_async=True)
    announcer.item(HELLO)
    with pytest.raises(Wrong):
        await settle(announcer)
    assert log == ["a begins", "report begins", "other begins", "other ends"]


async def test_a_plain_function_that_stops_in_the_async_colour() -> None:
    """Coroutines before the failed function and those of `on_error` run before it is raised."""
    log: Log = []
    error = Wrong("no")
    callbacks = Callbacks(
        on_chunk=[slowly(log, "before"), failing(log, error), slowly(log, "after")],
        on_text=slowly(log, "text"),
        on_error=slowly(log, "report"),
        errors="stop",
    )
    announcer = Announcer([callbacks], is_async=True)
    announcer.item(HELLO)
    with pytest.raises(Wrong):
        await settle(announcer)
    assert log == [
        "failed",
        *("before begins", "before ends"),
        *("report begins", "report ends"),
    ]


async def test_cancelling_a_callback(recwarn: pytest.WarningsRecorder) -> None:
    """Cancelling is no failure: it goes through, and nothing is left that was never awaited."""
    log: Log = []
    callbacks = Callbacks(on_text=[slowly(log, "a"), slowly(log, "b")], on_error=log.append)
    announcer = Announcer([callbacks], is_async=True)
    announcer.item(HELLO)
    task = asyncio.ensure_future(settle(announcer))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert (log, announcer.pending) == (["a begins"], [])
    gc.collect()
    assert not recwarn.list


def test_giving_up(recwarn: pytest.WarningsRecorder) -> None:
    """Coroutines that are dropped neither run nor warn."""
    log: Log = []
    announcer = Announcer([Callbacks(on_text=slowly(log, "a"))], is_async=True)
    announcer.item(HELLO)
    announcer.drop_pending()
    gc.collect()
    assert (log, announcer.pending, recwarn.list) == ([], [], [])
