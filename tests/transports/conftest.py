"""A caller of each transport for the tests of this folder."""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast

import pytest

from evoclient.testing import raw_server

from .callers import COLOURS, KINDS, Caller, Colour, Kind, over_http
from .certificates import Certificates


@pytest.fixture(params=COLOURS)
def colour(request: pytest.FixtureRequest) -> Colour:
    """Run a test once for each colour."""
    return cast("Colour", request.param)


@pytest.fixture(params=KINDS, ids="-".join)
def kind(request: pytest.FixtureRequest) -> Kind:
    """Run a test once for each transport that uses sockets."""
    return cast("Kind", request.param)


@pytest.fixture
def caller(kind: Kind) -> Iterator[Caller]:
    """Call a transport, and close it."""
    found = over_http(kind)
    yield found
    found.close()


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    """Make certificates, once."""
    return Certificates(tmp_path_factory.mktemp("certificates"))


@pytest.fixture
def deaf_port() -> Iterator[int]:
    """Give a port where connections are neither accepted nor refused."""
    with raw_server.deaf_port() as port:
        yield port
