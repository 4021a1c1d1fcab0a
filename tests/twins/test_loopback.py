"""Both clients against the demo server, over real sockets."""

from __future__ import annotations

import os
from collections.abc import Iterator
from time import monotonic
from typing import Any

import pytest

from evoclient.errors.tree import (
    APIConnectionError,
    APIStatusError,
    APITimeoutError,
    AuthenticationError,
    NotFoundError,
    StreamInterruptedError,
    StreamProviderError,
)
from evoclient.testing.server import DemoServer
from evoclient.wire import Timeouts
from tests.colours import Colour

AnyColour = Colour[Any, Any]

pytestmark = pytest.mark.loopback


@pytest.fixture
def server() -> Iterator[DemoServer]:
    """Give a demo server that answers as fast as it can."""
    with DemoServer(pace=0, api_key="demo-key") as server:
        yield server


def client_of(colour: AnyColour, server: DemoServer, **options: Any) -> Any:
    """Return a client of the demo server."""
    settings = {"base_url": server.base_url, "api_key": "demo-key", "model": "demo", **options}
    return colour.client(**settings)


def said(text: str) -> dict[str, Any]:
    """Return what makes the demo server answer with a text."""
    return {"messages": [{"role": "user", "content": f"repeat: {text}"}]}


def test_whole_and_streamed_agree(colour: AnyColour, server: DemoServer) -> None:
    """A stream's completion says what the same request answers without streaming."""
    client = client_of(colour, server)
    text = "Привет, 世界 \U0001f600!\nline two"
    whole = colour.create(client, **said(text))
    stream = colour.stream(client, usage=True, **said(text))
    assert "".join(colour.text(stream)) == whole.text == text
    streamed = stream.completion
    assert (streamed.finish_reason, streamed.model) == (whole.finish_reason, whole.model)
    assert streamed.usage == whole.usage
    assert whole.usage is not None
    assert whole.response is not None
    assert whole.response.status_code == 200
    assert whole.response.elapsed > 0
    colour.close(client)


def test_connections_are_used_again(colour: AnyColour, server: DemoServer) -> None:
    """Twenty complete streams, one after another, use at most three connections."""
    client = client_of(colour, server)
    for _ in range(20):
        assert "".join(colour.text(colour.stream(client, **said("a b c")))) == "a b c"
    assert server.connections <= 3
    colour.close(client)


def test_leaving_early_is_seen_by_the_server(colour: AnyColour) -> None:
    """A reader that leaves its loop closes the connection, and the server notices."""
    with DemoServer(pace=0.02) as slow:
        client = client_of(colour, slow)
        assert len(colour.first(colour.stream(client), 3)) == 3
        assert slow.wait_until(lambda: slow.cancelled == 1 and slow.open_streams == 0)
        colour.close(client)


def test_cancel_while_blocked(colour: AnyColour) -> None:
    """A stream cancelled from elsewhere ends its blocked reader, and the connection with it."""
    with DemoServer(pace=30) as silent:
        client = client_of(colour, silent)
        stream = colour.stream(client)
        began = monotonic()
        colour.beside(lambda: list(colour.chunks(stream)), stream.cancel, after=0.1)
        assert monotonic() - began < 3
        assert stream.outcome == "cancelled"
        assert silent.wait_until(lambda: silent.open_streams == 0)
        colour.close(client)


def test_pieces_are_handed_on_as_they_arrive(colour: AnyColour) -> None:
    """The first chunk is in the reader's hands long before the last one is sent."""
    with DemoServer(pace=0.05) as paced:
        client = client_of(colour, paced)
        arrivals = [
            monotonic() for _ in colour.chunks(colour.stream(client, **said("a b c d e f g h")))
        ]
        # Eight pieces, a pause between each: all at once would take no time at all.
        assert arrivals[-1] - arrivals[0] > 0.25
        colour.close(client)


FAULTS: list[tuple[str, dict[str, Any], type[Exception]]] = [
    ("cut", {"after": 2}, StreamInterruptedError),
    ("eof", {"after": 2}, StreamInterruptedError),
    ("error_event", {"after": 2}, StreamProviderError),
]


@pytest.mark.parametrize(("fault", "options", "error"), FAULTS, ids=[row[0] for row in FAULTS])
def test_broken_streams_keep_what_came(
    colour: AnyColour,
    server: DemoServer,
    fault: str,
    options: dict[str, Any],
    error: type[StreamInterruptedError],
) -> None:
    """A stream that breaks raises, and the error has the text that had come."""
    server.play(fault, **options)
    client = client_of(colour, server)
    stream = colour.stream(client, **said("one two three four five"))
    pieces: list[str] = []
    with pytest.raises(error) as caught:
        pieces.extend(chunk.text for chunk in colour.chunks(stream))
    assert caught.value.partial_text == "".join(pieces)
    assert "one two three four five".startswith(caught.value.partial_text)
    assert len(server.requests) == 1
    colour.close(client)


def test_a_stall_is_left(colour: AnyColour, server: DemoServer) -> None:
    """A server that falls silent in the middle is left after `idle`."""
    server.play("stall", after=2, seconds=30)
    client = client_of(colour, server, timeout=Timeouts(idle=0.2))
    stream = colour.stream(client, **said("one two three"))
    began = monotonic()
    with pytest.raises(APITimeoutError) as caught:
        list(colour.chunks(stream))
    assert monotonic() - began < 2
    assert caught.value.limit == "idle"
    assert caught.value.partial_text
    assert server.wait_until(lambda: server.open_streams == 0)
    colour.close(client)


def test_after_the_end_marker(colour: AnyColour, server: DemoServer) -> None:
    """The end marker ends the stream, though the server keeps the connection open."""
    server.play("keep_open")
    client = client_of(colour, server)
    began = monotonic()
    assert "".join(colour.text(colour.stream(client, **said("a b")))) == "a b"
    assert monotonic() - began < 2
    colour.close(client)


def test_a_wrong_key(colour: AnyColour, server: DemoServer) -> None:
    """A key that the server refuses is an AuthenticationError that does not show it."""
    client = client_of(colour, server, api_key="wrong-key-123456")
    with pytest.raises(AuthenticationError) as caught:
        colour.create(client)
    assert "wrong-key-123456" not in str(caught.value)
    assert caught.value.status_code == 401
    colour.close(client)


@pytest.mark.parametrize("path", ["/v1", "/v1/", "/v1/chat/completions", ""])
def test_base_urls(colour: AnyColour, server: DemoServer, path: str) -> None:
    """The base URL may have or lack /v1, end in a slash, or be the whole path."""
    root = server.base_url.removesuffix("/v1")
    client = client_of(colour, server, base_url=root + path)
    assert colour.create(client, **said("here")).text == "here"
    colour.close(client)


def test_a_wrong_base_url(colour: AnyColour, server: DemoServer) -> None:
    """A base URL that leads nowhere gives a 404 with the URL tried and the likely fix."""
    root = server.base_url.removesuffix("/v1")
    client = client_of(colour, server, base_url=f"{root}/api")
    with pytest.raises(NotFoundError, match=r"/api/chat/completions.*/v1"):
        colour.create(client)
    colour.close(client)


def test_nobody_listens(colour: AnyColour) -> None:
    """A server that is not there is a connection error that names the address."""
    client = colour.client(base_url="http://127.0.0.1:9/v1", model="m", max_retries=0)
    with pytest.raises(APIConnectionError, match=r"127\.0\.0\.1:9"):
        colour.create(client)
    colour.close(client)


def test_redirects_are_not_followed(colour: AnyColour, server: DemoServer) -> None:
    """A redirect is an error that names its target, and the key goes nowhere else."""
    server.play("redirect")
    client = client_of(colour, server)
    with pytest.raises(APIStatusError, match="redirect"):
        colour.create(client)
    assert len(server.requests) == 1
    colour.close(client)


def test_many_streams_leave_nothing_open(colour: AnyColour, server: DemoServer) -> None:
    """A hundred streams, every other one abandoned, leave no descriptor open."""
    client = client_of(colour, server)
    for _ in range(5):
        list(colour.chunks(colour.stream(client, **said("a b c"))))
    before = len(os.listdir("/proc/self/fd"))
    for number in range(100):
        stream = colour.stream(client, **said("a b c"))
        if number % 2:
            list(colour.chunks(stream))
        else:
            colour.first(stream)
    assert server.wait_until(lambda: server.open_streams == 0)
    assert len(os.listdir("/proc/self/fd")) <= before + 4
    colour.close(client)
