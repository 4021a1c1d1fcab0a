"""A server for clients to live beside, and both colours."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from evoclient.testing.server import DemoServer
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


@pytest.fixture
def server() -> Iterator[DemoServer]:
    """Give a server that checks a key and exchanges a pair."""
    with DemoServer(pace=0, api_key="demo-key", key_id="planted-id", secret="planted") as server:
        yield server
