"""Draws the pictures of the page on metrics: `python docs/pictures.py`, extras `cli` and `test`.

They show a stream of the demo server that is refused at first, thinks, writes fast, stalls and then
writes slowly. The shapes are the same each time, the last digits of the figures are not.
"""

from __future__ import annotations

import io
import os
import re
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.text import Text

from evoclient import Client, StreamMetrics
from evoclient.testing import DemoServer, Play

FOLDER: Final = Path(__file__).parent / "_static"

#: Columns of the drawing: what a page shows at its full size.
WIDTH: Final = 88

#: The stream: after so many chunks it stalls, and the next ones are slow, by so many seconds each.
FAST: Final = 70
SLOW: Final = 50
PACE: Final = 0.02
SLOWER: Final = 0.05

#: The stall, in seconds; what lasts longer than 2 seconds is one.
STALL: Final = 2.4


class Terminal(io.StringIO):
    """A file that passes for a terminal, so that what is drawn into it has its colours."""

    def isatty(self) -> bool:
        """Return that it is one."""
        return True


def _wait(*, after: int, seconds: float) -> Play:
    return Play("stall", {"after": after, "seconds": seconds})


def measured() -> StreamMetrics:
    """Return the figures of a stream that is read from the demo server."""
    with DemoServer(pace=PACE, dialect="deepseek") as server:
        server.play("status", code=503, retry_after=1)
        server.play(
            _wait(after=0, seconds=0.4),
            _wait(after=FAST, seconds=STALL),
            *(_wait(after=FAST + count, seconds=SLOWER) for count in range(1, SLOW)),
        )
        with Client(base_url=server.base_url, model="demo") as client:
            stream = client.chat.completions.create(
                messages=[{"role": "user", "content": "Count to 100"}],
                stream=True,
                usage=True,
            )
            stream.until_done()
            return stream.metrics


def draw_terminal(metrics: StreamMetrics, path: Path) -> None:
    """Save what `render` draws on a terminal."""
    os.environ.update(TERM="xterm-256color", COLORTERM="truecolor")
    os.environ.pop("NO_COLOR", None)
    terminal = Terminal()
    metrics.render(terminal, width=WIDTH)
    console = Console(record=True, width=WIDTH, file=io.StringIO())
    console.print(Text.from_ansi(terminal.getvalue().rstrip("\n")))
    svg = console.export_svg(title="stream.metrics.render()", unique_id="metrics")
    # A picture in a page loads no fonts.
    svg = re.sub(r"@font-face \{.*?\}", "", svg, flags=re.DOTALL)
    path.write_text("\n".join(filter(None, map(str.rstrip, svg.splitlines()))) + "\n", "utf-8")


def main() -> None:
    """Draw both pictures."""
    metrics = measured()
    FOLDER.mkdir(exist_ok=True)
    draw_terminal(metrics, FOLDER / "metrics-timeline.svg")
    metrics.plot(FOLDER / "metrics-plot.png")


if __name__ == "__main__":
    main()
