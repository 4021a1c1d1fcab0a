"""A caller of each colour for the tests of this folder."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import ExitStack
from typing import cast

import pytest

from .callers import COLOURS, Caller, Colour, over_http


@pytest.fixture(params=COLOURS)
def colour(request: pytest.FixtureRequest) -> Colour:
    """Run a test once for each colour."""
    return cast("Colour", request.param)


@pytest.fixture
def caller(colour: Colour) -> Iterator[Caller]:
    """Call the transport of a colour, and close it."""
    found = over_http(colour)
    yield found
    found.close()


@pytest.fixture
def deaf_port() -> Iterator[int]:
    """Give a port where connections are neither accepted nor refused."""
    with ExitStack() as stack:
        listener = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        port: int = listener.getsockname()[1]
        for _ in range(4):  # fill what the system queues
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(("127.0.0.1", port))
        yield port
