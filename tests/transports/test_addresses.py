"""Connecting to hosts with several addresses, or with a resolver that hangs."""

from __future__ import annotations

import socket
import threading
import time
from typing import Any

import pytest

from evoclient.errors.tree import APITimeoutError
from evoclient.transports.addresses import connected
from evoclient.wire import Deadlines

from .callers import Caller, deadline

pytestmark = pytest.mark.loopback


def addresses(*ports: int) -> list[Any]:
    """Return ports of this machine as addresses of one host."""
    return [(socket.AF_INET, socket.SOCK_STREAM, 0, "", ("127.0.0.1", port)) for port in ports]


def test_an_address_that_swallows_packets_leaves_time_to_the_next(
    monkeypatch: pytest.MonkeyPatch, deaf_port: int
) -> None:
    """The limit is shared out, so that one bad address does not use it up."""
    with socket.create_server(("127.0.0.1", 0)) as good:
        known = addresses(deaf_port, good.getsockname()[1])
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: known)
        with connected("host.example", 80, deadline(0.4), ()) as sock:
            assert sock.getpeername() == good.getsockname()


def test_all_addresses_share_the_limit(monkeypatch: pytest.MonkeyPatch, deaf_port: int) -> None:
    """Many bad addresses take no longer than one."""
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: addresses(*[deaf_port] * 3))
    began = time.monotonic()
    with pytest.raises(TimeoutError):
        connected("host.example", 80, deadline(0.3), ())
    assert 0.25 <= time.monotonic() - began < 0.8


def test_the_failure_of_the_last_address_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no address answers, the error is one of theirs."""
    with socket.create_server(("127.0.0.1", 0)) as gone:
        port = gone.getsockname()[1]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: addresses(port, port))
    with pytest.raises(ConnectionRefusedError):
        connected("host.example", 80, None, ())


def test_a_resolver_that_hangs_runs_into_the_connect_limit(
    monkeypatch: pytest.MonkeyPatch, caller: Caller
) -> None:
    """The system's resolver cannot be hurried, so nobody waits for it longer than allowed."""
    over = threading.Event()

    def hang(*_: Any, **__: Any) -> list[Any]:
        over.wait(10)
        raise socket.gaierror(socket.EAI_AGAIN, "later")

    monkeypatch.setattr(socket, "getaddrinfo", hang)
    began = time.monotonic()
    try:
        limits = Deadlines(connect=deadline(0.15, "connect"), total=deadline(10))
        with pytest.raises(APITimeoutError) as caught:
            caller.send("http://host.example/", limits)
        assert time.monotonic() - began < 1
        assert caught.value.limit == "connect"
    finally:
        over.set()
