"""Thousands of streams, one after another: sockets and memory stay as they are."""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.benchmarks.running import running_server
from tests.fronts import FRONTS, AnyColour, opened

STREAMS = 2000
CHUNKS = 20
#: Caches are filled and pools are at their size after so many streams.
WARM_UP = 200
#: Megabytes that the allocator may keep more; one stream kept would be 2,000 kept.
SLACK = 5.0


@pytest.fixture(params=FRONTS, ids="-".join)
def front(request: pytest.FixtureRequest) -> Iterator[AnyColour]:
    """Give the means of each colour with each of its transports over sockets."""
    yield from opened(request.param)


def descriptors() -> int:
    """Return how many descriptors this process has open."""
    gc.collect()
    return len(os.listdir("/proc/self/fd"))


def megabytes() -> float:
    """Return the resident memory of this process."""
    pages = int(Path("/proc/self/statm").read_text("ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


@pytest.mark.parametrize("abandoned", [False, True], ids=["complete", "abandoned"])
def test_streams_leave_nothing(front: AnyColour, abandoned: bool) -> None:
    """Two thousand streams, read to the end or left half-way, leave no socket and no memory."""
    with running_server(CHUNKS) as port:
        base = f"http://127.0.0.1:{port}"
        client = front.client(base_url=base, model="demo", transport=front.transport)
        before: tuple[int, float] = (0, 0.0)
        for number in range(WARM_UP + STREAMS):
            if number == WARM_UP:
                before = descriptors(), megabytes()
            stream = front.stream(client)
            if abandoned:
                front.first(stream, CHUNKS // 2)
            else:
                assert sum(1 for _ in front.chunks(stream)) == CHUNKS + 1
        after = descriptors(), megabytes()
        front.close(client)
    print(f"{front.name} {front.transport}: descriptors {before[0]} -> {after[0]}", end=", ")
    print(f"memory {before[1]:.1f} -> {after[1]:.1f} MB")
    assert after[0] <= before[0]
    assert after[1] <= before[1] + SLACK
