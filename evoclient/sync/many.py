"""Many streams at once, each read by a thread."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextvars import copy_context
from types import TracebackType
from typing import Any, Final, Literal, Self, TypeAlias, overload

from ..ground import ConfigurationError
from ..models.chat import ChatCompletion
from ..streaming.ending import Outcome
from ..streaming.gathering import Gathering, GroupView, LabelledChunk, checked_requests
from .stream import Stream

__all__ = ["StreamGroup", "StreamRequest"]

#: What a group opens: keywords of `create`, a function that returns a stream, or a stream.
StreamRequest: TypeAlias = Mapping[str, Any] | Callable[[], Stream] | Stream

#: Streams that were closed end at once. So many seconds are spent to see it; one that is about
#: to be opened again is not waited for.
LEAVING: Final = 1.0


class StreamGroup(GroupView):
    """Several streams that are read at once.

    Read it by `results`, or by `as_chunks`; once. Nothing is asked before. Use it as a context
    manager, or read to the end: leaving it, or the loop over its chunks, closes what is open.

    The streams are read by threads, so the function of a request is called in a thread.
    """

    def __init__(
        self,
        requests: Iterable[StreamRequest],
        *,
        max_concurrency: int | None = 8,
        create: Callable[..., Stream] | None = None,
    ) -> None:
        """Keep what to ask. Nothing is sent.

        Args:
            requests: What to open, in order. Each is a mapping of the keywords of `create`, a
                function that takes nothing and returns a stream, or a stream that is open. What
                it iterates over is read at once.
            max_concurrency: The most streams that are read at once; None: all.
            create: Makes a stream of the keywords of a mapping, such as
                ``client.chat.completions.create``.

        Raises:
            ConfigurationError: An argument is wrong; it is named.
        """
        kinds = "a mapping of keywords of create(), a function that returns a stream, or a Stream"
        checked = checked_requests(requests, (Stream,), has_create=create is not None, kinds=kinds)
        self._gathering: Gathering[StreamRequest] = Gathering(checked, max_concurrency)
        self._create = create
        self._streams: dict[int, Stream] = {}
        # The garbage collector may close a loop over chunks wherever it happens to run, under
        # this lock too: it is one that its holder may take again.
        self._lock = threading.RLock()
        self._news = threading.Condition(self._lock)
        self._room: dict[int, threading.Condition] = {}

    @overload
    def results(self, *, return_exceptions: Literal[False] = False) -> list[ChatCompletion]: ...

    @overload
    def results(
        self, *, return_exceptions: bool
    ) -> list[ChatCompletion] | list[ChatCompletion | Exception]: ...

    def results(self, *, return_exceptions: bool = False) -> list[Any]:
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
            with self._lock:
                self._news.wait_for(lambda: self._gathering.is_over)
        finally:
            self._leave()
        return self._gathering.all_results()

    def as_chunks(self, *, return_exceptions: bool = False) -> Iterator[LabelledChunk]:
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

        Any thread may call it. A loop over chunks ends; `results` takes the streams that had not
        ended for failures. A second call does nothing.
        """
        with self._lock:
            dropped = self._gathering.cancel()
            streams = list(self._streams.values())
            streams += [request for request in dropped if isinstance(request, Stream)]
            for condition in (self._news, *self._room.values()):
                condition.notify_all()
        for stream in streams:
            stream.close()

    def __enter__(self) -> Self:
        """Return the group."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close what is still open."""
        self._leave()

    def _labelled(self) -> Iterator[LabelledChunk]:
        try:
            self._start()
            while (labelled := self._take()) is not None:
                yield labelled
        finally:
            self._leave()

    def _take(self) -> LabelledChunk | None:
        """Wait for a chunk; None after the last."""
        with self._lock:
            while (labelled := self._gathering.take()) is None:
                if self._gathering.is_over:
                    return None
                self._news.wait()
            if not self._gathering.holds_back(labelled.index):
                self._room[labelled.index].notify()
            return labelled

    def _start(self) -> None:
        for _ in range(self._gathering.workers):
            threading.Thread(
                # As a task does, a thread sees the context variables of who started it.
                target=copy_context().run,
                args=(self._work,),
                name="evoclient-gather",
                daemon=True,
            ).start()

    def _leave(self) -> None:
        """Close what is open, and see it end."""
        self.cancel()
        with self._lock:
            self._news.wait_for(lambda: not self._streams, LEAVING)
            self._gathering.close_books()

    def _work(self) -> None:
        """Read one stream after another."""
        while True:
            with self._lock:
                begun = self._gathering.begin()
                if begun is None:
                    return
                self._room[begun[0]] = threading.Condition(self._lock)
            self._read(*begun)

    def _read(self, index: int, request: StreamRequest) -> None:
        """Read a stream to its end, whatever that is."""
        try:
            stream = self._opened(index, request)
            with stream:
                self._follow(index, stream)
        except BaseException as error:
            self._finish(index, error)
        else:
            self._finish(index, stream)

    def _opened(self, index: int, request: StreamRequest) -> Stream:
        if isinstance(request, Stream):
            return request
        if isinstance(request, Mapping):
            assert self._create is not None
            made: object = self._create(**{**request, "stream": True})
        else:
            made = request()
        if not isinstance(made, Stream):
            raise ConfigurationError(
                f"What requests[{index}] gave is of the type {type(made).__name__}; it must be a "
                "Stream, as create() gives with stream=True.",
                argument="requests",
            )
        return made

    def _follow(self, index: int, stream: Stream) -> None:
        """Hand on the chunks of a stream."""
        with self._lock:
            self._streams[index] = stream
            if self._gathering.is_cancelled:  # while it was opened
                stream.close()
        hands_out = self._gathering.hands_out
        for chunk in stream:
            if hands_out:
                with self._lock:
                    self._gathering.put(index, chunk)
                    self._yield_to_the_reader(index)

    def _finish(self, index: int, ended: Stream | BaseException) -> None:
        with self._lock:
            self._streams.pop(index, None)
            if isinstance(ended, BaseException):
                self._gathering.finish(index, ended)
            elif ended.outcome is Outcome.cancelled:
                self._gathering.cut(index, ended.completion)
            else:
                self._gathering.finish(index, ended.completion)
            self._yield_to_the_reader(index)
            del self._room[index]

    def _yield_to_the_reader(self, index: int) -> None:
        """Tell the reader that there is something, and wait until this stream may go on."""
        self._news.notify_all()
        while self._gathering.holds_back(index):
            self._room[index].wait()
