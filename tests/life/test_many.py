"""One client, many threads, and many streams at once."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from evoclient.aio.client import AsyncClient
from evoclient.aio.stream import AsyncStream
from evoclient.sync.client import Client
from evoclient.sync.stream import Stream
from evoclient.testing.server import DemoServer

pytestmark = pytest.mark.loopback

STREAMS = 150
TEXT = "one two three four five"
ASKED: dict[str, Any] = {"messages": [{"role": "user", "content": f"repeat: {TEXT}"}]}


@pytest.fixture
def open_server() -> Iterator[DemoServer]:
    """Give a server that pauses between pieces, so that every stream stays open for a while."""
    with DemoServer(pace=0.003) as server:
        yield server


def test_forty_threads(server: DemoServer) -> None:
    """Forty threads that make several calls each get their own answers."""
    with Client(base_url=server.base_url, api_key="demo-key", model="demo") as client:

        def ask(number: int) -> bool:
            asked: dict[str, Any] = {
                "messages": [{"role": "user", "content": f"repeat: thread {number}"}]
            }
            texts = [client.chat.completions.create(**asked).text for _ in range(3)]
            with client.chat.completions.create(**asked, stream=True) as stream:
                texts.append("".join(stream.text))
            return texts == [f"thread {number}"] * 4

        with ThreadPoolExecutor(40) as pool:
            assert all(pool.map(ask, range(40)))
    assert server.connections <= 80


def test_many_streams_in_one_thread(open_server: DemoServer) -> None:
    """A default client opens 150 streams, half of each is read, and then all to their ends."""
    with Client(base_url=open_server.base_url, model="demo") as client:
        streams: list[tuple[Stream, str]] = []
        for _ in range(STREAMS):
            stream = client.chat.completions.create(**ASKED, stream=True)
            streams.append((stream, next(stream).text + next(stream).text))
        for stream, beginning in streams:
            assert beginning + "".join(stream.text) == TEXT
            assert stream.outcome == "complete"
    assert len(open_server.requests) == STREAMS


async def test_many_streams_in_one_loop(open_server: DemoServer) -> None:
    """A default asynchronous client has 150 streams open at once, and reads each to its end."""
    async with AsyncClient(base_url=open_server.base_url, model="demo") as client:
        opened: list[AsyncStream] = []
        beginnings: list[str] = []
        for _ in range(STREAMS):
            stream = await client.chat.completions.create(**ASKED, stream=True)
            beginnings.append((await anext(stream)).text + (await anext(stream)).text)
            opened.append(stream)
        for stream, beginning in zip(opened, beginnings, strict=True):
            assert beginning + "".join([text async for text in stream.text]) == TEXT
            assert stream.outcome == "complete"
    assert len(open_server.requests) == STREAMS


async def test_all_open_at_the_same_moment() -> None:
    """Neither colour bounds the streams that are open: a server that is silent sees all 150."""
    with DemoServer(pace=30) as silent:
        async with AsyncClient(base_url=silent.base_url, model="demo") as client:
            made = [client.chat.completions.create(**ASKED, stream=True) for _ in range(STREAMS)]
            streams = await asyncio.gather(*made)
            assert silent.open_streams == STREAMS
            del streams, made
        with Client(base_url=silent.base_url, model="demo") as other:
            assert silent.wait_until(lambda: silent.open_streams == 0)
            kept = [other.chat.completions.create(**ASKED, stream=True) for _ in range(STREAMS)]
            assert silent.open_streams == STREAMS
            assert len(kept) == STREAMS
        assert silent.wait_until(lambda: silent.open_streams == 0)
