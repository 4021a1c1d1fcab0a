"""Forbids connections that leave the machine, for the time of a test."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from ipaddress import ip_address
from typing import Any, Final, NoReturn
from unittest.mock import patch

from ..ground import EvoClientError

__all__ = ["NetworkBlockedError", "network_blocked"]

_INTERNET: Final = (socket.AF_INET, socket.AF_INET6)

_LOOKUPS: Final = ("getaddrinfo", "gethostbyname", "gethostbyname_ex")
_METHODS: Final = {
    "connect": "connect to",
    "connect_ex": "connect to",
    "sendmsg": "send to",
    "sendto": "send to",
}


class NetworkBlockedError(EvoClientError, RuntimeError):
    """A test has tried to leave the machine although that is forbidden.

    It is no `OSError`: HTTP libraries would take that for a network that is down, and try again.
    """


@contextmanager
def network_blocked() -> Iterator[None]:
    """Forbid, inside the block, to look up names and to talk to anything but loopback.

    What goes through `socket.socket` and the functions of `socket` that look up names is
    forbidden, and with it all that is built on them. A library that opens sockets in C is not seen,
    nor is a socket that was connected before.
    """
    with ExitStack() as patches:
        for name in _LOOKUPS:
            lookup = _guarded_lookup(getattr(socket, name))
            patches.enter_context(patch.object(socket, name, lookup))
        for name, verb in _METHODS.items():
            if hasattr(socket.socket, name):  # Windows has no sendmsg
                method = _guarded(getattr(socket.socket, name), verb)
                patches.enter_context(patch.object(socket.socket, name, method))
        yield


def _guarded(method: Any, verb: str) -> Any:
    """Return a method of sockets that refuses addresses outside; they are the last argument."""

    def guarded(self: socket.socket, /, *arguments: Any) -> Any:
        address = arguments[-1] if arguments else None
        if self.family in _INTERNET and isinstance(address, tuple) and not _is_here(address[0]):
            _refuse(f"{verb} {address[0]}, port {address[1]}")
        return method(self, *arguments)

    return guarded


def _guarded_lookup(lookup: Any) -> Any:
    """Return a function that looks up names of this machine alone; addresses need none."""

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
