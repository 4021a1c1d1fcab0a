"""Drawings of a stream: as text, and as a picture."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from evoclient.errors.tree import APIConnectionError
from evoclient.ground import ConfigurationError
from evoclient.models.chunks import read_chunk
from evoclient.models.usage import Usage
from evoclient.streaming.metrics import StreamMetrics

from .streaming.driving import Clock

if TYPE_CHECKING:
    from matplotlib.figure import Figure

TEXT = read_chunk({"choices": [{"delta": {"content": "word "}}]})
THOUGHT = read_chunk({"choices": [{"delta": {"reasoning": "hm"}}]})


def streamed() -> StreamMetrics:
    """Return the figures of a stream of ten seconds: a retry, thoughts, text and a stall."""
    clock = Clock(1000.0)
    metrics = StreamMetrics(clock=clock)
    metrics.retried(0.5, APIConnectionError("refused"))
    clock.now += 1.0
    metrics.opened()
    for chunk, wait, times in (
        (THOUGHT, 0.1, 10),
        (TEXT, 0.1, 25),
        (TEXT, 3.0, 1),
        (TEXT, 0.1, 25),
    ):
        for _ in range(times):
            since = clock.now
            clock.now += wait
            metrics.block(100, since)
            metrics.feed(chunk)
    metrics.finished(Usage.from_dict({"completion_tokens": 61}))
    return metrics  # fmt: skip


def nothing() -> StreamMetrics:
    """Return the figures of a call that has just begun."""
    return StreamMetrics(clock=Clock(1000.0))


def rendered(metrics: StreamMetrics, width: int = 80, encoding: str = "utf-8") -> list[str]:
    """Return the lines of a drawing in a file of some encoding."""
    raw = io.BytesIO()
    file = io.TextIOWrapper(raw, encoding=encoding)
    metrics.render(file, width=width)
    file.flush()
    return raw.getvalue().decode(encoding).splitlines()


def test_the_lines_over_the_time() -> None:
    """Phases, speed and waits stand below each other, each as long as the stream."""
    phases, speed, waits, axis, *_ = (line[9:].ljust(70) for line in rendered(streamed()))
    # Seventy columns are ten seconds: the head came after 1, text after 2.1.
    assert phases == "·" * 7 + "╌" + "▒" * 7 + "█" * 55
    assert speed[:13].isspace()
    assert speed[33:50].isspace()
    assert set(speed[15:31] + speed[54:70]) <= set("▄▅▆▇█")
    assert {place for place, bar in enumerate(waits) if bar == "█"} <= set(range(49, 56))
    assert [axis.index(f"|{second} s") for second in (0, 2, 4, 6)] == [0, 14, 28, 42]


def test_the_figures_stand_below() -> None:
    """The figures that are known stand below the drawing, each with its unit."""
    text = "\n".join(rendered(streamed()))
    for name, value in {
        "headers": "1 s",
        "first chunk": "1.10 s",
        "first text": "2.10 s",
        "gaps p50": "100 ms",
        "gaps maximum": "3 s",
        "stalls": "1",
        "attempts": "2",
        "chunks": "61",
        "characters": "255",
        "bytes": "6,100",
        "tokens": "61",
    }.items():
        assert any(f" {name} " in f" {line} " and value in line for line in text.splitlines()), name


@pytest.mark.parametrize("metrics", [streamed, nothing])
@pytest.mark.parametrize("width", [20, 50, 70, 100, 200])
def test_no_line_is_too_wide_or_cut(metrics: Callable[[], StreamMetrics], width: int) -> None:
    """A drawing fits its width, which is at least fifty columns, and cuts no figure off."""
    lines = rendered(metrics(), width)
    assert max(len(line.rstrip()) for line in lines) <= max(width, 50)
    assert not any("…" in line for line in lines)


def test_plain_files() -> None:
    """What a file's encoding cannot hold is drawn with ASCII alone."""
    lines = rendered(streamed(), encoding="ascii")
    assert lines[0] == "phases   " + "." * 7 + "-" + "=" * 7 + "#" * 55


def test_no_colours_in_files() -> None:
    """A file that is no terminal gets no control characters."""
    assert "\x1b" not in "\n".join(rendered(streamed()))


def test_standard_output(capsys: pytest.CaptureFixture[str]) -> None:
    """It is drawn on the standard output by default."""
    streamed().render()
    assert capsys.readouterr().out.startswith("phases")


def test_a_stream_that_has_just_begun() -> None:
    """Nothing is drawn of what has not come, and no figure is made up."""
    lines = rendered(nothing())
    assert lines[3].strip() == "|0 s"
    assert not any("headers  " in line or "gaps" in line for line in lines)


@pytest.mark.parametrize(("library", "method"), [("rich", "render"), ("matplotlib", "plot")])
def test_a_missing_library(library: str, method: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without its library a drawing says which extra brings it."""
    for name in list(sys.modules):
        if name.partition(".")[0] == library:
            monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, library, None)
    extra = {"rich": "cli", "matplotlib": "plot"}[library]
    with pytest.raises(ConfigurationError, match=rf'pip install "evoclient\[{extra}\]"'):
        getattr(streamed(), method)()


@pytest.mark.parametrize("width", ["80", 0, -1, 80.0, True])
def test_a_width_that_is_none(width: Any) -> None:
    """What is no number of columns is refused by the name of the argument."""
    with pytest.raises(ConfigurationError, match="width is a number of columns") as caught:
        streamed().render(io.StringIO(), width=width)
    assert caught.value.argument == "width"


class TestPicture:
    """The picture by matplotlib."""

    @pytest.fixture(autouse=True)
    def matplotlib(self) -> None:
        """Pass over where it is not installed."""
        pytest.importorskip("matplotlib")

    @staticmethod
    def labels(figure: Figure, panel: int) -> list[str]:
        """Return what the legend of a panel says."""
        return list(figure.axes[panel].get_legend_handles_labels()[1])

    def test_what_it_shows(self) -> None:
        """It shows the characters, the moments, the waits and the stall."""
        figure = streamed().plot()
        line: Any = figure.axes[0].lines[0]
        assert (line.get_xdata()[-1], line.get_ydata()[-1]) == pytest.approx((10.0, 255))
        assert self.labels(figure, 0) == [
            "headers 1 s",
            "first chunk 1.10 s",
            "first reasoning 1.10 s",
            "first text 2.10 s",
        ]
        assert self.labels(figure, 1) == ["wait", "stall", "p50 100 ms", "p99 3 s"]

    @pytest.mark.parametrize(("name", "begins"), [("a.png", b"\x89PNG"), ("a.svg", b"<?xml")])
    def test_it_is_saved(self, name: str, begins: bytes, tmp_path: Path) -> None:
        """With a path, it is saved as the ending says."""
        streamed().plot(tmp_path / name)
        assert (tmp_path / name).read_bytes().startswith(begins)

    def test_an_ending_that_is_no_picture(self, tmp_path: Path) -> None:
        """What matplotlib cannot write is refused with what it can, and no file is left."""
        with pytest.raises(ConfigurationError, match=r"a\.xyz cannot .* \.png, ") as caught:
            streamed().plot(tmp_path / "a.xyz")
        assert caught.value.argument == "path"
        assert list(tmp_path.iterdir()) == []

    def test_a_stream_that_has_just_begun(self, tmp_path: Path) -> None:
        """A picture of nothing is empty, and no failure."""
        figure = nothing().plot(tmp_path / "empty.png")
        assert self.labels(figure, 0) == self.labels(figure, 1) == []

    def test_no_window_system(self) -> None:
        """Nothing of matplotlib is kept open: pyplot is not used."""
        before = "matplotlib.pyplot" in sys.modules
        streamed().plot()
        assert ("matplotlib.pyplot" in sys.modules) is before
