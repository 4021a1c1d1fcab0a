"""CPU per chunk of streams, one after another; the first one does not count."""

from __future__ import annotations

import asyncio
from time import perf_counter, process_time

from tests.benchmarks.contenders.shape import Contender

__all__ = ["MICRO", "Figures", "pieces_of", "read_async", "read_sync"]

#: Figures by name, see `workloads.FIGURES`.
Figures = dict[str, float]

#: Microseconds of a second.
MICRO = 1e6


def pieces_of(model: str) -> int:
    """Return how many pieces a stream has."""
    return int(model.split(":")[1])


def read_sync(contender: Contender, *, base_url: str, model: str, streams: int) -> Figures:
    """Read streams one after another: CPU per chunk."""
    client = contender.open_sync(base_url)
    contender.count_sync(client, model)
    began, wall = process_time(), perf_counter()
    found = [contender.count_sync(client, model) for _ in range(streams)]
    cpu, wall = process_time() - began, perf_counter() - wall
    contender.close_sync(client)
    return _per_chunk(found, pieces_of(model), cpu, wall)


def read_async(contender: Contender, *, base_url: str, model: str, streams: int) -> Figures:
    """Read streams one after another: CPU per chunk."""

    async def run() -> Figures:
        client = await contender.open_async(base_url)
        await contender.count_async(client, model)
        began, wall = process_time(), perf_counter()
        found = [await contender.count_async(client, model) for _ in range(streams)]
        cpu, wall = process_time() - began, perf_counter() - wall
        await contender.close_async(client)
        return _per_chunk(found, pieces_of(model), cpu, wall)

    return asyncio.run(run())


def _per_chunk(found: list[int], pieces: int, cpu: float, wall: float) -> Figures:
    assert set(found) == {pieces}, f"{pieces} pieces were sent, {found} were seen"
    total = pieces * len(found)
    return {"cpu": cpu / total * MICRO, "wall": wall / total * MICRO}
