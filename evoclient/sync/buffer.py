"""Text shown in few updates: pulled from a stream, or pushed by whoever has it. With threads."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Iterator
from contextvars import copy_context
from time import monotonic
from types import TracebackType
from typing import Final, Protocol, Self

from ..errors.tree import ClientClosedError
from ..log import logger
from ..streaming.buffering import Buffer, By, KeptError, check_text, pushed

__all__ = ["StreamBuffer", "buffered"]

# How long to wait for a thread that was told to end: a callback may take longer.
_ENDING: Final = 1.0
# How long a timer that has nothing to wait for stays, in seconds: the next text is soon there.
_IDLE: Final = 1.0


class _Source(Protocol):
    """What of a `Stream` is needed here."""

    @property
    def text(self) -> Iterator[str]: ...

    def close(self) -> None: ...


def buffered(
    stream: _Source, *, interval: float = 0.1, min_chars: int = 1, by: By = "char"
) -> Generator[str, None, None]:
    """Iterate over the text of choice 0 in updates fit for a display.

    The first text comes at once, then at most one update per interval, and the rest when the
    stream ends or breaks; the updates together are the text. An update that is due comes although
    no further chunk arrives: a thread of its own, started with the first `next`, reads the stream,
    so callbacks run in that thread. Where the consumer is slow, text is joined into one update,
    and the thread stops reading while more than a million characters wait.

    Args:
        stream: A stream that nobody else reads.
        interval: The least time between two updates, in seconds.
        min_chars: The least number of characters of an update, the last one excepted.
        by: "char", "word", "line", "sentence", or a compiled pattern whose matches end a unit:
            what is shown only as a whole (see `evoclient.streaming.buffering.Buffer`).

    Returns:
        A generator. Leaving its loop closes the stream and ends the thread.

    Raises:
        ConfigurationError: An argument is of the wrong kind or out of range; nothing was read.
        EvoClientError: The stream ended early; raised after the rest has been given.
    """
    return _updates(stream, Buffer(interval=interval, min_chars=min_chars, by=by))


def _updates(stream: _Source, buffer: Buffer) -> Generator[str, None, None]:
    reader = _Reader(stream, buffer)
    reader.start()
    try:
        while text := reader.next_update():
            yield text
    finally:
        reader.leave()
    reader.raise_failure()


class _Reader:
    """Reads a stream in a thread, and gives what may be shown to another."""

    def __init__(self, stream: _Source, buffer: Buffer) -> None:
        """Take what to read, and what to collect it in."""
        self._stream = stream
        self._buffer = buffer
        self._changed = threading.Condition()
        self._has_ended = False
        self._is_left = False
        self._failure = KeptError()
        self._thread = threading.Thread(
            target=copy_context().run, args=(self._read,), name="evoclient-buffer", daemon=True
        )

    def start(self) -> None:
        """Begin to read."""
        self._thread.start()

    def next_update(self) -> str:
        """Wait for the next update and return it; "" at the end."""
        with self._changed:
            while not self._has_ended:
                now = monotonic()
                if text := self._buffer.ready(now):
                    self._changed.notify_all()
                    return text
                due = self._buffer.due()
                self._changed.wait(None if due is None else due - now)
            return self._buffer.flush()

    def leave(self) -> None:
        """Close the stream and end the thread, unless the stream has ended by itself."""
        with self._changed:
            self._is_left = True
            self._changed.notify_all()
            is_early = not self._has_ended
        if is_early:
            self._stream.close()
        if self._thread is not threading.current_thread():
            self._thread.join(_ENDING)

    def raise_failure(self) -> None:
        """Raise what ended the stream, if it was an error."""
        self._failure.raise_once()

    def _read(self) -> None:
        try:
            for text in self._stream.text:
                if not self._adds(text):
                    return
        except BaseException as error:  # raised again in the thread of the consumer
            self._failure.keep(error)
        finally:
            with self._changed:
                self._has_ended = True
                self._changed.notify_all()

    def _adds(self, text: str) -> bool:
        """Add a piece of text; return whether to go on reading."""
        with self._changed:
            was_waiting = self._buffer.due() is not None
            self._buffer.add(text)
            if not was_waiting and self._buffer.due() is not None:
                self._changed.notify_all()
            while self._buffer.is_full and not self._is_left:
                self._changed.wait()
            return not self._is_left


class StreamBuffer:
    """Hands text to a function in few updates, however many pieces it is added in.

    The first text is handed over at once, in the thread that adds it; after that there is at most
    one update per `buffer_delay`, by a timer where nothing is added any more. The updates together
    are the text, in the order in which it was added, and none of them ends inside what a reader
    takes for one character: the last one is held back until what follows is known, or `flush`.

    Any thread may add and flush. The function is never run by two threads at once; it may itself
    add text, which comes with a later update, and flush, which is done when it returns.

    Where the function raises, the text that it was given counts as handed over. In a thread that
    adds or flushes, the error is raised there. In the timer's thread it is logged, and raised by
    the next `add_content` (which has added its text), `flush` or `close`; updates go on meanwhile.
    """

    def __init__(self, update_callback: Callable[[str], object], buffer_delay: float = 0.1) -> None:
        """Begin with nothing.

        Args:
            update_callback: Takes the text of an update.
            buffer_delay: The least time between two updates, in seconds. With 0, whatever is
                added is handed over at once, but for its last character.

        Raises:
            ConfigurationError: An argument is of the wrong kind or out of range.
        """
        self._buffer = pushed(update_callback, buffer_delay)
        self._callback = update_callback
        # Never held while the callback runs.
        self._changed = threading.Condition()
        self._updating: threading.Thread | None = None
        self._timer: threading.Thread | None = None
        self._must_flush = False
        self._is_closed = False
        self._failure = KeptError()

    def add_content(self, content: str) -> None:
        """Add a piece of text; hand over what is due, unless another thread is about it.

        Raises:
            ConfigurationError: `content` is no string; nothing was added.
            ClientClosedError: The buffer was closed; nothing was added.
            BaseException: Whatever the callback raised, now or in the timer's thread.
        """
        check_text(content)
        with self._changed:
            if self._is_closed:
                raise ClientClosedError("The buffer has been closed: make a new one.")
            was_waiting = self._buffer.due() is not None
            self._buffer.add(content)
            due = self._buffer.due()
            is_mine = due is not None and due <= monotonic() and self._begins_updating()
            if not (is_mine or was_waiting):
                self._set_timer()
        if is_mine:
            self._update()
        self._raise_failure()

    def flush(self) -> None:
        """Hand over all that has been added, and return when that is done.

        Called by the callback itself, it returns at once, and what has been added is handed over
        when the callback returns.

        Raises:
            BaseException: Whatever the callback raised, now or in the timer's thread.
        """
        with self._changed:
            self._must_flush = True
            if self._updating is threading.current_thread():
                return
            while not self._begins_updating():
                self._changed.wait()
        self._update()
        self._raise_failure()

    def close(self) -> None:
        """Flush and stop the timer; nothing can be added any more. A second call does nothing.

        Raises:
            BaseException: As for `flush`.
        """
        with self._changed:
            self._is_closed = True
            timer = self._timer
        try:
            self.flush()
        finally:
            if timer is not None and timer is not threading.current_thread():
                timer.join(_ENDING)

    def __enter__(self) -> Self:
        """Return the buffer."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close the buffer."""
        self.close()

    def _begins_updating(self) -> bool:
        """Take the right to call the callback, under the lock; return whether it was free."""
        if self._updating is not None:
            return False
        self._updating = threading.current_thread()
        return True

    def _update(self) -> None:
        """Call the callback while there is something for it; whoever does this has the right to."""
        try:
            while text := self._next_update():
                self._callback(text)
        except BaseException:
            self._end_updating()
            raise

    def _next_update(self) -> str:
        """Return what is to be handed over now; where that is nothing, give the right back."""
        with self._changed:
            if self._must_flush:
                self._must_flush = False
                text = self._buffer.flush(monotonic())
            else:
                text = self._buffer.ready(monotonic())
            if not text:
                self._end_updating()
            return text

    def _end_updating(self) -> None:
        with self._changed:
            self._updating = None
            self._set_timer()
            self._changed.notify_all()

    def _set_timer(self) -> None:
        """See to it that what waits is handed over in time, unless a thread is about it."""
        if self._updating is not None or self._buffer.due() is None:
            return
        if self._timer is None:
            self._timer = threading.Thread(
                target=self._run_timer, name="evoclient-buffer", daemon=True
            )
            self._timer.start()
        else:
            self._changed.notify_all()

    def _run_timer(self) -> None:
        """Hand over what is due, until nothing has waited for a while."""
        while self._waits_for_an_update():
            try:
                self._update()
            except BaseException as error:  # raised again in the thread that adds or flushes
                logger.error("the callback of a StreamBuffer raised", exc_info=error)
                with self._changed:
                    self._failure.keep(error)

    def _waits_for_an_update(self) -> bool:
        """Wait until an update is due, and take the right to it; return False to end the timer."""
        idle_until = monotonic() + _IDLE
        with self._changed:
            while True:
                now, due = monotonic(), self._buffer.due()
                if due is None and (self._buffer.is_empty or self._is_closed or now >= idle_until):
                    self._timer = None
                    return False
                if self._updating is not None:
                    self._changed.wait()
                elif due is not None and due <= now:
                    return self._begins_updating()
                else:
                    self._changed.wait((idle_until if due is None else due) - now)

    def _raise_failure(self) -> None:
        """Raise what the callback raised in the timer's thread, once."""
        with self._changed:
            self._failure.raise_once()
