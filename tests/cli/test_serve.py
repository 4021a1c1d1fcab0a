"""The demo server, started by hand and behind `chat --demo`."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys

import pytest

from evoclient.cli.demo import demo_client
from evoclient.sync.client import Client
from evoclient.testing import DemoServer

from .conftest import Run

pytestmark = pytest.mark.loopback


@pytest.mark.skipif(sys.platform == "win32", reason="Ctrl-C reaches a whole console there")
def test_serve_until_ctrl_c() -> None:
    """The server tells its address, wants the key it was given, and ends well with Ctrl-C."""
    process = subprocess.Popen(
        [*(sys.executable, "-m", "evoclient", "serve", "--port", "0"), "--api-key", "hush-hush"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    told = process.stdout.readline() + process.stdout.readline()
    address = re.search(r"http://127\.0\.0\.1:\d+/v1", told)
    assert address is not None
    with Client(base_url=address[0], api_key="hush-hush", model="demo") as client:
        asked = [{"role": "user", "content": "repeat: one"}]
        assert client.chat.completions.create(messages=asked).text == "one"
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=10)
    assert (process.returncode, err) == (0, "")
    assert "hush-hush" not in told


def test_an_early_ctrl_c(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C ends the server well, also in the moment before it waits for it."""

    def interrupt(_server: DemoServer) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(DemoServer, "run_forever", interrupt)
    ran = run("serve", "--port", "0")
    assert (ran.status, ran.err) == (0, "")


def test_a_port_that_is_taken(run: Run) -> None:
    """A port that cannot be had is told in one line that says what to do."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ran = run("serve", "--port", str(port))
    assert (ran.status, ran.out) == (1, "")
    assert ran.err.startswith(f"Error: The demo server cannot listen on 127.0.0.1, port {port}: ")
    assert "--port" in ran.err
    assert ran.err.count("\n") == 1


@pytest.mark.parametrize("before", [None, "example.com"])
def test_the_demo_needs_no_settings(before: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither a proxy nor a model or key from the environment gets between us and the demo."""
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    if before is not None:
        monkeypatch.setenv("no_proxy", before)
    monkeypatch.setenv("EVOCLIENT_MODEL", "other")
    monkeypatch.setenv("EVOCLIENT_API_KEY", "another-key")
    with demo_client() as client:
        asked = [{"role": "user", "content": "repeat: one"}]
        completion = client.chat.completions.create(messages=asked)
    assert (completion.text, completion.model) == ("one", "demo")
    assert os.environ.get("no_proxy") == before
