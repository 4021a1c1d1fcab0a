"""A stream, read by tasks: pulls blocks, feeds the pipeline, hands out chunks."""

from __future__ import annotations

import warnings
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Generator
from contextlib import aclosing
from types import TracebackType
from typing import TYPE_CHECKING, Self, cast

from ..errors.tree import APIError
from ..models.chat import ChatCompletion
from ..models.chunks import ChatCompletionChunk
from ..reopen import OpenedStream
from ..streaming.passage import Item
from ..view import StreamView
from ..wire import AsyncBody
from .driver import run

if TYPE_CHECKING:
    from ..streaming.buffering import By
    from ..streaming.events import StreamEvent

__all__ = ["AsyncStream"]


class _Nothing(Awaitable[None]):
    """What is already done: ``stream.close()`` and ``await stream.close()`` both work."""

    def __await__(self) -> Generator[None, None, None]:
        """Return at once."""
        yield from ()


class AsyncStream(StreamView):
    """An answer that arrives in chunks.

    Iterate over it for chunks, over `text` for pieces of text, over `events()` or over
    `buffered()`, or call `until_done()`; in one of these ways, once. Leaving the loop early closes
    the connection, and so does `close`.

    Whatever ends the stream early raises an error that has the completion so far as `partial`.
    A stream that was closed, by its reader or from elsewhere, just ends; `outcome` tells.
    """

    def __init__(self, stream: OpenedStream) -> None:
        """Take over a stream whose reply is open."""
        super().__init__(stream)
        self._chunks: AsyncGenerator[ChatCompletionChunk] | None = None
        from asyncio import get_running_loop  # loaded when first needed

        self._loop = get_running_loop()

    @property
    async def text(self) -> AsyncIterator[str]:
        """The pieces of the text of choice 0."""
        async with aclosing(self._rest()) as chunks:
            async for chunk in chunks:
                if chunk.text:
                    yield chunk.text

    async def events(self) -> AsyncIterator[StreamEvent]:
        """Iterate over what the chunks say, one thing at a time, and over signs of life.

        Where the stream fails, the last event is an `ErrorEvent`; then the error is raised.
        """
        from ..streaming.events import ErrorEvent  # loaded by those who read events
        from ..streaming.telling import EventReader

        self._tells_all(True)
        reader = EventReader()
        try:
            async with aclosing(self._items()) as items:
                async for item in items:
                    for event in reader.feed(item):
                        yield event
            for event in self._last_events(reader):
                yield event
        except APIError as error:
            yield ErrorEvent(error=error)
            raise

    def buffered(
        self, interval: float = 0.1, *, min_chars: int = 1, by: By = "char"
    ) -> AsyncIterator[str]:
        """Iterate over the text of choice 0 in updates that are fit to be shown.

        The first text comes at once, then at most one update per interval, and the rest at the
        end, before an error too. A task of its own reads the stream meanwhile.

        Args:
            interval: The least number of seconds between two updates.
            min_chars: The least number of characters of an update but the last.
            by: What an update holds whole: "char" (what a reader sees as one character),
                "word", "line", "sentence", or a pattern that matches at the end of each unit.

        Raises:
            ConfigurationError: An argument is out of range.
        """
        from .buffer import buffered  # loaded by those who want updates

        return buffered(self, interval=interval, min_chars=min_chars, by=by)

    async def until_done(self) -> ChatCompletion:
        """Read to the end and return the completion.

        Raises:
            APIError: The stream ended early; `partial` has what came.
        """
        async for _ in self:
            pass
        return self.completion

    def close(self) -> Awaitable[None]:
        """Stop reading and close the connection, at once; awaiting the result is optional.

        Any task or thread may call it, also while another task waits for the next chunk: that
        one's loop then ends. A second call does nothing, and neither does one after the end.
        """
        self._is_closed = True
        self._opened.pipeline.cancel()
        self._stream.give_up()
        reply = self._opened.reply
        if self._is_in_its_loop() or self._loop.is_closed():
            reply.close()
        else:
            # asyncio's transports may only be touched in the thread of their loop.
            self._loop.call_soon_threadsafe(reply.close)
        return _Nothing()

    aclose = close
    cancel = close

    def __aiter__(self) -> AsyncIterator[ChatCompletionChunk]:
        """Iterate over the chunks."""
        return self._rest()

    async def __anext__(self) -> ChatCompletionChunk:
        """Return the next chunk."""
        if self._chunks is None:
            self._chunks = self._all_chunks()
        return await anext(self._chunks)

    async def __aenter__(self) -> Self:
        """Return the stream."""
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close the stream."""
        self.close()

    def __del__(self) -> None:
        """Warn where a stream was neither read to its end nor closed, and close it."""
        if self._was_forgotten():
            warnings.warn(
                f"unclosed {self!r}: use “async with stream:”", ResourceWarning, stacklevel=2
            )
            self.close()

    def _rest(self) -> AsyncGenerator[ChatCompletionChunk]:
        """Return the chunks that `anext` has not given yet."""
        return self._all_chunks() if self._chunks is None else self._other_chunks(self._chunks)

    def _all_chunks(self) -> AsyncGenerator[ChatCompletionChunk]:
        self._tells_all(False)
        return cast(AsyncGenerator[ChatCompletionChunk], self._items())

    async def _other_chunks(
        self, chunks: AsyncGenerator[ChatCompletionChunk]
    ) -> AsyncGenerator[ChatCompletionChunk]:
        """Go on where `anext` was called before."""
        try:
            async for chunk in chunks:
                yield chunk
        finally:
            self._leave()

    async def _items(self) -> AsyncGenerator[Item]:
        wants_chunks = self._stream.announcer.wants_chunks
        items: list[Item] | None = self._past_retries()
        try:
            while items is not None:
                items.reverse()
                while items:
                    if wants_chunks:
                        await self._told(items[-1])
                    # Not by a variable: tracebacks would show it with whatever is raised next.
                    yield items.pop()
                items = await self._more()
        finally:
            self._leave()

    async def _told(self, item: Item) -> None:
        """Let the callbacks hear of an item before the reader has it."""
        self._tell(item)
        await self._settled()

    async def _settled(self) -> None:
        """Wait for the callbacks that must be awaited, one after the other."""
        pending = self._stream.announcer.pending
        while pending:
            await pending.pop(0)

    async def _more(self) -> list[Item] | None:
        """Return what comes next: of a block, at an end, or from what follows it; None: nothing."""
        if self._opened.pipeline.end is None:
            items = await self._pull()
            if self._opened.pipeline.over:
                # At once: the reader may take its time with what is left, and a server that was
                # stopped goes on until then.
                self._opened.reply.close()
            return items
        if self._onward is None:
            self._onward = self._stream.reopen(self._opened)
            await self._settled()
            return self._onward.items
        onward, self._onward = self._onward, None
        opened = None if onward.flow is None else await run(onward.flow)
        return None if opened is None else self._past(opened)

    async def _pull(self) -> list[Item]:
        """Read one block and return what it completes."""
        pipeline = self._opened.pipeline
        if pipeline.pending:
            return pipeline.feed(b"")
        try:
            block = await cast(AsyncBody, self._opened.reply.body).read(pipeline.deadline())
        except APIError as error:
            return pipeline.finish(error)
        return pipeline.feed(block) if block else pipeline.finish()

    def _is_in_its_loop(self) -> bool:
        """Return whether this is called from a task, or a callback, of the stream's loop."""
        from asyncio import get_running_loop  # loaded long since

        try:
            return get_running_loop() is self._loop
        except RuntimeError:
            return False

    def _leave(self) -> None:
        """Close a stream whose loop is over, also where it was left in the middle."""
        self.close()
