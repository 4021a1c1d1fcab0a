"""Both colours, with every logger turned up."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from typing import Any

import pytest

from evoclient.ground import EvoClientError
from tests.colours import Aio, Colour, Sync
from tests.fronts import FRONTS, opened

from .search import Logs, found, frames, places

AnyColour = Colour[Any, Any]
Provoke = Callable[..., EvoClientError]

#: The libraries that take part, under the names by which they log.
LOGGERS = (
    "evoclient",
    "urllib3",
    "requests",
    "aiohttp",
    "asyncio",
    "httpx",
    "httpcore",
    "httpcore.connection",
    "httpcore.http11",
    "httpcore.proxy",
)


@pytest.fixture(params=[Sync, Aio], ids=["sync", "aio"])
def colour(request: pytest.FixtureRequest) -> Iterator[AnyColour]:
    """Give the means of one colour, then of the other."""
    made: AnyColour = request.param()
    yield made
    made.finish()


@pytest.fixture(params=FRONTS, ids="-".join)
def front(request: pytest.FixtureRequest) -> Iterator[AnyColour]:
    """Give the means of each colour with each of its transports over sockets."""
    yield from opened(request.param)


@pytest.fixture
def logs() -> Iterator[Logs]:
    """Listen to all loggers at DEBUG, those of the libraries as well."""
    handler, root = Logs(), logging.getLogger()
    named = [logging.getLogger(name) for name in LOGGERS]
    levels = [(logger, logger.level) for logger in (root, *named)]
    for logger, _ in levels:
        logger.setLevel(logging.DEBUG)
    root.addHandler(handler)
    yield handler
    root.removeHandler(handler)
    for logger, level in levels:
        logger.setLevel(level)


@pytest.fixture
def provoke(request: pytest.FixtureRequest, logs: Logs) -> Provoke:
    """Give a function that makes a call fail, and searches all that its failure shows."""
    name = "front" if "front" in request.fixturenames else "colour"
    colour: AnyColour = request.getfixturevalue(name)

    def failure(client: Any, *, stream: bool, **options: Any) -> EvoClientError:
        try:
            if stream:
                for _ in colour.chunks(colour.stream(client, **options)):
                    pass
            else:
                colour.create(client, **options)
        except EvoClientError as error:
            return error
        raise AssertionError("the call did not fail")

    def provoked(
        what: str, client: Any, *, known: Iterable[str], stream: bool = False, **options: Any
    ) -> EvoClientError:
        error = failure(client, stream=stream, **options)
        bad = found(chain(places(error), frames(error), logs.places()), known)
        assert not bad, f"{what}: {type(error).__name__} shows a secret in {bad}"
        logs.records.clear()
        return error

    return provoked
