"""A stopwatch for programs that read a stream and count on their own."""

from __future__ import annotations

import time
from collections.abc import Callable

from ..ground import ConfigurationError
from .pace import Window, per_second

__all__ = ["StreamingMetrics"]


class StreamingMetrics:
    """A stopwatch for text that comes in pieces, for programs that count on their own.

    Call `start`, then `add_chunk` for each piece; `get_stats` tells at any time.
    """

    def __init__(
        self, window_size: int = 100, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Make a stopwatch that stands still.

        Args:
            window_size: Of how many chunks the recent rates are; totals count all.
            clock: The monotonic clock.

        Raises:
            ConfigurationError: The window is not a whole number above 0.
        """
        if type(window_size) is not int or window_size < 1:
            raise ConfigurationError(
                f"window_size must be a whole number above 0; it is {window_size!r}.",
                argument="window_size",
            )
        self.window_size = window_size
        self._clock = clock
        self._started: float | None = None
        self._first = 0.0
        self._chunks = self._characters = 0
        # The mark before the oldest chunk of the window says since when it counts.
        self._window = Window(window_size + 1)

    def start(self) -> None:
        """Begin now; what was counted before is forgotten."""
        self._chunks = self._characters = 0
        self._window = Window(self.window_size + 1)
        self._started = self._clock()
        self._window.mark(self._started, 0, 0)

    def add_chunk(self, text: str) -> None:
        """Count a piece of text. The first one starts the watch where `start` has not."""
        if self._started is None:
            self.start()
        now = self._clock()
        if not self._chunks:
            self._first = now
        self._chunks += 1
        self._characters += len(text)
        self._window.mark(now, self._chunks, self._characters)

    def get_stats(self) -> dict[str, float]:
        """Return the figures so far, times in seconds; nothing before the first chunk.

        The keys are total_time, time_to_first_chunk, total_chunks, total_chars,
        chars_per_second, chunks_per_second and avg_chunk_size, and of the last chunks
        recent_chars_per_second and recent_chunks_per_second. Rates are 0 where no time has
        passed.
        """
        if self._started is None or not self._chunks:
            return {}
        now = self._clock()
        seconds = now - self._started
        recent = self._window.rates(now, self._chunks, self._characters)
        return {
            "total_time": seconds,
            "time_to_first_chunk": self._first - self._started,
            "total_chunks": self._chunks,
            "total_chars": self._characters,
            "chars_per_second": per_second(self._characters, seconds) or 0.0,
            "chunks_per_second": per_second(self._chunks, seconds) or 0.0,
            "avg_chunk_size": self._characters / self._chunks,
            "recent_chars_per_second": recent.characters_per_second or 0.0,
            "recent_chunks_per_second": recent.chunks_per_second or 0.0,
        }
