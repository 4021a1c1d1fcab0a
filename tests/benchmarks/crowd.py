"""A thousand async streams on one core: prints the delay of chunks, in seconds, as JSON.

Run as ``python -m tests.benchmarks.crowd PORT STREAMS with|without``: with metrics, callbacks and
accumulation, or with none of them.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from typing import Any

from evoclient.streaming.metrics import StreamMetrics
from tests.benchmarks.bench_stages import Unmeasured

MESSAGES = [{"role": "user", "content": "Hello"}]


async def read(client: Any, options: dict[str, Any], delays: list[float]) -> None:
    """Read one stream, and note how late each chunk is seen."""
    stream = await client.chat.completions.create(messages=MESSAGES, stream=True, **options)
    async for chunk in stream:
        if text := chunk.text:
            delays.append(time.monotonic() - float(text))


async def crowd(port: str, streams: int, options: dict[str, Any]) -> list[float]:
    """Read all streams at once."""
    from evoclient import AsyncClient

    delays: list[float] = []
    async with AsyncClient(
        base_url=f"http://127.0.0.1:{port}/v1", model="m", max_retries=0
    ) as client:
        await asyncio.gather(*(read(client, options, delays) for _ in range(streams)))
    return delays


def main() -> None:
    """Measure what the arguments say."""
    port, streams, manner = sys.argv[1], int(sys.argv[2]), sys.argv[3]
    os.sched_setaffinity(0, {0})
    if manner == "without":
        StreamMetrics.block = Unmeasured.block  # type: ignore[assignment, method-assign]
        StreamMetrics.feed = Unmeasured.feed  # type: ignore[assignment, method-assign]
        options: dict[str, Any] = {"accumulate": False}
    else:
        heard: list[int] = [0, 0]

        def count_chunk(chunk: object) -> None:
            heard[0] += 1

        def count_text(text: str) -> None:
            heard[1] += len(text)

        options = {"on_chunk": count_chunk, "on_text": count_text}
    delays = sorted(asyncio.run(crowd(port, streams, options)))
    spent = time.process_time()
    figures = {str(part): delays[int(len(delays) * part)] for part in (0.5, 0.95, 0.99)}
    print(json.dumps({**figures, "chunks": len(delays), "cpu": spent}))


if __name__ == "__main__":
    main()
