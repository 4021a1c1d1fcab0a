"""A stream, read by threads: pulls blocks, feeds the pipeline, hands out chunks."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from types import TracebackType
from typing import TYPE_CHECKING, Self, cast

from ..errors.tree import APIError
from ..models.chat import ChatCompletion
from ..models.chunks import ChatCompletionChunk
from ..reopen import OpenedStream
from ..streaming.passage import Item
from ..view import StreamView
from ..wire import Body
from .driver import run

if TYPE_CHECKING:
    from ..streaming.buffering import By
    from ..streaming.events import StreamEvent

__all__ = ["Stream"]


class Stream(StreamView):
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
        self._chunks: Iterator[ChatCompletionChunk] | None = None

    @property
    def text(self) -> Iterator[str]:
        """The pieces of the text of choice 0."""
        for chunk in self:
            if chunk.text:
                yield chunk.text

    def events(self) -> Iterator[StreamEvent]:
        """Iterate over what the chunks say, one thing at a time, and over signs of life.

        Where the stream fails, the last event is an `ErrorEvent`; then the error is raised.
        """
        from ..streaming.events import ErrorEvent  # loaded by those who read events
        from ..streaming.telling import EventReader

        self._tells_all(True)
        reader = EventReader()
        try:
            for item in self._items():
                yield from reader.feed(item)
            yield from self._last_events(reader)
        except APIError as error:
            yield ErrorEvent(error=error)
            raise

    def buffered(
        self, interval: float = 0.1, *, min_chars: int = 1, by: By = "char"
    ) -> Iterator[str]:
        """Iterate over the text of choice 0 in updates that are fit to be shown.

        The first text comes at once, then at most one update per interval, and the rest at the
        end, before an error too. A thread of its own reads the stream meanwhile.

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

    def until_done(self) -> ChatCompletion:
        """Read to the end and return the completion.

        Raises:
            APIError: The stream ended early; `partial` has what came.
        """
        for _ in self:
            pass
        return self.completion

    def close(self) -> None:
        """Stop reading and close the connection.

        Any thread may call it, also while another one waits for the next chunk: that one's loop
        then ends. A second call does nothing, and neither does one after the end.
        """
        self._is_closed = True
        self._opened.pipeline.cancel()
        self._stream.give_up()
        self._opened.reply.close()

    cancel = close

    def __iter__(self) -> Iterator[ChatCompletionChunk]:
        """Iterate over the chunks."""
        return self._all_chunks() if self._chunks is None else self._other_chunks(self._chunks)

    def __next__(self) -> ChatCompletionChunk:
        """Return the next chunk."""
        if self._chunks is None:
            self._chunks = self._all_chunks()
        return next(self._chunks)

    def __enter__(self) -> Self:
        """Return the stream."""
        return self

    def __exit__(
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
            warnings.warn(f"unclosed {self!r}: use “with stream:”", ResourceWarning, stacklevel=2)
            self.close()

    def _all_chunks(self) -> Iterator[ChatCompletionChunk]:
        self._tells_all(False)
        return cast(Iterator[ChatCompletionChunk], self._items())

    def _other_chunks(self, chunks: Iterator[ChatCompletionChunk]) -> Iterator[ChatCompletionChunk]:
        """Go on where `next` was called before."""
        try:
            yield from chunks
        finally:
            self._leave()

    def _items(self) -> Iterator[Item]:
        wants_chunks = self._stream.announcer.wants_chunks
        items: list[Item] | None = self._past_retries()
        try:
            while items is not None:
                yield from self._told(items) if wants_chunks else items
                items = self._more()
        finally:
            self._leave()

    def _told(self, items: list[Item]) -> Iterator[Item]:
        """Return the items; the callbacks hear of each before the reader has it."""
        for item in items:
            self._tell(item)
            yield item

    def _more(self) -> list[Item] | None:
        """Return what comes next: of a block, at an end, or from what follows it; None: nothing."""
        if self._opened.pipeline.end is None:
            items = self._pull()
            if self._opened.pipeline.over:
                # At once: the reader may take its time with what is left, and a server that was
                # stopped goes on until then.
                self._opened.reply.close()
            return items
        if self._onward is None:
            self._onward = self._stream.reopen(self._opened)
            return self._onward.items
        onward, self._onward = self._onward, None
        opened = None if onward.flow is None else run(onward.flow)
        return None if opened is None else self._past(opened)

    def _pull(self) -> list[Item]:
        """Read one block and return what it completes."""
        pipeline = self._opened.pipeline
        if pipeline.pending:
            return pipeline.feed(b"")
        try:
            block = cast(Body, self._opened.reply.body).read(pipeline.deadline())
        except APIError as error:
            return pipeline.finish(error)
        return pipeline.feed(block) if block else pipeline.finish()

    def _leave(self) -> None:
        """Close a stream whose loop is over, also where it was left in the middle."""
        self.close()
