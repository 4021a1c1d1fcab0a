"""What a server says about trying again: Retry-After and its cousins."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

__all__ = ["retry_advice", "retry_delay"]


def retry_delay(
    headers: Mapping[str, str],
    wall_clock: Callable[[], float],
    availability: Mapping[str, object],
) -> float | None:
    """Return how long the server asks to wait.

    Looked at in this order: ``Retry-After-Ms``, ``Retry-After`` (seconds or an HTTP date,
    RFC 9110, section 10.2.3), and ``retry_after`` in OpenRouter's availability. What is rubbish,
    negative, infinite or in the past is passed over.

    Args:
        headers: The reply's headers.
        wall_clock: The time of day in seconds since 1970, for dates.
        availability: OpenRouter's object, or an empty mapping.

    Returns:
        Seconds, or None where nothing usable is said.
    """
    milliseconds = _number(headers.get("retry-after-ms"))
    if milliseconds is not None:
        return milliseconds / 1000
    said = headers.get("retry-after")
    seconds = _number(said)
    if seconds is None and said:
        seconds = _until(said, wall_clock)
    return seconds if seconds is not None else _number(availability.get("retry_after"))


def retry_advice(headers: Mapping[str, str], availability: Mapping[str, object]) -> bool | None:
    """Return whether the server says to try again: True, False, or None if it does not say."""
    said = headers.get("x-should-retry", "").strip().lower()
    if said in ("true", "false"):
        return said == "true"
    retryable = availability.get("retryable")
    return retryable if isinstance(retryable, bool) else None


def _number(said: object) -> float | None:
    if isinstance(said, bool) or not isinstance(said, (str, int, float)):
        return None
    if isinstance(said, str) and "_" in said:  # Python reads 1_0 as 10
        return None
    try:
        number = float(said)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) and number >= 0 else None


def _until(said: str, wall_clock: Callable[[], float]) -> float | None:
    from datetime import UTC
    from email.utils import parsedate_to_datetime  # costs as much as the rest of this package

    try:
        moment = parsedate_to_datetime(said)
        # The oldest of the three forms of HTTP dates names no zone: all of them are in GMT.
        moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        seconds = moment.timestamp() - wall_clock()
    except (ValueError, OverflowError, TypeError, IndexError):
        return None
    return seconds if seconds > 0 else None
