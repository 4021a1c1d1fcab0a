"""The arithmetic of limits, with a clock that is moved by hand."""

from __future__ import annotations

import copy
import gc
import math
import pickle
import threading
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from evoclient.ground import ConfigurationError
from evoclient.limits import MINUTE, Limits, Slot, tokens_in

NOW = 1000.0


def admitted(limits: Limits, tokens: float = 0, now: float = NOW) -> Slot:
    """Return a slot that is admitted at once."""
    slot = limits.queue(tokens)
    assert limits.wait(slot, now) == 0
    return slot


def wait_for(limits: Limits, tokens: float = 0, now: float = NOW) -> float | None:
    """Return how long a request would wait now, without making it."""
    slot = limits.queue(tokens)
    seconds = limits.wait(slot, now)
    limits.release(slot)
    return seconds


def test_so_many_at_once() -> None:
    """Beyond the limit only the end of another request lets one in."""
    limits = Limits(2)
    first, _ = admitted(limits), admitted(limits)
    third = limits.queue(0)
    assert limits.wait(third, NOW) is None
    assert (limits.running, limits.waiting) == (2, 1)
    assert not third.turn.done()
    limits.release(first)
    assert third.turn.done()
    assert limits.wait(third, NOW) == 0
    assert (limits.running, limits.waiting) == (2, 0)


def test_in_the_order_of_arrival() -> None:
    """Who came later is not let in, although there is room, while somebody waits before them."""
    limits = Limits(1)
    running = admitted(limits)
    slots = [limits.queue(0) for _ in range(3)]
    limits.release(running)
    assert [limits.wait(slot, NOW) for slot in reversed(slots)] == [None, None, 0]


def test_a_waiter_that_leaves_makes_way() -> None:
    """The next one is woken where the first in the queue gives up, and nothing is counted."""
    limits = Limits(tokens_per_minute=60)
    admitted(limits, 60)
    patient, modest = limits.queue(60), limits.queue(1)
    assert limits.wait(patient, NOW) == 60
    assert limits.wait(modest, NOW) is None
    limits.release(patient)
    assert modest.turn.done()
    assert limits.wait(modest, NOW) == 1
    assert limits.waiting == 1


def test_giving_back_twice() -> None:
    """A slot counts once, however often it is given back."""
    limits = Limits(1)
    slot = admitted(limits)
    limits.release(slot)
    limits.release(slot)
    admitted(limits)
    assert limits.running == 1


def test_looking_again_after_being_let_in() -> None:
    """A slot that was let in stays so, and is counted once."""
    limits = Limits(1)
    slot = admitted(limits)
    assert limits.wait(slot, NOW) == 0
    assert limits.running == 1


def test_requests_per_minute() -> None:
    """A minute's worth at once, then one for each part of the minute."""
    limits = Limits(requests_per_minute=6)
    for _ in range(6):
        admitted(limits)
    assert wait_for(limits) == 10
    assert wait_for(limits, now=NOW + 4) == pytest.approx(6)
    admitted(limits, now=NOW + 10)
    assert wait_for(limits, now=NOW + 10) == pytest.approx(10)


def test_no_more_than_a_minutes_worth_is_saved_up() -> None:
    """An hour of silence does not buy an hour of requests."""
    limits = Limits(requests_per_minute=2)
    admitted(limits)
    for _ in range(2):
        admitted(limits, now=NOW + 3600)
    assert wait_for(limits, now=NOW + 3600) == pytest.approx(30)


def test_tokens_per_minute() -> None:
    """A request waits until what it reserves is there."""
    limits = Limits(tokens_per_minute=600)
    admitted(limits, 500)
    assert wait_for(limits, 400) == pytest.approx(30)
    admitted(limits, 100)
    assert wait_for(limits, 400) == pytest.approx(40)


def test_the_longer_wait_counts() -> None:
    """Where both rates are short, both must be waited for."""
    limits = Limits(requests_per_minute=1, tokens_per_minute=60)
    admitted(limits, 30)
    assert wait_for(limits, 60) == 60
    assert wait_for(limits, 30, now=NOW + 1) == pytest.approx(59)


def test_more_than_a_minutes_worth() -> None:
    """A request for more than the limit is sent when everything is there, and owed after."""
    limits = Limits(tokens_per_minute=60)
    admitted(limits, 1)
    assert wait_for(limits, 600) == pytest.approx(1)
    admitted(limits, 600, NOW + 1)
    assert wait_for(limits, 1, NOW + 1) == pytest.approx(541)


def test_corrections() -> None:
    """What the server counted takes the place of what was reserved, up and down."""
    limits = Limits(tokens_per_minute=600)
    slot = admitted(limits, 500)
    limits.correct(slot, 200, NOW)
    assert wait_for(limits, 500) == pytest.approx(10)
    limits.correct(slot, 900, NOW)
    assert wait_for(limits, 100) == pytest.approx(40)


def test_a_correction_counts_from_when_it_is_made() -> None:
    """Tokens used in a long stream are not forgiven because the bucket was full meanwhile."""
    limits = Limits(tokens_per_minute=600)
    slot = admitted(limits, 0)
    limits.correct(slot, 600, NOW + 3600)
    assert wait_for(limits, 600, NOW + 3600) == pytest.approx(60)


def test_a_correction_wakes_who_waits_for_tokens() -> None:
    """The first in the queue looks again when tokens come back."""
    limits = Limits(tokens_per_minute=600)
    slot = admitted(limits, 600)
    waiting = limits.queue(300)
    assert limits.wait(waiting, NOW) == pytest.approx(30)
    limits.correct(slot, 100, NOW)
    assert waiting.turn.done()
    assert limits.wait(waiting, NOW) == 0


@pytest.mark.parametrize("rubbish", [-1, math.nan, math.inf, 1e18, 10**400])
def test_counts_that_make_no_sense(rubbish: float) -> None:
    """A server that miscounts neither stops the client for years nor sets it free."""
    limits = Limits(tokens_per_minute=600)
    slot = admitted(limits, 500)
    limits.correct(slot, rubbish, NOW)
    assert wait_for(limits, 400) == pytest.approx(30)


@given(st.integers(1, 10**6), st.floats(0, 1e6), st.floats(0, 1e6))
def test_waiting_as_long_as_told_is_enough(most: int, first: float, second: float) -> None:
    """Whoever waits exactly as long as told is let in, whatever floating point makes of it."""
    limits = Limits(tokens_per_minute=most)
    admitted(limits, first)
    slot, now = limits.queue(second), NOW
    for _ in range(3):
        seconds = limits.wait(slot, now)
        assert seconds is not None
        if seconds == 0:
            return
        now += seconds
    raise AssertionError("it would wait again and again")


def test_without_limits_nobody_waits() -> None:
    """What is not limited is not counted against anybody."""
    limits = Limits()
    for _ in range(1000):
        admitted(limits, 1e6)
    assert limits.running == 1000


@pytest.mark.parametrize("name", ["max_concurrent", "requests_per_minute", "tokens_per_minute"])
@pytest.mark.parametrize("bad", [0, -1, 1.5, True, "3", math.inf])
def test_bad_limits(name: str, bad: Any) -> None:
    """What is no limit is refused, naming it, and a limit does not change later."""
    with pytest.raises(ConfigurationError, match=f"limits: {name} must be") as caught:
        Limits(**{name: bad})
    assert caught.value.argument == "limits"
    with pytest.raises(AttributeError):
        setattr(Limits(), name, 5)


def pickled(limits: Limits) -> Limits:
    """Return what comes out of a pickle."""
    twin: Limits = pickle.loads(pickle.dumps(limits))  # noqa: S301 - our own
    return twin


@pytest.mark.parametrize("again", [copy.copy, copy.deepcopy, pickled])
def test_copies_count_on_their_own(again: Any) -> None:
    """A pickle and a copy have the numbers and nothing of what is under way."""
    limits = Limits(1, requests_per_minute=2, tokens_per_minute=3)
    admitted(limits)
    twin = again(limits)
    assert repr(twin) == repr(limits)
    assert (limits.running, twin.running) == (1, 0)
    admitted(twin)
    assert repr(limits) == ("Limits(max_concurrent=1, requests_per_minute=2, tokens_per_minute=3)")


def waited_for(limits: Limits) -> Slot:
    """Return a slot that is admitted after others, as a thread gets it."""
    slot = limits.queue(0)
    while limits.wait(slot, NOW) != 0:
        slot.turn.result(5)
    return slot


class Garbage:
    """Gives a slot back when the collector finds it, as a forgotten stream does."""

    def __init__(self, limits: Limits) -> None:
        """Take a slot, and make a circle."""
        self.limits, self.slot, self.me = limits, waited_for(limits), self

    def __del__(self) -> None:
        """Give it back."""
        self.limits.release(self.slot)


def test_garbage_that_holds_slots() -> None:
    """Streams that the collector finds while limits are counted stop nobody."""
    limits = Limits()

    def churn() -> None:
        for _ in range(200):
            Garbage(limits)
            limits.release(waited_for(limits))

    before = gc.get_threshold()
    gc.set_threshold(1)
    try:
        threads = [threading.Thread(target=churn, daemon=True) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(20)
        assert not any(thread.is_alive() for thread in threads)
    finally:
        gc.set_threshold(*before)
    gc.collect()
    assert (limits.running, limits.waiting) == (0, 0)


@pytest.mark.parametrize(
    ("body", "max_tokens", "tokens"),
    [
        (None, None, 0),
        (b"12345678", None, 2),
        (b"12345678", 100, 102),
        ("привет, мир!".encode(), None, 3),
        ("世界\U0001f600!".encode(), 0, 1),
        (b"1234", -5, 1),
        (b"1234", "many", 1),
        (b"1234", None, 1),
        (b'"data:image/png;base64,' + b"A" * 4000 + b'"', None, 4),
        (b'{"data":"' + b"A" * 4000 + b'"}12', None, 1),
        (b"A" * 4000, None, 1000),
    ],
)
def test_reservations(body: bytes | None, max_tokens: object, tokens: float) -> None:
    """Characters, not bytes, a quarter token each, and the most that is asked for; no media."""
    assert tokens_in(body, max_tokens) == pytest.approx(tokens, abs=0.9)


class Waiter:
    """Somebody in the queue, who looks when woken or when told to, and at no other time."""

    def __init__(self, limits: Limits, tokens: float, now: float) -> None:
        """Stand in the queue."""
        self.limits, self.tokens = limits, tokens
        self.slot = limits.queue(tokens)
        self.due = now

    def looks(self, now: float) -> bool:
        """Look, if there is a reason to; return whether it was let in."""
        if not self.slot.turn.done() and now < self.due:
            return False
        seconds = self.limits.wait(self.slot, now)
        self.due = math.inf if seconds is None else now + seconds
        return seconds == 0


class Bookkeeping(RuleBasedStateMachine):
    """Any course of requests, ends, cancellations and corrections, against what was promised."""

    def __init__(self) -> None:
        """Begin with nothing."""
        super().__init__()
        self.now = NOW
        self.waiting: list[Waiter] = []
        self.running: list[Waiter] = []
        #: When, how many tokens (negative: given back), how much more than a minute's worth.
        self.taken: list[tuple[float, float, float]] = []
        self.begun: list[float] = []

    @initialize(
        concurrent=st.none() | st.integers(1, 4),
        requests=st.none() | st.integers(1, 20),
        tokens=st.none() | st.integers(1, 100),
    )
    def limit(self, concurrent: int | None, requests: int | None, tokens: int | None) -> None:
        self.limits = Limits(concurrent, requests_per_minute=requests, tokens_per_minute=tokens)

    @rule(tokens=st.floats(0, 200), count=st.integers(1, 4))
    def ask(self, tokens: float, count: int) -> None:
        self.waiting += [Waiter(self.limits, tokens, self.now) for _ in range(count)]
        self.settle()

    @rule(seconds=st.floats(0, 100))
    def pass_time(self, seconds: float) -> None:
        end = self.now + seconds
        while (due := min((waiter.due for waiter in self.waiting), default=math.inf)) < end:
            self.now = max(due, self.now)
            self.settle()
        self.now = end
        self.settle()

    @precondition(lambda self: self.running)
    @rule(data=st.data())
    def finish(self, data: st.DataObject) -> None:
        waiter = self.running.pop(data.draw(st.integers(0, len(self.running) - 1)))
        self.limits.release(waiter.slot)
        self.settle()

    @precondition(lambda self: self.waiting)
    @rule(data=st.data())
    def cancel(self, data: st.DataObject) -> None:
        waiter = self.waiting.pop(data.draw(st.integers(0, len(self.waiting) - 1)))
        self.limits.release(waiter.slot)
        self.settle()

    @precondition(lambda self: self.running)
    @rule(data=st.data(), tokens=st.floats(0, 200))
    def correct(self, data: st.DataObject, tokens: float) -> None:
        waiter = self.running[data.draw(st.integers(0, len(self.running) - 1))]
        self.taken.append((self.now, tokens - waiter.slot.tokens, math.nan))
        self.limits.correct(waiter.slot, tokens, self.now)
        self.settle()

    def settle(self) -> None:
        """Let everybody look who has a reason, in the worst order, until nobody has."""
        progress = True
        while progress:
            progress = False
            for waiter in reversed(self.waiting):
                if waiter.looks(self.now):
                    assert waiter is self.waiting[0], "out of order"
                    self.waiting.remove(waiter)
                    self.running.append(waiter)
                    self.note(waiter)
                    progress = True
                    break

    def note(self, waiter: Waiter) -> None:
        """Keep account of a request that begins, and judge every window that ends with it."""
        self.begun.append(self.now)
        most = self.limits.requests_per_minute
        if most is not None:
            for number, since in enumerate(self.begun):
                allowed = most + (self.now - since) * most / MINUTE
                assert len(self.begun) - number <= allowed + 1e-6
        most = self.limits.tokens_per_minute
        if most is not None:
            self.taken.append((self.now, waiter.tokens, max(0, waiter.tokens - most)))
            sent = 0.0
            for since, tokens, _ in reversed(self.taken):
                sent += tokens
                allowed = most + (self.now - since) * most / MINUTE + self.taken[-1][2]
                assert sent <= allowed + 1e-3

    @invariant()
    def counts(self) -> None:
        if not hasattr(self, "limits"):
            return
        assert self.limits.running == len(self.running)
        assert self.limits.waiting == len(self.waiting)
        most = self.limits.max_concurrent
        assert most is None or len(self.running) <= most

    @invariant()
    def somebody_has_a_reason_to_look(self) -> None:
        """Nobody waits who could go on, or whom nothing would ever wake."""
        if self.waiting:
            most = self.limits.max_concurrent
            is_full = most is not None and len(self.running) >= most
            assert is_full or self.waiting[0].due < math.inf

    def teardown(self) -> None:
        """In the end everybody is let in."""
        for _ in range(5 * (len(self.waiting) + len(self.running))):
            while self.running:
                self.limits.release(self.running.pop().slot)
            self.settle()
            due = min((waiter.due for waiter in self.waiting), default=self.now)
            if due < math.inf:
                self.now = max(self.now, due)
            self.settle()
        assert self.waiting == []


TestBookkeeping = Bookkeeping.TestCase
TestBookkeeping.settings = settings(max_examples=60, stateful_step_count=40)
