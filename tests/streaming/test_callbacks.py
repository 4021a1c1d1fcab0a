"""Callbacks: how they are registered, and by what names."""

from __future__ import annotations

import copy
import pickle
import sys
from threading import Event, Thread
from typing import Any

import pytest

from evoclient.errors.tree import APIConnectionError, APITimeoutError
from evoclient.ground import ConfigurationError
from evoclient.streaming.callbacks import NAMES, Callbacks, Start


def nothing(what: object) -> None:
    """Do nothing; a function that can be pickled."""


def other(what: object) -> None:
    """Do nothing as well."""


def functions(callbacks: Callbacks, name: str) -> list[object]:
    """Return the functions of one name, in order."""
    return [one.function for one in callbacks.registered if one.name == name]


@pytest.mark.parametrize("name", NAMES)
def test_every_way_to_register(name: str) -> None:
    """An argument, a list, `on` with and without the prefix, and a decorator add in this order."""
    found: list[Any] = [lambda what, n=n: n for n in range(5)]
    listed: Any = {f"on_{name}": found[:2]}
    alone: Any = {f"on_{name}": nothing}
    callbacks = Callbacks(**listed)
    assert callbacks.on(name, found[2]).on(f"on_{name}", found[3]) is callbacks
    assert getattr(callbacks, f"on_{name}")(found[4]) is found[4]
    assert functions(callbacks, name) == found
    assert len(callbacks.registered) == 5
    assert functions(Callbacks(**alone), name) == [nothing]


def test_a_list_is_taken_as_it_was() -> None:
    """A list that grows after it was handed over adds nothing."""
    given = [nothing]
    callbacks = Callbacks(on_text=given)
    given.append(other)
    assert functions(callbacks, "text") == [nothing]


@pytest.mark.parametrize("wrong", [5, "f", [nothing, None], [[nothing]]])
def test_what_is_no_function(wrong: Any) -> None:
    """What cannot be called is refused at once, whichever way it came, and named."""
    wanted = "on_chunk must be a function or a list of functions; it is"
    for attempt in (
        lambda: Callbacks(on_chunk=wrong),
        lambda: Callbacks().on("chunk", wrong),
        lambda: Callbacks().on_chunk(wrong),
    ):
        with pytest.raises(ConfigurationError, match=wanted) as caught:
            attempt()
        assert caught.value.argument == "on_chunk"


@pytest.mark.parametrize("name", ["token", "on_", "on_on_chunk", "", None])
def test_an_unknown_name(name: Any) -> None:
    """A name that does not exist is refused, and the names that do are listed."""
    wanted = "start, chunk, text, tool_call_chunk, finish, error, retry"
    with pytest.raises(ConfigurationError, match=wanted):
        Callbacks().on(name, nothing)
    with pytest.raises(ConfigurationError, match=wanted):
        Callbacks().clear(name or "")


def test_what_a_failure_does_is_one_of_two() -> None:
    """`errors` is "report" unless it is "stop", and anything else is refused."""
    assert Callbacks().errors == "report"
    assert Callbacks(errors="stop").errors == "stop"
    with pytest.raises(ConfigurationError, match='"report" or "stop"; it is \'raise\''):
        Callbacks(errors="raise")  # type: ignore[arg-type]


def test_kinds_of_errors() -> None:
    """An `on_error` callback keeps the classes it was registered for, in each spelling."""
    callbacks = Callbacks(on_error=nothing)

    @callbacks.on_error
    def of_all(error: Exception) -> None: ...

    @callbacks.on_error()
    def of_all_too(error: Exception) -> None: ...

    @callbacks.on_error(APITimeoutError, ValueError)
    def of_some(error: Exception) -> None: ...

    callbacks.on("error", nothing, kind=APIConnectionError)
    callbacks.on("error", nothing, kind=[OSError, KeyError])
    everything = (BaseException,)
    assert [(one.function, one.kinds) for one in callbacks.registered] == [
        (nothing, everything),
        (of_all, everything),
        (of_all_too, everything),
        (of_some, (APITimeoutError, ValueError)),
        (nothing, (APIConnectionError,)),
        (nothing, (OSError, KeyError)),
    ]


@pytest.mark.parametrize("kind", [5, int, [], [OSError, 5], "OSError"])
def test_what_is_no_class_of_errors(kind: Any) -> None:
    """What is no class of errors is refused as a kind."""
    with pytest.raises(ConfigurationError, match="classes of errors such as RateLimitError"):
        Callbacks().on("error", nothing, kind=kind)


def test_a_decorator_of_errors_takes_classes_or_a_function() -> None:
    """`on_error` refuses what is neither, and a function beside a class."""
    for wrong in ((5,), (int,), (nothing, OSError)):
        with pytest.raises(ConfigurationError, match="on_error takes a function, or classes"):
            Callbacks().on_error(*wrong)


def test_only_errors_have_kinds() -> None:
    """A kind beside another name is refused."""
    with pytest.raises(ConfigurationError, match="on_text is told of none"):
        Callbacks().on("text", nothing, kind=OSError)


def test_clearing() -> None:
    """`clear` forgets the functions of one name, or all, and returns the object."""
    callbacks = Callbacks(on_text=nothing, on_chunk=nothing, on_error=nothing)
    before = callbacks.registered
    assert callbacks.clear("text") is callbacks
    assert [one.name for one in callbacks.registered] == ["chunk", "error"]
    assert [one.name for one in callbacks.clear("on_chunk").registered] == ["error"]
    assert callbacks.clear().registered == ()
    assert len(before) == 3


def test_truth_and_repr() -> None:
    """Callbacks are false while there are none; their repr counts them and shows none."""
    secret = "s3cret-key"
    callbacks = Callbacks()
    assert not callbacks
    assert repr(callbacks) == "Callbacks(errors='report')"

    class Listening:
        def __call__(self, what: object) -> None: ...

        def __repr__(self) -> str:
            return secret

    callbacks.on("error", Listening()).on("text", [Listening(), Listening()])
    assert callbacks
    assert repr(callbacks) == "Callbacks(on_text=2, on_error=1, errors='report')"
    assert secret not in repr(callbacks.registered)
    assert callbacks.registered[0].title == "on_error (Listening)"


def test_pickle_and_copy() -> None:
    """Callbacks go along with pickle and copy, and a copy is added to on its own."""
    callbacks = Callbacks(on_text=nothing, errors="stop").on("error", other, kind=OSError)
    for twin in (
        pickle.loads(pickle.dumps(callbacks)),  # noqa: S301 - our own bytes
        copy.copy(callbacks),
        copy.deepcopy(callbacks),
    ):
        assert (twin.registered, twin.errors) == (callbacks.registered, "stop")
        twin.on("text", other)
        assert len(callbacks.registered) == 2


def test_threads_lose_no_registration() -> None:
    """Functions that threads add while others clear something else are all there."""
    callbacks = Callbacks()
    is_over = Event()

    def add() -> None:
        for _ in range(200):
            callbacks.on("text", nothing)

    def clear() -> None:
        while not is_over.is_set():
            callbacks.clear("error")

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        clearing = Thread(target=clear)
        adding = [Thread(target=add) for _ in range(4)]
        for thread in (clearing, *adding):
            thread.start()
        for thread in adding:
            thread.join()
        is_over.set()
        clearing.join()
    finally:
        sys.setswitchinterval(interval)
    assert len(callbacks.registered) == 800


def test_start_by_attribute_and_index() -> None:
    """A start has model and messages as attributes and by index, and a short repr."""
    start = Start("m", [{"role": "user", "content": "слово " * 100}])
    assert (start.model, start["model"]) == ("m", "m")
    assert start["messages"] is start.messages
    assert len(repr(start)) < 160
    for name in ("title", "__class__"):
        with pytest.raises(KeyError, match=name):
            start[name]
