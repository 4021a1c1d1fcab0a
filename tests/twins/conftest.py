"""Each scenario runs in both colours."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.colours import Aio, Colour, Sync
from tests.fronts import FRONTS, opened


@pytest.fixture(params=[Sync, Aio], ids=["sync", "aio"])
def colour(request: pytest.FixtureRequest) -> Iterator[Colour[Any, Any]]:
    """Give the means of one colour, then of the other."""
    made: Colour[Any, Any] = request.param()
    yield made
    made.finish()


@pytest.fixture(params=FRONTS, ids="-".join)
def front(request: pytest.FixtureRequest) -> Iterator[Colour[Any, Any]]:
    """Give the means of each colour with each of its transports over sockets."""
    yield from opened(request.param)
