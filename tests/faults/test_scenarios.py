"""Every scenario of the table, in both colours, over real sockets."""

from __future__ import annotations

import copy
import logging
import math
import pickle
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import attrs
import pytest

from evoclient.errors.tree import APIError, APITimeoutError, EvoClientError
from evoclient.testing.acts import Fault, Send
from evoclient.testing.fault_server import FaultServer, FaultSite
from evoclient.testing.sightings import Connection
from evoclient.wire import Timeouts
from tests.colours import Colour

from .scenario import KEY, PAIR, TRAP, Ask, Scenario
from .table import SCENARIOS

AnyColour = Colour[Any, Any]

pytestmark = pytest.mark.loopback

#: A row that takes so many seconds, for each way that it asks in.
SLOW = 0.25
ROWS = [
    pytest.param(
        row, ask, marks=[pytest.mark.waits] if row.least >= SLOW else [], id=f"{row.name}-{ask}"
    )
    for row in SCENARIOS
    for ask in row.asks
]


@attrs.define
class Sites:
    """The addresses of one scenario."""

    api: FaultSite | None
    desk: FaultSite | None
    trap: FaultSite

    def all(self) -> list[FaultSite]:
        """Return those that there are."""
        return [site for site in (self.api, self.desk, self.trap) if site is not None]


@contextmanager
def opened(server: FaultServer, row: Scenario) -> Iterator[Sites]:
    """Open the addresses of a scenario."""
    trap = server.play("good")
    place = b"127.0.0.1:%d" % trap.port

    def site_of(fault: Fault | None) -> FaultSite | None:
        return None if fault is None else server.play(fault.replacing(TRAP, place))

    sites = Sites(site_of(row.does), site_of(row.desk), trap)
    yield sites
    for site in sites.all():
        site.close()


def client_of(colour: AnyColour, row: Scenario, sites: Sites) -> Any:
    """Return the client of a scenario: no retries, and limits that do not pass by themselves."""
    base_url = row.base_url or "@BASE@"
    if sites.api is not None:
        base_url = base_url.replace("@BASE@", sites.api.base_url)
        base_url = base_url.replace("@PORT@", str(sites.api.port))
    options: dict[str, Any] = {
        "base_url": base_url,
        "model": "m",
        "max_retries": 0,
        "timeout": Timeouts(connect=5, first_chunk=10, idle=10, total=20),
    }
    if sites.desk is None:
        options["api_key"] = KEY
    else:
        options |= {**PAIR, "token_url": sites.desk.base_url + "/token"}
    if "retry" in row.options:
        del options["max_retries"]
    return colour.client(**{**options, **row.options})


@attrs.define
class Result:
    """What came of a call."""

    text: str = ""
    outcome: str | None = None
    error: Exception | None = None


def ask(colour: AnyColour, client: Any, row: Scenario, kind: Ask) -> Result:
    """Make one call, and read all that comes."""
    result = Result()
    stream = None
    try:
        if kind == "whole":
            result.text = colour.create(client, **row.call).text
        else:
            stream = colour.stream(client, **row.call)
            for piece in colour.chunks(stream):
                result.text += piece.text
    except Exception as error:  # a foreign one is a result too: `check_error` judges it
        result.error = error
    if stream is not None:
        result.outcome = stream.outcome
    return result


def check_error(row: Scenario, result: Result) -> None:
    """Compare an error with the one that is wanted; it also pickles, copies and keeps secrets."""
    error = result.error
    assert isinstance(error, EvoClientError), repr(error)
    assert type(error) is row.error, repr(error)
    assert isinstance(error, APIError)
    assert error.partial_text == row.partial == result.text
    assert error.status_code == row.status
    assert row.says in str(error)
    if row.retry_after == math.inf:
        assert error.retry_after is not None
        assert error.retry_after > 3600
    else:
        assert error.retry_after == row.retry_after
    if row.retryable is not None:
        assert error.retryable is row.retryable
    if row.limit is not None:
        assert isinstance(error, APITimeoutError)
        assert error.limit == row.limit
    for twin in (copy.copy(error), pickle.loads(pickle.dumps(error))):  # noqa: S301 - made here
        assert (type(twin), str(twin)) == (type(error), str(error))
    shown = f"{error!s}{error!r}{vars(error)!r}"
    assert not any(secret in shown for secret in (KEY, *PAIR.values()))


def check_server(row: Scenario, sites: Sites) -> None:
    """Compare what the servers saw, before the client is closed, with what is wanted."""
    assert sites.trap.connections == []
    if sites.api is None:
        return
    # A busy machine may let the server be late.
    sites.api.wait_until(lambda seen: sum(len(one.requests) for one in seen) >= row.requests)
    assert len(sites.api.requests) == row.requests
    if row.connections is not None:
        assert len(sites.api.connections) == row.connections
    if sites.desk is not None and row.exchanges is not None:
        assert len(sites.desk.requests) == row.exchanges
    if row.leaves is not None:
        assert sites.api.wait_until(lambda seen: any(one.is_open for one in seen) != row.leaves)


def is_over(seen: list[Connection]) -> bool:
    """Return whether no connection is open."""
    return not any(connection.is_open for connection in seen)


def memory() -> int:
    """Return the memory of this process in bytes, and begin to watch its peak."""
    if sys.platform != "linux":
        return 0
    Path("/proc/self/clear_refs").write_text("5")
    return status("VmRSS")


def peak() -> int:
    """Return the most memory of this process since `memory` was asked for, in bytes."""
    return status("VmHWM") if sys.platform == "linux" else 0


def status(name: str) -> int:
    """Return a figure that Linux has of this process, in bytes."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(f"{name}:"))


@pytest.mark.parametrize(("row", "kind"), ROWS)
def test_scenario(
    colour: AnyColour,
    server: FaultServer,
    row: Scenario,
    kind: Ask,
    caplog: pytest.LogCaptureFixture,
    request: pytest.FixtureRequest,
) -> None:
    """A careful user gets what the row says they want."""
    if colour.name in row.fails_in:
        reason = row.fails_in[colour.name]
        request.node.add_marker(pytest.mark.xfail(strict=True, reason=reason))
    caplog.set_level(logging.WARNING, logger="evoclient")
    before = memory() if row.is_bounded else 0
    with opened(server, row) as sites:
        client = client_of(colour, row, sites)
        began = time.monotonic()
        results = [ask(colour, client, row, kind) for _ in range(row.calls)]
        took = time.monotonic() - began
        colour.settle()
        try:
            for result in results:
                if row.error is not None:
                    check_error(row, result)
                else:
                    assert result.error is None, repr(result.error)
                    assert result.text == row.text
                if None not in (result.outcome, row.outcome):  # there was a stream
                    assert result.outcome == row.outcome
            check_server(row, sites)
        finally:
            colour.close(client)
        assert row.least * 0.9 <= took < row.most
        assert all(site.wait_until(is_over) for site in sites.all())
    assert row.logged in caplog.text
    if row.is_bounded:
        assert peak() - before < row.most_growth


def test_the_servers_that_stand_in_are_good(server: FaultServer, colour: AnyColour) -> None:
    """The good answers, without any fault, are read as they are."""
    for name, kind in (("good", "stream"), ("good_whole", "whole")):
        row = Scenario(name=name, wants="", does=Fault(((Send(b""),),)), text="Hello")
        site = server.play(name)
        client = client_of(colour, row, Sites(site, None, site))
        assert ask(colour, client, row, "stream" if kind == "stream" else "whole").text == "Hello"
        colour.close(client)
        site.close()
