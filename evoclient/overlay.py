"""The settings of a copy of a client: what it changes, laid over what it shares."""

from __future__ import annotations

from collections.abc import Mapping
from copy import copy
from typing import Any, Final, TypeVar

import attrs

from .configuration import is_memory
from .credentials import Given, is_exposed, warn_of_exposure
from .endpoints.base import checked_headers, checked_query, timeouts_of
from .endpoints.reading import callbacks_given
from .errors.scrub import without_frames
from .ground import NOT_GIVEN, ConfigurationError
from .policies import checked_limits, checked_slow_after, retry_policy
from .settings import Settings

__all__ = ["overlaid"]

_T = TypeVar("_T")

_OPTIONS: Final = (
    "timeout",
    "max_retries",
    "retry_delay",
    "retry",
    "model",
    "default_headers",
    "default_query",
    "limits",
    "callbacks",
    "slow_after",
)


def overlaid(settings: Settings, given: Given, options: Given) -> tuple[Settings, Given]:
    """Return the settings of a copy, and the arguments that would make a client of its kind.

    What no option changes is shared: the auth scheme with its token, and what all calls together
    may still retry, among others.

    Args:
        settings: The client's settings.
        given: The arguments that the client was made with.
        options: What the copy changes; None and NOT_GIVEN leave an option as it is.

    Raises:
        ConfigurationError: An option is wrong; it is named. Its traceback ends here: the frames
            below may hold keys.
    """
    chosen = {
        name: value
        for name, value in options.get(*_OPTIONS).items()
        if value is not None and value is not NOT_GIVEN
    }
    try:
        made = _settings(settings, **chosen)
        arguments = _arguments(given, chosen, made)
    except ConfigurationError as error:
        without_frames(error)
        raise
    finally:
        chosen = {}
    in_memory = is_memory(given.get("transport")["transport"])
    if is_exposed(made) and not (in_memory or is_exposed(settings)):
        warn_of_exposure(made)
    return made, arguments


def _settings(
    settings: Settings,
    *,
    timeout: Any = None,
    max_retries: Any = None,
    retry_delay: Any = None,
    retry: Any = None,
    model: Any = None,
    default_headers: Any = None,
    default_query: Any = None,
    limits: Any = None,
    callbacks: Any = None,
    slow_after: Any = None,
) -> Settings:
    return attrs.evolve(
        settings,
        timeouts=timeouts_of(timeout, settings.timeouts),
        retry=retry_policy(_or(retry, settings.retry), max_retries, retry_delay),
        model=settings.model if model is None else _model(model),
        headers=_over(settings.headers, checked_headers(default_headers, "default_headers")),
        query={**settings.query, **checked_query(default_query, "default_query")},
        limits=checked_limits(_or(limits, settings.limits)),
        callbacks=_or(callbacks_given(callbacks), copy(settings.callbacks)),
        slow_after=checked_slow_after(_or(slow_after, settings.slow_after)),
    )


def _arguments(given: Given, chosen: dict[str, Any], settings: Settings) -> Given:
    """Return the arguments of a client with the options chosen for a copy of it."""
    below = given.get(*_OPTIONS)
    changed = dict(chosen)
    if "timeout" in chosen:
        changed["timeout"] = settings.timeouts
    if not {"retry", "max_retries", "retry_delay"}.isdisjoint(chosen):
        changed |= {"retry": settings.retry, "max_retries": None, "retry_delay": None}
    if "default_headers" in chosen:
        changed["default_headers"] = _over(
            below["default_headers"] or {}, chosen["default_headers"]
        )
    if "default_query" in chosen:
        changed["default_query"] = {**(below["default_query"] or {}), **chosen["default_query"]}
    return given.with_changes(**changed)


def _model(given: object) -> str:
    if isinstance(given, str) and given.strip():
        return given
    raise ConfigurationError(
        f"model must be a string that is not empty; it is {given!r}.", argument="model"
    )


def _or(value: _T | None, default: _T) -> _T:
    return default if value is None else value


def _over(
    below: Mapping[str, str | None], above: Mapping[str, str | None]
) -> dict[str, str | None]:
    """Lay headers over others, whose names may be written in another case."""
    replaced = {name.lower() for name in above}
    kept = {name: value for name, value in below.items() if name.lower() not in replaced}
    return {**kept, **above}
