"""The figures of a stream, with a clock that the test moves."""

from __future__ import annotations

import gc
import json
import time
import tracemalloc
from typing import Any

import pytest

from evoclient.errors.tree import APIConnectionError
from evoclient.models.chunks import ChatCompletionChunk, read_chunk
from evoclient.models.usage import Usage
from evoclient.streaming.figures import GapFigures, Rates
from evoclient.streaming.metrics import StreamMetrics

from .driving import Clock

USAGE = Usage.from_dict({"completion_tokens": 40})


def chunk(content: Any = None, **delta: Any) -> ChatCompletionChunk:
    """Return a chunk of one choice."""
    return read_chunk({"choices": [{"index": 0, "delta": {"content": content, **delta}}]})


class Call:
    """A call whose time passes as told."""

    def __init__(self, **settings: Any) -> None:
        """Start it."""
        self.clock = Clock(1000.0)
        self.metrics = StreamMetrics(clock=self.clock, **settings)

    def opened(self, after: float) -> None:
        """Let the head of a reply come."""
        self.clock.now += after
        self.metrics.opened()

    def block(self, after: float, *chunks: ChatCompletionChunk, size: int = 10) -> None:
        """Let a block come, with the chunks that it completes."""
        since = self.clock.now
        self.clock.now += after
        self.metrics.block(size, since)
        for item in chunks:
            self.metrics.feed(item)

    def ended(self, usage: Usage | None = None) -> StreamMetrics:
        """Let the stream end."""
        self.metrics.finished(usage)
        return self.metrics


def test_nothing_is_known_at_first() -> None:
    """Before anything comes, figures that are not known are None and amounts are 0."""
    metrics = StreamMetrics(clock=Clock(5.0), started=2.0)
    known = {key: value for key, value in metrics.to_dict().items() if value not in (None, 0, [])}
    assert known == {
        "duration": 3.0,
        "waited": 3.0,
        "attempts": 1,
        "gaps": GapFigures().to_dict(),
        "rate": Rates().to_dict(),
        "recent": Rates().to_dict(),
    }


def test_times_from_the_start_of_the_call() -> None:
    """The times to headers, first chunk, reasoning and text all begin with the call."""
    call = Call()
    call.opened(0.5)
    call.block(0.25, chunk("", role="assistant"))
    call.block(1.0, chunk(None, reasoning_content="hm"))
    call.block(2.0, chunk("a"))
    call.block(2.0, chunk("b"), chunk(None, reasoning_content="late"))
    metrics = call.metrics
    assert metrics.time_to_headers == 0.5
    assert metrics.time_to_first_event == 0.75
    assert metrics.time_to_first_reasoning == 1.75
    assert metrics.time_to_first_text == 3.75


@pytest.mark.parametrize(
    "delta",
    [
        {"reasoning": "r"},
        {"reasoning_content": "r"},
        {"content": "both", "reasoning": "r"},
        {"content": [{"type": "thinking", "thinking": "r"}]},
    ],
)
def test_first_reasoning_in_every_spelling(delta: dict[str, Any]) -> None:
    """Reasoning is noticed in each of its spellings, and beside the first text."""
    call = Call()
    call.block(1.0, chunk(**delta))
    assert call.metrics.time_to_first_reasoning == 1.0


def test_attempts_and_their_waits_count() -> None:
    """What failed attempts took is part of all times, and they are kept in order."""
    call = Call()
    errors = [APIConnectionError("refused"), APIConnectionError("again")]
    call.clock.now += 1.0
    call.metrics.retried(2.0, errors[0])
    call.clock.now += 2.0
    call.opened(1.0)
    call.metrics.retried(4.0, errors[1])
    call.clock.now += 4.0
    call.opened(1.0)
    call.block(1.0, chunk("a"))
    metrics = call.ended()
    assert metrics.attempts == 3
    assert [(failed.at, failed.wait) for failed in metrics.retries] == [(1.0, 2.0), (4.0, 4.0)]
    assert [failed.error for failed in metrics.retries] == errors
    assert metrics.waited_for_retries == 6.0
    assert metrics.time_to_headers == 9.0
    assert metrics.time_to_first_text == metrics.duration == metrics.waited == 10.0
    assert metrics.to_dict()["retries"][0] == {
        "at": 1.0,
        "wait": 2.0,
        "error": "APIConnectionError: refused",
    }


def test_a_recovery_is_a_gap() -> None:
    """A stream that is opened again between two chunks has waited all that time."""
    call = Call()
    call.opened(1.0)
    call.block(1.0, chunk("a"))
    call.block(0.5, size=0)  # the read that failed
    call.metrics.retried(3.0, APIConnectionError("cut"))
    call.clock.now += 3.0
    call.opened(0.25)
    call.block(0.25, chunk("b"))
    metrics = call.ended()
    assert metrics.time_to_headers == 1.0
    assert (metrics.gaps.count, metrics.gaps.maximum) == (1, 4.0)
    assert (metrics.stalls, metrics.stalled) == (1, 4.0)
    assert metrics.waited == 6.0


def test_the_readers_own_time_is_no_gap() -> None:
    """A gap is the time spent waiting for the server, whatever the reader does meanwhile."""
    call = Call()
    call.opened(0.5)
    for wait in (0.5, 0.25, 0.125):
        call.block(wait, chunk("a"), chunk("b"))
        call.clock.now += 60.0
    metrics = call.ended()
    assert metrics.gaps == GapFigures(
        count=5, mean=0.075, p50=0.0, p95=0.25, p99=0.25, maximum=0.25
    )
    assert metrics.waited == 1.375
    assert metrics.duration == 181.375
    assert metrics.stalls == 0


def test_blocks_without_a_chunk_lengthen_the_gap() -> None:
    """The waits for blocks that complete no chunk belong to the gap before the next one."""
    call = Call()
    call.opened(0.0)
    call.block(1.0, chunk("a"))
    call.block(1.5)
    call.block(1.5, chunk("b"))
    call.block(9.0)
    assert call.metrics.gaps.maximum == 3.0
    assert call.metrics.stalls == 1
    assert call.ended().waited == 13.0


@pytest.mark.parametrize("number", [3, 100, 5000])
def test_stalls_are_exact(number: int) -> None:
    """The gaps over the limit are counted, and their seconds, however long the stream is."""
    call = Call(stall_after=1.0)
    for place in range(number):
        call.block(1.5 if place == number - 1 else 1.0 if place % 7 else 0.0, chunk("a"))
    assert (call.metrics.stalls, call.metrics.stalled) == (1, 1.5)


def test_amounts() -> None:
    """Bytes, chunks and the characters of all choices are counted; odd content is not text."""
    call = Call()
    call.block(0.1, size=100)
    both = [{"index": index, "delta": {"content": "abc"}} for index in (0, 1)]
    call.block(0.1, read_chunk({"choices": both}), read_chunk({"choices": []}), size=20)
    call.block(0.1, chunk(7), chunk(""), chunk("é😀"), size=0)
    metrics = call.ended(USAGE)
    assert (metrics.bytes, metrics.chunks, metrics.characters) == (120, 5, 8)
    assert metrics.tokens == 40


@pytest.mark.parametrize("usage", [None, Usage(), Usage.from_dict({"completion_tokens": "40"})])
def test_unknown_tokens(usage: Usage | None) -> None:
    """Tokens are None where the server sent no number."""
    call = Call()
    call.block(1.0, chunk("a"))
    metrics = call.ended(usage)
    assert metrics.tokens is None
    assert metrics.rate.tokens_per_second is None


def test_rates_over_the_whole() -> None:
    """Rates run from the first chunk to now, and stop at the last chunk."""
    call = Call()
    call.opened(5.0)
    for _ in range(11):
        call.block(0.5, chunk("abcd"))
    call.clock.now += 5.0
    assert call.metrics.rate.characters_per_second == 4.4
    call.block(3.0, size=0)
    assert call.ended(USAGE).rate == Rates(
        characters_per_second=8.8, chunks_per_second=2.2, tokens_per_second=8.0
    )


def test_recent_rates_of_a_short_stream() -> None:
    """A stream that is shorter than the window has the same rates over both."""
    call = Call()
    for _ in range(60):
        call.block(0.5, chunk("ab"))
    assert call.metrics.recent == call.metrics.rate
    assert call.metrics.rate.characters_per_second == pytest.approx(120 / 29.5)


def test_rates_need_time() -> None:
    """An answer that comes in one block has no rate."""
    call = Call()
    call.block(1.0, chunk("whole"))
    assert call.ended(USAGE).rate == Rates()


def test_recent_rates() -> None:
    """The window follows a stream that becomes faster, and the totals do not."""
    call = Call()
    for _ in range(500):
        call.block(1.0, chunk("a"))
    for _ in range(500):
        call.block(0.125, chunk("ab"))
    recent = call.metrics.recent
    assert recent.characters_per_second == pytest.approx(16.0)
    assert recent.chunks_per_second == pytest.approx(8.0)
    assert call.metrics.rate.chunks_per_second == pytest.approx(1000 / (499 + 62.5))


def test_the_window_is_about_a_hundred_chunks() -> None:
    """What came more than 150 chunks ago does not change the recent rates."""
    for slow in (0, 1, 400):
        call = Call()
        for _ in range(slow):
            call.block(9.0, chunk("a"))
        for _ in range(200):
            call.block(0.5, chunk("a"))
        assert call.metrics.recent.chunks_per_second == pytest.approx(2.0, rel=0.02)


def test_it_ends_once() -> None:
    """The first end counts, and time stands still behind it."""
    call = Call()
    call.opened(0.0)
    call.block(1.0, chunk("a"))
    call.ended(USAGE)
    call.clock.now += 5.0
    metrics = call.ended(None)
    assert (metrics.duration, metrics.waited, metrics.tokens) == (1.0, 1.0, 40)
    assert repr(metrics) == "<StreamMetrics 1 chunks, 1 characters, 1.00 s>"


def test_an_end_before_the_head() -> None:
    """A call that never got a reply has waited all the time."""
    call = Call()
    call.clock.now += 7.0
    assert call.ended().waited == 7.0


def test_figures_are_json() -> None:
    """The figures go through JSON unchanged."""
    call = Call()
    call.metrics.retried(1.0, APIConnectionError("refused"))
    call.opened(1.0)
    for _ in range(300):
        call.block(0.1, chunk("a"))
    figures = call.ended(USAGE).to_dict()
    assert json.loads(json.dumps(figures)) == figures


def test_a_timeline_over_a_whole_stream() -> None:
    """The drawing knows how many characters had come at each time, in at most a hundred steps."""
    call = Call()
    call.opened(1.0)
    for place in range(2000):
        call.block(5.0 if place == 1000 else 0.05, chunk("ab"))
        timeline = call.metrics._timeline()
        assert len(timeline.waits) <= 98
    for time_, characters in timeline.characters:
        arrived = (time_ - 1.0) / 0.05 * 2 if time_ < 51 else max(2000, (time_ - 5.95) / 0.05 * 2)
        assert characters == pytest.approx(max(arrived, 0), abs=3)
    assert timeline.characters[-1] == pytest.approx((105.95, 4000))
    stalls = [end for end, wait in timeline.waits if wait == 5.0]
    assert stalls == [pytest.approx(56.0, abs=2.0)]


def test_memory_is_flat() -> None:
    """A long stream takes no more memory than a few kilobytes."""
    call = Call()
    waits = [(place % 997 + 1) / 1000 for place in range(5000)]
    tracemalloc.start()
    try:
        gc.collect()
        before = tracemalloc.get_traced_memory()[0]
        item = chunk("word ")
        for wait in waits:
            call.block(wait, item)
        gc.collect()
        grown = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
    assert grown < 12_000


def test_the_cost_does_not_show() -> None:
    """Measuring a chunk costs no more than a few calls of an empty function.

    Which is how speed is compared on machines that differ: an absolute limit would test them.
    """
    metrics, item = StreamMetrics(), chunk("word ")
    metrics.opened()

    def nothing(one: object, other: object) -> None:
        """Do nothing."""

    def seconds(block: Any, feed: Any) -> float:
        best = 1.0
        for _ in range(20):
            begin = time.perf_counter()
            for _ in range(2000):
                block(180, begin)
                feed(item)
            best = min(best, time.perf_counter() - begin)
        return best

    empty = seconds(nothing, lambda item: None)
    assert seconds(metrics.block, metrics.feed) < 20 * empty
