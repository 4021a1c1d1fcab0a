"""CPU from the start of a bare interpreter to the end of a first stream, in milliseconds.

Run as ``python -P bare.py CONTENDER sync|async BASE_URL``. It imports nothing before it measures,
and what it imports is what the contender does.
"""

from __future__ import annotations

import sys
from time import process_time


def main() -> float:
    """Read a stream and return the CPU that it took."""
    began = process_time()
    name, colour, base_url = sys.argv[1:]
    # `importlib` is a module more; this is what the statement does.
    module = __import__(f"tests.benchmarks.contenders.{name}", fromlist=["CONTENDER"])
    contender = module.CONTENDER
    contender.load(colour)
    if colour == "sync":
        client = contender.open_sync(base_url)
        found = contender.count_sync(client, "burst:20")
        contender.close_sync(client)
    else:
        import asyncio

        async def run() -> int:
            client = await contender.open_async(base_url)
            found: int = await contender.count_async(client, "burst:20")
            await contender.close_async(client)
            return found

        found = asyncio.run(run())
    assert found == 20
    return (process_time() - began) * 1e3


if __name__ == "__main__":
    print(main())
