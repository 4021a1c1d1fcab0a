"""The pytest plugin: a server, memory transports, cassettes, and a network that can be shut.

Everyone who has evoclient and pytest loads this module with every run, so it imports nothing but
pytest until a fixture is used, and a suite that uses none of it runs as it would without.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Generator, Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from .fixtures import CassetteDeck, MemoryTransports
    from .server import DemoServer

_BLOCK = "evoclient_block_network"
_ALLOW = "evoclient_allow_network"
_RECORD = "--evoclient-record"
_VARIABLE = "EVOCLIENT_RECORD"

_recording = pytest.StashKey[bool]()
_passed = pytest.StashKey[bool]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Offer the option that records cassettes, and the setting that forbids the network."""
    parser.getgroup("evoclient").addoption(
        _RECORD,
        action="store_true",
        default=False,
        help=f"Record the cassettes of evoclient anew in place of playing them; {_VARIABLE}=1 in "
        "the environment does the same.",
    )
    parser.addini(
        _BLOCK,
        "Whether tests may only talk to this machine (default: false).",
        type="bool",
        default=False,
    )


def pytest_configure(config: pytest.Config) -> None:
    """Register the markers, and learn whether to record before tests change the environment."""
    config.addinivalue_line("markers", f"{_BLOCK}: the test may only talk to this machine")
    config.addinivalue_line("markers", f"{_ALLOW}: the test may talk to anyone, whatever is set")
    by_variable = os.environ.get(_VARIABLE) == "1"
    config.stash[_recording] = by_variable or bool(config.getoption(_RECORD))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Forbid the network while a test runs, its fixtures included, where that is asked for."""
    if not _is_blocked(item):
        return (yield)
    from .blocking import network_blocked

    with network_blocked():
        return (yield)


def _is_blocked(item: pytest.Item) -> bool:
    """Whether the nearest word on a test is that it may not use the network."""
    for mark in item.iter_markers():
        if mark.name in (_BLOCK, _ALLOW):
            return mark.name == _BLOCK
    if item.config.stash[_recording] and "evoclient_cassette" in getattr(item, "fixturenames", ()):
        return False  # there is nothing to record without a network
    return bool(item.config.getini(_BLOCK))


@pytest.fixture
def evoclient_server() -> Iterator[DemoServer]:
    """A demo server on a free port that needs no key and does not wait between pieces."""
    from .server import DemoServer

    with DemoServer(pace=0) as server:
        yield server


@pytest.fixture
def evoclient_memory() -> MemoryTransports:
    """Memory transports: `.transport(script)` for Client, `.async_transport(script)`."""
    from .fixtures import MemoryTransports

    return MemoryTransports()


@pytest.fixture
def evoclient_cassette(request: pytest.FixtureRequest) -> Iterator[CassetteDeck]:
    """The test's own cassette, played, or recorded where pytest was told --evoclient-record."""
    from .fixtures import CassetteDeck

    node: pytest.Item = request.node
    deck = CassetteDeck(
        _path(request), is_recording=request.config.stash[_recording], test=node.nodeid
    )
    yield deck
    passed = node.stash.get(_passed, False)
    told = deck.eject(passed=passed)
    if told is not None and passed:
        warnings.warn(told, stacklevel=1)
    elif told is not None:
        node.add_report_section("teardown", "evoclient", told)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Learn whether a test did as it should, before its fixtures end."""
    report = yield
    if report.when == "call":
        # A test that was expected to fail did what it should.
        item.stash[_passed] = report.passed or hasattr(report, "wasxfail")
    return report


def _path(request: pytest.FixtureRequest) -> Path:
    """Return the file of a test's cassette: beside the test's file, one folder for each."""
    import re
    from zlib import crc32

    node: pytest.Item = request.node
    names = [node.name]
    if (owner := node.getparent(pytest.Class)) is not None:
        names.insert(0, owner.name)
    name = ".".join(names)
    safe = re.sub(r"[^\w.\[\]-]", "-", name)[:100]
    if safe != name:  # two names must not become one
        safe += f"-{crc32(name.encode()):08x}"
    return node.path.parent / "cassettes" / node.path.stem / f"{safe}.jsonl"
