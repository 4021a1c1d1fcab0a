"""One contender, in a process of its own: prints the CPU microseconds per chunk, or per import.

Run as ``python -m tests.benchmarks.contender NAME PORT CHUNKS``; NAME is ``evoclient-sync``,
``evoclient-async``, ``openai-sync``, ``openai-async``, ``import-evoclient`` or ``import-openai``.
"""

from __future__ import annotations

import importlib
import sys
from time import process_time
from typing import Any

MESSAGES = [{"role": "user", "content": "Hello"}]

#: The stream is read so often; the first time does not count.
ROUNDS = 3


def read_sync(client: Any, rounds: int) -> int:
    """Read streams with a synchronous client and return the pieces of text."""
    pieces = 0
    for _ in range(rounds):
        for chunk in client.chat.completions.create(model="m", messages=MESSAGES, stream=True):
            pieces += bool(chunk.choices[0].delta.content)
    return pieces


async def read_async(client: Any, rounds: int) -> int:
    """Read streams with an asynchronous client and return the pieces of text."""
    pieces = 0
    for _ in range(rounds):
        stream = await client.chat.completions.create(model="m", messages=MESSAGES, stream=True)
        async for chunk in stream:
            pieces += bool(chunk.choices[0].delta.content)
    return pieces


def measure_sync(client: Any, chunks: int) -> float:
    """Return the CPU microseconds per chunk."""
    read_sync(client, 1)
    began = process_time()
    assert read_sync(client, ROUNDS) == ROUNDS * chunks
    return (process_time() - began) / (ROUNDS * chunks) * 1e6


async def measure_async(client: Any, chunks: int) -> float:
    """Return the CPU microseconds per chunk."""
    await read_async(client, 1)
    began = process_time()
    assert await read_async(client, ROUNDS) == ROUNDS * chunks
    spent = process_time() - began
    await client.close()
    return spent / (ROUNDS * chunks) * 1e6


def measure_import(name: str) -> float:
    """Return the CPU microseconds of an import."""
    began = process_time()
    importlib.import_module(name)
    return (process_time() - began) * 1e6


def main() -> None:
    """Measure what the arguments say."""
    name, port, chunks = sys.argv[1], sys.argv[2], int(sys.argv[3])
    package, _, colour = name.partition("-")
    if package == "import":
        print(measure_import(colour))
        return
    module = importlib.import_module(package)
    options = {"base_url": f"http://127.0.0.1:{port}/v1", "api_key": "k"}
    if colour == "sync":
        kind = module.Client if package == "evoclient" else module.OpenAI
        print(measure_sync(kind(**options), chunks))
        return
    import asyncio

    kind = module.AsyncClient if package == "evoclient" else module.AsyncOpenAI

    async def run() -> float:
        return await measure_async(kind(**options), chunks)

    print(asyncio.run(run()))


if __name__ == "__main__":
    main()
