"""Forbids connections that leave the machine, for the time of a test."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import ip_address
from typing import Any, Final, NoReturn
from unittest.mock import patch

from ..ground import EvoClientError

__all__ = ["NetworkBlockedError", "network_blocked"]

_INTERNET: Final = (socket.AF_INET, socket.AF_INET6)


class NetworkBlockedError(EvoClientError, RuntimeError):
    """A test has tried to leave the machine although that is forbidden.

    It is no `OSError`: HTTP libraries would take that for a network that is down, and try again.
    """


@contextmanager
def network_blocked() -> Iterator[None]:
    """Forbid, inside the block, to look up names and to connect to anything but loopback."""
    with (
        patch.object(socket, "getaddrinfo", _guarded_lookup(socket.getaddrinfo)),
        patch.object(socket.socket, "connect", _guarded(socket.socket.connect)),
        patch.object(socket.socket, "connect_ex", _guarded(socket.socket.connect_ex)),
    ):
        yield


def _guarded(connect: Any) -> Any:
    """Return a method of sockets that refuses addresses outside."""

    def guarded(self: socket.socket, address: Any, /) -> Any:
        if self.family in _INTERNET and isinstance(address, tuple) and not _is_here(address[0]):
            _refuse(f"connect to {address[0]}, port {address[1]}")
        return connect(self, address)

    return guarded


def _guarded_lookup(lookup: Any) -> Any:
    """Return `getaddrinfo` for names of this machine; addresses are judged by `connect`."""

    def guarded(host: Any, *arguments: Any, **options: Any) -> Any:
        if not (_is_here(host) or _is_address(host)):
            _refuse(f"look up the name {host!r}")
        return lookup(host, *arguments, **options)

    return guarded


def _text(host: object) -> str:
    return host.decode("latin-1") if isinstance(host, bytes | bytearray) else str(host or "")


def _is_here(host: object) -> bool:
    """Whether a host is this machine; no host at all is."""
    name = _text(host).rstrip(".").lower()
    if not name or name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        address = ip_address(name.partition("%")[0])
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None) or address
    # Connecting to the unspecified address is connecting to oneself.
    return bool(mapped.is_loopback or mapped.is_unspecified)


def _is_address(host: object) -> bool:
    try:
        ip_address(_text(host).partition("%")[0])
    except ValueError:
        return False
    return True


def _refuse(what: str) -> NoReturn:
    raise NetworkBlockedError(
        f"This test tried to {what}, and evoclient_block_network forbids it. Let it talk to "
        "evoclient_server, evoclient_memory or evoclient_cassette, or mark it "
        "@pytest.mark.evoclient_allow_network."
    )
