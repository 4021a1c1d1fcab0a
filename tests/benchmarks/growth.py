"""What doubling something does to the CPU: 2 is linear, and no more than that is right.

The small and the large are measured by turns in one process; `doubled` is the median of the ratios.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from statistics import median
from time import process_time

from tests.benchmarks.chunks import Figures, pieces_of
from tests.benchmarks.contenders.evoclient import EvoClient
from tests.benchmarks.contenders.shape import Contender

__all__ = ["of_streams", "of_bodies", "of_stops"]

TURNS = 5


def _doubled(small: Callable[[], object], large: Callable[[], object]) -> Figures:
    small()
    large()
    found: list[tuple[float, float]] = []
    for _ in range(TURNS):
        began = process_time()
        small()
        between = process_time()
        large()
        found.append((between - began, process_time() - between))
    ratio = median(more / less for less, more in found)
    return {"doubled": ratio, "seconds": median(more for _, more in found)}


def of_bodies(contender: Contender, *, base_url: str, small: str, large: str) -> Figures:
    """Read a stream, and one of twice as many chunks or of twice their size.

    Args:
        contender: Who reads.
        base_url: The server.
        small: The one stream, as a model.
        large: The other.
    """
    client = contender.open_sync(base_url)

    def read(model: str) -> None:
        assert contender.count_sync(client, model) == pieces_of(model)

    found = _doubled(lambda: read(small), lambda: read(large))
    contender.close_sync(client)
    return found


def of_streams(contender: Contender, *, base_url: str, model: str, streams: int) -> Figures:
    """Read streams at full speed and all at once, and twice as many.

    Args:
        contender: Who reads.
        base_url: The server.
        model: What each stream sends.
        streams: How many, at first.
    """

    async def read(count: int) -> None:
        client = await contender.open_async(base_url)
        found = await asyncio.gather(*(contender.count_async(client, model) for _ in range(count)))
        assert set(found) == {pieces_of(model)}
        await contender.close_async(client)

    return _doubled(lambda: asyncio.run(read(streams)), lambda: asyncio.run(read(2 * streams)))


def of_stops(contender: Contender, *, base_url: str, model: str, sequences: int) -> Figures:
    """Read a stream with stop sequences that do not come, and with twice as many.

    Args:
        contender: Is evoclient.
        base_url: The server.
        model: What the stream sends.
        sequences: How many, at first.
    """
    client = contender.open_sync(base_url)

    def read(count: int) -> None:
        stops = [f" wor#{number}" for number in range(count)]
        EvoClient(stop=stops, stop_mode="client").count_sync(client, model)

    found = _doubled(lambda: read(sequences), lambda: read(2 * sequences))
    contender.close_sync(client)
    return found
