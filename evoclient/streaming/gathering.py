"""Many streams at once: who begins when, whose chunk comes next, and what became of each.

Nothing here waits. A front begins the streams, reads them and puts their chunks in; its reader
takes them out. Where threads do that, the front holds a lock around each call.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from typing import Any, Final, Generic, TypeAlias, TypeVar

import attrs

from ..errors.scrub import without_frames
from ..errors.tree import StreamInterruptedError
from ..ground import ConfigurationError, EvoClientError
from ..models.chat import ChatCompletion
from ..models.chunks import ChatCompletionChunk, read_chunk

__all__ = ["MOST_AHEAD", "Gathering", "GroupView", "LabelledChunk", "Result", "checked_requests"]

#: How many chunks of a stream wait for a slow reader before no more are read.
MOST_AHEAD: Final = 16

#: Who was stopped by a full buffer goes on when it is so empty: not at each chunk that is taken.
LOW: Final = MOST_AHEAD // 2

#: What becomes of a stream: its completion, or why there is none.
Result: TypeAlias = ChatCompletion | Exception

_RequestT = TypeVar("_RequestT")


@attrs.frozen
class LabelledChunk:
    """A chunk, and which of the streams it is of.

    Attributes:
        index: The number of the request, from 0.
        chunk: What came; a chunk without choices where there is an error.
        error: Why the stream failed; nothing more comes of it. None for a chunk.
    """

    index: int
    chunk: ChatCompletionChunk
    error: Exception | None = None


class _Lane:
    """What has been read of one stream and not been taken yet."""

    __slots__ = ("has_ended", "is_held_back", "items")

    def __init__(self) -> None:
        self.items: deque[LabelledChunk] = deque()
        self.has_ended = False
        self.is_held_back = False


class Gathering(Generic[_RequestT]):
    """The books of a group of streams.

    Streams begin in order. Each has a buffer of `MOST_AHEAD` chunks, and the reader takes from
    those that hold something in turn, one chunk each.

    Attributes:
        results: What became of each stream, in the order of the requests; None while unknown.
        is_cancelled: Whether no more is wanted.
        hands_out: Whether chunks are wanted, or the results alone.
    """

    def __init__(self, requests: Iterable[_RequestT], max_concurrency: int | None) -> None:
        """Keep requests that have been checked.

        Args:
            requests: What to open, in order.
            max_concurrency: The most streams that are open at once; None: all.

        Raises:
            ConfigurationError: `max_concurrency` is no whole number above 0.
        """
        _check_concurrency(max_concurrency)
        self._waiting = deque(enumerate(requests))
        self.results: list[Result | None] = [None] * len(self._waiting)
        self.is_cancelled = False
        self._most = max_concurrency
        self._unknown = len(self.results)
        self._lanes: dict[int, _Lane] = {}
        self._ready: deque[int] = deque()
        self._failure: Exception | None = None
        # What ends a program, such as SystemExit in the function of a request.
        self._fatal: BaseException | None = None
        self._is_claimed = False
        self.hands_out = False
        self._returns_errors = False

    def claim(self, *, hands_out: bool, return_exceptions: bool) -> None:
        """Decide how the group is read.

        Args:
            hands_out: Whether chunks are handed out, or the results alone.
            return_exceptions: Whether the failure of a stream leaves the others alone.

        Raises:
            ConfigurationError: It has been decided before.
        """
        if self._is_claimed:
            raise ConfigurationError(
                "A group of streams is read once, by results() or by as_chunks(): call "
                "gather_streams() again for another group. What came is in `completions`."
            )
        self._is_claimed = True
        self.hands_out = hands_out
        self._returns_errors = return_exceptions

    @property
    def workers(self) -> int:
        """How many streams may be under way at once."""
        return min(len(self.results), self._most or len(self.results))

    @property
    def is_over(self) -> bool:
        """Whether there is nothing left to wait for."""
        if self.is_cancelled or self._fatal is not None:
            return True
        if self.hands_out:
            return not self._unknown and not self._ready
        return not self._unknown or (self._failure is not None and not self._returns_errors)

    def begin(self) -> tuple[int, _RequestT] | None:
        """Return the number of the next stream and its request; None where none is to begin."""
        if self.is_over or not self._waiting:
            return None
        index, request = self._waiting.popleft()
        self._lanes[index] = _Lane()
        return index, request

    def put(self, index: int, chunk: ChatCompletionChunk) -> None:
        """Add a chunk of a stream."""
        self._add(LabelledChunk(index, chunk))

    def finish(self, index: int, result: ChatCompletion | BaseException) -> None:
        """Learn what became of a stream, once; what is learned after the end of all is too late."""
        if isinstance(result, EvoClientError):
            # Its frames hold the request, and a request may hold a credential.
            without_frames(result)
        if not isinstance(result, (ChatCompletion, Exception)):
            self._fatal = self._fatal or result
            result = _interrupted(index, None)
        if not self._learn(index, result):
            return
        if isinstance(result, Exception) and self.hands_out:
            self._add(LabelledChunk(index, read_chunk({"choices": []}), result))

    def cut(self, index: int, partial: ChatCompletion | None) -> None:
        """Learn that a stream was closed before its end. A reader of chunks sees it just end.

        Args:
            index: Its number.
            partial: The completion so far; None where it had not been opened.
        """
        self._learn(index, _interrupted(index, partial))

    def take(self) -> LabelledChunk | None:
        """Return the next chunk; None where there is none (yet).

        Raises:
            Exception: The failure of a stream, where its turn has come and errors are raised.
        """
        if self._fatal is not None:
            raise self._fatal
        if not self._ready:
            return None
        index = self._ready.popleft()
        lane = self._lanes[index]
        labelled = lane.items.popleft()
        if lane.items:
            self._ready.append(index)
        if len(lane.items) <= (0 if lane.has_ended else LOW):
            lane.is_held_back = False
        if labelled.error is not None and not self._returns_errors:
            raise labelled.error
        return labelled

    def holds_back(self, index: int) -> bool:
        """Return whether who reads a stream must wait.

        While it goes on: because its buffer is full. After its end: because its buffer is not
        empty; the next stream begins when it is, so that a reader that takes nothing holds up
        many short streams as well as one long one.
        """
        return not self.is_over and self._lanes[index].is_held_back

    def cancel(self) -> list[_RequestT]:
        """Want no more; return the requests that will not begin."""
        self.is_cancelled = True
        dropped = [request for _, request in self._waiting]
        self._waiting.clear()
        self._ready.clear()
        self._lanes = {index: _Lane() for index in self._lanes}
        return dropped

    def close_books(self) -> None:
        """Learn that nothing more will be known."""
        for index, result in enumerate(self.results):
            if result is None:
                self.cut(index, None)

    def all_results(self) -> list[Any]:
        """Return what became of the streams, in the order of the requests.

        Raises:
            Exception: The first failure, where errors are raised.
        """
        error = self._fatal or (None if self._returns_errors else self._failure)
        if error is not None:
            raise error
        return list(self.results)

    def _learn(self, index: int, result: Result) -> bool:
        """Note a result, and return whether it was news."""
        if self.results[index] is not None:
            return False
        if isinstance(result, Exception):
            _label(result, index)
            self._failure = self._failure or result
        self.results[index] = result
        self._unknown -= 1
        lane = self._lanes.get(index)
        if lane is not None:
            lane.has_ended = True
            lane.is_held_back = bool(lane.items)
        return True

    def _add(self, labelled: LabelledChunk) -> None:
        if self.is_cancelled:
            return
        lane = self._lanes[labelled.index]
        if not lane.items:
            self._ready.append(labelled.index)
        lane.items.append(labelled)
        if lane.has_ended or len(lane.items) >= MOST_AHEAD:
            lane.is_held_back = True


class GroupView:
    """What a group of streams shows of itself: the same in both colours, and no waiting."""

    _gathering: Gathering[Any]

    @property
    def completions(self) -> list[ChatCompletion | Exception | None]:
        """What became of each stream so far, in the order of the requests.

        A whole completion, or the error; None for a stream that goes on or has not begun. A
        stream that was closed before its end has a `StreamInterruptedError` with what came as
        `partial`. After the end of the group no entry is None.
        """
        return list(self._gathering.results)

    def __repr__(self) -> str:
        """Show how far it is, never a request."""
        results = self._gathering.results
        known = sum(result is not None for result in results)
        return f"<{type(self).__name__} {known} of {len(results)} ended>"


def checked_requests(
    requests: Iterable[_RequestT], known: tuple[type, ...], *, has_create: bool, kinds: str
) -> list[_RequestT]:
    """Return requests as a list.

    Args:
        requests: Mappings of keywords, functions, and whatever else the colour knows.
        known: The classes that the colour knows besides.
        has_create: Whether there is a client that can make a stream of a mapping.
        kinds: What the colour knows, for the message.

    Raises:
        ConfigurationError: One of them is of no such kind; nothing was begun.
    """
    if isinstance(requests, (Mapping, str, bytes)) or not isinstance(requests, Iterable):
        raise ConfigurationError(
            f"requests is of the type {type(requests).__name__}: pass a list with one entry for "
            "each stream, also where there is only one.",
            argument="requests",
        )
    made = list(requests)
    for index, request in enumerate(made):
        if isinstance(request, Mapping):
            _check_mapping(index, request, has_create)
        elif not callable(request) and not isinstance(request, known):
            raise ConfigurationError(
                f"requests[{index}] is of the type {type(request).__name__}; it must be {kinds}.",
                argument="requests",
            )
    return made


def _check_mapping(index: int, request: Mapping[Any, object], has_create: bool) -> None:
    if not has_create:
        raise ConfigurationError(
            f"requests[{index}] is a mapping, and this group has no client to ask: use "
            "client.gather_streams(), or pass create=client.chat.completions.create.",
            argument="requests",
        )
    if not request.get("stream", True):
        raise ConfigurationError(
            f"requests[{index}] has stream={request['stream']!r}: a group is made of streams. "
            "Leave it out.",
            argument="requests",
        )


def _check_concurrency(value: object) -> None:
    if value is None:
        return
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise ConfigurationError(
            f"max_concurrency must be a whole number above 0, or None for all at once; it is "
            f"{value!r}.",
            argument="max_concurrency",
        )


def _label(error: Exception, index: int) -> None:
    """Say in an error which stream it is of."""
    error.add_note(f"in the stream of requests[{index}]")
    if isinstance(error, EvoClientError):
        error.details["index"] = index


def _interrupted(index: int, partial: ChatCompletion | None) -> StreamInterruptedError:
    when = "before it was opened" if partial is None else "before its end"
    error = StreamInterruptedError(f"The stream of requests[{index}] was closed {when}.")
    error.partial = partial
    return error
