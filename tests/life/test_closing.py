"""A client that is closed while its calls wait, and one that is used after that."""

from __future__ import annotations

import asyncio
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from time import monotonic
from typing import Any

import attrs
import pytest

from evoclient.errors.tree import ClientClosedError
from evoclient.ground import EvoClientError
from evoclient.streaming.ending import Outcome
from evoclient.sync.client import Client
from evoclient.sync.stream import Stream
from evoclient.testing.raw_server import Play, RawServer, replies, sized
from evoclient.transports.memory import MemoryTransport
from tests.colours import MESSAGES
from tests.fronts import AnyColour

from .plays import (
    SOON,
    answering,
    client_of,
    silent,
    silent_behind_a_chunk,
    silent_in_a_body,
    silent_in_an_error,
    soon,
)

pytestmark = pytest.mark.loopback


@attrs.frozen
class Wait:
    """What a call waits for."""

    play: Play
    is_stream: bool
    options: dict[str, Any] = attrs.field(factory=dict)


WAITS = {
    "the head of an answer": Wait(silent, False),
    "the head of a stream": Wait(silent, True),
    "the rest of an answer": Wait(silent_in_a_body, False),
    "the rest of an error": Wait(silent_in_an_error, False),
    "the next chunk": Wait(silent_behind_a_chunk, True),
    "another attempt": Wait(replies(sized(b"", b"503 No")), False, {"retry_delay": 0.6}),
}


def ask(front: AnyColour, client: Any, wait: Wait) -> object:
    """Make a call that gets no answer; return what ended it."""
    try:
        if not wait.is_stream:
            return front.create(client)
        stream = front.stream(client)
        list(front.chunks(stream))
    except EvoClientError as error:
        return error
    return stream.outcome


# Where the reply has not begun, what a copy closes is not known to be its own.
@pytest.mark.parametrize(
    ("is_copy", "what"),
    [(False, what) for what in WAITS]
    + [(True, what) for what, wait in WAITS.items() if wait.play is not silent],
)
def test_a_client_closed_while_a_call_waits(front: AnyColour, what: str, is_copy: bool) -> None:
    """Closing a client, or a copy, from elsewhere ends its calls under way and their sockets."""
    wait = WAITS[what]
    with RawServer(wait.play) as server:
        client = client_of(front, server, timeout=2.3, **wait.options)
        used = client.with_options(model="other") if is_copy else client

        def later() -> object:
            if front.name == "sync":
                asked(server)
                return used.close()
            return asyncio.ensure_future(close_once_asked())

        async def close_once_asked() -> None:
            await asyncio.to_thread(asked, server)
            await used.close()

        began = monotonic()
        ended = front.beside(lambda: ask(front, used, wait), later, after=0.1)
        took = monotonic() - began
        peer = server.peers[0]
        if what == "another attempt":
            # An idle connection is the transport's, which a copy leaves open.
            front.close(client)
        is_closed = soon(front, peer.closed)
        front.close(client)
        assert took < SOON
        assert is_closed
        assert len(server.requests) == 1
    if wait.play is silent_behind_a_chunk:
        assert ended == "cancelled"
    else:
        assert isinstance(ended, ClientClosedError)


def asked(server: RawServer) -> None:
    """Wait until a request has come: the first one loads a library."""
    latest = monotonic() + SOON
    while not server.requests and monotonic() < latest:
        time.sleep(0.005)


ASKED = [{"role": "user", "content": "Hi"}]
USES: dict[str, Callable[[Any], Any]] = {
    "a chat": lambda client: client.chat.completions.create(messages=ASKED, model="m"),
    "a stream": lambda client: client.chat.completions.create(
        messages=ASKED, model="m", stream=True
    ),
    "a completion": lambda client: client.completions.create(prompt="a", model="m"),
    "embeddings": lambda client: client.embeddings.create(input="a", model="m"),
    "models": lambda client: client.models.list(),
    "a model": lambda client: client.models.retrieve("m"),
    "any request": lambda client: client.request("POST", "/x", body={}),
    "any stream": lambda client: client.request("POST", "/x", body={}, stream=True),
    "a copy": lambda client: client.with_options(timeout=3).models.list(),
}


@pytest.mark.parametrize("what", USES)
@pytest.mark.parametrize("is_used", [False, True], ids=["fresh", "used"])
def test_use_after_close(front: AnyColour, what: str, is_used: bool) -> None:
    """Every use of a closed client is an error at once, and sends nothing."""
    with RawServer(answering) as server:
        client = client_of(front, server, retry_delay=5)
        if is_used:
            list(front.chunks(front.stream(client)))
        front.close(client)
        sent = len(server.requests)
        began = monotonic()
        with pytest.raises(ClientClosedError, match="closed"):
            front.run(USES[what](client))
        assert monotonic() - began < 0.5
        assert len(server.requests) == sent


def test_closing_while_others_open_streams() -> None:
    """A client that is closed while threads open streams closes all of them, and its transport."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)  # so that threads meet in the middle of things
    try:
        for _ in range(20):
            opened, client = _closed_under_threads()
            assert all(stream.outcome is Outcome.cancelled for stream in opened)
            assert client.is_closed
    finally:
        sys.setswitchinterval(interval)


def _closed_under_threads() -> tuple[list[Stream], Client]:
    """Close a client that four threads open streams with; return these."""
    client = Client(transport=MemoryTransport(), model="demo")
    opened: list[Stream] = []

    def open_streams() -> None:
        with suppress(ClientClosedError):
            while True:
                opened.append(client.chat.completions.create(messages=MESSAGES, stream=True))

    threads = [threading.Thread(target=open_streams) for _ in range(4)]
    for thread in threads:
        thread.start()
    while len(opened) < 20:
        time.sleep(0.001)
    client.close()
    for thread in threads:
        thread.join()
    return opened, client
