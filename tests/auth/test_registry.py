"""Auth schemes by name, from distributions that lie in a folder as pip would put them."""

from __future__ import annotations

import importlib.metadata
import logging
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from evoclient.auth.base import NoAuth
from evoclient.auth.registry import GROUP, auth_scheme
from evoclient.ground import ConfigurationError
from evoclient.sync.client import Client
from evoclient.transports.memory import MemoryTransport

MODULE = """
from evoclient.auth.base import Auth
from evoclient.wire import Headers

class Badge(Auth):
    def authorise(self, send, until):
        yield from ()
        return Headers({"X-Badge": "42"})

def needy():
    raise LookupError("no vault here")

def odd():
    return object()

text = "no function"
"""

Install = Callable[..., None]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Install:
    """Install a distribution: its name, and its entry points as name and object."""
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "badges", raising=False)
    (tmp_path / "badges.py").write_text(MODULE, "utf-8")

    def put(distribution: str = "badges", **points: str) -> None:
        folder = tmp_path / f"{distribution}-1.0.dist-info"
        folder.mkdir()
        (folder / "METADATA").write_text(
            f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 1\n"
        )
        lines = [f"{name} = {value}" for name, value in points.items()]
        (folder / "entry_points.txt").write_text("\n".join([f"[{GROUP}]", *lines, ""]))

    return put


def test_none_is_built_in(monkeypatch: pytest.MonkeyPatch) -> None:
    """The built-in name reads no entry points, which takes a while."""
    monkeypatch.setattr(importlib.metadata, "entry_points", None)
    assert isinstance(auth_scheme("none"), NoAuth)


def test_a_plugin(install: Install, caplog: pytest.LogCaptureFixture) -> None:
    """A scheme of another distribution works by its name, and the log says whence it is."""
    install(badge="badges:Badge", broken="nowhere:Badge")
    transport = MemoryTransport()
    with (
        caplog.at_level(logging.DEBUG, "evoclient"),
        Client(transport=transport, model="m", auth="badge") as client,
    ):
        client.chat.completions.create(messages=[{"role": "user", "content": "Hi"}])
    assert transport.requests[0].headers["x-badge"] == "42"
    assert "badges:Badge" in caplog.text


def test_each_client_has_its_own(install: Install) -> None:
    """What the entry point names is called once for each client."""
    install(badge="badges:Badge")
    assert auth_scheme("badge") is not auth_scheme("badge")


def test_an_unknown_name(install: Install) -> None:
    """The error lists what there is, each name once."""
    install(badge="badges:Badge", other="badges:Badge")
    install("more-badges", badge="badges:Badge")
    with pytest.raises(ConfigurationError) as caught:
        auth_scheme("bagde")
    assert "no auth scheme 'bagde'. There are: 'none', 'badge', 'other'." in str(caught.value)
    assert caught.value.argument == "auth"


BROKEN = {
    "a module that is not there": ("nowhere:Badge", "ModuleNotFoundError"),
    "a name that is not there": ("badges:Nobody", "AttributeError"),
    "a function that raises": ("badges:needy", "LookupError: .*no vault here"),
    "no function": ("badges:text", "TypeError"),
    "no scheme": ("badges:odd", "of type object, has no authorise and no refused"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_plugin_names_itself(install: Install, case: str) -> None:
    """The error says which plugin it is and what it raised, and the others work."""
    value, problem = BROKEN[case]
    install(badge="badges:Badge", broken=value)
    with pytest.raises(ConfigurationError, match=rf"'broken' \({value}\).*{problem}") as caught:
        auth_scheme("broken")
    assert caught.value.argument == "auth"
    assert auth_scheme("badge").token_info().has_token


@pytest.mark.parametrize("bad", [5, object()])
def test_what_is_no_scheme(bad: Any) -> None:
    """An object that cannot authorise is refused by its type."""
    with pytest.raises(ConfigurationError, match=f"of type {type(bad).__name__}"):
        Client(transport=MemoryTransport(), auth=bad)
