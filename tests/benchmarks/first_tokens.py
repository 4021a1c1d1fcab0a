"""Time to the first token of a stream, wall and CPU; the first time does not count."""

from __future__ import annotations

import asyncio
from statistics import median
from time import perf_counter, process_time

from tests.benchmarks.chunks import MICRO, Figures
from tests.benchmarks.contenders.shape import Contender

__all__ = ["cold_async", "cold_sync", "warm_async", "warm_sync"]


class First:
    """Notes when the first text comes."""

    def __init__(self) -> None:
        self.walls: list[float] = []
        self.cpus: list[float] = []
        self.waiting = False

    def start(self) -> None:
        """Begin to wait."""
        self.waiting = True
        self.cpu = process_time()
        self.wall = perf_counter()

    def note(self, text: str) -> None:
        """Take a piece of text."""
        if self.waiting:
            self.walls.append(perf_counter() - self.wall)
            self.cpus.append(process_time() - self.cpu)
            self.waiting = False

    def figures(self, calls: int) -> Figures:
        """Return the medians, without the first time."""
        assert len(self.walls) == calls
        return {
            "wall": median(self.walls[1:]) * MICRO,
            "cpu": median(self.cpus[1:]) * MICRO,
        }


def warm_sync(contender: Contender, *, base_url: str, calls: int) -> Figures:
    """Time from a call to its first text, with a client that has been used."""
    first = First()
    client = contender.open_sync(base_url)
    for _ in range(calls):
        first.start()
        contender.note_sync(client, "first:20", first.note)
    contender.close_sync(client)
    return first.figures(calls)


def warm_async(contender: Contender, *, base_url: str, calls: int) -> Figures:
    """Time from a call to its first text, with a client that has been used."""

    async def run() -> Figures:
        first = First()
        client = await contender.open_async(base_url)
        for _ in range(calls):
            first.start()
            await contender.note_async(client, "first:20", first.note)
        await contender.close_async(client)
        return first.figures(calls)

    return asyncio.run(run())


def cold_sync(contender: Contender, *, base_url: str, calls: int) -> Figures:
    """Time from the making of a client to its first text; the library has been imported."""
    first = First()
    for _ in range(calls):
        first.start()
        client = contender.open_sync(base_url)
        contender.note_sync(client, "first:20", first.note)
        contender.close_sync(client)
    return first.figures(calls)


def cold_async(contender: Contender, *, base_url: str, calls: int) -> Figures:
    """Time from the making of a client to its first text; the library has been imported."""

    async def run() -> Figures:
        first = First()
        for _ in range(calls):
            first.start()
            client = await contender.open_async(base_url)
            await contender.note_async(client, "first:20", first.note)
            await contender.close_async(client)
        return first.figures(calls)

    return asyncio.run(run())
