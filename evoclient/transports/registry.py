"""Transports by name. Nothing is imported before a transport is used."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from typing import Any, Final, Literal

import attrs

from ..ground import ConfigurationError

__all__ = ["DEFAULT_NAMES", "Colour", "Entry", "require", "transport_class"]

#: For threads, or for asyncio.
Colour = Literal["sync", "async"]

#: What is taken when no name is given.
DEFAULT_NAMES: Final[dict[Colour, str]] = {"sync": "requests", "async": "aiohttp"}


@attrs.frozen
class Entry:
    """Where a transport is: its module in this room, its class for each colour, its library."""

    module: str
    classes: dict[Colour, str]
    library: str | None = None


_ENTRIES: Final = {
    "requests": Entry("with_requests", {"sync": "RequestsTransport"}, "requests"),
    "aiohttp": Entry("with_aiohttp", {"async": "AiohttpTransport"}, "aiohttp"),
    "memory": Entry("memory", {"sync": "MemoryTransport", "async": "AsyncMemoryTransport"}),
}


def transport_class(name: str, colour: Colour) -> type[Any]:
    """Import a transport and return its class.

    Every class takes `verify` and `cert`.

    Args:
        name: "requests", "aiohttp" or "memory".
        colour: For threads ("sync") or for asyncio ("async").

    Raises:
        ConfigurationError: There is no such transport of that colour, or its library is missing.
    """
    entry = require(name, colour)
    module = import_module(f".{entry.module}", __package__)
    found: type[Any] = getattr(module, entry.classes[colour])
    return found


def require(name: object, colour: Colour) -> Entry:
    """Check that a transport can be used, without importing it, and return where it is.

    Raises:
        ConfigurationError: As `transport_class`.
    """
    entry = _ENTRIES.get(name) if isinstance(name, str) else None
    if entry is None or colour not in entry.classes:
        names = ", ".join(repr(known) for known, it in _ENTRIES.items() if colour in it.classes)
        others = [other for other in (entry.classes if entry else ()) if other != colour]
        hint = f" {name!r} is for the other client." if others else ""
        raise ConfigurationError(
            f"transport: there is no {colour} transport {name!r}.{hint} There is {names}.",
            argument="transport",
        )
    if entry.library is not None and find_spec(entry.library) is None:
        raise ConfigurationError(
            f"transport: {name!r} needs the package {entry.library}, which is not installed. "
            f"Install it: pip install {entry.library}",
            argument="transport",
        )
    return entry
