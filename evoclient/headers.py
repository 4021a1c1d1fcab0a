"""Which headers a request bears, the credential aside: layers that are laid over each other."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TypeAlias

from ._version import __version__
from .wire import Headers

__all__ = ["Fields", "laid_over", "own_headers", "standing_headers"]

#: Headers by their names in lower case: each as it is written, and its value.
Fields: TypeAlias = dict[str, tuple[str, str]]


def standing_headers(given: Mapping[str, str | None]) -> Fields:
    """Return the headers that all requests of a client bear, without the credential.

    Args:
        given: What the client's user says, which wins; None takes a header away.
    """
    ours: Fields = {
        # A compressed stream arrives late, and a small bomb fills a memory.
        "accept-encoding": ("Accept-Encoding", "identity"),
        "user-agent": ("User-Agent", f"evoclient/{__version__}"),
    }
    return _over(ours, given.items())


def own_headers(
    standing: Fields,
    given: Mapping[str, str | None],
    *,
    accept: str,
    has_body: bool,
    key: str | None,
) -> Fields:
    """Return the headers of one call, without the credential: the same for each attempt.

    Args:
        standing: Those that all requests of the client bear.
        given: What the client's user says, which wins.
        accept: The media type that is wanted.
        has_body: Whether a JSON body is sent.
        key: The Idempotency-Key of the call, or None.
    """
    fields: Fields = {"accept": ("Accept", accept)}
    if has_body:
        fields["content-type"] = ("Content-Type", "application/json")
    if key is not None:
        fields["idempotency-key"] = ("Idempotency-Key", key)
    fields |= standing
    return _over(fields, given.items())


def laid_over(below: Fields, *layers: Iterable[tuple[str, str | None]]) -> Headers:
    """Lay headers over others: a later one replaces an earlier one, None takes it away."""
    fields = below.copy()
    for layer in layers:
        _over(fields, layer)
    return Headers.of_fields(fields)


def _over(fields: Fields, layer: Iterable[tuple[str, str | None]]) -> Fields:
    """Lay a layer over fields, which are changed and returned."""
    for name, value in layer:
        if value is None:
            fields.pop(name.lower(), None)
        else:
            fields[name.lower()] = (name, value)
    return fields
