"""Helpers for tests of programs that use evoclient, and the server behind the demo.

The names are loaded on first use: importing this package loads no HTTP library.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..streaming.recording import Exchange
    from .acts import Fault
    from .blocking import NetworkBlockedError
    from .cassette import Cassette
    from .conformance import ReplyConformance, TransportConformance
    from .fault_server import FaultServer, FaultSite
    from .fixtures import CassetteDeck, MemoryTransports
    from .ledger import RecordedRequest
    from .plays import Play
    from .server import DemoServer

__all__ = [
    "Cassette",
    "CassetteDeck",
    "DemoServer",
    "Exchange",
    "Fault",
    "FaultServer",
    "FaultSite",
    "MemoryTransports",
    "NetworkBlockedError",
    "Play",
    "RecordedRequest",
    "ReplyConformance",
    "TransportConformance",
]

_HOMES = {
    "Cassette": ".cassette",
    "CassetteDeck": ".fixtures",
    "DemoServer": ".server",
    "Exchange": "..streaming.recording",
    "Fault": ".acts",
    "FaultServer": ".fault_server",
    "FaultSite": ".fault_server",
    "MemoryTransports": ".fixtures",
    "NetworkBlockedError": ".blocking",
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
