"""When the sockets of a client are closed: soon after every end, whoever brings it about."""

from __future__ import annotations

import asyncio
import gc
import threading
from collections.abc import Callable
from typing import Any

import pytest

from evoclient.aio.client import AsyncClient
from evoclient.testing.raw_server import Play, RawServer
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


class Leaving(Exception):
    """What a reader raises in its loop."""


def _by_with(front: AnyColour, thing: Any, inside: Callable[[], object]) -> None:
    """Leave a context, of whichever colour."""
    if front.name == "sync":
        with thing:
            inside()
        return

    async def leave() -> None:
        async with thing:
            pass

    inside()
    front.run(leave())


def closed_by_hand(front: AnyColour, client: Any, streams: list[Any]) -> None:
    """Close the stream."""
    streams[0].close()


def cancelled(front: AnyColour, client: Any, streams: list[Any]) -> None:
    """Cancel the stream."""
    streams[0].cancel()


def left_with(front: AnyColour, client: Any, streams: list[Any]) -> None:
    """Leave the context of the stream."""
    _by_with(front, streams[0], int)


def left_with_an_error(front: AnyColour, client: Any, streams: list[Any]) -> None:
    """Leave the context of the stream by an exception of one's own."""
    stream = streams[0]

    def fail() -> None:
        with stream:
            raise Leaving

    async def fail_in_a_task() -> None:
        async with stream:
            raise Leaving

    leave = fail if front.name == "sync" else fail_in_a_task
    with pytest.raises(Leaving):
        front.run(leave())


def left_and_dropped(front: AnyColour, client: Any, streams: list[Any]) -> None:
    """Leave a loop and forget the stream."""
    front.first(streams.pop())
    gc.collect()


def client_closed(front: AnyColour, client: Any, streams: list[Any]) -> None:
    """Close the client."""
    front.close(client)


def client_left_with(front: AnyColour, client: Any, streams: list[Any]) -> None:
    """Leave the context of the client."""
    _by_with(front, client, int)


ENDS = [
    closed_by_hand,
    cancelled,
    left_with,
    left_with_an_error,
    left_and_dropped,
    client_closed,
    client_left_with,
]


@pytest.mark.parametrize("end", ENDS, ids=lambda end: end.__name__)
@pytest.mark.parametrize("has_begun", [False, True], ids=["unread", "begun"])
def test_a_stream_that_ends_early(
    front: AnyColour, end: Callable[[AnyColour, Any, list[Any]], None], has_begun: bool
) -> None:
    """However a stream is left, read or not, the server sees its connection closed soon."""
    with RawServer(silent_behind_a_chunk) as server:
        client = client_of(front, server)
        streams = [front.stream(client)]
        if has_begun and end is not left_and_dropped:
            assert front.next(streams[0]).text == "Hi"
        end(front, client, streams)
        assert soon(front, server.peers[0].closed)
        front.close(client)


@pytest.mark.parametrize("reader", ["chunks", "text", "events", "until_done"])
def test_complete_streams_share_connections(front: AnyColour, reader: str) -> None:
    """Twenty streams read to their ends, in whatever way, use at most three connections."""
    with RawServer(answering) as server:
        client = client_of(front, server)
        for _ in range(20):
            stream = front.stream(client)
            if reader == "until_done":
                front.run(stream.until_done())
            else:
                list(getattr(front, reader)(stream))
            assert stream.outcome == "complete"
        front.close(client)
        assert len(server.requests) == 20
        assert len(server.peers) <= 3
        assert all(soon(front, peer.closed) for peer in server.peers)


@pytest.mark.parametrize(
    "play", [silent, silent_in_a_body, silent_behind_a_chunk, silent_in_an_error]
)
@pytest.mark.parametrize("transport", ["aiohttp", "httpx"])
async def test_a_cancelled_task(play: Play, transport: Any) -> None:
    """A task that is cancelled, whatever it waits for, sees just that, and its socket is closed."""
    with RawServer(play) as server:
        base = server.url.removesuffix("/chat/completions")
        async with AsyncClient(base_url=base, model="m", transport=transport) as client:

            async def ask() -> None:
                asked: Any = {"messages": [{"role": "user", "content": "Hi"}]}
                if play is silent_behind_a_chunk:
                    async with await client.chat.completions.create(**asked, stream=True) as stream:
                        await stream.until_done()
                await client.chat.completions.create(**asked)

            task = asyncio.create_task(ask())
            await asyncio.to_thread(arrived, server)
            await asyncio.sleep(0.05)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert await asyncio.to_thread(server.peers[0].closed.wait, SOON)
            assert len(server.requests) == 1


def arrived(server: RawServer) -> None:
    """Wait until a request has arrived."""
    for _ in range(1000):
        if server.requests:
            return
        threading.Event().wait(0.005)
    raise TimeoutError
