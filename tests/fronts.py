"""The clients with each of their transports over sockets."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from tests.colours import Aio, Colour, Sync

__all__ = ["FRONTS", "AnyColour", "opened"]

AnyColour = Colour[Any, Any]

#: Which colour, and its transport.
FRONTS: Final[tuple[tuple[str, str], ...]] = (
    ("sync", "requests"),
    ("aio", "aiohttp"),
    ("sync", "httpx"),
    ("aio", "httpx"),
)


def opened(front: tuple[str, str]) -> Iterator[AnyColour]:
    """Give the means of a colour, with one of its transports; clean up after."""
    made: AnyColour = Sync() if front[0] == "sync" else Aio()
    made.transport = front[1]
    yield made
    made.finish()
