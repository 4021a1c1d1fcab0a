"""The asynchronous transport and event loops: several of them, and cancelled tasks."""

from __future__ import annotations

import asyncio
import gc
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from evoclient.errors.tree import APIConnectionError
from evoclient.testing.raw_server import CHUNKED, Peer, RawServer, chunk, replies, sized
from evoclient.transports.registry import transport_class
from evoclient.wire import Deadlines

from .callers import a_request, async_body, deadline

pytestmark = pytest.mark.loopback

HI = sized(b"hi")


@pytest.fixture(params=["aiohttp", "httpx"])
def transport(request: pytest.FixtureRequest) -> Any:
    """Make each asynchronous transport, outside of a loop."""
    return transport_class(request.param, "async")()


def test_one_transport_serves_loops_one_after_another(transport: Any) -> None:
    """Each loop has connections of its own, and leaves none behind when it ends."""

    async def ask(url: str) -> bytes:
        reply = await transport.send(a_request(url), Deadlines(total=deadline(10)))
        return await async_body(reply).read(None)

    with RawServer(replies(HI)) as server:
        for number in range(3):
            assert asyncio.run(ask(server.url)) == b"hi"
            assert server.peers[number].closed.wait(1)
        assert len(server.peers) == 3
        asyncio.run(transport.aclose())
    gc.collect()  # a warning of something unclosed would fail the test


def test_one_transport_serves_loops_at_once(transport: Any) -> None:
    """Loops in different threads do not disturb each other."""

    async def ask(url: str) -> list[bytes]:
        got = []
        for _ in range(10):
            reply = await transport.send(a_request(url), Deadlines(total=deadline(10)))
            got.append(await async_body(reply).read(None))
        return got

    with RawServer(replies(HI)) as server, ThreadPoolExecutor(3) as threads:
        got = threads.map(lambda _: asyncio.run(ask(server.url)), range(3))
        assert list(got) == [[b"hi"] * 10] * 3
        assert len(server.peers) == 3


def test_a_loop_that_was_closed_without_a_word_is_forgotten_quietly(transport: Any) -> None:
    """A session whose loop is gone is let go of without aiohttp's complaints."""

    async def ask(url: str) -> None:
        reply = await transport.send(a_request(url), Deadlines(total=deadline(10)))
        await async_body(reply).read(None)

    wire = sized(b"hi", extra=b"Connection: close\r\n")
    with RawServer(replies(wire)) as server:
        for _ in range(2):
            loop = asyncio.new_event_loop()
            loop.run_until_complete(ask(server.url))
            loop.close()
        asyncio.run(transport.aclose())
        del loop
        gc.collect()


def test_cancelling_a_read_ends_nothing_but_the_read() -> None:
    """A reading task that is cancelled sees that, and the body can still be read or closed."""
    go = threading.Event()

    def play(peer: Peer) -> None:
        peer.read_request()
        peer.send(CHUNKED, chunk(b"first"))
        go.wait(5)
        peer.send(chunk(b"second"), chunk(b""))
        peer.until_closed()

    async def scenario(url: str) -> None:
        transport = transport_class("aiohttp", "async")()
        reply = await transport.send(a_request(url), Deadlines(total=deadline(10)))
        assert await async_body(reply).read(None) == b"first"
        reading = asyncio.ensure_future(async_body(reply).read(deadline(5)))
        await asyncio.sleep(0.02)
        reading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reading
        go.set()
        assert await async_body(reply).read(deadline(5)) == b"second"
        assert await async_body(reply).read(deadline(5)) == b""
        await transport.aclose()

    with RawServer(play) as server:
        asyncio.run(scenario(server.url))


def test_cancelling_a_send_closes_its_connection(transport: Any) -> None:
    """A request that nobody waits for any more does not stay open."""

    arrived = threading.Event()

    async def scenario(server: RawServer) -> None:
        sending = asyncio.ensure_future(transport.send(a_request(server.url), Deadlines()))
        await asyncio.to_thread(arrived.wait, 5)
        sending.cancel()
        with pytest.raises(asyncio.CancelledError):
            await sending
        await asyncio.to_thread(server.peers[0].closed.wait, 1)
        assert server.peers[0].closed.is_set()
        await transport.aclose()

    def play(peer: Peer) -> None:
        peer.read_request()
        arrived.set()
        peer.until_closed()

    with RawServer(play) as server:
        asyncio.run(scenario(server))


def test_a_read_of_httpx_that_is_cancelled_is_no_end_of_the_body() -> None:
    """httpcore cannot go on after a cancelled read, so the next one says that the body was cut."""

    def play(peer: Peer) -> None:
        peer.read_request()
        peer.send(CHUNKED, chunk(b"first"))
        peer.until_closed()

    async def scenario(server: RawServer) -> None:
        transport = transport_class("httpx", "async")()
        reply = await transport.send(a_request(server.url), Deadlines(total=deadline(10)))
        assert await async_body(reply).read(None) == b"first"
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(async_body(reply).read(deadline(5)), 0.02)
        for _ in range(2):
            with pytest.raises(APIConnectionError, match="cut in the middle"):
                await async_body(reply).read(deadline(5))
        assert await asyncio.to_thread(server.peers[0].closed.wait, 1)
        await transport.aclose()

    with RawServer(play) as server:
        asyncio.run(scenario(server))
