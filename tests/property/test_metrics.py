"""Figures keep their promises for any waits, any grouping of chunks and any window."""

from __future__ import annotations

from math import ceil

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from evoclient.models.chunks import read_chunk
from evoclient.streaming.gaps import EXACT_WAITS, Gaps
from evoclient.streaming.metrics import StreamMetrics
from evoclient.streaming.pace import MOST_STEPS, Profile
from evoclient.streaming.stopwatch import StreamingMetrics

from ..streaming.driving import Clock

# Shorter than a microsecond and longer than an hour, and all between, evenly by their size.
WAITS = st.floats(-29, 14).map(lambda power: 2.0**power)
SPREAD = st.lists(WAITS, max_size=60).map(lambda waits: waits * 7)
TEXTS = st.lists(st.sampled_from(["", "a", "bc", "é😀", "word "]), max_size=40)


def folded(waits: list[float], every: int) -> Gaps:
    """Return a distribution that was folded now and then."""
    gaps = Gaps(2.0)
    for place, wait in enumerate(waits):
        gaps.waits.append(wait)
        if place % every == 0:
            gaps.fold()
    return gaps


@given(SPREAD, st.integers(0, 200), st.integers(1, 90))
@example([1.0] * 500, 0, 50)
@example([2.0**-29] * 500, 1, 50)
@example([2.0**14, 2.0**12] * 250, 0, 50)
def test_percentiles(waits: list[float], zeros: int, every: int) -> None:
    """A percentile is the value at its rank: exact for few waits, within 5 % for many."""
    count = len(waits) + zeros
    figures = folded(waits, every).figures(count)
    assert figures.count == count
    if not count:
        assert figures.maximum is figures.mean is figures.p50 is None
        return
    ordered = sorted([0.0] * zeros + waits)
    assert figures.maximum == ordered[-1]
    assert figures.mean == pytest.approx(sum(ordered) / count)
    for percent, found in ((50, figures.p50), (95, figures.p95), (99, figures.p99)):
        wanted = ordered[ceil(count * percent / 100) - 1]
        if len(waits) <= EXACT_WAITS:
            assert found == wanted
        elif wanted <= 8191:
            assert found == pytest.approx(wanted, rel=0.05)


@given(SPREAD, st.integers(1, 90))
def test_stalls_and_total(waits: list[float], every: int) -> None:
    """Stalls, their seconds and the total are exact, wherever waits are folded."""
    gaps = folded(waits, every)
    stalls = [wait for wait in waits if wait > 2.0]
    assert gaps.stalls() == pytest.approx((len(stalls), sum(stalls)))
    assert gaps.total == pytest.approx(sum(waits))
    assert gaps.longest == max(waits, default=0.0)


# How many chunks a block completes, how long it was waited for, and how long the reader took.
BLOCKS = st.lists(st.tuples(st.integers(0, 6), st.integers(0, 40), st.integers(0, 40)), max_size=20)


@given(TEXTS, BLOCKS)
def test_grouping(texts: list[str], blocks: list[tuple[int, int, int]]) -> None:
    """Any grouping of the chunks into blocks, empty ones among them, gives the same totals."""
    clock = Clock(0.0)
    metrics = StreamMetrics(clock=clock)
    metrics.opened()
    chunks = [read_chunk({"choices": [{"delta": {"content": text}}]}) for text in texts]
    for most, wait, pause in [*blocks, (len(texts), 1, 0)]:
        since = clock.now
        clock.now += wait / 8
        metrics.block(3, since)
        for chunk in chunks[:most]:
            metrics.feed(chunk)
        del chunks[:most]
        clock.now += pause / 8
    metrics.finished(None)
    assert (metrics.chunks, metrics.characters) == (len(texts), len("".join(texts)))
    assert metrics.bytes == 3 * len(blocks) + 3
    assert metrics.waited == sum(wait for _, wait, _ in blocks) / 8 + 1 / 8
    assert metrics.gaps.count == max(len(texts) - 1, 0)
    assert (metrics.time_to_first_text is None) == (not any(texts))
    assert metrics._timeline().characters[-1] == (metrics.duration, metrics.characters)


@given(st.lists(st.tuples(WAITS, st.integers(0, 5)), max_size=300))
@example([(1 / 128, 1)] * 200 + [(3.0, 1)] + [(1 / 128, 1)] * 500)
def test_profiles(parts: list[tuple[float, int]]) -> None:
    """Each step of a profile says what had come by its end, and the longest wait that ended in it.

    And there are never more steps than a drawing has room for.
    """
    profile = Profile()
    now, characters, waiting = 0.0, 0, 0.0
    arrived = []
    for wait, more in parts:
        now += wait
        if now >= profile.next_end:
            profile.advance(now, characters, waiting)
            waiting = 0.0
        assert now < profile.next_end
        characters += more
        waiting = max(waiting, wait)
        arrived.append((now, wait, more))
        assert len(profile.characters) == len(profile.waits) <= MOST_STEPS
    for step, (known, longest) in enumerate(zip(profile.characters, profile.waits, strict=True)):
        start, end = step * profile.step, (step + 1) * profile.step
        assert known == sum(more for time, _, more in arrived if time < end)
        assert longest == max((w for time, w, _ in arrived if start <= time < end), default=0.0)


@given(TEXTS, st.integers(1, 50))
def test_totals_never_depend_on_the_window(texts: list[str], window: int) -> None:
    """The totals of the stopwatch are those of all chunks, whatever its window."""
    clock = Clock(0.0)
    watch, other = StreamingMetrics(window, clock=clock), StreamingMetrics(10**6, clock=clock)
    for text in texts:
        watch.add_chunk(text)
        other.add_chunk(text)
        clock.now += 0.5
    found, wanted = watch.get_stats(), other.get_stats()
    totals = {key for key in wanted if not key.startswith("recent_")}
    assert {key: found[key] for key in totals} == {key: wanted[key] for key in totals}
    if texts:
        last = texts[-window:]
        seconds = 0.5 * min(window + (len(texts) > window), len(texts))
        assert found["total_chars"] == len("".join(texts))
        assert found["recent_chars_per_second"] == pytest.approx(len("".join(last)) / seconds)
