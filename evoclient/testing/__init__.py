"""Helpers for tests of programs that use evoclient, and the server behind the demo.

The names are loaded on first use: importing this package loads no HTTP library.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .conformance import ReplyConformance, TransportConformance
    from .ledger import RecordedRequest
    from .plays import Play
    from .server import DemoServer

__all__ = [
    "DemoServer",
    "Play",
    "RecordedRequest",
    "ReplyConformance",
    "TransportConformance",
]

_HOMES = {
    "DemoServer": ".server",
    "Play": ".plays",
    "RecordedRequest": ".ledger",
    "ReplyConformance": ".conformance",
    "TransportConformance": ".conformance",
}


def __getattr__(name: str) -> Any:
    """Load a name on first use."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name], __name__), name)


def __dir__() -> list[str]:
    """Return the names, loaded or not."""
    return __all__
