"""Retries keep within their policy, whatever servers, dice and clocks do."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from email.utils import formatdate

from hypothesis import given
from hypothesis import strategies as st

from evoclient.errors.hints import retry_delay
from evoclient.errors.tree import APIConnectionError, APIError, APITimeoutError, RateLimitError
from evoclient.retry import LONGEST_HINT, Allowance, Course, Retry
from evoclient.wire import Headers

NOW = 1_800_000_000.0

SECONDS = st.just(0.0) | st.floats(0, 1000) | st.floats(0, 1e9)
POLICIES = st.builds(
    Retry,
    attempts=st.integers(1, 70),
    base=SECONDS,
    cap=SECONDS,
    deadline=st.none() | SECONDS,
)
#: What a server may write into Retry-After, good and bad.
SAID = (
    st.none()
    | st.sampled_from(["nan", "inf", "-1", "1e999", "0", "60", "60.0001", "1_0", "\u0663", "+5"])
    | st.floats().map(str)
    | st.integers(-10, 10**6).map(str)
    | st.floats(-1e5, 1e6).map(lambda after: formatdate(NOW + after, usegmt=True))
    | st.text(max_size=12)
)
ERRORS: dict[str, Callable[[float | None], APIError]] = {
    "busy": lambda hint: RateLimitError("busy", judged_as=429, retryable=True, retry_after=hint),
    "final": lambda hint: RateLimitError("no", judged_as=400, retry_after=hint),
    "advised": lambda hint: RateLimitError("again", judged_as=400, advice=True, retry_after=hint),
    "lost": lambda hint: APIConnectionError("lost", retry_after=hint),
    "slow": lambda hint: APITimeoutError("slow", limit="first_chunk", seconds=1, retry_after=hint),
}
STORIES = st.lists(st.tuples(st.sampled_from(sorted(ERRORS)), SAID, st.floats(0, 100)), max_size=80)


def hint_of(said: str | None) -> float | None:
    """Return the wait that a reply with such a Retry-After asks for."""
    headers = Headers() if said is None else Headers({"Retry-After": said})
    return retry_delay(headers, lambda: NOW, {})


class Clock:
    """A clock that goes on when it is told to."""

    now = 50.0

    def __call__(self) -> float:
        """Return the moment."""
        return self.now


def wait_or_none(course: Course, error: APIError) -> float | None:
    """Return the wait after an error, or None where the error itself is raised."""
    try:
        return course.wait_after(error)
    except APIError as raised:
        if raised is not error:
            raise
        return None


@given(POLICIES, st.none() | st.floats(0.001, 1e6), STORIES, st.floats(0, 1))
def test_any_story(
    policy: Retry, total: float | None, story: list[tuple[str, str | None, float]], throw: float
) -> None:
    """Each wait is the server's or the formula's, and ends before deadline and total do."""
    clock, allowance = Clock(), Allowance()
    course = Course(policy, allowance, clock=clock, dice=lambda: throw, total=total)
    began = clock.now
    for retries, (name, said, used) in enumerate(story):
        clock.now += used
        hint = hint_of(said)
        error, left = ERRORS[name](hint), allowance.left
        wait = wait_or_none(course, error)
        if wait is None:
            assert len(error.attempts) == retries
            assert allowance.left == left
            return
        computed = min(policy.cap, policy.base * 2.0**retries)
        if hint is None:
            assert computed / 2 <= wait <= computed
        else:
            assert wait == hint <= LONGEST_HINT
        assert wait >= 0
        assert math.isfinite(wait)
        assert name != "final"
        assert policy.deadline is None or clock.now + wait <= began + policy.deadline
        assert total is None or clock.now + wait < began + total
        assert allowance.left == left - (10 if name == "slow" else 5) >= 0
        assert retries + 1 < policy.attempts
        clock.now += wait


@given(POLICIES, st.lists(st.tuples(st.sampled_from(sorted(ERRORS)), st.booleans()), max_size=60))
def test_the_calls_of_a_client_together(policy: Retry, calls: list[tuple[str, bool]]) -> None:
    """Retries of all calls together cost at most what there is and what successes bring."""
    allowance, paid, earned = Allowance(), 0.0, 0.0
    for name, succeeds in calls:
        course = Course(policy, allowance, clock=Clock(), dice=lambda: 0.0, total=None)
        last = Allowance.INTEREST
        if wait_or_none(course, ERRORS[name](None)) is not None:
            last = 10 if name == "slow" else 5
            paid += last
        if succeeds:
            course.succeeded()
            earned += last
        assert 0 <= allowance.left <= Allowance.FULL
    assert paid <= Allowance.FULL + earned


@given(SAID, SAID, st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=9))
def test_any_hint(seconds: str | None, milliseconds: str | None, told: object) -> None:
    """Whatever a server says, the wait is a number of seconds that one can wait for, or None."""
    said = {"Retry-After": seconds, "Retry-After-Ms": milliseconds}
    headers = Headers({name: value for name, value in said.items() if value is not None})
    wait = retry_delay(headers, lambda: NOW, {"retry_after": told})
    assert wait is None or (math.isfinite(wait) and wait >= 0)


@given(st.integers(1, 10**8), st.sampled_from(["IMF", "RFC 850", "asctime"]))
def test_any_date(after: int, form: str) -> None:
    """A moment to come is read from each form of a date, to the second."""
    moment = NOW + after
    written = {
        "IMF": formatdate(moment, usegmt=True),
        # Its two digits of the year are read as one of 1969 to 2068, as long as that will do.
        "RFC 850": time.strftime("%A, %d-%b-%y %H:%M:%S GMT", time.gmtime(moment)),
        "asctime": time.asctime(time.gmtime(moment)),
    }
    assert hint_of(written[form]) == after


@given(st.floats(0, 1e6))
def test_any_number(seconds: float) -> None:
    """A number of seconds is read as it was written, and of milliseconds as a thousandth."""
    assert hint_of(repr(seconds)) == seconds
    wait = retry_delay(Headers({"retry-after-ms": repr(seconds)}), lambda: NOW, {})
    assert wait == seconds / 1000
