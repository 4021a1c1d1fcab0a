"""Patience: how long each read may take, with a clock that stands still."""

from __future__ import annotations

import pytest

from evoclient.wire import Deadline, Timeouts

from .driving import Clock, patience

LIMITS = Timeouts(first_chunk=600, idle=60)


def wait(clock: Clock, seconds: float) -> None:
    """Let time pass while a read waits."""
    clock.now += seconds


def test_first_chunk_runs_from_the_start_of_the_attempt() -> None:
    """The time until the head of the reply counts for the first line."""
    clock = Clock(1000)
    waiting = patience(clock, LIMITS)
    assert waiting.deadline() == Deadline(1600, "first_chunk", 600)


def test_the_head_has_used_some_of_it() -> None:
    """What the head took is gone when the body begins."""
    clock = Clock(1000)
    clock_at_start = clock.now
    clock.now += 100
    from evoclient.streaming.timing import Patience

    waiting = Patience(LIMITS, clock=clock, started=clock_at_start, total=None)
    assert waiting.deadline() == Deadline(1600, "first_chunk", 600)


def test_only_waiting_counts() -> None:
    """A reader who takes an hour between two reads has not made the server slow."""
    clock = Clock(1000)
    waiting = patience(clock, LIMITS)
    waiting.deadline()
    waiting.waited(line_completed=True)
    clock.now += 3600
    assert waiting.deadline() == Deadline(4660, "idle", 60)


def test_bytes_without_a_line_end_are_no_life() -> None:
    """What trickles in without completing a line uses up the limit that runs."""
    clock = Clock(1000)
    waiting = patience(clock, LIMITS)
    for used in (0, 100, 200):
        assert waiting.deadline() == Deadline(1600, "first_chunk", 600), used
        wait(clock, 100)
        waiting.waited(line_completed=False)


def test_a_line_starts_idle_anew() -> None:
    """Each completed line gives the next one the whole of `idle`."""
    clock = Clock(1000)
    waiting = patience(clock, LIMITS)
    for _ in range(3):
        waiting.deadline()
        wait(clock, 50)
        waiting.waited(line_completed=True)
        assert waiting.deadline() == Deadline(clock.now + 60, "idle", 60)


@pytest.mark.parametrize(
    ("limits", "before", "after"),
    [
        (Timeouts(first_chunk=None, idle=5), None, "idle"),
        (Timeouts(first_chunk=5, idle=None), "first_chunk", None),
        (Timeouts(first_chunk=None, idle=None), None, None),
    ],
)
def test_none_is_no_limit(limits: Timeouts, before: str | None, after: str | None) -> None:
    """A limit of None bounds nothing, before and after the first line."""
    waiting = patience(Clock(), limits)
    first = waiting.deadline()
    waiting.waited(line_completed=True)
    second = waiting.deadline()
    assert (first and first.limit, second and second.limit) == (before, after)


@pytest.mark.parametrize(("at", "limit"), [(1500, "total"), (1700, "first_chunk")])
def test_the_earlier_of_two_wins(at: float, limit: str) -> None:
    """`total` bounds each read besides the limit that runs."""
    waiting = patience(Clock(1000), LIMITS, Deadline(at, "total", 9))
    found = waiting.deadline()
    assert found is not None
    assert found.limit == limit


def test_shorten_counts_waiting_only() -> None:
    """What is left for the end is not used up by a reader who is slow with the last chunk."""
    clock = Clock(1000)
    waiting = patience(clock, LIMITS)
    waiting.deadline()
    waiting.waited(line_completed=True)
    waiting.shorten(2)
    clock.now += 10
    assert waiting.deadline() == Deadline(1012, "idle", 2)


def test_shorten_is_not_prolonged() -> None:
    """Lines that come after the shortening bring no time: it is for all that still comes."""
    clock = Clock(1000)
    waiting = patience(clock, LIMITS)
    waiting.shorten(2)
    waiting.deadline()
    wait(clock, 1.5)
    waiting.waited(line_completed=True)
    assert waiting.deadline() == Deadline(1002, "idle", 2)
    waiting.shorten(0.1)
    assert waiting.deadline() == Deadline(1001.6, "idle", 0.1)
    waiting.shorten(5)
    assert waiting.deadline() == Deadline(1001.6, "idle", 0.1)


def test_shorten_leaves_a_shorter_limit() -> None:
    """An `idle` that ends sooner still ends sooner, by its own name."""
    waiting = patience(Clock(1000), Timeouts(first_chunk=1, idle=1))
    waiting.shorten(2)
    assert waiting.deadline() == Deadline(1001, "first_chunk", 1)


def test_shorten_where_nothing_ran() -> None:
    """Shortening sets a limit where the user asked for none."""
    waiting = patience(Clock(1000), Timeouts(first_chunk=None, idle=None))
    waiting.shorten(2)
    assert waiting.deadline() == Deadline(1002, "idle", 2)


def test_total_wins_over_shorten() -> None:
    """A total that ends sooner than the shortened wait still ends it."""
    total = Deadline(1001, "total", 1)
    waiting = patience(Clock(1000), LIMITS, total)
    waiting.shorten(2)
    assert waiting.deadline() == total
