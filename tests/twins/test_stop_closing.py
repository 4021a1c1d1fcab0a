"""A stop sequence ends the paying: the server sees the connection close at the match."""

from __future__ import annotations

import json
from collections.abc import Callable
from statistics import median
from time import monotonic
from typing import Any, Final

import pytest

from evoclient.testing import DemoServer
from evoclient.testing.raw_server import OK, Peer, RawServer
from evoclient.testing.raw_server import chunk as framed
from tests.colours import Colour
from tests.twins.scripts import chunk

AnyColour = Colour[Any, Any]

pytestmark = pytest.mark.loopback

HEAD: Final = OK + b"Content-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"

#: How often each transport is measured.
TIMES: Final = 9

#: Seconds within which a server must see the connection close.
MOST_SECONDS: Final = 0.5


def event(text: str) -> bytes:
    """Return a chunk of text as a server frames it."""
    return framed(f"data: {json.dumps(chunk(text), ensure_ascii=False)}\n\n".encode())


def writing_on(seconds: list[float]) -> Callable[[Peer], None]:
    """Return a server that writes on after the match, and says how long it could."""

    def play(peer: Peer) -> None:
        peer.read_request()
        peer.send(HEAD, event("один "), event("два Сто"))
        sent = monotonic()
        peer.send(event("п!"))
        peer.sock.settimeout(0.01)
        while not peer.server.stopping.is_set() and not _is_closed(peer):
            try:
                peer.sock.sendall(event("ещё "))
            except OSError:
                break
        seconds.append(monotonic() - sent)
        peer.closed.set()

    return play


def _is_closed(peer: Peer) -> bool:
    """Wait a little for what the client sends, and return whether that is the end."""
    try:
        return not peer.sock.recv(1)
    except TimeoutError:
        return False
    except OSError:
        return True


@pytest.mark.parametrize("transport", ["default", "httpx"])
def test_the_server_sees_the_close(colour: AnyColour, transport: str) -> None:
    """The connection is closed within half a second of the match, and not used again."""
    if transport == "httpx":
        pytest.importorskip("httpx")
    name = colour.transport if transport == "default" else transport
    seconds: list[float] = []
    with RawServer(writing_on(seconds)) as server:
        base_url = f"http://127.0.0.1:{server.port}/v1"
        client = colour.client(base_url=base_url, model="m", transport=name)
        for number in range(TIMES):
            stream = colour.stream(client, stop=["Стоп"])
            assert "".join(colour.text(stream)) == "один два "
            assert (stream.outcome, stream.stop_sequence) == ("stopped", "Стоп")
            assert server.peers[number].closed.wait(MOST_SECONDS)
        assert len(server.peers) == TIMES
        colour.close(client)
    print(f"{colour.name} {name}: closed after {median(seconds) * 1000:.1f} ms")
    assert max(seconds) < MOST_SECONDS


def test_a_reader_that_takes_its_time(colour: AnyColour) -> None:
    """The connection closes at the match, though the reader has not asked for what follows."""
    seconds: list[float] = []
    with RawServer(writing_on(seconds)) as server:
        client = colour.client(base_url=f"http://127.0.0.1:{server.port}/v1", model="m")
        stream = colour.stream(client, stop="Стоп")
        text = ""
        while stream.outcome is None:
            text += colour.next(stream).text
        colour.settle()
        assert server.peers[0].closed.wait(MOST_SECONDS)
        assert "один два ".startswith(text)
        assert text + "".join(each.text for each in colour.chunks(stream)) == "один два "
        colour.close(client)


def test_the_demo_server(colour: AnyColour) -> None:
    """The demo server counts the answer as one that was left."""
    with DemoServer(pace=0.02) as server:
        client = colour.client(base_url=server.base_url, model="demo", api_key="k")
        messages = [{"role": "user", "content": "repeat: one two three " + "four " * 200}]
        stream = colour.stream(client, messages=messages, stop="three", stop_mode="client")
        assert "".join(colour.text(stream)) == "one two "
        assert server.wait_until(lambda: server.cancelled == 1 and server.open_streams == 0)
        colour.close(client)
