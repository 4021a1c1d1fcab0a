"""Transports by name, and what finding them loads."""

from __future__ import annotations

import subprocess
import sys

import pytest

from evoclient.ground import ConfigurationError
from evoclient.transports import registry
from evoclient.transports.registry import Colour, require, transport_class


@pytest.mark.parametrize(
    ("name", "colour", "wanted"),
    [
        ("requests", "sync", "RequestsTransport"),
        ("aiohttp", "async", "AiohttpTransport"),
        ("httpx", "sync", "HttpxTransport"),
        ("httpx", "async", "AsyncHttpxTransport"),
        ("memory", "sync", "MemoryTransport"),
        ("memory", "async", "AsyncMemoryTransport"),
    ],
)
def test_each_name_has_its_class(name: str, colour: Colour, wanted: str) -> None:
    """A name and a colour give a class, which is made with `verify` and `cert`."""
    found = transport_class(name, colour)
    assert found.__name__ == wanted
    found(verify=False, cert=None)


def test_the_default_names_can_be_used() -> None:
    """What is taken without a name is there."""
    for colour, name in registry.DEFAULT_NAMES.items():
        require(name, colour)


@pytest.mark.parametrize("name", ["urllib3", "", "with_requests", None, 5])
@pytest.mark.parametrize("colour", ["sync", "async"])
def test_an_unknown_name_is_refused_with_what_there_is(name: object, colour: Colour) -> None:
    """The error lists the names of that colour."""
    with pytest.raises(ConfigurationError) as caught:
        require(name, colour)
    assert caught.value.argument == "transport"
    assert "'memory'" in str(caught.value)
    assert ("'requests'" in str(caught.value)) is (colour == "sync")


@pytest.mark.parametrize(("name", "colour"), [("aiohttp", "sync"), ("requests", "async")])
def test_a_name_of_the_other_colour_is_refused(name: str, colour: Colour) -> None:
    """The error says that the name belongs to the other client."""
    with pytest.raises(ConfigurationError, match="for the other client"):
        transport_class(name, colour)


def test_a_missing_library_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without its library a transport is refused before it is imported."""
    monkeypatch.setattr(registry, "find_spec", lambda name: None)
    with pytest.raises(ConfigurationError, match="pip install requests"):
        require("requests", "sync")
    with pytest.raises(ConfigurationError, match=r'pip install "evoclient\[httpx\]"'):
        require("httpx", "sync")
    require("memory", "sync")


@pytest.mark.parametrize(
    ("code", "unwanted"),
    [
        ("registry.require('requests', 'sync')", "requests urllib3 aiohttp asyncio ssl socket"),
        ("registry.require('aiohttp', 'async')", "requests urllib3 aiohttp asyncio"),
        ("registry.transport_class('requests', 'sync')", "aiohttp asyncio"),
        ("registry.transport_class('aiohttp', 'async')", "requests urllib3"),
        ("registry.transport_class('memory', 'sync')", "requests urllib3 aiohttp asyncio"),
    ],
)
def test_nothing_is_loaded_that_is_not_used(code: str, unwanted: str) -> None:
    """Checking a name imports no library, and each colour only its own."""
    script = (
        f"import sys\nfrom evoclient.transports import registry\n{code}\n"
        f"print([name for name in {unwanted.split()!r} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("[]\n", "")
