"""An answer on a terminal, as Markdown that grows while it arrives.

What is finished is printed for good and scrolls away as any text does. Only the part that is still
being written is drawn again and again, and of that no more than fits on the screen: rich would
otherwise cut its end off, or leave copies of its beginning in the scrollback.
"""

from __future__ import annotations

import sys
from threading import Event, Lock, Thread
from time import monotonic
from types import TracebackType
from typing import Final, Protocol, Self

from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.live import Live
from rich.segment import Segment
from rich.spinner import Spinner
from rich.text import Text

from .markdown import Blocks
from .show import Show
from .terminal import harmless

__all__ = ["LiveShow"]

#: Seconds between two drawings: often enough to look like writing, rare enough to cost little.
_PERIOD: Final = 1 / 15


class _Part(Protocol):
    """A stretch of text of one kind, cut into what is finished and what is not."""

    def feed(self, text: str) -> None:
        """Take a piece of text."""

    def take_finished(self) -> RenderableType | None:
        """Return what has been finished since the last call."""

    def take_rest(self) -> RenderableType | None:
        """Return what is left at the end."""

    def rest(self) -> RenderableType:
        """Return the unfinished rest as it looks now."""


class _Thoughts:
    """What the model thinks: dim lines."""

    def __init__(self) -> None:
        self._rest = ""

    def feed(self, text: str) -> None:
        self._rest += text

    def take_finished(self) -> RenderableType | None:
        finished, found, rest = self._rest.rpartition("\n")
        self._rest = rest
        return _dim(finished) if found else None

    def take_rest(self) -> RenderableType | None:
        rest, self._rest = self._rest, ""
        return _dim(rest) if rest else None

    def rest(self) -> RenderableType:
        return _dim(self._rest)


def _dim(text: str) -> Text:
    return Text(text, style="dim")


class _Window:
    """Shows the end of a renderable, as much as fits on the screen.

    The last line is empty but for a space: the terminal itself writes there when a key is pressed
    (Ctrl-C shows as ^C), and in a full line that would push everything up by one.
    """

    def __init__(self, content: RenderableType) -> None:
        self.content = content

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        lines = console.render_lines(self.content, options.update(height=None), pad=False)
        # At least one line, also where a terminal claims to have no more than two.
        for line in lines[-max(1, console.height - 2) :]:
            yield from line
            yield Segment.line()
        yield Segment(" ")


class LiveShow(Show):
    """Shows reasoning dim and the answer as Markdown, drawn by a thread of its own.

    The thread makes a stream that pauses show all it has said, and keeps an interrupt, which
    reaches the main thread, out of a drawing.
    """

    def __init__(self, console: Console, *, waiting_for: str) -> None:
        """Show on a console.

        Args:
            console: Of a terminal.
            waiting_for: Whom a person waits for before the first text comes.
        """
        self._console = console
        spinner = Spinner("line", text=_dim(f"waiting for {harmless(waiting_for)}"), style="dim")
        self._window = _Window(spinner)
        self._live = Live(
            self._window,
            console=console,
            auto_refresh=False,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=sys.stderr.isatty(),
        )
        self._lock = Lock()
        self._part: _Part | None = None
        self._is_new = True
        self._done = Event()
        self._failure: Exception | None = None
        self._thread = Thread(target=self._draw_on, name="evoclient-show", daemon=True)

    def reasoning(self, text: str) -> None:
        """Take a piece of what the model thinks."""
        self._take(text, _Thoughts)

    def answer(self, text: str) -> None:
        """Take a piece of the answer."""
        self._take(text, Blocks)

    def __enter__(self) -> Self:
        """Begin to draw."""
        self._live.start()
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Print what is left for good, and give the terminal back."""
        self._done.set()
        self._thread.join()
        with self._console:  # one write: the window goes and its content stands in its place
            self._live.stop()
            if self._part is not None:
                self._print(self._part.take_finished())
                self._print(self._part.take_rest())
        if self._failure is not None and error is None:
            raise self._failure

    def _take(self, text: str, kind: type[_Thoughts | Blocks]) -> None:
        if self._failure is not None:
            raise self._failure
        if not text:  # an empty piece begins nothing, and so nothing is set apart from it
            return
        with self._lock:
            if not isinstance(self._part, kind):
                self._turn_to(kind())
            assert self._part is not None
            self._part.feed(harmless(text))
            self._is_new = True

    def _turn_to(self, part: _Part) -> None:
        """End one kind of text and begin another, a blank line between them."""
        ended, self._part = self._part, part
        self._window.content = ""
        if ended is not None:
            self._print(ended.take_finished())
            self._print(ended.take_rest())
            self._print("")

    def _draw_on(self) -> None:
        """Draw until the end, at most half of the time."""
        cost = 0.0
        while not self._done.wait(max(_PERIOD, cost)):
            began = monotonic()
            try:
                with self._lock:
                    self._draw()
            except Exception as error:  # raised again to whoever brings the next text
                self._failure = error
                return
            cost = monotonic() - began

    def _draw(self) -> None:
        if self._part is None:
            self._live.refresh()  # the spinner turns
        elif self._is_new:
            self._is_new = False
            finished = self._part.take_finished()
            self._window.content = self._part.rest()
            if finished is None:
                self._live.refresh()
            else:
                self._print(finished)

    def _print(self, content: RenderableType | None) -> None:
        """Print for good, above what is drawn again."""
        if content is not None:
            self._console.print(content)
