"""The pictures of the page on performance, drawn from what a run has written."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import attrs

from tests.benchmarks.results import Results
from tests.benchmarks.tables import shown

__all__ = ["PICTURES", "draw"]


@attrs.frozen
class Picture:
    """A picture: a panel of bars for each workload.

    Attributes:
        name: Its file, without the ending.
        title: What stands above it.
        unit: The unit of its figures.
        panels: The workloads and figures, with what stands above each.
        factor: What the figures are multiplied with.
    """

    name: str
    title: str
    unit: str
    panels: tuple[tuple[str, str, str], ...]
    factor: float = 1.0


PICTURES: Final = (
    Picture(
        "bench-chunk",
        "CPU per streamed chunk",
        "µs",
        (("burst-sync", "cpu", "sync"), ("burst-async", "cpu", "async")),
    ),
    Picture(
        "bench-crowd",
        "1,000 streams at once",
        "",
        (
            ("crowd-1000", "seconds", "CPU, s"),
            ("crowd-1000", "p99", "added latency p99, ms"),
        ),
    ),
    Picture(
        "bench-first-token",
        "Time to the first token, a client that has been used",
        "ms",
        (("warm-sync", "wall", "sync"), ("warm-async", "wall", "async")),
        factor=1e-3,
    ),
)

#: Who is shown, from above, and the colour.
BARS: Final = {
    "floor": "#9aa5b1",
    "evoclient": "#2f7ed8",
    "hand": "#7bb07b",
    "openai": "#d98032",
    "evolution-openai": "#c0894f",
    "openrouter": "#b0786f",
    "litellm": "#a05a5a",
}

#: A grey that can be read on a light page and on a dark one.
INK: Final = "#808890"


def draw(results: Results, folder: Path) -> list[Path]:
    """Draw all pictures whose workloads were measured, and return their files.

    Args:
        results: What was measured.
        folder: Where they are written.
    """
    drawn = []
    for picture in PICTURES:
        if all(results.rounds.get(workload) for workload, _, _ in picture.panels):
            path = folder / f"{picture.name}.svg"
            _draw(picture, results, path)
            drawn.append(path)
    return drawn


def _draw(picture: Picture, results: Results, path: Path) -> None:
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    # Letters stay letters: small files that can be searched. A fixed salt keeps the file the same.
    style: Any = {"svg.fonttype": "none", "svg.hashsalt": "evoclient", "font.size": 9}
    style |= dict.fromkeys(("text.color", "axes.labelcolor", "xtick.color", "ytick.color"), INK)
    with rc_context(style):
        figure: Any = Figure(figsize=(8, 2.4), layout="constrained")
        figure.suptitle(picture.title)
        panels: Sequence[Any] = figure.subplots(1, len(picture.panels))
        for axes, (workload, measured, title) in zip(panels, picture.panels, strict=True):
            _bars(axes, results, workload, measured, picture)
            axes.set_title(f"{title}, {picture.unit}" if picture.unit else title, fontsize=9)
        figure.savefig(path, transparent=True, metadata={"Date": None, "Creator": None})
    lines = path.read_text("utf-8").splitlines()
    path.write_text("\n".join(map(str.rstrip, lines)) + "\n", "utf-8")


def _bars(axes: Any, results: Results, workload: str, measured: str, picture: Picture) -> None:
    """Draw a bar for each contender, with its figure beside it."""
    names = [name for name in BARS if results.values(workload, name, measured)]
    values = [(results.middle(workload, name, measured) or 0) * picture.factor for name in names]
    bars = axes.barh(names, values, color=[BARS[name] for name in names])
    axes.bar_label(bars, [shown(value) for value in values], padding=3, color=INK)
    # From zero on, so that lengths can be compared, with room for the figures.
    axes.set_xlim(0, max(values) * 1.2)
    axes.invert_yaxis()
    axes.xaxis.set_visible(False)
    axes.tick_params(length=0)
    for side in ("top", "right", "bottom"):
        axes.spines[side].set_visible(False)
    axes.spines["left"].set_color(INK)
