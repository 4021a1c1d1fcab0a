"""Connecting a socket to a host before a deadline that all its addresses share."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterable
from time import monotonic
from typing import Any

from ..wire import Deadline

__all__ = ["connected"]


def connected(
    host: str, port: int | None, deadline: Deadline | None, options: Iterable[tuple[Any, ...]]
) -> socket.socket:
    """Return a socket that is connected to the first address of a host that answers.

    Each address gets its share of the time that is left, so that one that swallows packets
    leaves some to the others.

    Args:
        host: A name or an address.
        port: The port.
        deadline: When the connection must stand.
        options: What to set on the socket (`socket.setsockopt`).

    Raises:
        TimeoutError: The deadline has passed.
        OSError: No address could be reached, or there is none.
    """
    failure: OSError = TimeoutError("the deadline has passed")
    addresses = _resolved(host.strip("[]"), port, deadline)
    for tried, (family, kind, protocol, _, address) in enumerate(addresses):
        sock = socket.socket(family, kind, protocol)
        try:
            for option in options:
                sock.setsockopt(*option)
            if deadline is not None:
                share = (deadline.when - monotonic()) / (len(addresses) - tried)
                if share <= 0:
                    raise TimeoutError("the deadline has passed")
                sock.settimeout(share)
            sock.connect(address)
        except OSError as exc:
            sock.close()
            failure = exc
        except BaseException:
            sock.close()
            raise
        else:
            return sock
    raise failure


def _resolved(host: str, port: int | None, deadline: Deadline | None) -> list[Any]:
    """Return the addresses of a host.

    The system's resolver cannot be told how long to take, so it works in a thread of its own
    where there is a deadline and a name.
    """
    if deadline is None or _is_address(host):
        return _looked_up(host, port)
    outcome: list[list[Any] | Exception] = []

    def resolve() -> None:
        try:
            outcome.append(_looked_up(host, port))
        except Exception as exc:  # whatever it is, the caller is to know
            outcome.append(exc)

    worker = threading.Thread(target=resolve, name="evoclient-resolver", daemon=True)
    worker.start()
    worker.join(max(deadline.when - monotonic(), 0))
    if not outcome:
        raise TimeoutError("the name was not resolved in time")
    if isinstance(outcome[0], Exception):
        raise outcome[0]
    return outcome[0]


def _looked_up(host: str, port: int | None) -> list[Any]:
    """Ask the system for the addresses of a host."""
    try:
        return socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except UnicodeError as exc:  # a label that is too long or empty
        raise socket.gaierror(socket.EAI_NONAME, "not a host name") from exc


def _is_address(host: str) -> bool:
    """Return whether a host is an address already, not a name."""
    for family in (socket.AF_INET, socket.AF_INET6):
        try:
            socket.inet_pton(family, host.partition("%")[0])
        except (OSError, ValueError):
            continue
        return True
    return False
