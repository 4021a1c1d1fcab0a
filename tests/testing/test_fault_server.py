"""The fault server: its process, its acts, and what it tells of the clients."""

from __future__ import annotations

import socket
import struct
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from evoclient import Client, EvoClientError, Timeouts
from evoclient.ground import ConfigurationError
from evoclient.testing import Fault, FaultServer, FaultSite
from evoclient.testing.acts import (
    Close,
    Drip,
    HalfClose,
    Receive,
    Repeat,
    Reset,
    Send,
    Wait,
)
from evoclient.testing.fault_catalog import FAULTS

pytestmark = pytest.mark.loopback

ASKED = b"POST /v1/x HTTP/1.1\r\nX-One: 1\r\nContent-Length: 7\r\n\r\n" + b'{"a":1}'

REFERENCE = Path(__file__).parents[2] / "docs/reference/testing.md"


@pytest.fixture(scope="module")
def server() -> Iterator[FaultServer]:
    """Give a server for all tests of this file."""
    with FaultServer() as server:
        yield server


def connected(site: FaultSite) -> socket.socket:
    """Connect to an address, and ask."""
    client = socket.create_connection(("127.0.0.1", site.port), 5)
    client.sendall(ASKED)
    return client


def received(client: socket.socket) -> bytes:
    """Read all that comes, until the server ends the connection."""
    data = b""
    while block := client.recv(65536):
        data += block
    return data


def test_acts_are_played_in_order(server: FaultServer) -> None:
    """What is sent is exactly what the acts say, and then the connection ends."""
    site = server.play(Send(b"one"), Drip(b"two"), Repeat(b"x", 3), Close())
    with connected(site) as client:
        assert received(client) == b"onetwoxxx"
    assert site.connections[0].sent == 9


def test_answers_are_given_in_turn(server: FaultServer) -> None:
    """Each request gets the next answer, on whichever connection; the last one stays."""
    site = server.play(Fault(((Send(b"1"),), (Send(b"2"), Close()), (Send(b"3"), Close()))))
    with connected(site) as client:
        assert client.recv(9) == b"1"
        client.sendall(ASKED)
        assert received(client) == b"2"
    for _ in range(2):
        with connected(site) as client:
            assert received(client) == b"3"
    assert [len(connection.requests) for connection in site.connections] == [2, 1, 1]


def test_requests_are_kept(server: FaultServer) -> None:
    """Head, body and time of each request can be asked for, also after the address is closed."""
    site = server.play(Send(b"x"))
    with connected(site) as client:
        assert client.recv(9) == b"x"
        site.close()
    (request,) = site.requests
    assert request.line == "POST /v1/x HTTP/1.1"
    assert (request.headers["x-one"], request.json) == ("1", {"a": 1})
    assert 0 <= request.at < 5


def test_a_client_that_goes_is_noticed(server: FaultServer) -> None:
    """The server tells when the client closed, in whichever act it was then."""
    for acts in ((Wait(30),), (Repeat(b"x"),), (Repeat(b"x", every=0.01),), (Drip(b"x" * 10**6),)):
        site = server.play(*acts)
        client = connected(site)
        assert site.wait_until(lambda seen: bool(seen and seen[0].requests))
        assert site.connections[0].is_open
        client.close()
        assert site.wait_until(lambda seen: seen[0].closed is not None), acts
        site.close()


def test_a_reset_is_a_reset(server: FaultServer) -> None:
    """`Reset` and `Close` can be told apart by the client."""
    site = server.play(Reset())
    with connected(site) as client, pytest.raises(ConnectionResetError):
        received(client)
    site = server.play(Close())
    with connected(site) as client:
        assert received(client) == b""


def test_a_client_that_resets_has_closed(server: FaultServer) -> None:
    """A reset by the client is told like its closing."""
    site = server.play(Wait(30))
    client = connected(site)
    assert site.wait_until(lambda seen: bool(seen and seen[0].requests))
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.close()
    assert site.wait_until(lambda seen: seen[0].closed is not None)


def test_half_closed(server: FaultServer) -> None:
    """After `HalfClose` the client reads the end, and is still heard."""
    site = server.play(Send(b"x"), HalfClose(), Wait(0.05))
    with connected(site) as client:
        assert received(client) == b"x"
        client.sendall(ASKED)
        assert site.wait_until(lambda seen: len(seen[0].requests) == 2)


def test_what_comes_before_a_request(server: FaultServer) -> None:
    """A greeting is played unasked; what `Receive` takes is no request."""
    site = server.play(Fault(greeting=(Send(b"hello"), Receive(), Close())))
    with socket.create_connection(("127.0.0.1", site.port), 5) as client:
        assert client.recv(9) == b"hello"
        client.sendall(ASKED)
        assert received(client) == b""
    assert site.requests == []


def test_an_answer_before_the_body(server: FaultServer) -> None:
    """With `reads="head"` the answer does not wait for the body."""
    site = server.play(Fault(((Send(b"early"), Close()),), reads="head"))
    with socket.create_connection(("127.0.0.1", site.port), 5) as client:
        client.sendall(ASKED.partition(b"{")[0])
        assert received(client) == b"early"
    assert site.requests[0].body == b""


def test_the_server_is_another_process(server: FaultServer) -> None:
    """The end of the with block ends every connection, and the process with it."""
    with FaultServer() as own:
        site = own.play("silent")
        client = connected(site)
        assert site.wait_until(lambda seen: bool(seen and seen[0].requests))
        process = own._process
        assert process is not None
        assert process.poll() is None
        began = time.monotonic()
    assert time.monotonic() - began < 5
    assert process.returncode == 0
    assert received(client) == b""
    client.close()
    with pytest.raises(EvoClientError, match="not running"):
        own.play("silent")


def test_wrong_faults_are_refused(server: FaultServer) -> None:
    """A name that is unknown, and what is no act, are told with what there is."""
    with pytest.raises(ConfigurationError, match="there are answered_early, bad_chunk_size"):
        server.play("no_such_fault")
    with pytest.raises(ConfigurationError, match="acts are Send, Drip"):
        server.play(b"bytes")  # type: ignore[arg-type]  # the mistake under test
    with pytest.raises(ConfigurationError, match="at least one answer"):
        Fault(())


def test_bytes_can_be_replaced() -> None:
    """What is sent can be given an address that is known late."""
    fault = Fault(((Send(b"to @"), Drip(b"@"), Repeat(b"@", 2), Wait(1)),), (Send(b"@"),))
    wanted = Fault(((Send(b"to x"), Drip(b"x"), Repeat(b"x", 2), Wait(1)),), (Send(b"x"),))
    assert fault.replacing(b"@", b"x") == wanted


GOOD = {"good", "good_whole", "closed_before_reuse", "kept_open", "done_alone", "drip"}


def test_named_faults_do_what_they_are_called(server: FaultServer) -> None:
    """Only the good ones, and those that end well, give an answer without an error."""
    limits = Timeouts(first_chunk=0.5, idle=0.5, total=1)
    ended_well = set()
    for name in set(server.names) - {"stall", "silent", "endless_comments", "error_stalls"}:
        site = server.play(name)
        with Client(base_url=site.base_url, model="m", max_retries=0, timeout=limits) as client:
            try:
                stream = client.chat.completions.create(
                    messages=[{"role": "user", "content": "x"}], stream=True
                )
                assert stream.until_done().text == "Hello"
                ended_well.add(name)
            except EvoClientError:
                pass
        site.close()
    assert ended_well == GOOD


def test_named_faults_are_in_the_reference(server: FaultServer) -> None:
    """The table of the reference names every fault, and no other."""
    text = REFERENCE.read_text("utf-8").partition("## Faults, down to the byte")[2]
    rows = [line for line in text.partition("## The classes")[0].splitlines() if line[:3] == "| `"]
    named = [word for row in rows for word in row.split("|")[1].split("`")[1::2]]
    assert sorted(named) == server.names == sorted(FAULTS)
