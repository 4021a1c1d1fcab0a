"""Plain figures, drawn: a timeline on a terminal by rich, a picture by matplotlib.

Both libraries are optional and are imported where they are used.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from math import ceil, floor, log10
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, Final, TextIO

import attrs

from .ground import ConfigurationError

if TYPE_CHECKING:
    import os

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from rich.table import Table
    from rich.text import Text

__all__ = ["Timeline", "draw", "picture"]

#: Columns of a drawing: the most by default, the fewest, and those of the names beside it.
_WIDEST: Final = 100
_NARROWEST: Final = 50
_MARGIN: Final = 9

#: The fewest columns from one time to the next, and of a table whose groups stand side by side.
_TICK_COLUMNS: Final = 12
_SIDE_BY_SIDE: Final = 70

# Each phase has a shape as well as a colour, for those who see no colours and for files.
_PHASES: Final = (
    ("time_to_headers", "to headers", "·", ".", "bright_black"),
    ("time_to_first_event", "to first chunk", "╌", "-", "yellow"),
    ("time_to_first_text", "to first text", "▒", "=", "magenta"),
    ("duration", "text", "█", "#", "blue"),
)
_LEVELS: Final = " ▁▂▃▄▅▆▇█"
_PLAIN_LEVELS: Final = " .:-=+*#@"

# The colours of Okabe and Ito, which all eyes tell apart.
_BLUE: Final = "#0072B2"
_ORANGE: Final = "#E69F00"
_VERMILION: Final = "#D55E00"
_GREEN: Final = "#009E73"
_GREY: Final = "#555555"
_MOMENTS: Final = (
    ("time_to_headers", "headers", _GREY),
    ("time_to_first_event", "first chunk", _ORANGE),
    ("time_to_first_reasoning", "first reasoning", "#CC79A7"),
    ("time_to_first_text", "first text", _GREEN),
)


@attrs.frozen(kw_only=True)
class Timeline:
    """What is drawn of a stream. Times are seconds since the start of the call.

    Attributes:
        figures: What `StreamMetrics.to_dict` returns.
        characters: Times, rising, and how many characters had come by then.
        waits: Times, rising, and the longest wait that ended between the time before and this.
        stall_after: A longer wait is a stall.
    """

    figures: Mapping[str, Any]
    characters: Sequence[tuple[float, int]]
    waits: Sequence[tuple[float, float]]
    stall_after: float


def draw(timeline: Timeline, file: TextIO | None = None, width: int | None = None) -> None:
    """Draw a timeline on a terminal, or as text into a file.

    Args:
        timeline: What to draw.
        file: Where to; default the standard output. Colours go to terminals only.
        width: Columns, 50 or more; default those of the terminal, at most 100.

    Raises:
        ConfigurationError: rich is not installed, or `width` is no number of columns.
    """
    _check_width(width)
    try:
        from rich.console import Console
    except ImportError as error:
        raise _missing("render", "rich", "cli") from error

    console = Console(file=file, width=width, highlight=False)
    columns = max(_NARROWEST, width or min(console.width, _WIDEST))
    if columns > console.width:
        console = Console(file=file, width=columns, highlight=False)
    is_plain = console.options.ascii_only
    for line in _lines(timeline, columns - _MARGIN - 1, is_plain):
        console.print(line, no_wrap=True, overflow="crop")
    groups = _groups(timeline.figures)
    if columns < _SIDE_BY_SIDE:
        groups = [[line for group in groups for line in group]]
    console.print(_table(groups))


def _check_width(width: object) -> None:
    if not (width is None or (type(width) is int and width >= 1)):
        raise ConfigurationError(
            f"width is a number of columns, 1 or more, or None; it is {width!r}.", argument="width"
        )


def _lines(timeline: Timeline, columns: int, is_plain: bool) -> list[Text]:
    """Return the lines over the time: phases, speed, waits, the axis, and what the shapes mean."""
    from rich.text import Text

    duration = timeline.figures["duration"]
    edges = [duration * edge / columns for edge in range(columns + 1)]
    levels = _PLAIN_LEVELS if is_plain else _LEVELS
    counts = [_at(timeline.characters, edge) for edge in edges]
    speeds = [after - before for before, after in pairwise(counts)]
    waits = [
        max(_within(timeline.waits, start, end), default=0.0) for start, end in pairwise(edges)
    ]
    speed = max(speeds) * columns / duration if duration > 0 else 0.0
    summary = f"highest speed {speed:,.0f} characters/s, longest wait {_time(max(waits))}"
    return [
        _phases(timeline.figures, edges, is_plain),
        _named("speed", Text(_bars(speeds, levels), style="blue")),
        _named("waits", _stalls(_bars(waits, levels), waits, timeline.stall_after)),
        _named("", Text(_axis(duration, columns), style="bright_black")),
        _named("", _legend(timeline.figures, is_plain)),
        _named("", Text(summary)),
        Text(),
    ]


def _named(name: str, line: Text) -> Text:
    from rich.text import Text

    return Text(f"{name:<{_MARGIN}}") + line


def _phases(figures: Mapping[str, Any], edges: Sequence[float], is_plain: bool) -> Text:
    """Return the line that shows what the stream was doing."""
    from rich.text import Text

    line = Text()
    for start, end in pairwise(edges):
        middle = (start + end) / 2
        for key, _, shape, plain, style in _PHASES:
            until = figures[key]
            # What has not come yet is what is waited for.
            if middle < (figures["duration"] if until is None else until):
                line.append(plain if is_plain else shape, style=style)
                break
    return _named("phases", line)


def _legend(figures: Mapping[str, Any], is_plain: bool) -> Text:
    """Say what the shapes of the phases mean, where there is such a phase."""
    from rich.text import Text

    line, before = Text(), 0.0
    for key, meaning, shape, plain, style in _PHASES:
        until = figures["duration"] if figures[key] is None else figures[key]
        if until > before:
            line.append(plain if is_plain else shape, style=style).append(f" {meaning}   ")
        before = max(before, until)
    return line


def _stalls(bars: str, waits: Sequence[float], stall_after: float) -> Text:
    """Show waits, those that are stalls in another colour."""
    from rich.text import Text

    line = Text()
    for bar, wait in zip(bars, waits, strict=True):
        line.append(bar, style="bold red" if wait > stall_after else "yellow")
    return line


def _bars(values: Sequence[float], levels: str) -> str:
    """Return one bar per value; what is above 0 shows, however low it is."""
    highest = max(values)
    if highest <= 0:
        return levels[0] * len(values)
    most = len(levels) - 1
    return "".join(
        levels[max(1, round(value / highest * most))] if value > 0 else levels[0]
        for value in values
    )


def _axis(duration: float, columns: int) -> str:
    """Return the times below a drawing, each beginning at its column."""
    if duration <= 0:
        return "|" + _time(0)
    least = duration * _TICK_COLUMNS / columns
    power = 10.0 ** floor(log10(least))
    step = next(size * power for size in (1, 2, 5, 10) if size * power >= least)
    line = ""
    for tick in range(int(duration / step) + 1):
        text = "|" + _time(tick * step)
        column = round(tick * step / duration * columns)
        if column + len(text) <= columns:
            line = line.ljust(column) + text
    return line


def _table(groups: Sequence[Sequence[tuple[str, str]]]) -> Table:
    """Return names and figures, in groups side by side."""
    from rich.table import Table

    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 1))
    for _ in groups:
        table.add_column(style="bright_black", no_wrap=True)
        table.add_column(justify="right", no_wrap=True)
    for row in range(max(map(len, groups))):
        cells = [group[row] if row < len(group) else ("", "") for group in groups]
        table.add_row(*(cell for pair in cells for cell in pair))
    return table


def _groups(figures: Mapping[str, Any]) -> list[list[tuple[str, str]]]:
    """Return the figures as names and texts: moments, waits, amounts; unknown ones left out."""
    gaps, rate, attempts = figures["gaps"], figures["rate"], figures["attempts"]
    times = [(name, figures[key]) for key, name, _ in _MOMENTS]
    times += [("duration", figures["duration"]), ("waited", figures["waited"])]
    spans = [(f"gaps {key}", gaps[key]) for key in ("p50", "p95", "p99", "maximum")]
    spans += [("stalled", figures["stalled"] or None)]
    amounts = [(key, figures[key]) for key in ("chunks", "characters", "tokens", "bytes")]
    amounts += [
        (f"{name}/s", rate[f"{name}_per_second"]) for name in ("chunks", "characters", "tokens")
    ]
    waits = [(name, _time(value)) for name, value in spans if value is not None]
    if figures["stalls"]:
        waits.append(("stalls", f"{figures['stalls']:,}"))
    if attempts > 1:
        waits.append(("attempts", f"{attempts:,}"))
    return [
        [(name, _time(value)) for name, value in times if value is not None],
        waits,
        [(name, f"{value:,.0f}") for name, value in amounts if value is not None],
    ]


def picture(timeline: Timeline, path: str | os.PathLike[str] | None = None) -> Figure:
    """Return a picture of a timeline: the characters that had come, and below them the waits.

    Args:
        timeline: What to draw.
        path: Where to save it too; the ending says as what (.png, .svg, .pdf).

    Raises:
        ConfigurationError: matplotlib is not installed, or cannot write what the ending of
            `path` says.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise _missing("plot", "matplotlib", "plot") from error

    # Not by pyplot, which would keep the figure, and choose a window system.
    figure = Figure(figsize=(9, 5.2), dpi=120, layout="constrained", facecolor="white")
    _check_path(path, figure.canvas.get_supported_filetypes())
    upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=(2, 1))
    _draw_characters(upper, timeline)
    _draw_waits(lower, timeline)
    for axes in (upper, lower):
        axes.spines[["top", "right"]].set_visible(False)
        axes.grid(axis="y", color="#dddddd", linewidth=0.8)
        axes.set_axisbelow(True)
    lower.set_xlim(0, timeline.figures["duration"] * 1.01 or 1.0)
    lower.set_xlabel("seconds since the start of the call")
    if path is not None:
        figure.savefig(path)
    return figure


def _check_path(path: str | os.PathLike[str] | None, known: Iterable[str]) -> None:
    """Refuse a path before anything is drawn; without an ending matplotlib adds its own."""
    ending = "" if path is None else PurePath(path).suffix[1:].lower()
    if ending and ending not in known:
        raise ConfigurationError(
            f"path: {path} cannot be saved, since its ending is none of "
            f"{', '.join(f'.{name}' for name in sorted(known))}.",
            argument="path",
        )


def _draw_characters(axes: Axes, timeline: Timeline) -> None:
    figures = timeline.figures
    points = [(0.0, 0), *timeline.characters]
    times, counts = [time for time, _ in points], [count for _, count in points]
    axes.plot(times, counts, color=_BLUE, linewidth=2)
    axes.fill_between(times, counts, color=_BLUE, alpha=0.12, linewidth=0)
    moments = [(name, figures[key], colour) for key, name, colour in _MOMENTS]
    for number, (name, time, colour) in enumerate(moments):
        if time is not None:
            label = f"{name} {_time(time)}"
            # Dashes that begin at different heights show where several lines are one.
            dashes = (3 * number, (3, 9))
            axes.axvline(time, color=colour, linewidth=2, linestyle=dashes, label=label)
    axes.set_ylim(0, max(counts) * 1.05 or 1.0)
    axes.set_ylabel("characters")
    axes.set_title(_title(figures), loc="left", fontsize=11)
    if any(time is not None for _, time, _ in moments):
        legend = axes.legend(loc="lower right", fontsize=9, framealpha=0.9)
        for line in legend.get_lines():
            line.set_linestyle("-")


def _draw_waits(axes: Axes, timeline: Timeline) -> None:
    steps = pairwise([(0.0, 0.0), *timeline.waits])
    # A wait is drawn in the middle of the step in which it ended.
    waits = [((before + time) / 2, wait) for (before, _), (time, wait) in steps if wait > 0]
    axes.set_ylabel("longest wait")
    if not waits:
        axes.set_yticks([])
        return
    low, high = _decades([wait for _, wait in waits])
    for is_stall, colour, name in ((False, _ORANGE, "wait"), (True, _VERMILION, "stall")):
        found = [(time, wait) for time, wait in waits if (wait > timeline.stall_after) is is_stall]
        if found:
            times, seconds = [time for time, _ in found], [wait for _, wait in found]
            axes.vlines(times, low, seconds, color=colour, linewidth=3, label=name)
        for time, wait in found if is_stall else ():
            axes.axvspan(time - wait, time, color=colour, alpha=0.12, linewidth=0)
    gaps = timeline.figures["gaps"]
    for key, style in (("p50", ":"), ("p99", "--")):
        if gaps[key]:
            label = f"{key} {_time(gaps[key])}"
            axes.axhline(gaps[key], color=_GREY, linewidth=1.2, linestyle=style, label=label)
    axes.set_yscale("log")
    axes.set_ylim(low, high)
    axes.yaxis.set_major_formatter(lambda seconds, _: _time(seconds))
    axes.yaxis.set_minor_formatter(lambda *_: "")
    place = (0, 1.0)
    axes.legend(loc="lower left", bbox_to_anchor=place, fontsize=9, ncols=4, frameon=False)


def _decades(values: Sequence[float]) -> tuple[float, float]:
    """Return the powers of ten below and above all values."""
    return 10.0 ** floor(log10(min(values) / 1.2)), 10.0 ** ceil(log10(max(values) * 1.2))


def _title(figures: Mapping[str, Any]) -> str:
    rate = figures["rate"]["characters_per_second"]
    parts = [f"{figures['characters']:,} characters in {_time(figures['duration'])}"]
    if rate is not None:
        parts.append(f"{rate:,.0f} characters/s")
    if figures["stalls"]:
        parts.append(f"stalled for {_time(figures['stalled'])}")
    if figures["attempts"] > 1:
        parts.append(f"{figures['attempts']:,} attempts")
    return "  ·  ".join(parts)


def _within(steps: Sequence[tuple[float, float]], start: float, end: float) -> list[float]:
    """Return the values of the steps, each of which ends at its time, that touch a stretch."""
    first = bisect_right(steps, start, key=lambda step: step[0])
    last = bisect_left(steps, end, key=lambda step: step[0])
    return [value for _, value in steps[first : last + 1]]


def _at(points: Sequence[tuple[float, int]], time: float) -> float:
    """Return how many characters had come at a time, on a straight line between two points."""
    place = bisect_left(points, time, key=lambda point: point[0])
    if place >= len(points):
        return float(points[-1][1])
    before, low = points[place - 1] if place else (0.0, 0)
    after, high = points[place]
    share = (time - before) / (after - before) if after > before else 1.0
    return low + (high - low) * share


def _time(seconds: float) -> str:
    """Return a time with the digits that matter."""
    if seconds and seconds < 0.001:
        return f"{seconds * 1e6:.0f} µs"
    if seconds and seconds < 1:
        return f"{seconds * 1000:.3g} ms"
    return f"{seconds:.0f} s" if seconds == int(seconds) else f"{seconds:,.2f} s"


def _missing(method: str, library: str, extra: str) -> ConfigurationError:
    return ConfigurationError(
        f"{method} needs {library}, which the extra “{extra}” brings: "
        f'pip install "evoclient[{extra}]".'
    )
