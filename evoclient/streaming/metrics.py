"""The figures of a stream: when its parts came, how fast, and with what waits between them."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Final, TextIO

from ..ground import EvoClientError
from ..models.chunks import ChatCompletionChunk, ChoiceDelta
from ..models.usage import Usage
from .gaps import NO_WAIT, Gaps
from .pace import Profile, Window, per_second

if TYPE_CHECKING:
    import os

    from matplotlib.figure import Figure

    from ..display import Timeline
    from .figures import FailedAttempt, GapFigures, Rates
    from .template import Growing

__all__ = ["StreamMetrics"]

#: A wait of more seconds between two chunks is a stall.
STALL_AFTER: Final = 2.0

#: After so many chunks there is a mark, to which the sliding window reaches back.
_CHUNKS_PER_MARK: Final = 50
_MARKS: Final = 3


class StreamMetrics:
    """What a stream measures of itself, through all its attempts.

    All times are seconds by a monotonic clock. It may be asked while the stream goes on, by any
    thread. A figure that is not known (yet) is None.

    Waits and the reader's own time are told apart: a gap is the time that was spent waiting for
    the server between two chunks. Chunks that came in one block have gaps of 0.

    Attributes:
        bytes: Bytes of the body, as they came.
        chunks: Chunks that were handed out.
        characters: Characters of content, of all choices.
        tokens: Tokens of the answer by the server's last count; known at the end.
        time_to_headers: From the start of the call to the head of the reply, earlier attempts
            and their waits included.
        time_to_first_event: The same to the first chunk.
        time_to_first_text: The same to the first content.
        time_to_first_reasoning: The same to the first reasoning.
        retries: The attempts that failed and were followed by another, oldest first.
    """

    # The hooks run for every chunk: what they touch is in slots, and what can be done for a
    # couple of chunks together is left to `_look`.
    __slots__ = (
        "_before",
        "_clock",
        "_end",
        "_first",
        "_gaps",
        "_last",
        "_next_look",
        "_now",
        "_opening",
        "_profile",
        "_stall_after",
        "_started",
        "_turn",
        "_wait",
        "_waits",
        "_window",
        "bytes",
        "characters",
        "chunks",
        "retries",
        "time_to_first_event",
        "time_to_first_reasoning",
        "time_to_first_text",
        "time_to_headers",
        "tokens",
    )

    def __init__(
        self,
        *,
        clock: Callable[[], float] = time.monotonic,
        started: float | None = None,
        stall_after: float = STALL_AFTER,
    ) -> None:
        """Begin with the call.

        Args:
            clock: The monotonic clock.
            started: When the call started; default now.
            stall_after: A gap of more seconds is a stall.
        """
        self._clock = clock
        self._started = self._now = self._last = clock() if started is None else started
        self._end: float | None = None
        self.bytes = self.chunks = self.characters = 0
        self.tokens: int | None = None
        self.time_to_headers: float | None = None
        self.time_to_first_event: float | None = None
        self.time_to_first_text: float | None = None
        self.time_to_first_reasoning: float | None = None
        self.retries: tuple[FailedAttempt, ...] = ()
        self._opening: float | None = self._started  # since when the head of a reply is awaited
        self._wait = 0.0  # since the last chunk
        self._before = 0.0  # waited before the first chunk
        self._first = self._started
        self._stall_after = stall_after
        self._gaps = Gaps(stall_after)
        self._waits = self._gaps.waits
        self._window = Window(_MARKS)
        self._next_look = 1
        self._profile = Profile()
        self._turn = self._started + self._profile.next_end

    def opened(self) -> None:
        """Learn that the head of a reply has come."""
        now = self._now = self._clock()
        if self._opening is not None:
            self._wait += now - self._opening
            self._opening = None
        if not self.chunks:
            self.time_to_headers = now - self._started

    def block(self, size: int, waiting_since: float) -> None:
        """Learn that a read is over. One that brought nothing or failed is a block of size 0.

        Args:
            size: The bytes that came.
            waiting_since: When the read began.
        """
        now = self._now = self._clock()
        self._wait += now - waiting_since
        self.bytes += size
        if now >= self._turn:
            self._advance(now)

    def feed(self, chunk: ChatCompletionChunk) -> None:
        """Learn of a chunk that is handed out, which came with the last block."""
        wait = self._wait
        if wait > NO_WAIT:
            self._wait = 0.0
            self._last = self._now
            self._waits.append(wait)
        for choice in chunk.choices:
            delta = choice.delta
            text = delta.content
            if text and type(text) is str:  # servers send what they like
                characters = self.characters
                if not characters:
                    self.time_to_first_text = self._now - self._started
                    self._look_for_reasoning(delta)
                self.characters = characters + len(text)
            elif self.time_to_first_reasoning is None:
                # Beside text it is looked for only once: to look costs as much as all the rest.
                self._look_for_reasoning(delta)
        chunks = self.chunks = self.chunks + 1
        if chunks == self._next_look:
            self._look()

    def feed_alike(
        self, chunks: Sequence[ChatCompletionChunk], texts: Sequence[str], growing: Growing
    ) -> None:
        """Learn of chunks of the last block that differ in one text only.

        Args:
            chunks: At least one chunk.
            texts: The text of each, not empty.
            growing: Which text it is.
        """
        self.feed(chunks[0])
        start = 1
        while start < len(texts):
            few = texts[start : start + self._next_look - self.chunks]
            start += len(few)
            if growing.field == "content":
                self.characters += sum(map(len, few))
            self.chunks += len(few)
            if self.chunks == self._next_look:
                self._look()

    def retried(self, wait: float, error: EvoClientError) -> None:
        """Learn that an attempt failed and another follows.

        Args:
            wait: The seconds until then.
            error: Why it failed.
        """
        from .figures import FailedAttempt  # loaded with the first retry

        now = self._clock()
        if self._opening is None:
            self._opening = now
        failed = FailedAttempt(at=now - self._started, wait=wait, error=error)
        self.retries = (*self.retries, failed)

    def finished(self, usage: Usage | None) -> None:
        """Learn that the stream has ended, well or not. Only the first call counts.

        Args:
            usage: The last usage that the server sent, or None.
        """
        if self._end is not None:
            return
        self._end = self._now = self._clock()
        tokens = None if usage is None else usage.completion_tokens
        self.tokens = tokens if type(tokens) is int else None
        if self._end >= self._turn and self.chunks:
            self._advance(self._end)

    @property
    def duration(self) -> float:
        """Seconds since the start of the call; of the whole call once it has ended."""
        return (self._clock() if self._end is None else self._end) - self._started

    @property
    def waited(self) -> float:
        """Seconds spent waiting, be it for replies, blocks or further attempts.

        The rest of `duration` is the reader's own time.
        """
        opening = 0.0
        if self._opening is not None:
            opening = (self._clock() if self._end is None else self._end) - self._opening
        return self._before + self._gaps.total + self._wait + opening

    @property
    def gaps(self) -> GapFigures:
        """The gaps between chunks; the wait for the first chunk and behind the last are none."""
        return self._gaps.figures(self.chunks - 1)

    @property
    def stalls(self) -> int:
        """How many gaps were stalls."""
        return self._gaps.stalls()[0]

    @property
    def stalled(self) -> float:
        """The seconds of all stalls."""
        return self._gaps.stalls()[1]

    @property
    def rate(self) -> Rates:
        """What came per second, from the first chunk until now or until the last chunk."""
        from .figures import Rates  # loaded when a figure is asked for

        if not self.chunks:
            return Rates()
        seconds = self._until - self._first
        return Rates(
            characters_per_second=per_second(self.characters, seconds),
            chunks_per_second=per_second(self.chunks, seconds),
            tokens_per_second=per_second(self.tokens, seconds),
        )

    @property
    def recent(self) -> Rates:
        """The same for the last hundred chunks or so, but for tokens, which come as one sum."""
        return self._window.rates(self._until, self.chunks, self.characters)

    @property
    def attempts(self) -> int:
        """How many requests were sent, the present one included."""
        return len(self.retries) + 1

    @property
    def waited_for_retries(self) -> float:
        """The seconds that were waited between attempts."""
        return sum(failed.wait for failed in self.retries)

    def to_dict(self) -> dict[str, Any]:
        """Return all figures by name, ready for JSON."""
        waited = self.waited  # before the duration, whose part it is
        return {
            "time_to_headers": self.time_to_headers,
            "time_to_first_event": self.time_to_first_event,
            "time_to_first_text": self.time_to_first_text,
            "time_to_first_reasoning": self.time_to_first_reasoning,
            "duration": self.duration,
            "waited": waited,
            "chunks": self.chunks,
            "characters": self.characters,
            "bytes": self.bytes,
            "tokens": self.tokens,
            "gaps": self.gaps.to_dict(),
            "stalls": self.stalls,
            "stalled": self.stalled,
            "rate": self.rate.to_dict(),
            "recent": self.recent.to_dict(),
            "attempts": self.attempts,
            "retries": [failed.to_dict() for failed in self.retries],
            "waited_for_retries": self.waited_for_retries,
        }

    def render(self, file: TextIO | None = None, *, width: int | None = None) -> None:
        """Draw the stream over time, with its figures, on a terminal.

        Args:
            file: Where to; default the standard output. Colours go to terminals only.
            width: Columns; default those of the terminal, at most 100.

        Raises:
            ConfigurationError: rich, of the extra ``cli``, is not installed, or the width is no
                whole number above 0.
        """
        from ..display import draw  # loaded when something is drawn

        draw(self._timeline(), file, width)

    def plot(self, path: str | os.PathLike[str] | None = None) -> Figure:
        """Return a picture of the stream over time, a figure of matplotlib.

        Args:
            path: Where to save it too; the ending says as what (.png, .svg, .pdf).

        Raises:
            ConfigurationError: matplotlib, of the extra ``plot``, is not installed, or it cannot
                save files with that ending.
        """
        from ..display import picture  # as above

        return picture(self._timeline(), path)

    def __repr__(self) -> str:
        """Show how far it is."""
        return (
            f"<{type(self).__name__} {self.chunks} chunks, {self.characters} characters, "
            f"{self.duration:.2f} s>"
        )

    @property
    def _until(self) -> float:
        """Up to when rates count: what comes behind the last chunk makes no stream slower."""
        return self._clock() if self._end is None else self._last

    def _look_for_reasoning(self, delta: ChoiceDelta) -> None:
        if self.time_to_first_reasoning is None and delta.reasoning:
            self.time_to_first_reasoning = self._now - self._started

    def _look(self) -> None:
        """Do what is done once for a couple of chunks, and for the first one."""
        if self.chunks == 1:
            self._first = self._now
            self.time_to_first_event = self._now - self._started
            self._before = self._gaps.total
            self._gaps.clear()
            self._window.mark(self._now, 0, 0)
            self._next_look = _CHUNKS_PER_MARK
        else:
            self._gaps.fold()
            self._window.mark(self._now, self.chunks, self.characters)
            self._next_look += _CHUNKS_PER_MARK

    def _advance(self, now: float) -> None:
        self._profile.advance(now - self._started, self.characters, self._gaps.longest)
        self._gaps.look_on()
        self._turn = self._started + self._profile.next_end

    def _timeline(self) -> Timeline:
        from ..display import Timeline  # as above

        figures = self.to_dict()
        profile, end = self._profile, figures["duration"]
        ends = [(step + 1) * profile.step for step in range(len(profile.characters))]
        last = min(profile.next_end, end)
        longest = max(profile.carried, self._gaps.longest)
        return Timeline(
            figures=figures,
            characters=(
                *zip(ends, profile.characters, strict=True),
                (last, self.characters),
                (end, self.characters),
            ),
            waits=(*zip(ends, profile.waits, strict=True), (last, longest)),
            stall_after=self._stall_after,
        )
