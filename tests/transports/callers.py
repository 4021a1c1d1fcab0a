"""Callers of the transports that are shipped."""

from __future__ import annotations

from typing import Any, Literal, cast

from evoclient.testing.conformance.calls import (
    KEY,
    Answer,
    AsyncCaller,
    Caller,
    a_request,
    calling,
    deadline,
)
from evoclient.transports.memory import AsyncMemoryTransport, MemoryTransport
from evoclient.transports.registry import transport_class
from evoclient.wire import AsyncBody, Body, Reply

__all__ = [
    "COLOURS",
    "KEY",
    "KINDS",
    "Answer",
    "AsyncCaller",
    "Caller",
    "Colour",
    "Kind",
    "a_request",
    "async_body",
    "calling",
    "deadline",
    "over_http",
    "over_memory",
    "sync_body",
]

Colour = Literal["sync", "async"]
COLOURS: tuple[Colour, ...] = ("sync", "async")

#: A transport over sockets: its name and its colour.
Kind = tuple[str, Colour]
KINDS: tuple[Kind, ...] = (
    ("requests", "sync"),
    ("aiohttp", "async"),
    ("httpx", "sync"),
    ("httpx", "async"),
)


def async_body(reply: Reply) -> AsyncBody:
    """Return the body of an asynchronous reply."""
    return cast("AsyncBody", reply.body)


def sync_body(reply: Reply) -> Body:
    """Return the body of a synchronous reply."""
    return cast("Body", reply.body)


def over_http(kind: Kind, **options: Any) -> Caller:
    """Return a caller of a transport that uses sockets."""
    return calling(transport_class(*kind)(**options))


def over_memory(colour: Colour, script: Any = None) -> Caller:
    """Return a caller of the memory transport."""
    return calling(MemoryTransport(script) if colour == "sync" else AsyncMemoryTransport(script))
