"""Recovery over real sockets: what breaks is a connection, and nothing of it is left open."""

from __future__ import annotations

import json
import threading
from typing import Any

import pytest

from evoclient.errors.tree import StreamInterruptedError
from evoclient.retry import Retry
from evoclient.streaming.ending import Outcome
from evoclient.streaming.events import RestartEvent
from evoclient.testing.raw_server import OK, Peer, Play, RawServer, chunk, replies
from evoclient.testing.server import DemoServer
from evoclient.wire import Timeouts
from tests.colours import Colour
from tests.twins import scripts
from tests.twins.recovering import ENGLISH, READERS, applied, in_pieces, read

AnyColour = Colour[Any, Any]

pytestmark = pytest.mark.loopback

PIECES = in_pieces(ENGLISH, 200)
HEAD = OK + b"Content-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"


def event(text: str | None, finish: str | None = None) -> bytes:
    """Return an event with a piece of text, in a chunk of the body."""
    return chunk(b"data: " + json.dumps(scripts.chunk(text, finish)).encode() + b"\n\n")


def breaking(pieces: list[str], *, reset: bool = False) -> Play:
    """Send some pieces, and break the connection in the middle of the body."""

    def play(peer: Peer) -> None:
        peer.read_request()
        peer.send(HEAD, *map(event, pieces))
        if reset:
            peer.reset()

    return play


def falling_silent(pieces: list[str]) -> Play:
    """Send some pieces, and nothing more."""

    def play(peer: Peer) -> None:
        peer.read_request()
        peer.send(HEAD, *map(event, pieces))
        peer.until_closed()

    return play


def whole(pieces: list[str]) -> Play:
    """Send an answer to its end."""
    done = chunk(b"data: [DONE]\n\n") + chunk(b"")
    return replies(b"".join([HEAD, *map(event, pieces), event(None, "stop"), done]))


def client_of(colour: AnyColour, server: RawServer, **options: Any) -> Any:
    """Return a client of a server on this machine."""
    options = {"provider": "vllm", "model": "m", "retry_delay": 0, **options}
    return colour.client(base_url=f"http://127.0.0.1:{server.port}/v1", **options)


def body_of(request: bytes) -> dict[str, Any]:
    """Return the body of a request."""
    body: dict[str, Any] = json.loads(request.partition(b"\r\n\r\n")[2])
    return body


@pytest.mark.parametrize("recover", ["continue", "restart", ["other"]], ids=str)
def test_cut_connections(colour: AnyColour, recover: Any) -> None:
    """A connection that breaks anywhere is followed by another, and no character is lost."""
    for number, after in enumerate((1, 2, 57, 199)):
        came = PIECES[:after]
        rest = PIECES if recover == "restart" else PIECES[after:]
        with RawServer(breaking(came), whole(rest)) as server:
            client = client_of(colour, server)
            stream = colour.stream(client, recover=recover)
            assert read(colour, stream, READERS[number % 3]) == ENGLISH
            assert (stream.outcome, stream.completion.text) == ("complete", ENGLISH)
            first, second = map(body_of, server.requests)
            assert second["model"] == ("other" if recover == ["other"] else "m")
            if recover != "restart":
                assert second["messages"] == [
                    *first["messages"],
                    {"role": "assistant", "content": "".join(came)},
                ]
            colour.close(client)


def test_silence(colour: AnyColour) -> None:
    """A server that falls silent is left, and the connection to it is closed."""
    with RawServer(falling_silent(PIECES[:50]), whole(PIECES[50:])) as server:
        client = client_of(colour, server, timeout=Timeouts(idle=0.2))
        stream = colour.stream(client, recover="continue")
        assert read(colour, stream, "text") == ENGLISH
        colour.settle()
        assert server.peers[0].closed.wait(2)
        colour.close(client)


def test_a_new_answer(colour: AnyColour) -> None:
    """A server that begins anew is told by the error, or by an event."""
    other = in_pieces("Sure, here is another answer, which is no continuation.", 9)
    for reader in READERS:
        second = whole(other) if reader == "events" else falling_silent(other)
        with RawServer(breaking(PIECES[:50]), second) as server:
            client = client_of(colour, server, provider="generic")
            stream = colour.stream(client, recover="continue")
            if reader == "events":
                events = colour.events(stream)
                assert applied(events) == "".join(other)
                assert [e.keep for e in events if isinstance(e, RestartEvent)] == [0]
            else:
                with pytest.raises(StreamInterruptedError) as caught:
                    read(colour, stream, reader)
                assert caught.value.partial is not None
                assert caught.value.partial.text == "".join(PIECES[:50])
                assert caught.value.departed is not None
                assert "".join(other).startswith(caught.value.departed.text)
                colour.settle()
                assert server.peers[1].closed.wait(2)
            colour.close(client)


@pytest.mark.parametrize("fault", ["cut", "eof", "error_event"])
def test_faults_of_the_demo_server(colour: AnyColour, fault: str) -> None:
    """The server's faults are recovered from, each by beginning anew."""
    with DemoServer(pace=0) as server:
        client = colour.client(base_url=server.base_url, model="demo", retry_delay=0)
        asked = {"messages": [{"role": "user", "content": f"repeat: {ENGLISH[:200]}"}]}
        uncut = colour.stream(client, **asked)
        text = read(colour, uncut, "text")
        server.play(fault, after=6)
        stream = colour.stream(client, recover="restart", **asked)
        assert read(colour, stream, "chunks") == text
        assert stream.metrics.attempts == 2
        assert stream.outcome == "complete"
        colour.close(client)


def test_closed_between_the_attempts(colour: AnyColour) -> None:
    """A reader that closes the stream while it waits does not connect again."""
    with RawServer(breaking(PIECES[:50]), whole(PIECES)) as server:
        client = client_of(colour, server, retry=Retry(base=30, cap=30), retry_delay=None)
        stream = colour.stream(client, recover="restart")
        text = colour.beside(lambda: read(colour, stream, "text"), stream.close, 0.3)
        assert text == "".join(PIECES[:50])
        assert stream.outcome is Outcome.cancelled
        assert len(server.requests) == 1
        colour.close(client)


def test_closed_from_a_thread(colour: AnyColour) -> None:
    """Any thread may close the stream while it waits, in both colours."""
    with RawServer(breaking(PIECES[:50]), whole(PIECES)) as server:
        client = client_of(colour, server, retry=Retry(base=30, cap=30), retry_delay=None)
        stream = colour.stream(client, recover="restart")
        timer = threading.Timer(0.3, stream.close)
        timer.start()
        assert read(colour, stream, "events") == "".join(PIECES[:50])
        assert stream.outcome is Outcome.cancelled
        timer.join()
        colour.close(client)
