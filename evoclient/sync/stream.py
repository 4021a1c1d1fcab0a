"""A stream, read by threads: pulls blocks, feeds the pipeline, hands out chunks."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from types import TracebackType
from typing import Self, cast

from ..errors.tree import APIError
from ..models.chat import ChatCompletion
from ..models.chunks import ChatCompletionChunk
from ..reopen import OpenedStream
from ..streaming.events import StreamEvent, events_of
from ..streaming.pipeline import Item
from ..view import StreamView
from ..wire import Body
from .driver import run

__all__ = ["Stream"]


class Stream(StreamView):
    """An answer that arrives in chunks.

    Iterate over it for chunks, over `text` for pieces of text, or over `events()`; in one of the
    three ways. Leaving the loop early closes the connection, and so does `close`.

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
        """Iterate over what the chunks say, one thing at a time, and over signs of life."""
        self._opened.pipeline.gives_keep_alives = True
        calling: set[int] = set()
        for item in self._items():
            yield from events_of(item, calling)

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
        self._opened.pipeline.gives_keep_alives = False
        return cast(Iterator[ChatCompletionChunk], self._items())

    def _other_chunks(self, chunks: Iterator[ChatCompletionChunk]) -> Iterator[ChatCompletionChunk]:
        """Go on where `next` was called before."""
        try:
            yield from chunks
        finally:
            self._leave()

    def _items(self) -> Iterator[Item]:
        try:
            while True:
                pipeline = self._opened.pipeline
                while pipeline.end is None:
                    yield from self._pull()
                if not self._goes_on():
                    return
        finally:
            self._leave()

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

    def _goes_on(self) -> bool:
        """At an end: raise its error, or open what comes next."""
        pipeline = self._opened.pipeline
        self._opened.reply.close()
        flow = self._stream.reopen(pipeline)
        if flow is None:
            return False
        self._opened = run(flow)
        self._opened.pipeline.gives_keep_alives = pipeline.gives_keep_alives
        if self._is_closed:
            self.close()
        return True

    def _leave(self) -> None:
        """Close a stream whose loop was left before its end."""
        if self._opened.pipeline.end is None:
            self.close()
