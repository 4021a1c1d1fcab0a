"""Transports by name. Nothing is imported before a transport is used.

A name that is not built in is looked for among the entry points of the group
``evoclient.transports``, which other distributions may have. One names a class of either colour,
or a module that has a `Transport`, an `AsyncTransport`, or both.
"""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from inspect import iscoroutinefunction
from typing import TYPE_CHECKING, Any, Final, Literal

import attrs

from ..ground import ConfigurationError

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

__all__ = ["DEFAULT_NAMES", "GROUP", "Colour", "Entry", "require", "transport_class"]

#: For threads, or for asyncio.
Colour = Literal["sync", "async"]

#: What is taken when no name is given.
DEFAULT_NAMES: Final[dict[Colour, str]] = {"sync": "requests", "async": "aiohttp"}

#: The group of the entry points.
GROUP: Final = "evoclient.transports"

#: What a plugin's module calls its class of a colour.
_NAMES_IN_A_MODULE: Final[dict[Colour, str]] = {"sync": "Transport", "async": "AsyncTransport"}


@attrs.frozen(eq=False, repr=False)
class Entry:
    """Where a transport is: its module in this room, its class for each colour, its library.

    Attributes:
        module: The module.
        classes: The class of each colour.
        library: What must be installed, or None.
        extra: The extra of ours that installs it, or None.
    """

    module: str
    classes: dict[Colour, str]
    library: str | None = None
    extra: str | None = None


_ENTRIES: Final = {
    "requests": Entry("with_requests", {"sync": "RequestsTransport"}, "requests"),
    "aiohttp": Entry("with_aiohttp", {"async": "AiohttpTransport"}, "aiohttp"),
    "httpx": Entry(
        "with_httpx",
        {"sync": "HttpxTransport", "async": "AsyncHttpxTransport"},
        "httpx",
        extra="httpx",
    ),
    "memory": Entry("memory", {"sync": "MemoryTransport", "async": "AsyncMemoryTransport"}),
}


def transport_class(name: str, colour: Colour) -> Any:
    """Import a transport and return its class.

    Every class takes `verify` and `cert`.

    Args:
        name: "requests", "aiohttp", "httpx" or "memory", or the name of an entry point.
        colour: For threads ("sync") or for asyncio ("async").

    Raises:
        ConfigurationError: There is no such transport of that colour, its library is missing, or
            it cannot be imported.
    """
    found = require(name, colour)
    if isinstance(found, Entry):
        module = import_module(f".{found.module}", __package__)
        return getattr(module, found.classes[colour])
    return _loaded(found, colour)


def require(name: object, colour: Colour) -> Entry | EntryPoint:
    """Check that a transport can be used, without importing it, and return where it is.

    Of a plugin only its import tells the colour.

    Raises:
        ConfigurationError: As `transport_class`.
    """
    entry = _ENTRIES.get(name) if isinstance(name, str) else None
    if entry is None and isinstance(name, str) and name and (plugin := _plugin(name)) is not None:
        return plugin
    if entry is None or colour not in entry.classes:
        names = ", ".join(repr(known) for known, it in _ENTRIES.items() if colour in it.classes)
        others = [other for other in (entry.classes if entry else ()) if other != colour]
        hint = f" {name!r} is for the other client." if others else ""
        raise ConfigurationError(
            f"transport: there is no {colour} transport {name!r}.{hint} There is {names}, and "
            f"what other distributions offer as entry points of the group {GROUP}.",
            argument="transport",
        )
    if entry.library is not None and find_spec(entry.library) is None:
        wanted = entry.library if entry.extra is None else f'"evoclient[{entry.extra}]"'
        raise ConfigurationError(
            f"transport: {name!r} needs the package {entry.library}, which is not installed. "
            f"Install it: pip install {wanted}",
            argument="transport",
        )
    return entry


def _plugin(name: str) -> EntryPoint | None:
    """Return the entry point of a name, or None.

    Raises:
        ConfigurationError: Several distributions have one.
    """
    # Reading the metadata of all that is installed takes 30 ms, so no built-in name pays for it.
    from importlib.metadata import entry_points

    # One distribution may be found twice, on two folders of the path.
    found = {(_owner(point), point.value): point for point in entry_points(group=GROUP, name=name)}
    if len(found) > 1:
        owners = " and ".join(sorted(owner for owner, _ in found))
        raise ConfigurationError(
            f"transport: {name!r} is offered by {owners}. Uninstall one, or import the class of "
            "the one you mean and pass it: transport=ThatTransport.",
            argument="transport",
        )
    return next(iter(found.values()), None)


def _owner(point: EntryPoint) -> str:
    """Return the distribution that an entry point comes from."""
    return "an unknown distribution" if point.dist is None else str(point.dist.name)


def _loaded(point: EntryPoint, colour: Colour) -> Any:
    """Import what an entry point names, and return its class of a colour.

    Raises:
        ConfigurationError: It cannot be imported, or offers no transport of that colour.
    """
    where = f"{point.name!r} (the entry point {point.value!r} of {_owner(point)})"
    try:
        found = point.load()
    except Exception as exc:  # whatever a stranger's module raises
        raise ConfigurationError(
            f"transport: {where} could not be loaded: {type(exc).__name__}: {exc}. Mend or "
            f"uninstall {_owner(point)}; the other transports work without it.",
            argument="transport",
        ) from exc
    if not isinstance(found, type):
        found = getattr(found, _NAMES_IN_A_MODULE[colour], None)
    send = getattr(found, "send", None)
    if not callable(send) or iscoroutinefunction(send) != (colour == "async"):
        client = "AsyncClient, whose transports have" if colour == "async" else "Client, without"
        raise ConfigurationError(
            f"transport: {where} offers no transport for {client} an `async def send`.",
            argument="transport",
        )
    return found
