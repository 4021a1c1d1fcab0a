"""Text that arrives in many small pieces, shown in few: when, and how much of it.

Pure: the clock is handed in, and nothing here waits. `sync/buffer.py` and `aio/buffer.py` do.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import Final, Literal

from ..ground import ConfigurationError, elide
from .graphemes import Clusters, is_boundary
from .units import SPLITTERS, Splitter, by_pattern

__all__ = ["MOST_WAITING", "Buffer", "By", "KeptError", "check_text", "pushed"]

By = Literal["char", "word", "line", "sentence"] | re.Pattern[str]

#: How many characters may wait to be shown before whoever reads should wait too.
MOST_WAITING: Final = 1 << 20


class Buffer:
    """Collects text and says what of it may be shown.

    The first text may be shown at once, after that there is at most one update per interval. The
    updates, put together, are the text. None of them ends inside a grapheme cluster, what a reader
    takes for one character; so the last cluster is held back until what follows is known.
    """

    def __init__(self, *, interval: float = 0.1, min_chars: int = 1, by: By = "char") -> None:
        """Begin with nothing.

        Args:
            interval: The least time between two updates, in seconds; 0 for no limit.
            min_chars: The least number of characters of an update, the last one excepted.
            by: What is shown only as a whole: "char", "word" (with the white space after it),
                "line" (with its line break), "sentence", or a compiled pattern each of whose
                matches ends a unit. An update may hold several.

        Raises:
            ConfigurationError: An argument is of the wrong kind or out of range.
        """
        self._interval = _checked_seconds(interval, "interval")
        self._min_chars = _checked_count(min_chars)
        self._split = _splitter(by)
        self._last_update = -math.inf
        self._whole: list[str] = []
        self._size = 0
        self._unfinished = ""
        self._begin_anew()

    def add(self, text: str) -> None:
        """Add the next piece of text; any cut will do."""
        settled = self._clusters.feed(text)
        # Held by one name alone, a text grows in place: a long line is not copied at each piece.
        unfinished = self._unfinished
        self._unfinished = ""
        if settled is not None:
            self._settled = len(unfinished) + settled
        unfinished += text
        self._unfinished = unfinished
        self._take(self._end_of_units())

    def ready(self, now: float) -> str:
        """Return what may be shown now, and count it as shown; "" where there is nothing.

        Args:
            now: The time, by any clock that does not go back; always the same one.
        """
        due = self.due()
        if due is None or now < due:
            return ""
        self._last_update = now
        return self._taken()

    def due(self) -> float | None:
        """Return from when on `ready` has something: minus infinity for at once, None for never.

        None means that more text has to come first.
        """
        if self._size < self._min_chars:
            return None
        return self._last_update + self._interval

    def flush(self, now: float | None = None) -> str:
        """Return all that has not been shown, however little it is; "" where there is nothing.

        Args:
            now: The time, where more text may follow and the interval is to be kept.
        """
        self._take(len(self._unfinished))
        self._begin_anew()
        if now is not None and self._size:
            self._last_update = now
        return self._taken()

    @property
    def is_empty(self) -> bool:
        """Whether everything has been shown."""
        return not (self._size or self._unfinished)

    @property
    def is_full(self) -> bool:
        """Whether more than `MOST_WAITING` characters wait that may be shown."""
        return self._size > MOST_WAITING and self.due() is not None

    def _begin_anew(self) -> None:
        """Expect the beginning of a text."""
        self._clusters = Clusters()
        self._unfinished = ""
        self._settled = 0
        self._examined = 0
        self._boundary = 0  # a place where a cluster ends, beyond the units looked at before

    def _end_of_units(self) -> int:
        """Return how much of the unfinished text is whole units."""
        text = self._unfinished
        if self._split is None:
            return self._settled
        if self._examined >= self._settled:
            return 0  # one cluster grows: to look at all of it each time would not be linear
        ends, self._examined = self._split(text, self._examined, self._settled)
        known, self._boundary = self._boundary, self._settled
        for end in reversed(ends):
            start = known if end > known else 0
            if end == len(text) or is_boundary(text[start:], end - start):
                return end
        return 0

    def _take(self, count: int) -> None:
        """Count so many characters of the unfinished text as fit to be shown."""
        if count:
            self._whole.append(self._unfinished[:count])
            self._size += count
            self._unfinished = self._unfinished[count:]
            self._settled = max(0, self._settled - count)
            self._examined = max(0, self._examined - count)
            self._boundary = max(0, self._boundary - count)

    def _taken(self) -> str:
        """Return what is fit to be shown, and forget it."""
        text = "".join(self._whole)
        self._whole.clear()
        self._size = 0
        return text


class KeptError:
    """An error that is raised later, once, where somebody can be told of it."""

    __slots__ = ("_error",)

    def __init__(self) -> None:
        """Begin without an error."""
        self._error: BaseException | None = None

    def keep(self, error: BaseException) -> None:
        """Keep an error, in place of an earlier one."""
        self._error = error

    def raise_once(self) -> None:
        """Raise the error, if there is one, and forget it. Not for two threads at once."""
        error, self._error = self._error, None
        try:
            if error is not None:
                raise error
        finally:
            del error  # its traceback holds this frame


def pushed(update_callback: Callable[[str], object], buffer_delay: float) -> Buffer:
    """Return a buffer for text that is pushed to a function.

    Args:
        update_callback: The function.
        buffer_delay: The least time between two updates, in seconds.

    Raises:
        ConfigurationError: An argument is of the wrong kind or out of range.
    """
    given: object = update_callback
    if not callable(given):
        raise ConfigurationError(
            f"update_callback is a function that takes text, not {given!r}.",
            argument="update_callback",
        )
    return Buffer(interval=_checked_seconds(buffer_delay, "buffer_delay"))


def check_text(content: object) -> None:
    """Refuse what is pushed and is no text.

    Raises:
        ConfigurationError: It is no string.
    """
    if not isinstance(content, str):
        hint = "; decode bytes first" if isinstance(content, bytes) else ""
        raise ConfigurationError(
            f"content is a string, a piece of text; it is {elide(repr(content), 60)}{hint}.",
            argument="content",
        )


def _checked_seconds(seconds: float, argument: str) -> float:
    given: object = seconds
    if isinstance(given, bool) or not isinstance(given, int | float) or not 0 <= given < math.inf:
        raise ConfigurationError(
            f"{argument} is a number of seconds, 0 or more, not {given!r}.", argument=argument
        )
    return seconds


def _checked_count(min_chars: int) -> int:
    given: object = min_chars
    if isinstance(given, bool) or not isinstance(given, int) or given < 1:
        raise ConfigurationError(
            f"min_chars is a number of characters, 1 or more, not {given!r}.", argument="min_chars"
        )
    return min_chars


def _splitter(by: By) -> Splitter | None:
    given: object = by
    if isinstance(given, re.Pattern) and isinstance(given.pattern, str):
        return by_pattern(given)
    if given == "char":
        return None
    if isinstance(given, str) and given in SPLITTERS:
        return SPLITTERS[given]
    raise ConfigurationError(
        'by is "char", "word", "line", "sentence" or a compiled pattern that matches text '
        f"(re.compile(…)), not {given!r}.",
        argument="by",
    )
