"""A million chunks of one stream, of which nothing is kept: memory stays as it is."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.benchmarks.bench_leaks import megabytes
from tests.benchmarks.running import running_server
from tests.colours import Colour
from tests.fronts import FRONTS, opened

CHUNKS = 1_000_000
#: Buffers and caches have their size after so many chunks.
WARM_UP = 20_000
#: Megabytes.
MOST_GROWTH = 2.0


@pytest.fixture(params=FRONTS[:2], ids="-".join)
def colour(request: pytest.FixtureRequest) -> Iterator[Colour[Any, Any]]:
    """Give the means of each colour, with the transport that is its own."""
    yield from opened(request.param)


@pytest.mark.parametrize("option", ["accumulate=False"])
def test_a_million_chunks(colour: Colour[Any, Any], option: str) -> None:
    """Reading a million chunks with metrics and without accumulation takes less than 2 MB more."""
    with running_server(CHUNKS) as port:
        client = colour.client(base_url=f"http://127.0.0.1:{port}", model="demo", timeout=60)
        stream = colour.stream(client, accumulate=False)
        before = 0.0
        highest = 0.0
        for number, _ in enumerate(colour.chunks(stream)):
            if number == WARM_UP:
                before = megabytes()
            if not number % 100_000:
                highest = max(highest, megabytes())
        highest = max(highest, megabytes())
        assert stream.metrics.chunks == CHUNKS + 1
        assert stream.completion.text == ""
        colour.close(client)
    print(f"{colour.name}: {before:.1f} MB after {WARM_UP} chunks, at most {highest:.1f} later")
    assert highest - before < MOST_GROWTH
