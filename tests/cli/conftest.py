"""A server to talk to, and the command run in this process."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

import pytest

from evoclient.cli import main
from evoclient.testing import DemoServer


@dataclass
class Ran:
    """What the command did."""

    status: int
    out: str
    err: str


Run: TypeAlias = Callable[..., Ran]


@pytest.fixture(scope="session")
def demo_server() -> Iterator[DemoServer]:
    """A server that needs no key and does not wait between pieces."""
    with DemoServer(pace=0) as server:
        yield server


@pytest.fixture
def server(demo_server: DemoServer, monkeypatch: pytest.MonkeyPatch) -> DemoServer:
    """The server, named by the environment as the one to talk to."""
    demo_server.clear_plays()
    monkeypatch.setenv("EVOCLIENT_BASE_URL", demo_server.base_url)
    monkeypatch.setenv("EVOCLIENT_MODEL", "demo")
    return demo_server


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run the command in this process, with a text piped in (default an empty one)."""

    def run_command(*arguments: str, stdin: str = "") -> Ran:
        monkeypatch.setattr("sys.stdin", io.StringIO(stdin))
        status = main(list(arguments))
        out, err = capsys.readouterr()
        return Ran(status, out, err)

    return run_command
