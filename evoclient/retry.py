"""When to try again, and after how long: pure arithmetic. Clock and dice are handed in."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

import attrs

from .errors.tree import APIError
from .errors.verdict import RETRIED_STATUSES
from .ground import ConfigurationError
from .log import logger
from .wire import Deadline

__all__ = ["LONGEST_HINT", "Course", "Retry", "RetryState"]

#: A server that asks for a longer wait is not waited for: the error says how long it asked.
LONGEST_HINT: Final = 60.0


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
    cap: float = attrs.field(default=8.0, validator=_positive)
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


class Course:
    """The attempts of one call: how many there were, what they failed with, what time is left."""

    def __init__(
        self,
        retry: Retry,
        *,
        clock: Callable[[], float],
        dice: Callable[[], float],
        total: float | None,
    ) -> None:
        """Start the call now.

        Args:
            retry: The policy.
            clock: The monotonic clock.
            dice: Gives a random number from 0 to 1.
            total: `Timeouts.total`.
        """
        self._retry = retry
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
        error.attempts = tuple(reversed(self._failures))
        self._failures.append(error)
        retries = len(self._failures) - 1
        if retries + 1 >= self._retry.attempts or not self._retry.wants(error):
            raise error
        hint = error.retry_after
        if hint is not None and hint > LONGEST_HINT:
            raise error
        wait = hint if hint is not None else self._retry.backoff(retries, self._dice)
        if self._is_too_late(self._clock() + wait):
            raise error
        self._tell(RetryState(retries + 1, wait, error))
        return wait

    def _is_too_late(self, start: float) -> bool:
        deadline = self._retry.deadline
        if deadline is not None and start > self._started + deadline:
            return True
        return self.total is not None and start >= self.total.when

    def _tell(self, state: RetryState) -> None:
        logger.warning(
            "attempt %d failed, trying again in %.2f s: %s", state.attempt, state.wait, state.error
        )
        for hook in self._retry.hooks:
            try:
                hook(state)
            except Exception:
                # A hook only looks on: its failure must not decide over the call.
                logger.exception("a hook of Retry raised")
