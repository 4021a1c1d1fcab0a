"""The stopwatch for programs that count on their own, with a clock that the test moves."""

from __future__ import annotations

from typing import Any

import pytest

from evoclient.ground import ConfigurationError
from evoclient.streaming.stopwatch import StreamingMetrics

from .driving import Clock


def test_nothing_before_the_first_chunk() -> None:
    """There are no figures before the start, nor before the first chunk."""
    watch = StreamingMetrics(clock=Clock())
    assert watch.get_stats() == {}
    watch.start()
    assert watch.get_stats() == {}


def test_figures() -> None:
    """The figures have the names of the samples, and those of the window beside them."""
    clock = Clock(50.0)
    watch = StreamingMetrics(clock=clock)
    watch.start()
    clock.now += 2.0
    watch.add_chunk("abc")
    clock.now += 1.0
    watch.add_chunk("defgh")
    clock.now += 1.0
    assert watch.get_stats() == {
        "total_time": 4.0,
        "time_to_first_chunk": 2.0,
        "total_chunks": 2,
        "total_chars": 8,
        "chars_per_second": 2.0,
        "chunks_per_second": 0.5,
        "avg_chunk_size": 4.0,
        "recent_chars_per_second": 2.0,
        "recent_chunks_per_second": 0.5,
    }


def test_the_window_cuts_no_totals() -> None:
    """Totals count every chunk, the recent rates only those of the window."""
    clock = Clock(50.0)
    watch = StreamingMetrics(2, clock=clock)
    watch.start()
    for text in ("a" * 100, "b", "cd", "efgh"):
        clock.now += 1.0
        watch.add_chunk(text)
    stats = watch.get_stats()
    assert (stats["total_chunks"], stats["total_chars"]) == (4, 107)
    assert (stats["recent_chars_per_second"], stats["recent_chunks_per_second"]) == (3.0, 1.0)


def test_it_starts_itself() -> None:
    """A chunk starts a watch that was not started; no time has passed, so rates are 0."""
    watch = StreamingMetrics(clock=Clock(9.0))
    watch.add_chunk("ab")
    stats = watch.get_stats()
    assert (stats["total_time"], stats["time_to_first_chunk"]) == (0.0, 0.0)
    assert (stats["chars_per_second"], stats["recent_chunks_per_second"]) == (0.0, 0.0)


def test_a_second_start() -> None:
    """Starting again forgets what was counted."""
    clock = Clock(9.0)
    watch = StreamingMetrics(clock=clock)
    watch.add_chunk("ab")
    clock.now += 5.0
    watch.start()
    assert watch.get_stats() == {}
    clock.now += 1.0
    watch.add_chunk("c")
    stats = watch.get_stats()
    assert (stats["total_time"], stats["total_chars"]) == (1.0, 1)
    assert stats["recent_chars_per_second"] == 1.0


@pytest.mark.parametrize("size", [0, -1, 2.5, True, None, "100"])
def test_wrong_windows(size: Any) -> None:
    """A window that is not a whole number above 0 is refused."""
    with pytest.raises(ConfigurationError, match="window_size") as caught:
        StreamingMetrics(size)
    assert caught.value.argument == "window_size"
