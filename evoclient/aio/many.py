"""Many streams at once, each read by a task."""

from __future__ import annotations

import inspect
from collections.abc import (
    AsyncGenerator,
    AsyncIterator,
    Awaitable,
    Callable,
    Coroutine,
    Iterable,
    Mapping,
)
from contextlib import aclosing
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, Self, TypeAlias, cast, overload

from ..ground import ConfigurationError
from ..models.chat import ChatCompletion
from ..models.chunks import ChatCompletionChunk
from ..streaming.ending import Outcome
from ..streaming.gathering import Gathering, GroupView, LabelledChunk, checked_requests
from .stream import AsyncStream

if TYPE_CHECKING:
    import asyncio

__all__ = ["AsyncStreamGroup", "AsyncStreamRequest"]

#: What a group opens: keywords of `create`, a function that returns a stream or what is awaited
#: for one, something that is awaited for one, or a stream.
AsyncStreamRequest: TypeAlias = (
    Mapping[str, Any]
    | Callable[[], Awaitable[AsyncStream] | AsyncStream]
    | Awaitable[AsyncStream]
    | AsyncStream
)


class AsyncStreamGroup(GroupView):
    """Several streams that are read at once.

    Read it by `results`, or by `as_chunks`; once. Nothing is asked before. Use it as an async
    context manager, or read to the end: leaving it, or the loop over its chunks, closes what is
    open.

    The streams are read by tasks, so the function of a request is called in the event loop.
    """

    def __init__(
        self,
        requests: Iterable[AsyncStreamRequest],
        *,
        max_concurrency: int | None = 8,
        create: Callable[..., Awaitable[AsyncStream]] | None = None,
    ) -> None:
        """Keep what to ask. Nothing is sent.

        Args:
            requests: What to open, in order. Each is a mapping of the keywords of `create`, a
                function, perhaps a coroutine function, that takes nothing and returns a stream,
                a coroutine or future of a stream, or a stream that is open. What it iterates
                over is read at once.
            max_concurrency: The most streams that are read at once; None: all.
            create: Makes a stream of the keywords of a mapping, such as
                ``client.chat.completions.create``.

        Raises:
            ConfigurationError: An argument is wrong; it is named.
        """
        kinds = (
            "a mapping of keywords of create(), a function or coroutine that returns a stream, or "
            "an AsyncStream"
        )
        checked = checked_requests(
            requests, (AsyncStream, Awaitable), has_create=create is not None, kinds=kinds
        )
        self._gathering: Gathering[AsyncStreamRequest] = Gathering(checked, max_concurrency)
        self._create = create
        self._streams: dict[int, AsyncStream] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._news: asyncio.Event | None = None
        self._room: dict[int, asyncio.Event] = {}
        self._tasks: list[asyncio.Task[None]] = []

    @overload
    async def results(
        self, *, return_exceptions: Literal[False] = False
    ) -> list[ChatCompletion]: ...

    @overload
    async def results(
        self, *, return_exceptions: bool
    ) -> list[ChatCompletion] | list[ChatCompletion | Exception]: ...

    async def results(self, *, return_exceptions: bool = False) -> list[Any]:
        """Read all streams to their ends and return the completions, in the order of the requests.

        Args:
            return_exceptions: Whether a failure stands in the list in the place of a completion,
                and the other streams go on. Otherwise the first one is raised, and the rest
                closed.

        Raises:
            Exception: A stream failed; a note says which, and so does ``details["index"]`` of an
                error of ours. A stream that was closed before its end, by `cancel` or otherwise,
                is a `StreamInterruptedError`.
            ConfigurationError: The group has been read before.
        """
        self._gathering.claim(hands_out=False, return_exceptions=return_exceptions)
        try:
            self._start()
            while not self._gathering.is_over:
                await self._more()
        finally:
            await self._leave()
        return self._gathering.all_results()

    def as_chunks(self, *, return_exceptions: bool = False) -> AsyncIterator[LabelledChunk]:
        """Iterate over the chunks of all streams as they arrive.

        Streams that have something are heard in turn. A slow loop holds the streams back.
        `completions` has the results; they are all there when the loop has ended.

        Args:
            return_exceptions: Whether a failure is handed out as the last of its stream, with
                `error` set, and the other streams go on. Otherwise it is raised, after the
                chunks before it, and the rest closed.

        Raises:
            Exception: A stream failed; as in `results`. A stream that is closed from elsewhere
                just ends.
            ConfigurationError: The group has been read before.
        """
        self._gathering.claim(hands_out=True, return_exceptions=return_exceptions)
        return self._labelled()

    def cancel(self) -> None:
        """Close all open streams and begin no more.

        Any task or thread may call it. A loop over chunks ends; `results` takes the streams that
        had not ended for failures. A second call does nothing.
        """
        if self._loop is None or self._loop is _current_loop():
            self._cancel()
        elif not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._cancel)

    async def __aenter__(self) -> Self:
        """Return the group."""
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close what is still open."""
        await self._leave()

    async def _labelled(self) -> AsyncGenerator[LabelledChunk]:
        try:
            self._start()
            while (labelled := await self._take()) is not None:
                yield labelled
        finally:
            await self._leave()

    async def _take(self) -> LabelledChunk | None:
        """Wait for a chunk; None after the last."""
        while (labelled := self._gathering.take()) is None:
            if self._gathering.is_over:
                return None
            await self._more()
        if not self._gathering.holds_back(labelled.index):
            self._room[labelled.index].set()
        return labelled

    async def _more(self) -> None:
        """Wait for news."""
        assert self._news is not None
        await self._news.wait()
        self._news.clear()

    def _start(self) -> None:
        import asyncio  # loaded when first needed: an AsyncClient is made without it

        self._loop = asyncio.get_running_loop()
        self._news = asyncio.Event()
        for _ in range(self._gathering.workers):
            self._tasks.append(self._loop.create_task(self._work(), name="evoclient-gather"))

    def _cancel(self) -> None:
        dropped = self._gathering.cancel()
        for task in self._tasks:
            task.cancel()  # it closes its stream
        if self._news is not None:
            self._news.set()
        for request in dropped:
            _drop(request)

    async def _leave(self) -> None:
        """Close what is open, and see it end."""
        self._cancel()
        try:
            if self._tasks:
                import asyncio  # as above

                await asyncio.wait(self._tasks)
        finally:
            self._gathering.close_books()

    async def _work(self) -> None:
        """Read one stream after another."""
        while (begun := self._gathering.begin()) is not None:
            await self._read(*begun)

    async def _read(self, index: int, request: AsyncStreamRequest) -> None:
        """Read a stream to its end, whatever that is."""
        import asyncio  # as above

        self._room[index] = asyncio.Event()
        failure: Exception | None = None
        try:
            async with await self._opened(index, request) as stream:
                await self._follow(index, stream)
        except asyncio.CancelledError:
            task = asyncio.current_task()
            assert task is not None
            # Else it came out of the function of a request: one stream was cancelled, not all.
            if task.cancelling():
                self._cancel()
                raise
        except Exception as error:  # whatever the user's function raises is this stream's result
            failure = error
        finally:
            self._finish(index, failure)
        await self._until_room(index)
        del self._room[index]

    async def _opened(self, index: int, request: AsyncStreamRequest) -> AsyncStream:
        if isinstance(request, AsyncStream):
            return request
        if isinstance(request, Mapping):
            assert self._create is not None
            made: object = self._create(**{**request, "stream": True})
        else:
            made = request() if callable(request) else request
        if inspect.isawaitable(made):
            made = await made
        if not isinstance(made, AsyncStream):
            raise ConfigurationError(
                f"What requests[{index}] gave is of the type {type(made).__name__}; it must be an "
                "AsyncStream, as create() gives with stream=True.",
                argument="requests",
            )
        return made

    async def _follow(self, index: int, stream: AsyncStream) -> None:
        """Hand on the chunks of a stream."""
        self._streams[index] = stream
        hands_out = self._gathering.hands_out
        rest = cast(AsyncGenerator[ChatCompletionChunk], aiter(stream))
        async with aclosing(rest) as chunks:
            async for chunk in chunks:
                if hands_out:
                    self._gathering.put(index, chunk)
                    await self._until_room(index)

    def _finish(self, index: int, failure: Exception | None) -> None:
        stream = self._streams.pop(index, None)
        if failure is not None:
            self._gathering.finish(index, failure)
        elif stream is None or stream.outcome is Outcome.cancelled:
            self._gathering.cut(index, None if stream is None else stream.completion)
        else:
            self._gathering.finish(index, stream.completion)

    async def _until_room(self, index: int) -> None:
        """Tell the reader that there is something, and wait until this stream may go on."""
        assert self._news is not None
        self._news.set()
        room = self._room[index]
        while self._gathering.holds_back(index):
            room.clear()
            await room.wait()


def _drop(request: AsyncStreamRequest) -> None:
    """Let go of a request that will not begin."""
    if isinstance(request, (AsyncStream, Coroutine)):
        request.close()
    elif cancel := getattr(request, "cancel", None):  # a task or a future
        cancel()


def _current_loop() -> asyncio.AbstractEventLoop | None:
    """Return the loop that runs in this thread, or None."""
    from asyncio import get_running_loop  # as above

    try:
        return get_running_loop()
    except RuntimeError:
        return None
