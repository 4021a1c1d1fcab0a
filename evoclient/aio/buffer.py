"""Text shown in few updates: pulled from a stream, or pushed by whoever has it. With asyncio."""

from __future__ import annotations

import inspect
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from contextvars import ContextVar
from time import monotonic
from types import TracebackType
from typing import TYPE_CHECKING, Final, Protocol, Self, cast

from ..errors.tree import ClientClosedError
from ..log import logger
from ..streaming.buffering import Buffer, By, KeptError, check_text, pushed

if TYPE_CHECKING:
    import asyncio

__all__ = ["AsyncStreamBuffer", "buffered"]


class _Source(Protocol):
    """What of an `AsyncStream` is needed here."""

    @property
    def text(self) -> AsyncIterator[str]: ...

    def close(self) -> Awaitable[None]: ...


def buffered(
    stream: _Source, *, interval: float = 0.1, min_chars: int = 1, by: By = "char"
) -> AsyncGenerator[str]:
    """Iterate over the text of choice 0 in updates fit for a display.

    The first text comes at once, then at most one update per interval, and the rest when the
    stream ends or breaks; the updates together are the text. An update that is due comes although
    no further chunk arrives: a task of its own, started with the first `anext`, reads the stream.
    Where the consumer is slow, text is joined into one update, and the task stops reading while
    more than a million characters wait.

    Args:
        stream: A stream that nobody else reads.
        interval: The least time between two updates, in seconds.
        min_chars: The least number of characters of an update, the last one excepted.
        by: "char", "word", "line", "sentence", or a compiled pattern whose matches end a unit:
            what is shown only as a whole (see `evoclient.streaming.buffering.Buffer`).

    Returns:
        A generator. Closing it, as `contextlib.aclosing` does, closes the stream and ends the
        task; where its loop is just left, that happens at the next turns of the event loop.

    Raises:
        ConfigurationError: An argument is of the wrong kind or out of range; nothing was read.
        EvoClientError: The stream ended early; raised after the rest has been given.
    """
    return _updates(stream, Buffer(interval=interval, min_chars=min_chars, by=by))


async def _updates(stream: _Source, buffer: Buffer) -> AsyncGenerator[str]:
    reader = _Reader(stream, buffer)
    try:
        while text := await reader.next_update():
            yield text
    finally:
        await reader.leave()
    reader.raise_failure()


class _Reader:
    """Reads a stream in a task, and gives what may be shown to another."""

    def __init__(self, stream: _Source, buffer: Buffer) -> None:
        """Begin to read a stream, and to collect it in a buffer."""
        import asyncio  # loaded when first needed

        self._stream = stream
        self._buffer = buffer
        self._may_show = asyncio.Event()
        self._may_read = asyncio.Event()
        self._task = asyncio.create_task(self._read(), name="evoclient-buffer")
        self._task.add_done_callback(lambda _: self._may_show.set())

    async def next_update(self) -> str:
        """Wait for the next update and return it; "" at the end."""
        while not self._task.done():
            self._may_show.clear()
            now = monotonic()
            if text := self._buffer.ready(now):
                self._may_read.set()
                return text
            due = self._buffer.due()
            await self._wait(None if due is None else due - now)
        return self._buffer.flush()

    async def leave(self) -> None:
        """Close the stream and end the task, unless the stream has ended by itself."""
        import asyncio

        if not self._task.done():
            self._task.cancel()
            # Also where the task has not begun to read.
            self._stream.close()
            await asyncio.wait([self._task])
        if not self._task.cancelled():
            self._task.exception()  # a reader who has left does not ask for it

    def raise_failure(self) -> None:
        """Raise what ended the stream, if it was an error."""
        self._task.result()

    async def _wait(self, seconds: float | None) -> None:
        """Wait for a change, or for some seconds."""
        import asyncio

        try:
            async with asyncio.timeout(seconds):
                await self._may_show.wait()
        except TimeoutError:
            pass

    async def _read(self) -> None:
        # An async generator is not closed by leaving its loop.
        async with aclosing(cast(AsyncGenerator[str], self._stream.text)) as texts:
            async for text in texts:
                was_waiting = self._buffer.due() is not None
                self._buffer.add(text)
                if not was_waiting and self._buffer.due() is not None:
                    self._may_show.set()
                while self._buffer.is_full:
                    self._may_read.clear()
                    await self._may_read.wait()


class _Run:
    """One run of a callback, until what it left to be awaited has ended."""

    __slots__ = ("is_over",)

    def __init__(self) -> None:
        """Begin."""
        self.is_over = False


# The runs inside of which code runs: tasks that a callback starts see it too.
_RUNS: Final[ContextVar[tuple[_Run, ...]]] = ContextVar("evoclient_buffer_runs", default=())


class AsyncStreamBuffer:
    """Hands text to a function in few updates, however many pieces it is added in.

    The first text is handed over at once; after that there is at most one update per
    `buffer_delay`, by a timer where nothing is added any more. The updates together are the text,
    in the order in which it was added, and none of them ends inside what a reader takes for one
    character: the last one is held back until what follows is known, or `flush`.

    Text is added and flushed in one event loop. A coroutine function runs in a task, one update at
    a time: text that is added meanwhile comes with the next. The function may itself add text,
    which comes with a later update, and flush, which is done when it has ended.

    Where the function raises, the text that it was given counts as handed over. A plain function
    called by `add_content` or `flush` raises there. Otherwise the error is logged, and raised by
    the next `add_content` (which has added its text), `flush` or `close`; updates go on meanwhile.
    """

    def __init__(self, update_callback: Callable[[str], object], buffer_delay: float = 0.1) -> None:
        """Begin with nothing.

        Args:
            update_callback: Takes the text of an update; a plain or a coroutine function.
            buffer_delay: The least time between two updates, in seconds. With 0, whatever is
                added is handed over at once, but for its last character.

        Raises:
            ConfigurationError: An argument is of the wrong kind or out of range.
        """
        self._buffer = pushed(update_callback, buffer_delay)
        self._callback = update_callback
        self._run: _Run | None = None
        self._update: asyncio.Task[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._must_flush = False
        self._is_closed = False
        self._failure = KeptError()

    def add_content(self, content: str) -> None:
        """Add a piece of text; hand over what is due, unless an update is under way.

        Raises:
            ConfigurationError: `content` is no string; nothing was added.
            ClientClosedError: The buffer was closed; nothing was added.
            RuntimeError: No event loop is running; nothing was added.
            BaseException: Whatever the callback raised, now or in an earlier update.
        """
        from asyncio import get_running_loop

        get_running_loop()
        check_text(content)
        if self._is_closed:
            raise ClientClosedError("The buffer has been closed: make a new one.")
        self._buffer.add(content)
        self._go_on()
        self._failure.raise_once()

    async def flush(self) -> None:
        """Hand over all that has been added, and return when that is done.

        Called by the callback itself, or meanwhile by a task that the callback has started, it
        returns at once, and what has been added is handed over when the callback has ended.

        Raises:
            BaseException: Whatever the callback raised, now or in an earlier update.
        """
        self._must_flush = True
        if self._run in _RUNS.get():
            return  # the callback may wait for this, and would then wait for itself
        await self._updated()
        self._go_on()
        await self._updated()
        self._failure.raise_once()

    async def close(self) -> None:
        """Flush and stop the timer; nothing can be added any more. A second call does nothing.

        Raises:
            BaseException: As for `flush`.
        """
        self._is_closed = True
        await self.flush()

    async def __aenter__(self) -> Self:
        """Return the buffer."""
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close the buffer."""
        await self.close()

    async def _updated(self) -> None:
        """Wait until the callback does not run."""
        from asyncio import wait

        while self._update is not None:
            await wait([self._update])

    @property
    def _is_updating(self) -> bool:
        """Whether the callback runs."""
        return self._run is not None

    def _go_on(self) -> None:
        """Call the callback while it has time and there is something, and set the timer."""
        try:
            while not self._is_updating and (text := self._next_update()):
                self._call(text)
        finally:
            self._set_timer()

    def _next_update(self) -> str:
        """Return what is to be handed over now."""
        if self._must_flush:
            self._must_flush = False
            return self._buffer.flush(monotonic())
        return self._buffer.ready(monotonic())

    def _call(self, text: str) -> None:
        """Call the callback; what it leaves to be awaited runs in a task."""
        from asyncio import create_task

        self._run = _Run()
        outer = _RUNS.set((*(run for run in _RUNS.get() if not run.is_over), self._run))
        try:
            result = self._callback(text)
            if inspect.isawaitable(result):
                self._update = create_task(self._finish(result), name="evoclient-buffer")
        finally:
            _RUNS.reset(outer)
            if self._update is None:
                self._end_run()

    async def _finish(self, awaited: Awaitable[object]) -> None:
        """Wait for the end of an update, and begin the next one if it is due."""
        try:
            await awaited
        except Exception as error:  # whatever the user's callback raises; it is raised later
            self._keep(error)
        finally:
            self._end_run()
            self._set_timer()  # also where the task is cancelled
        self._go_on_unseen()

    def _end_run(self) -> None:
        """Learn that the callback has ended, with all that it left to be awaited."""
        if self._run is not None:
            self._run.is_over = True
        self._run = self._update = None

    def _set_timer(self) -> None:
        """See to it that what waits is handed over in time."""
        from asyncio import get_running_loop

        due = self._buffer.due()
        if self._timer is not None and (due is None or self._is_updating):
            self._timer.cancel()
            self._timer = None
        elif self._timer is None and due is not None and not self._is_updating:
            self._timer = get_running_loop().call_later(max(0, due - monotonic()), self._on_time)

    def _on_time(self) -> None:
        self._timer = None
        self._go_on_unseen()

    def _go_on_unseen(self) -> None:
        """Go on where nobody can be told of an error."""
        try:
            self._go_on()
        except Exception as error:  # as above
            self._keep(error)

    def _keep(self, error: Exception) -> None:
        """Log an error, and keep it for whoever adds or flushes next."""
        logger.error("the callback of an AsyncStreamBuffer raised", exc_info=error)
        self._failure.keep(error)
