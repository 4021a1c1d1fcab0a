"""When to try again, and after how long: pure arithmetic. Clock and dice are handed in."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

import attrs

from .errors.tree import APIError, APITimeoutError
from .errors.verdict import RETRIED_STATUSES
from .ground import ConfigurationError
from .guard import Guard
from .log import logger
from .wire import Deadline

__all__ = ["LONGEST_HINT", "Allowance", "Course", "Retry", "RetryState"]

#: A server that asks for a longer wait is not waited for: the error says how long it asked.
LONGEST_HINT: Final = 60.0

#: Some thirty years: the system refuses longer waits with errors of its own, infinity included.
LONGEST_WAIT: Final = 1e9


@attrs.frozen
class RetryState:
    """What a hook of `Retry` sees before each wait.

    Attributes:
        attempt: The number of the attempt that failed; the first is 1.
        wait: Seconds until the next attempt.
        error: Why it failed.
    """

    attempt: int
    wait: float
    error: APIError


def _positive(instance: object, attribute: attrs.Attribute[float], value: object) -> None:
    if not isinstance(value, (int, float)) or isinstance(value, bool) or not value >= 0:
        raise ConfigurationError(
            f"retry: {attribute.name} must be a number of at least 0; it is {value!r}.",
            argument="retry",
        )


def _sleepable(instance: object, attribute: attrs.Attribute[float], value: float) -> None:
    _positive(instance, attribute, value)
    if value > LONGEST_WAIT:
        raise ConfigurationError(
            f"retry: {attribute.name} must be at most {LONGEST_WAIT:.0e} seconds; it is {value!r}.",
            argument="retry",
        )


def _whole(instance: object, attribute: attrs.Attribute[int], value: object) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise ConfigurationError(
            f"retry: {attribute.name} must be a whole number of at least 1 (1: no retry); "
            f"it is {value!r}.",
            argument="retry",
        )


def _frozen(statuses: Iterable[int]) -> frozenset[int]:
    given: object = statuses
    found = tuple(given) if isinstance(given, Iterable) else (None,)
    if not all(isinstance(status, int) for status in found):
        raise ConfigurationError(
            f"retry: statuses must be status codes such as {{429, 503}}; it is {given!r}.",
            argument="retry",
        )
    return frozenset(found)


def _in_order(
    hooks: Iterable[Callable[[RetryState], object]],
) -> tuple[Callable[[RetryState], object], ...]:
    given: object = hooks
    found = tuple(given) if isinstance(given, Iterable) else (None,)
    if not all(callable(hook) for hook in found):
        raise ConfigurationError(
            f"retry: hooks must be a list of functions; it is {given!r}.", argument="retry"
        )
    return found


@attrs.frozen(kw_only=True)
class Retry:
    """How failures before the first chunk are tried again.

    The wait before the n-th retry is ``min(cap, base * 2**(n - 1))`` seconds times a random
    number from 0.5 to 1, unless the server says how long to wait.

    Attributes:
        attempts: The most attempts of one call, the first included. Default 3.
        base: Seconds before the first retry. Default 0.5.
        cap: The longest computed wait in seconds. Default 8.
        statuses: The statuses that are tried again.
        deadline: Seconds from the start of the call after which no new attempt is started;
            None (default) is no limit. `Timeouts.total` bounds everything besides.
        hooks: Functions that see each retry (a `RetryState`) before its wait. What they raise is
            logged and has no other effect.

    Raises:
        ConfigurationError: A number is out of range.
    """

    attempts: int = attrs.field(default=3, validator=_whole)
    base: float = attrs.field(default=0.5, validator=_positive)
    cap: float = attrs.field(default=8.0, validator=_sleepable)
    statuses: frozenset[int] = attrs.field(default=RETRIED_STATUSES, converter=_frozen)
    deadline: float | None = attrs.field(
        default=None, validator=attrs.validators.optional(_positive)
    )
    hooks: tuple[Callable[[RetryState], object], ...] = attrs.field(default=(), converter=_in_order)

    def wants(self, error: APIError) -> bool:
        """Return whether an error is one to try again after."""
        if error.advice is not None:
            return error.advice
        if error.judged_as is not None:
            return error.judged_as in self.statuses
        return error.retryable

    def backoff(self, retries: int, dice: Callable[[], float]) -> float:
        """Return the wait before a retry.

        Args:
            retries: How many retries there have been.
            dice: Gives a random number from 0 to 1.
        """
        # Beyond 2**60 every wait is the cap; the bound keeps the power a float.
        return min(self.cap, self.base * 2.0 ** min(retries, 60)) * (0.5 + dice() / 2)


class Allowance:
    """How many retries the calls of one client may make together.

    A server that is down for everybody is not to be asked three times as much. Each retry costs,
    after a timeout twice as much; success gives back what the last retry cost, or a little where
    none was needed. When nothing is left, failures are not tried again.
    """

    #: Enough for 20 retries in a row.
    FULL: Final = 100.0
    COST: Final = 5.0
    COST_AFTER_TIMEOUT: Final = 10.0
    #: What a success without a retry gives back.
    INTEREST: Final = 1.0

    def __init__(self) -> None:
        """Begin with everything left."""
        self._guard = Guard()
        self._left = self.FULL

    @property
    def left(self) -> float:
        """What is left, of 100."""
        return self._left

    def take(self, error: APIError) -> float | None:
        """Pay for a retry after an error; return its price, or None where too little is left."""
        timed_out = isinstance(error, APITimeoutError)
        cost = self.COST_AFTER_TIMEOUT if timed_out else self.COST
        with self._guard:
            if self._left < cost:
                return None
            self._left -= cost
        return cost

    def give_back(self, amount: float) -> None:
        """Put something back, up to the full amount."""
        with self._guard:
            self._left = min(self._left + amount, self.FULL)


class Course:
    """The attempts of one call: how many there were, what they failed with, what time is left."""

    def __init__(
        self,
        retry: Retry,
        allowance: Allowance,
        *,
        clock: Callable[[], float],
        dice: Callable[[], float],
        total: float | None,
        tell: Callable[[RetryState], object] | None = None,
    ) -> None:
        """Start the call now.

        Args:
            retry: The policy.
            allowance: How many retries all calls together may still make.
            clock: The monotonic clock.
            dice: Gives a random number from 0 to 1.
            total: `Timeouts.total`.
            tell: Learns of each retry before its wait, before the hooks of the policy.
        """
        self._retry = retry
        self._tell_call = tell
        self._allowance = allowance
        self._paid = Allowance.INTEREST
        self._clock = clock
        self._dice = dice
        self._started = clock()
        self._failures: list[APIError] = []
        #: When the whole call ends.
        self.total = None if total is None else Deadline(self._started + total, "total", total)

    def wait_after(self, error: APIError) -> float:
        """Return how long to wait before the next attempt.

        Raises:
            APIError: The error itself, with the earlier ones in `attempts`, where there is to be
                no next attempt.
        """
        self.given_up(error)
        retries = len(self._failures) - 1
        if retries + 1 >= self._retry.attempts or not self._retry.wants(error):
            raise error
        hint = error.retry_after
        if hint is not None and hint > LONGEST_HINT:
            raise error
        wait = hint if hint is not None else self._retry.backoff(retries, self._dice)
        if self._is_too_late(self._clock() + wait):
            raise error
        paid = self._allowance.take(error)
        if paid is None:
            logger.warning("no retry, as too many calls of this client have failed: %s", error)
            raise error
        self._paid = paid
        self._tell(RetryState(retries + 1, wait, error))
        return wait

    def given_up(self, error: APIError) -> APIError:
        """Return the failure of an attempt with the earlier ones in its `attempts`."""
        # A token exchange brings earlier attempts of its own.
        error.attempts = (*error.attempts, *reversed(self._failures))
        self._failures.append(error)
        return error

    def succeeded(self) -> None:
        """Learn that an attempt has succeeded."""
        self._allowance.give_back(self._paid)
        self._paid = Allowance.INTEREST

    def _is_too_late(self, start: float) -> bool:
        deadline = self._retry.deadline
        if deadline is not None and start > self._started + deadline:
            return True
        return self.total is not None and start >= self.total.when

    def _tell(self, state: RetryState) -> None:
        logger.warning(
            "attempt %d failed, trying again in %.2f s: %s", state.attempt, state.wait, state.error
        )
        if self._tell_call is not None:
            self._tell_call(state)
        for hook in self._retry.hooks:
            try:
                hook(state)
            except Exception:
                # A hook only looks on: its failure must not decide over the call.
                logger.exception("a hook of Retry raised")
