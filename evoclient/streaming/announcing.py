"""Telling the callbacks of one call what happens in it: whom to call, and what their failure does.

Nothing is awaited here. What coroutine functions return is put aside for whoever drives the stream.
"""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Generator, Iterable
from functools import partial
from typing import Any, Final, NoReturn, TypeAlias

import attrs

from ..ground import ConfigurationError
from ..log import logger
from ..models.chat import ChatCompletion
from ..models.chunks import ChatCompletionChunk
from .callbacks import NAMES, Callback, Callbacks, Start

__all__ = ["Announcer", "Listener"]


@attrs.frozen(eq=False, repr=False)
class Listener:
    """A callback in one call.

    Attributes:
        callback: The callback.
        stops: Whether its failure stops the stream.
    """

    callback: Callback
    stops: bool


#: Each with its function in front: that is all the usual case needs.
_Listeners: TypeAlias = tuple[tuple[Callable[[Any], Any], Listener], ...]

#: Shared, as an empty set of its own takes a quarter of a kilobyte of each stream.
_NOBODY: Final[frozenset[Listener]] = frozenset()


class Announcer:
    """The callbacks of one call, those of the client first. It is false where there are none.

    They are taken as they are registered now. Plain functions are called at once. In the async
    colour, what coroutine functions return is in `pending`, to be awaited in order before the call
    goes on; whoever awaits it has no failure to handle:

    - ``while announcer.pending: await announcer.pending.pop(0)`` after each method;
    - it raises only what is to stop the stream;
    - `drop_pending` where the call is given up before that.

    So the plain functions of one chunk run before its coroutines, and each kind in order.

    Where a failure stops the stream, no further callback is called but those of `on_error`. In the
    sync colour the method itself raises, in the async one the last of `pending`, as `on_error`
    coroutines come first.

    Attributes:
        pending: What is to be awaited, in order; always empty in the sync colour.
        wants_chunks: Whether `item` has anybody to tell.
    """

    def __init__(self, callbacks: Iterable[Callbacks], *, is_async: bool) -> None:
        """Take the callbacks that are registered.

        Args:
            callbacks: Of the client, then of the call.
            is_async: Whether somebody awaits `pending`.

        Raises:
            ConfigurationError: There is a coroutine function, and nobody who could await it.
        """
        found: dict[str, _Listeners] = dict.fromkeys(NAMES, ())
        for given in callbacks:
            stops = given.errors == "stop"
            for callback in given.registered:
                if not is_async:
                    _check_is_plain(callback)
                found[callback.name] += ((callback.function, Listener(callback, stops)),)
        self._start = found["start"]
        self._chunk = found["chunk"]
        self._text = found["text"]
        self._tool_call_chunk = found["tool_call_chunk"]
        self._finish = found["finish"]
        self._error = found["error"]
        self._retry = found["retry"]
        self._is_async = is_async
        self._has_any = any(found.values())
        self._stopped_by: Exception | None = None
        self._failed = _NOBODY
        self.pending: list[Awaitable[None]] = []
        self.wants_chunks = bool(self._chunk or self._text or self._tool_call_chunk)

    def __bool__(self) -> bool:
        """Return whether there are callbacks."""
        return self._has_any

    def start(self, model: str | None, messages: object) -> None:
        """Tell that a call begins.

        Raises:
            Exception: What a callback raised that stops the stream; of each method but `error`.
        """
        if self._start:
            self._tell(self._start, Start(model, messages))

    def item(self, chunk: ChatCompletionChunk) -> None:
        """Tell of a chunk, of its text, and of its pieces of tool calls."""
        if self._chunk:
            self._tell(self._chunk, chunk)
        if self._text:
            for choice in chunk.choices:
                if choice.index == 0:
                    content = choice.delta.content
                    if content and isinstance(content, str):
                        self._tell(self._text, content)
                    break
        if self._tool_call_chunk:
            for choice in chunk.choices:
                if choice.delta.tool_calls:
                    self._tell(self._tool_call_chunk, chunk)
                    break

    def finish(self, completion: ChatCompletion) -> None:
        """Tell that the call is over, and what it came to."""
        self._tell(self._finish, completion)

    def error(self, error: BaseException) -> None:
        """Tell that the call has failed; of what a callback raised was told before."""
        if error is not self._stopped_by:
            self._report(error)

    def retry(self, state: object) -> None:
        """Tell that an attempt has failed and another follows.

        Args:
            state: Has `attempt`, `wait` and `error`.
        """
        self._tell(self._retry, state)

    def failed(self, error: Exception, listener: Listener) -> None:
        """Report what a callback raised, and raise it, or let `pending` raise it, if it stops.

        A failure of an `on_error` callback is only logged: telling of it would not end.
        """
        callback = listener.callback
        if listener in self._failed:
            logger.error("the callback %s raised again: %r", callback.title, error)
        else:
            self._failed |= {listener}
            logger.error("the callback %s raised", callback.title, exc_info=error)
        error.add_note(f"raised by the callback {callback.title}")
        if callback.name == "error":
            return
        if not listener.stops:
            self._report(error)
            return
        self._stopped_by = error
        self._start = self._chunk = self._text = self._tool_call_chunk = ()
        self._finish = self._retry = ()
        self._report(error)
        if not self._is_async:
            raise error
        self.pending.append(_Raising(error))

    def drop_pending(self, *, but_reports: bool = False) -> None:
        """Forget what is to be awaited: nobody will.

        Args:
            but_reports: Keep what `on_error` callbacks have returned.
        """
        kept: list[Awaitable[None]] = []
        for waiting in self.pending:
            if isinstance(waiting, _Returned):
                if but_reports and waiting.is_report:
                    kept.append(waiting)
                else:
                    waiting.drop()
        self.pending[:] = kept

    def _report(self, error: BaseException) -> None:
        matching = [pair for pair in self._error if isinstance(error, pair[1].callback.kinds)]
        self._tell(tuple(matching), error)

    def _tell(self, listeners: _Listeners, what: object) -> None:
        for function, listener in listeners:
            try:
                result = function(what)
                if result is not None:
                    self._put_aside(result, listener)
            except Exception as error:
                self.failed(error, listener)
                if self._stopped_by is not None and listener.callback.name != "error":
                    return

    def _put_aside(self, result: object, listener: Listener) -> None:
        """Keep what a callback returned if it is to be awaited.

        Raises:
            ConfigurationError: It is to be awaited, and nobody can.
        """
        if not hasattr(type(result), "__await__"):
            return
        waiting = _Returned(result, listener, self)
        if self._is_async:
            self.pending.append(waiting)
            return
        waiting.drop()
        _refuse(listener.callback, "returned something to await")


class _Returned(Awaitable[None]):
    """What a callback returned; awaited, it reports its failure itself."""

    def __init__(self, result: Any, listener: Listener, announcer: Announcer) -> None:
        self._result = result
        self._listener = listener
        self._announcer = announcer

    @property
    def is_report(self) -> bool:
        """Whether an `on_error` callback returned it."""
        return self._listener.callback.name == "error"

    def __await__(self) -> Generator[Any, Any, None]:
        try:
            yield from self._result.__await__()
        except Exception as error:
            if self._listener.stops and not self.is_report:
                self._announcer.drop_pending(but_reports=True)  # what comes after it
            self._announcer.failed(error, self._listener)
        except BaseException:  # cancelled: nobody awaits the rest
            self._announcer.drop_pending()
            raise

    def drop(self) -> None:
        """Close a coroutine that has not begun, which would warn otherwise."""
        if inspect.iscoroutine(self._result):
            self._result.close()


class _Raising(Awaitable[None]):
    """Stands after the reports of a failure that stops the stream, and raises it."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    def __await__(self) -> Generator[Any, Any, None]:
        yield from ()
        raise self._error


def _check_is_plain(callback: Callback) -> None:
    function: object = callback.function
    while isinstance(function, partial):
        function = function.func
    called = getattr(type(function), "__call__", None)  # noqa: B004 - whether it is async
    if inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(called):
        _refuse(callback, "is a coroutine function")


def _refuse(callback: Callback, problem: str) -> NoReturn:
    raise ConfigurationError(
        f"The callback {callback.title} {problem}, and a sync client awaits nothing: "
        "use AsyncClient or a plain function.",
        argument=f"on_{callback.name}",
    )
