"""Functions that are told what happens in a call: who they are, not when they are called."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final, Literal, Self, TypeAlias, TypeVar, cast, get_args, overload

import attrs

from ..ground import ConfigurationError, elide
from ..guard import Guard
from ..models.chat import ChatCompletion
from ..models.chunks import ChatCompletionChunk

__all__ = ["EVERY_ERROR", "NAMES", "Callback", "Callbacks", "Functions", "Policy", "Start"]

#: What may be listened to.
NAMES: Final = ("start", "chunk", "text", "tool_call_chunk", "finish", "error", "retry")

#: What the failure of a callback does besides being reported: nothing, or it stops the stream.
Policy: TypeAlias = Literal["report", "stop"]

_POLICIES: Final = get_args(Policy)

Kinds: TypeAlias = tuple[type[BaseException], ...]

#: The classes of an `on_error` callback that is told of all errors.
EVERY_ERROR: Final[Kinds] = (BaseException,)

#: One function, or several that are called in order.
Functions: TypeAlias = Callable[[Any], object] | Sequence[Callable[[Any], object]]

F = TypeVar("F", bound=Callable[[Any], object])
OnStart = TypeVar("OnStart", bound=Callable[["Start"], object])
OnChunk = TypeVar("OnChunk", bound=Callable[[ChatCompletionChunk], object])
OnText = TypeVar("OnText", bound=Callable[[str], object])
OnFinish = TypeVar("OnFinish", bound=Callable[[ChatCompletion], object])
OnError = TypeVar("OnError", bound=Callable[[Exception], object])


@attrs.frozen
class Start:
    """What `on_start` gets. Its values are there by index as well: ``start["model"]``.

    Attributes:
        model: The model that is asked for, or None where the server chooses.
        messages: The messages as they are sent; not to be changed.
    """

    model: str | None
    messages: Any = attrs.field(repr=lambda messages: elide(repr(messages), 80))

    def __getitem__(self, name: str) -> Any:
        """Return the value of that name.

        Raises:
            KeyError: It is neither "model" nor "messages".
        """
        if name not in ("model", "messages"):
            raise KeyError(name)
        return getattr(self, name)


@attrs.frozen
class Callback:
    """A registered function.

    Attributes:
        name: What it listens to, one of `NAMES`.
        function: The function. It may hold secrets, so no repr shows it.
        kinds: The classes of errors it is told of, if it listens to errors.
    """

    name: str
    function: Callable[[Any], Any] = attrs.field(repr=False)
    kinds: Kinds = EVERY_ERROR

    @property
    def title(self) -> str:
        """What it is called in logs and errors: what it listens to, and the function's name."""
        function = self.function
        own = getattr(function, "__qualname__", None)
        return f"on_{self.name} ({own if isinstance(own, str) else type(function).__name__})"


class Callbacks:
    """Functions that are told what happens in the calls of a client, or in one call.

    Several may listen to the same thing; they are called in the order in which they were added,
    those of the client before those of the call. What is added or cleared while a call is under
    way counts from the next call on. Any thread may do so.

    With an async client, functions may be coroutine functions. What they return is awaited one
    after the other, before the next chunk is handed out; all plain functions of one chunk run
    before that.

    A callback that raises is logged, and reported to the `on_error` callbacks. By default the
    stream then goes on with the next callback. No text is lost either way: the completion holds a
    chunk before the callbacks see it. An `on_error` callback that raises is only logged.

    Functions are added by argument, by `on`, or by decorators::

        callbacks = Callbacks(on_text=show)
        callbacks.on("finish", count).on("finish", store)

        @callbacks.on_error(RateLimitError)
        def slow_down(error): ...

    Attributes:
        errors: "report" or "stop": what a callback that raises does.
    """

    def __init__(
        self,
        *,
        on_start: Functions | None = None,
        on_chunk: Functions | None = None,
        on_text: Functions | None = None,
        on_tool_call_chunk: Functions | None = None,
        on_finish: Functions | None = None,
        on_error: Functions | None = None,
        on_retry: Functions | None = None,
        errors: Policy = "report",
    ) -> None:
        """Take functions, each argument one or a list of them.

        Args:
            on_start: Gets a `Start`, before the request is sent.
            on_chunk: Gets each chunk.
            on_text: Gets each piece of the text of choice 0, never an empty one.
            on_tool_call_chunk: Gets each chunk that holds a piece of a tool call, of any choice.
            on_finish: Gets the completion, at the end.
            on_error: Gets the error of the call, and what other callbacks raise.
            on_retry: Gets the number of the attempt that failed, the wait and the error, as
                attributes `attempt`, `wait` and `error`, before the wait.
            errors: "report" (default), or "stop": what a callback raised is also raised to the
                reader, which ends the stream.

        Raises:
            ConfigurationError: An argument is no function, or `errors` is neither of the two.
        """
        if errors not in _POLICIES:
            raise ConfigurationError(
                f'errors must be "report" or "stop"; it is {errors!r}.', argument="errors"
            )
        self.errors: Policy = errors
        self._guard = Guard()
        #: Replaced, never changed: whoever reads it needs no lock.
        self._all: tuple[Callback, ...] = ()
        given = (on_start, on_chunk, on_text, on_tool_call_chunk, on_finish, on_error, on_retry)
        for name, functions in zip(NAMES, given, strict=True):
            if functions is not None:
                self._add(name, functions)

    @property
    def registered(self) -> tuple[Callback, ...]:
        """The functions that are registered now, in order."""
        return self._all

    def on(
        self,
        name: str,
        function: Functions,
        *,
        kind: type[BaseException] | Iterable[type[BaseException]] | None = None,
    ) -> Self:
        """Add a function, or a list of them, and return the object, so that calls chain.

        Args:
            name: "start", "chunk", "text", "tool_call_chunk", "finish", "error" or "retry", with
                or without ``on_``.
            function: What is called.
            kind: For "error": the class of errors that are meant, or several; None (default) is
                all. Of several callbacks, all that match are called, in order.

        Raises:
            ConfigurationError: The name is unknown, it is no function, or `kind` is no class of
                errors or stands beside another name than "error".
        """
        known = _known(name)
        if kind is None:
            return self._add(known, function)
        if known != "error":
            raise ConfigurationError(
                f"kind says which errors a callback is told of; on_{known} is told of none.",
                argument="kind",
            )
        return self._add(known, function, _checked_kinds(kind))

    def clear(self, name: str | None = None) -> Self:
        """Forget all functions, or those of one name, and return the object.

        Raises:
            ConfigurationError: The name is unknown.
        """
        gone = NAMES if name is None else (_known(name),)
        with self._guard:
            self._all = tuple(one for one in self._all if one.name not in gone)
        return self

    def on_start(self, function: OnStart) -> OnStart:
        """Add a function that gets a `Start` before the request is sent, and return it."""
        self._add("start", function)
        return function

    def on_chunk(self, function: OnChunk) -> OnChunk:
        """Add a function that gets each chunk, and return it."""
        self._add("chunk", function)
        return function

    def on_text(self, function: OnText) -> OnText:
        """Add a function that gets each piece of the text of choice 0, and return it."""
        self._add("text", function)
        return function

    def on_tool_call_chunk(self, function: OnChunk) -> OnChunk:
        """Add a function that gets each chunk with a piece of a tool call, and return it."""
        self._add("tool_call_chunk", function)
        return function

    def on_finish(self, function: OnFinish) -> OnFinish:
        """Add a function that gets the completion at the end, and return it."""
        self._add("finish", function)
        return function

    @overload
    def on_error(self, *kinds: type[BaseException]) -> Callable[[F], F]: ...  # type: ignore[overload-overlap]  # a class of errors is never meant as the function

    @overload
    def on_error(self, function: OnError, /) -> OnError: ...

    def on_error(self, *given: Any) -> Any:
        """Add a function that gets errors, and return it.

        ``@callbacks.on_error`` is told of all errors, ``@callbacks.on_error(RateLimitError)`` or
        with several classes of these only. All callbacks that match are called, in order.

        Raises:
            ConfigurationError: An argument is neither a function nor a class of errors.
        """
        if len(given) == 1 and callable(given[0]) and not isinstance(given[0], type):
            self._add("error", given[0])
            return given[0]
        kinds = _checked_kinds(given) if given else EVERY_ERROR

        def add(function: F) -> F:
            self._add("error", function, kinds)
            return function

        return add

    def on_retry(self, function: F) -> F:
        """Add a function that gets attempt, wait and error before each retry, and return it."""
        self._add("retry", function)
        return function

    def __bool__(self) -> bool:
        """Return whether any function is registered."""
        return bool(self._all)

    def __repr__(self) -> str:
        """Show how many functions listen to what, never the functions."""
        names = [one.name for one in self._all]
        counts = [f"on_{name}={names.count(name)}" for name in NAMES if name in names]
        return f"Callbacks({', '.join([*counts, f'errors={self.errors!r}'])})"

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle and copy without the lock; a pickle needs functions that can be pickled."""
        return _revived, (type(self), self.errors, self._all)

    def _add(self, name: str, given: Functions, kinds: Kinds = EVERY_ERROR) -> Self:
        functions = _checked_functions(name, given)
        added = tuple(Callback(name, function, kinds) for function in functions)
        with self._guard:
            self._all += added
        return self


def _revived(kind: type[Callbacks], errors: Policy, registered: tuple[Callback, ...]) -> Callbacks:
    made = kind(errors=errors)
    made._all = registered
    return made


def _known(name: object) -> str:
    known = name.removeprefix("on_") if isinstance(name, str) else ""
    if known not in NAMES:
        raise ConfigurationError(
            f"There is no callback {name!r}; there are {', '.join(NAMES)}.", argument="name"
        )
    return known


def _checked_functions(name: str, given: Functions) -> tuple[Callable[[Any], object], ...]:
    found = tuple(given) if isinstance(given, (list, tuple)) else (given,)
    if not all(callable(function) for function in found):
        raise ConfigurationError(
            f"on_{name} must be a function or a list of functions; it is {elide(repr(given), 80)}.",
            argument=f"on_{name}",
        )
    return cast(tuple[Callable[[Any], object], ...], found)


def _checked_kinds(given: object) -> Kinds:
    found = tuple(given) if isinstance(given, Iterable) else (given,)
    if not found or not all(isinstance(k, type) and issubclass(k, BaseException) for k in found):
        raise ConfigurationError(
            "on_error takes a function, or classes of errors such as RateLimitError; "
            f"it was given {elide(repr(given), 80)}.",
            argument="kind",
        )
    return found
