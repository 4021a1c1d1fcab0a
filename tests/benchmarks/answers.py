"""CPU per call of whole answers."""

from __future__ import annotations

import asyncio
from time import process_time

from tests.benchmarks.chunks import MICRO, Figures
from tests.benchmarks.contenders.shape import Contender

__all__ = ["whole_async", "whole_sync"]


def whole_sync(contender: Contender, *, base_url: str, calls: int) -> Figures:
    """Ask for whole answers, one after another: CPU per call."""
    client = contender.open_sync(base_url)
    length = len(contender.whole_sync(client))
    began = process_time()
    found = {len(contender.whole_sync(client)) for _ in range(calls)}
    cpu = process_time() - began
    contender.close_sync(client)
    assert found == {length}
    return {"cpu": cpu / calls * MICRO}


def whole_async(contender: Contender, *, base_url: str, calls: int, at_once: int) -> Figures:
    """Ask for whole answers, so many at once: CPU per call."""

    async def run() -> Figures:
        client = await contender.open_async(base_url)
        length = len(await contender.whole_async(client))

        async def some(count: int) -> set[int]:
            return {len(await contender.whole_async(client)) for _ in range(count)}

        # The connections are made before it is measured.
        await asyncio.gather(*(some(2) for _ in range(at_once)))
        began = process_time()
        found = await asyncio.gather(*(some(calls // at_once) for _ in range(at_once)))
        cpu = process_time() - began
        await contender.close_async(client)
        assert set().union(*found) == {length}
        return {"cpu": cpu / (calls // at_once * at_once) * MICRO}

    return asyncio.run(run())
