"""Events of ten megabytes, which are allowed: they hold nobody else up."""

from __future__ import annotations

import asyncio
import json
from time import monotonic

import pytest

from evoclient import AsyncClient
from evoclient.testing.raw_server import CHUNKED, Peer, RawServer, chunk
from tests.colours import MESSAGES

pytestmark = pytest.mark.loopback

#: As promised.
LONGEST = 0.5

TEXT = "äx" * (4 * 2**20)
LARGE = {"choices": [{"index": 0, "delta": {"content": TEXT}, "finish_reason": None}]}
LAST = {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}


def play(peer: Peer) -> None:
    """Send one large event, and the end."""
    peer.read_request()
    events = (
        b"data: %b\n\n" % json.dumps(each, ensure_ascii=False).encode() for each in (LARGE, LAST)
    )
    peer.send(CHUNKED + b"".join(map(chunk, events)) + chunk(b"data: [DONE]\n\n") + chunk(b""))


async def test_a_large_event_does_not_block_the_loop() -> None:
    """While an event of 12 MB comes and is read, other tasks wait half a second at most."""
    longest = 0.0

    async def tick() -> None:
        nonlocal longest
        while True:
            before = monotonic()
            await asyncio.sleep(0)
            longest = max(longest, monotonic() - before)

    with RawServer(play) as server:
        async with AsyncClient(base_url=f"{server.url}/v1", api_key="k", model="m") as client:
            ticking = asyncio.create_task(tick())
            stream = await client.chat.completions.create(messages=MESSAGES, stream=True)
            completion = await stream.until_done()
            ticking.cancel()
    assert completion.text == TEXT
    assert longest < LONGEST, longest
