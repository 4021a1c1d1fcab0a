"""One fault server for all scenarios, and both colours."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from evoclient.testing import FaultServer
from tests.colours import Aio, Colour, Sync


@pytest.fixture(scope="session")
def server() -> Iterator[FaultServer]:
    """Give a fault server in a process of its own."""
    with FaultServer() as server:
        yield server


@pytest.fixture(params=[Sync, Aio], ids=["sync", "aio"])
def colour(request: pytest.FixtureRequest) -> Iterator[Colour[Any, Any]]:
    """Give the means of one colour, then of the other."""
    made: Colour[Any, Any] = request.param()
    yield made
    made.finish()
