"""The end of a client: closed once, twice, or only forgotten."""

from __future__ import annotations

import asyncio
import gc
import os
import threading
from collections.abc import Callable
from typing import Any

import pytest

from evoclient.errors.tree import ClientClosedError
from evoclient.testing.server import DemoServer
from tests.colours import Colour

AnyColour = Colour[Any, Any]


def test_closed_twice(colour: AnyColour) -> None:
    """Closing again does nothing, and neither does closing a client that was never used."""
    client = colour.client(transport="memory", model="m")
    colour.close(client)
    colour.close(client)
    assert client.is_closed


def test_used_after_close(colour: AnyColour) -> None:
    """A call after the end is a ClientClosedError, whole or streamed, used before or not."""
    for is_used in (False, True):
        client = colour.client(transport="memory", model="m")
        if is_used:
            colour.create(client)
        colour.close(client)
        with pytest.raises(ClientClosedError, match="closed"):
            colour.create(client)
        with pytest.raises(ClientClosedError):
            colour.stream(client)


def sockets() -> int:
    """Return how many descriptors of this process are sockets."""
    found = 0
    for name in os.listdir("/proc/self/fd"):
        try:
            found += os.readlink(f"/proc/self/fd/{name}").startswith("socket:")
        except OSError:  # closed meanwhile, such as that of the listing itself
            continue
    return found


def happens(colour: AnyColour, condition: Callable[[], bool]) -> bool:
    """Let the event loop, if there is one, go on until a condition holds, two seconds at most."""
    for _ in range(400):
        colour.settle()
        if condition():
            return True
        threading.Event().wait(0.005)
    return False


def at_work(colour: AnyColour) -> bool:
    """Return whether tasks are left, such as those that close connections."""
    loop = getattr(colour, "loop", None)
    return loop is not None and bool(asyncio.all_tasks(loop))


@pytest.mark.loopback
@pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="descriptors are not listed")
def test_dropping_everything(colour: AnyColour) -> None:
    """A client and a stream that are only forgotten close their sockets, idle and busy ones."""
    with DemoServer(pace=0) as quick, DemoServer(pace=30) as silent:
        before = sockets()
        client = colour.client(base_url=quick.base_url, model="demo")
        other = colour.client(base_url=silent.base_url, model="demo")
        colour.create(client)
        stream = colour.stream(other)
        assert silent.open_streams == 1
        everything = [client, other, stream]
        del client, other, stream
        with pytest.warns(ResourceWarning, match="unclosed"):
            everything.clear()
        gc.collect()
        # The server's ends of the two connections are sockets of this process as well.
        assert happens(colour, lambda: sockets() <= before and not silent.open_streams)
        assert happens(colour, lambda: not at_work(colour))


# The forgotten session is garbage in a circle, and the collector may tell aiohttp of its end before
# ours closes it. What counts here is that the stream goes on and the sockets are closed.
@pytest.mark.filterwarnings("ignore:Unclosed:ResourceWarning")
@pytest.mark.loopback
def test_a_stream_outlives_its_client(colour: AnyColour) -> None:
    """A stream whose client was forgotten, not closed, is read to its end."""
    with DemoServer(pace=0) as server:
        client = colour.client(base_url=server.base_url, model="demo")
        stream = colour.stream(client)
        del client
        gc.collect()
        assert "".join(colour.text(stream))
        assert stream.outcome == "complete"
        del stream
        gc.collect()
        assert happens(colour, lambda: not at_work(colour))
