"""Many slow streams at once: CPU, wall against ideal, added latency, memory."""

from __future__ import annotations

import asyncio
import gc
import resource
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from time import monotonic, perf_counter, process_time

from tests.benchmarks.chunks import MICRO, Figures
from tests.benchmarks.contenders.shape import Contender

__all__ = ["crowd_async", "crowd_threads"]


class Delays:
    """Notes how late each chunk is; its text is the time at which it was sent."""

    def __init__(self) -> None:
        self.found: list[float] = []

    def note(self, text: str) -> None:
        """Take a piece of text."""
        self.found.append(monotonic() - float(text))

    def figures(self, chunks: int) -> Figures:
        """Return how late chunks are, and whether all came."""
        assert len(self.found) == chunks, f"{chunks} were sent, {len(self.found)} seen"
        self.found.sort()
        return {
            "p50": self.found[len(self.found) // 2] * 1e3,
            "p99": self.found[int(len(self.found) * 0.99)] * 1e3,
        }


def _peak() -> float:
    """Return the most memory that this process has had, in KB."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 1024 if sys.platform == "darwin" else float(peak)


def crowd_async(
    contender: Contender,
    *,
    base_url: str,
    slow_url: str,
    streams: int,
    pieces: int,
    interval: float,
) -> Figures:
    """Read slow streams at once: CPU, wall against ideal, delays, memory."""
    delays = Delays()

    async def run() -> Figures:
        ready = await contender.open_async(base_url)
        await contender.count_async(ready, "burst:50")
        await contender.close_async(ready)
        client = await contender.open_async(slow_url)
        gc.collect()
        memory, cpu, wall = _peak(), process_time(), perf_counter()
        await asyncio.gather(
            *(contender.note_async(client, "slow", delays.note) for _ in range(streams))
        )
        cpu, wall = process_time() - cpu, perf_counter() - wall
        memory = (_peak() - memory) / streams
        with suppress(OSError):
            await contender.close_async(client)
        return _of_a_crowd(delays, streams, pieces, interval, cpu, wall) | {"memory": memory}

    return asyncio.run(run())


def crowd_threads(
    contender: Contender,
    *,
    base_url: str,
    slow_url: str,
    streams: int,
    pieces: int,
    interval: float,
) -> Figures:
    """Read slow streams at once, each in a thread."""
    delays = Delays()
    ready = contender.open_sync(base_url)
    contender.count_sync(ready, "burst:50")
    contender.close_sync(ready)
    client = contender.open_sync(slow_url)
    with ThreadPoolExecutor(streams) as threads:
        memory, cpu, wall = _peak(), process_time(), perf_counter()
        reading = [
            threads.submit(contender.note_sync, client, "slow", delays.note) for _ in range(streams)
        ]
        for one in reading:
            one.result()
        cpu, wall = process_time() - cpu, perf_counter() - wall
        memory = (_peak() - memory) / streams
    contender.close_sync(client)
    return _of_a_crowd(delays, streams, pieces, interval, cpu, wall) | {"memory": memory}


def _of_a_crowd(
    delays: Delays, streams: int, pieces: int, interval: float, cpu: float, wall: float
) -> Figures:
    # A stream begins at a random place of its first interval.
    ideal = (pieces + 0.5) * interval
    figures = {
        "seconds": cpu,
        "cpu": cpu / (streams * pieces) * MICRO,
        "stretch": wall / ideal,
    }
    return figures | delays.figures(streams * pieces)
