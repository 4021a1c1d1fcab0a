"""The policies that a user gives to a client, or to a copy of one: checked."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from .ground import ConfigurationError
from .retry import Retry

if TYPE_CHECKING:
    from .limits import Limits

__all__ = ["checked_limits", "checked_slow_after", "retry_policy"]


def checked_limits(given: object) -> Limits | None:
    """Return limits that a user gave, or None.

    Raises:
        ConfigurationError: They are something else.
    """
    if given is None:
        return None
    from .limits import Limits  # loaded where there are some

    if isinstance(given, Limits):
        return given
    raise ConfigurationError(
        f"limits must be Limits(…); it is of type {type(given).__name__}.", argument="limits"
    )


def retry_policy(retry: Retry | None, max_retries: object, retry_delay: float | None) -> Retry:
    """Return the policy; `max_retries` and `retry_delay` win over what `retry` says.

    Raises:
        ConfigurationError: A number is out of range.
    """
    if retry is not None and not isinstance(retry, Retry):
        raise ConfigurationError(
            f"retry must be Retry(…); it is of type {type(retry).__name__}. The number of retries "
            "is max_retries.",
            argument="retry",
        )
    policy = retry or Retry()
    if max_retries is not None:
        if not isinstance(max_retries, int) or isinstance(max_retries, bool) or max_retries < 0:
            raise ConfigurationError(
                f"max_retries must be a whole number of at least 0; it is {max_retries!r}.",
                argument="max_retries",
            )
        policy = attrs.evolve(policy, attempts=max_retries + 1)
    if retry_delay is None:
        return policy
    try:
        return attrs.evolve(policy, base=retry_delay)
    except ConfigurationError:
        raise ConfigurationError(
            f"retry_delay must be a number of at least 0; it is {retry_delay!r}.",
            argument="retry_delay",
        ) from None


def checked_slow_after(given: object) -> float | None:
    """Return the seconds after which an answer is slow, or None.

    Raises:
        ConfigurationError: It is no number, or below 0.
    """
    if given is None:
        return None
    if not isinstance(given, (int, float)) or isinstance(given, bool) or not given >= 0:
        raise ConfigurationError(
            f"slow_after must be a number of seconds of at least 0; it is {given!r}.",
            argument="slow_after",
        )
    return float(given)
