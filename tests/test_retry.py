"""When to try again, and after how long, with a clock that stands still."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evoclient.auth.key_pair import KeyPair
from evoclient.errors.tree import (
    APIConnectionError,
    APIError,
    APITimeoutError,
    RateLimitError,
    StreamProviderError,
)
from evoclient.ground import ConfigurationError
from evoclient.retry import LONGEST_HINT, Allowance, Course, Retry, RetryState
from evoclient.transports.memory import MemoryReply
from evoclient.wire import Deadline
from tests.colours import Aio, Colour, Sync
from tests.twins.scripts import cut, failing, refusing, streamed

AnyColour = Colour[Any, Any]


class Clock:
    """A clock that goes on when it is told to."""

    now = 1000.0

    def __call__(self) -> float:
        """Return the moment."""
        return self.now


def course(
    retry: Retry | None = None,
    *,
    clock: Clock | None = None,
    total: float | None = None,
    dice: Callable[[], float] = lambda: 1.0,
) -> Course:
    """Return the course of a call that begins now."""
    return Course(retry or Retry(), Allowance(), clock=clock or Clock(), dice=dice, total=total)


def busy(retry_after: float | None = None, **facts: Any) -> APIError:
    """Return an error that is worth another try."""
    facts = {"judged_as": 429, "retryable": True, **facts}
    return RateLimitError("busy", retry_after=retry_after, **facts)


def test_defaults() -> None:
    """Three attempts, half a second that doubles up to eight, no deadline."""
    retry = Retry()
    assert (retry.attempts, retry.base, retry.cap, retry.deadline) == (3, 0.5, 8, None)
    statuses = {408, 409, 425, 429, 500, 502, 503, 504, 524, 529}
    assert retry.statuses == statuses


@given(
    st.integers(0, 10_000),
    st.floats(0, 1),
    st.just(0.0) | st.floats(0.001, 100),
    st.just(0.0) | st.floats(0.001, 100),
)
def test_backoff_bounds(retries: int, dice: float, base: float, cap: float) -> None:
    """A wait is between half of min(cap, base * 2**n) and all of it."""
    most = min(cap, base * 2.0 ** min(retries, 100))
    wait = Retry(base=base, cap=cap).backoff(retries, lambda: dice)
    assert most / 2 <= wait <= most


@pytest.mark.parametrize(("retries", "wait"), [(0, 0.5), (1, 1), (2, 2), (3, 4), (4, 8), (9, 8)])
def test_backoff_doubles(retries: int, wait: float) -> None:
    """With the highest throw, waits are 0.5, 1, 2, 4 and then always 8 seconds."""
    assert Retry().backoff(retries, lambda: 1.0) == wait
    assert Retry().backoff(retries, lambda: 0.0) == wait / 2


@pytest.mark.parametrize(
    ("error", "wanted"),
    [
        (APIConnectionError("x"), True),
        (APITimeoutError("x", limit="connect", seconds=1), True),
        (APITimeoutError("x", limit="first_chunk", seconds=1), True),
        (APITimeoutError("x", limit="total", seconds=1), False),
        (busy(), True),
        (busy(judged_as=400), False),
        (busy(judged_as=400, advice=True), True),
        (busy(judged_as=503, advice=False), False),
        (APIConnectionError("x", advice=False), False),
        (StreamProviderError("x", retryable=True), True),
        (StreamProviderError("x", retryable=False), False),
        (StreamProviderError("x", retryable=True, judged_as=400), False),
        (APIError("x"), False),
    ],
)
def test_what_is_tried_again(error: APIError, wanted: bool) -> None:
    """Advice wins, then the status an error amounts to, then what the error says of itself."""
    assert Retry().wants(error) is wanted


def test_custom_statuses() -> None:
    """The user's statuses replace ours."""
    retry = Retry(statuses=frozenset({418}))
    assert retry.wants(busy(judged_as=418))
    assert not retry.wants(busy(judged_as=429))


def test_attempts_are_counted() -> None:
    """After the last attempt the error is raised, with the earlier ones, newest first."""
    running = course(Retry(attempts=3))
    errors = [busy(), busy(), busy()]
    assert running.wait_after(errors[0]) == 0.5
    assert running.wait_after(errors[1]) == 1.0
    with pytest.raises(RateLimitError) as caught:
        running.wait_after(errors[2])
    assert caught.value is errors[2]
    assert errors[2].attempts == (errors[1], errors[0])
    assert errors[0].attempts == ()


def test_no_retries() -> None:
    """One attempt is no retry."""
    with pytest.raises(RateLimitError):
        course(Retry(attempts=1)).wait_after(busy())


def test_what_is_not_wanted_is_raised_at_once() -> None:
    """An error that another try does not mend is raised after the first attempt."""
    with pytest.raises(RateLimitError):
        course().wait_after(busy(judged_as=400))


@pytest.mark.parametrize("hint", [0.0, 0.001, 7, 59.9, 60, LONGEST_HINT])
def test_hints(hint: float) -> None:
    """The server's word replaces the computed wait, up to a minute."""
    assert course().wait_after(busy(hint)) == hint


@pytest.mark.parametrize("hint", [60.001, 61, 1e9])
def test_long_hints(hint: float) -> None:
    """Told to wait longer, it raises at once, and the error says how long."""
    with pytest.raises(RateLimitError) as caught:
        course().wait_after(busy(hint))
    assert caught.value.retry_after == hint


@pytest.mark.parametrize(
    ("deadline", "total", "used", "goes_on"),
    [
        (10, None, 9, True),
        (10, None, 9.4, True),
        (10, None, 9.6, False),
        (None, 10, 9, True),
        (None, 10, 9.5, False),
        (None, 10, 99, False),
        (5, 10, 6, False),
        (20, 10, 12, False),
        (20, 30, 12, True),
    ],
)
def test_deadlines(deadline: float | None, total: float | None, used: float, goes_on: bool) -> None:
    """No attempt is started behind `deadline` or `total`; the earlier wins."""
    clock = Clock()
    running = course(Retry(deadline=deadline), clock=clock, total=total)
    clock.now += used
    if goes_on:
        assert running.wait_after(busy()) == 0.5
    else:
        with pytest.raises(RateLimitError):
            running.wait_after(busy())


def test_a_hint_beyond_the_deadline() -> None:
    """A wait that would end behind the deadline is not begun."""
    with pytest.raises(RateLimitError):
        course(Retry(deadline=5)).wait_after(busy(6))


def test_total() -> None:
    """The whole call ends at a moment that is fixed when it begins."""
    assert course(total=7).total == Deadline(1007, "total", 7)
    assert course().total is None


def test_hooks_see_every_retry(caplog: pytest.LogCaptureFixture) -> None:
    """Each hook sees attempt, wait and error before the wait; the last failure is no retry."""
    seen: list[RetryState] = []
    running = course(Retry(attempts=3, hooks=[seen.append, seen.append]))
    errors = [busy(), busy(3), busy()]
    running.wait_after(errors[0])
    running.wait_after(errors[1])
    with pytest.raises(RateLimitError):
        running.wait_after(errors[2])
    expected = [RetryState(1, 0.5, errors[0]), RetryState(2, 3, errors[1])]
    assert seen == [state for state in expected for _ in range(2)]
    assert [record.levelname for record in caplog.records] == ["WARNING", "WARNING"]


def test_a_hook_that_fails(caplog: pytest.LogCaptureFixture) -> None:
    """What a hook raises is logged and decides nothing."""
    seen: list[RetryState] = []

    def broken(state: RetryState) -> None:
        raise LookupError("broken hook")

    with caplog.at_level(logging.ERROR, "evoclient"):
        assert course(Retry(hooks=(broken, seen.append))).wait_after(busy()) == 0.5
    assert len(seen) == 1
    assert "broken hook" in caplog.text


NAN = float("nan")


@pytest.mark.parametrize(
    ("name", "bad"),
    [
        *[("attempts", bad) for bad in (0, -1, 1.5, True, None, "3")],
        *[("base", bad) for bad in (-1, NAN, True, None, "1")],
        *[("cap", bad) for bad in (-0.1, NAN, "8", 1.1e9, float("inf"))],
        *[("deadline", bad) for bad in (-1, NAN, "9")],
        *[("statuses", bad) for bad in (429, None, ["429"], "429", [None])],
        *[("hooks", bad) for bad in (print, None, [None], "hook")],
    ],
)
def test_bad_policies(name: str, bad: Any) -> None:
    """What is no policy is refused, naming the field."""
    with pytest.raises(ConfigurationError, match=f"retry: {name} must be") as caught:
        Retry(**{name: bad})
    assert caught.value.argument == "retry"


def test_a_generator_of_statuses() -> None:
    """Any iterable of statuses and hooks is taken."""
    retry = Retry(statuses=frozenset(range(500, 503)), hooks=(hook for hook in [print]))
    assert retry.statuses == {500, 501, 502}
    assert retry.hooks == (print,)


def slow() -> APITimeoutError:
    """Return the error of an attempt that took too long."""
    return APITimeoutError("x", limit="first_chunk", seconds=1)


def failed(allowance: Allowance, error: Callable[[], APIError] = busy) -> int:
    """Let a call fail to its end; return how many retries it made."""
    running = Course(Retry(), allowance, clock=Clock(), dice=lambda: 1.0, total=None)
    for retries in range(10):
        try:
            running.wait_after(error())
        except APIError:
            return retries
    raise AssertionError("it goes on and on")


def test_prices() -> None:
    """A retry costs 5 of 100, after a timeout 10."""
    allowance = Allowance()
    assert allowance.left == 100
    assert allowance.take(busy()) == 5
    assert allowance.take(slow()) == 10
    assert allowance.left == 85


@pytest.mark.parametrize(("error", "retries"), [(busy, 20), (slow, 10)])
def test_an_outage_is_not_multiplied(error: Callable[[], APIError], retries: int) -> None:
    """A hundred calls that fail make twenty retries together, ten after timeouts."""
    allowance = Allowance()
    assert sum(failed(allowance, error) for _ in range(100)) == retries
    assert allowance.left == 0


def test_too_little_is_nothing(caplog: pytest.LogCaptureFixture) -> None:
    """What a timeout costs must be there in full; the failure is told as it is, with a warning."""
    allowance = Allowance()
    for _ in range(19):
        allowance.take(busy())
    assert (allowance.take(slow()), allowance.left) == (None, 5)
    assert failed(allowance, slow) == 0
    assert "too many calls" in caplog.text
    assert failed(allowance) == 1


def test_what_is_not_tried_again_costs_nothing() -> None:
    """An error that is final, and the last one of a call, are not paid for."""
    allowance = Allowance()
    assert failed(allowance, lambda: busy(judged_as=400)) == 0
    assert allowance.left == 100
    assert failed(allowance) == 2
    assert allowance.left == 90


def test_refunds() -> None:
    """A success gives back what its last retry cost, or 1 where there was none; 100 at most."""
    allowance = Allowance()
    running = Course(Retry(), allowance, clock=Clock(), dice=lambda: 1.0, total=None)
    running.wait_after(busy())
    running.wait_after(slow())
    assert allowance.left == 85
    running.succeeded()
    assert allowance.left == 95
    for left in (96, 97, 98, 99, 100, 100):
        Course(Retry(), allowance, clock=Clock(), dice=lambda: 1.0, total=None).succeeded()
        assert allowance.left == left


def test_recovery() -> None:
    """After an outage, five successes without a retry pay for one."""
    allowance = Allowance()
    while failed(allowance):
        pass
    for _ in range(4):
        course_of(allowance).succeeded()
    assert failed(allowance) == 0
    course_of(allowance).succeeded()
    assert failed(allowance) == 1


def course_of(allowance: Allowance) -> Course:
    """Return the course of a call that begins now."""
    return Course(Retry(), allowance, clock=Clock(), dice=lambda: 1.0, total=None)


@given(st.lists(st.sampled_from(["busy", "slow", "success"]), max_size=200))
def test_never_below_nothing_or_above_all(story: list[str]) -> None:
    """Whatever happens, between 0 and 100 is left, and successes never make retries free."""
    allowance = Allowance()
    paid = 0.0
    for what in story:
        if what == "success":
            allowance.give_back(Allowance.INTEREST)
        else:
            paid += allowance.take(busy() if what == "busy" else slow()) or 0
        assert 0 <= allowance.left <= 100
    assert paid <= 100 + story.count("success")


@pytest.fixture(params=[Sync, Aio], ids=["sync", "aio"])
def colour(request: pytest.FixtureRequest) -> Iterator[AnyColour]:
    """Give the means of one colour, then of the other."""
    made: AnyColour = request.param()
    yield made
    made.finish()


OUTAGES: dict[str, tuple[Any, bool]] = {
    "a busy server": (lambda: refusing(503), False),
    "no server": (failing, False),
    "whole answers that are cut": (
        lambda: MemoryReply(pieces=[b"{"], error=APIConnectionError("reset"), error_after=1),
        False,
    ),
    "no streams": (lambda: refusing(503), True),
    "streams that are cut before the first chunk": (cut, True),
    "streams that begin with an error": (
        lambda: MemoryReply.stream({"error": {"code": 503, "message": "no"}}),
        True,
    ),
}


@pytest.mark.parametrize("case", OUTAGES)
def test_outages_through_a_client(colour: AnyColour, case: str) -> None:
    """A hundred calls in an outage cause at most twenty requests more, streams included."""
    reply, stream = OUTAGES[case]
    down = [True]
    transport = colour.memory(lambda _: reply() if down[0] else streamed("Hi"))
    client = colour.client(transport=transport, model="m", retry_delay=0)

    def ask() -> None:
        if stream:
            colour.text(colour.stream(client))
        else:
            colour.create(client)

    for _ in range(100):
        with pytest.raises(APIError):
            ask()
    assert len(transport.requests) == 120
    down[0] = False
    for _ in range(5):
        assert colour.text(colour.stream(client)) == ["Hi"]
    down[0] = True
    with pytest.raises(APIError):
        ask()
    assert len(transport.requests) == 120 + 5 + 2


def test_a_stream_counts_once_it_has_given_something(colour: AnyColour) -> None:
    """The price of a retry comes back with a stream that had a chunk, though it was left early."""
    replies = [failing(), streamed("a", "b"), cut("a")]
    client = colour.client(transport=colour.memory(replies), model="m", retry_delay=0)
    allowance = client._caller.settings.allowance
    stream = colour.stream(client)
    assert allowance.left == 95
    colour.first(stream)
    assert allowance.left == 100
    allowance.take(busy())
    with pytest.raises(APIError):
        colour.text(colour.stream(client))
    assert allowance.left == 96


def test_a_token_exchange_draws_on_the_same_allowance(colour: AnyColour) -> None:
    """Retries of the token endpoint are retries of the client."""
    transport = colour.memory(lambda _: refusing(503))
    auth = KeyPair("planted-id-01", "planted-secret-01", token_url="https://iam.test/token")
    client = colour.client(transport=transport, model="m", auth=auth, retry_delay=0)
    for _ in range(30):
        with pytest.raises(APIError):
            colour.create(client)
    assert len(transport.requests) == 50
