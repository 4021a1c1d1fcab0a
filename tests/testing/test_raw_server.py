"""The raw server that plays functions, where its clients break off."""

from __future__ import annotations

import socket
import time

import pytest

from evoclient.testing.raw_server import Peer, RawServer

pytestmark = pytest.mark.loopback

ASKED = b"POST /v1/x HTTP/1.1\r\nContent-Length: 7\r\n\r\n" + b'{"a":1}'


def test_a_request_that_breaks_off_is_none() -> None:
    """The server does not wait for the rest of a request whose client has gone."""
    seen: list[bytes] = []

    def play(peer: Peer) -> None:
        seen.append(peer.read_request())

    with RawServer(play) as plain:
        with socket.create_connection(("127.0.0.1", plain.port), 5) as client:
            client.sendall(ASKED[:-3])
        deadline = time.monotonic() + 5
        while not (plain.peers and plain.peers[0].ended.is_set()) and time.monotonic() < deadline:
            time.sleep(0.005)
    assert seen == [b""]
