"""Several calls, one after another, with one limit on the time of them all."""

from __future__ import annotations

from typing import TypeVar

import attrs

from .endpoints.base import Call, Series, timeouts_of
from .exchange import whole
from .settings import Settings
from .steps import Flow

__all__ = ["one_after_another"]

_T = TypeVar("_T")
_U = TypeVar("_U")

#: A call whose time is over still needs a limit, which must be above 0.
_NO_TIME = 1e-6


def one_after_another(series: Series[_T, _U], settings: Settings, through: object) -> Flow[_U]:
    """Make the calls of a series and return what their results come to.

    Args:
        series: The calls.
        settings: The client's settings.
        through: The client's transport handle.

    Raises:
        APIError: One of the calls has no good answer; those after it were not made.
        ConfigurationError: One of the calls cannot be made.
    """
    started = settings.clock()
    results: list[_T] = []
    for call in series.calls:
        spent = settings.clock() - started if results else 0.0
        results.append((yield from whole(_within(call, settings, spent), settings, through)))
    return series.join(results)


def _within(call: Call[_T], settings: Settings, spent: float) -> Call[_T]:
    """Return a call that ends when the series must."""
    timeouts = timeouts_of(call.options.timeout, settings.timeouts)
    if timeouts.total is None or not spent:
        return call
    left = attrs.evolve(timeouts, total=max(timeouts.total - spent, _NO_TIME))
    return attrs.evolve(call, options=attrs.evolve(call.options, timeout=left))
