"""Which headers a request bears, the credential aside."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ._version import __version__
from .endpoints.base import Call
from .settings import Settings
from .wire import Headers

__all__ = ["merged", "own_headers", "standing_headers"]


def standing_headers(settings: Settings) -> Headers:
    """Return the headers that all requests of a client bear, without the credential."""
    ours = [
        # A compressed stream arrives late, and a small bomb fills a memory.
        ("Accept-Encoding", "identity"),
        ("User-Agent", f"evoclient/{__version__}"),
    ]
    return merged(ours, settings.headers.items())


def own_headers(call: Call[Any], settings: Settings, *, stream: bool) -> Headers:
    """Return the headers of one call, without the credential: the same for each attempt."""
    ours = [("Accept", "text/event-stream" if stream else "application/json")]
    if call.body is not None:
        ours.append(("Content-Type", "application/json"))
    if call.method == "POST":
        ours.append(("Idempotency-Key", settings.new_key()))
    # What the client's user says wins over what is ours.
    return merged(ours, standing_headers(settings).pairs, settings.headers.items())


def merged(*layers: Iterable[tuple[str, str | None]]) -> Headers:
    """Lay headers over each other: a later one replaces an earlier one, None takes it away."""
    merged: dict[str, tuple[str, str]] = {}
    for layer in layers:
        for name, value in layer:
            merged.pop(name.lower(), None)
            if value is not None:
                merged[name.lower()] = (name, value)
    return Headers(merged.values())
