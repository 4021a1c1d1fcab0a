"""One asynchronous client in several event loops, with and without its being closed."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from evoclient.aio.client import AsyncClient
from evoclient.testing.server import DemoServer

from .scripts import run_script

pytestmark = pytest.mark.loopback


# It starts an interpreter in development mode, which takes a second.
@pytest.mark.parametrize("ending", ["pass", "asyncio.run(client.aclose())", "del client"])
def test_one_loop_after_another(server: DemoServer, ending: str) -> None:
    """A client used in two loops, and not closed in the first, leaves no word on stderr."""
    said = run_script(
        server,
        f"""
        client = AsyncClient(**OPTIONS)

        async def ask():
            stream = await client.chat.completions.create(**ASKED, stream=True)
            text = "".join([text async for text in stream.text])
            whole = await client.chat.completions.create(**ASKED)
            print(text == whole.text)

        asyncio.run(ask())
        asyncio.run(ask())
        {ending}
        gc.collect()
        """,
    )
    assert said == "True\nTrue\n"


def test_a_loop_that_is_only_closed(server: DemoServer) -> None:
    """A loop whose owner finishes nothing before closing it harms no later loop."""
    said = run_script(
        server,
        """
        client = AsyncClient(**OPTIONS)

        async def ask():
            print((await client.chat.completions.create(**ASKED)).text)

        for _ in range(2):
            loop = asyncio.new_event_loop()
            loop.run_until_complete(ask())
            loop.run_until_complete(loop.shutdown_asyncgens())
            loop.close()
        """,
    )
    assert said == "Hi there all\n" * 2


def test_dropped_in_a_loop(server: DemoServer) -> None:
    """A client that is forgotten while its loop runs closes its connections without a word."""
    said = run_script(
        server,
        """
        async def ask():
            client = AsyncClient(**OPTIONS)
            print((await client.chat.completions.create(**ASKED)).text)
            del client
            gc.collect()

        async def main():
            await ask()
            await asyncio.sleep(0)

        asyncio.run(main())
        """,
    )
    assert said == "Hi there all\n"


def test_two_loops_at_once(server: DemoServer) -> None:
    """Two loops in two threads share a client, each with its own connections."""
    client = AsyncClient(base_url=server.base_url, api_key="demo-key", model="demo")
    meeting = threading.Barrier(2)

    async def ask() -> list[str]:
        texts = []
        for number in range(8):
            meeting.wait()  # both loops send at the same moment
            stream = await client.chat.completions.create(
                messages=[{"role": "user", "content": f"repeat: number {number}"}], stream=True
            )
            texts.append("".join([text async for text in stream.text]))
        return texts

    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(lambda _: asyncio.run(ask()), range(2))
    assert first == second == [f"number {number}" for number in range(8)]
    asyncio.run(client.aclose())
    assert client.is_closed
    assert server.open_streams == 0
