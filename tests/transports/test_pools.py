"""Pool size and keep-alive, alike for every transport; and how a client is given a transport."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest

from evoclient import AsyncClient, Client
from evoclient.ground import ConfigurationError
from evoclient.testing.raw_server import CHUNKED, Peer, RawServer, chunk, replies, sized
from evoclient.transports.memory import AsyncMemoryTransport, MemoryTransport
from evoclient.transports.registry import transport_class

from .callers import Kind, over_http

HI = sized(b"hi")


@pytest.mark.loopback
def test_no_more_idle_connections_are_kept_than_asked_for(kind: Kind) -> None:
    """Four streams at once are no trouble, and one connection or none of them stays."""
    everyone = threading.Barrier(4)

    def play(peer: Peer) -> None:
        peer.read_request()
        peer.send(CHUNKED)
        everyone.wait(10)
        peer.send(chunk(b"hi"), chunk(b""))
        peer.until_closed()

    caller = over_http(kind, pool_size=1)
    with RawServer(play) as server:
        answers = [caller.send(server.url) for _ in range(4)]
        assert [answer.read_all() for answer in answers] == [b"hi"] * 4
        ends = time.monotonic() + 2
        while sum(peer.closed.is_set() for peer in server.peers) < 3 and time.monotonic() < ends:
            server.stopping.wait(0.01)
        assert sum(peer.closed.is_set() for peer in server.peers) >= 3
    caller.close()


@pytest.mark.loopback
@pytest.mark.parametrize(("keep_alive", "connections"), [(0, 3), (60, 1)])
def test_connections_are_kept_as_long_as_asked_for(
    kind: Kind, keep_alive: float, connections: int
) -> None:
    """No second means that each request has a connection of its own."""
    caller = over_http(kind, keep_alive=keep_alive)
    with RawServer(replies(HI)) as server:
        for _ in range(3):
            assert caller.send(server.url).read_all() == b"hi"
        assert len(server.peers) == connections
    caller.close()


@pytest.mark.loopback
def test_a_connection_that_was_idle_for_too_long_is_not_used(kind: Kind) -> None:
    """After its time another is opened, although the server would still serve the first."""
    caller = over_http(kind, keep_alive=0.05)
    with RawServer(replies(HI)) as server:
        assert caller.send(server.url).read_all() == b"hi"
        server.stopping.wait(0.1)
        assert caller.send(server.url).read_all() == b"hi"
        assert len(server.peers) == 2
    caller.close()


@pytest.mark.parametrize(
    "options",
    [{"pool_size": 0}, {"pool_size": 1.5}, {"keep_alive": -1}, {"keep_alive": float("nan")}],
)
def test_settings_that_mean_nothing_are_refused(kind: Kind, options: dict[str, Any]) -> None:
    """The error names the argument."""
    with pytest.raises(ConfigurationError) as caught:
        transport_class(*kind)(**options)
    assert caught.value.argument in options


def test_a_client_takes_a_class() -> None:
    """It is made with the client's `verify` and `cert` when it is needed."""
    made: list[dict[str, Any]] = []

    class Mine(MemoryTransport):
        def __init__(self, **options: Any) -> None:
            made.append(options)
            super().__init__()

    messages = [{"role": "user", "content": "Hello"}]
    kind: Any = Mine
    with Client(transport=kind, verify=False, model="mock") as client:
        assert made == []
        assert "memory transport" in str(client.chat.completions.create(messages=messages))
    assert made == [{"verify": False, "cert": None}]


def test_a_class_of_the_other_colour_is_refused() -> None:
    """The error names the class."""
    sync: Any = MemoryTransport
    other: Any = AsyncMemoryTransport
    with pytest.raises(ConfigurationError, match="AsyncMemoryTransport is not a transport for"):
        Client(transport=other)
    with pytest.raises(ConfigurationError, match="MemoryTransport is not a transport for"):
        AsyncClient(transport=sync)
