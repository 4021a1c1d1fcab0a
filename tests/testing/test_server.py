"""The life of the server: starting, closing, waiting, and what importing it costs."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import threading
import time

import pytest
import requests

import evoclient.testing
from evoclient.testing import DemoServer, Play
from evoclient.testing.service import Service

pytestmark = pytest.mark.loopback


@pytest.fixture
def others() -> set[int | None]:
    """The server threads of other tests, which share this process."""
    return {thread.ident for thread in threading.enumerate()}


def threads(others: set[int | None]) -> list[str]:
    """The names of the server threads now alive that this test started."""
    return [
        thread.name
        for thread in threading.enumerate()
        if thread.name == "evoclient-demo" and thread.ident not in others
    ]


def test_it_serves_while_it_is_open(others: set[int | None]) -> None:
    """Inside the block it answers; behind it the port is closed and no thread is left."""
    with DemoServer(pace=0) as server:
        assert requests.get(f"{server.base_url}/models", timeout=5).status_code == 200
        assert threads(others)
        assert "running" in repr(server)
    assert not threads(others)
    assert "stopped" in repr(server)
    with pytest.raises(requests.ConnectionError):
        requests.get(f"{server.base_url}/models", timeout=5)


def test_closing_twice_is_fine() -> None:
    """Close does nothing on a server that is closed or was never started; it can start again."""
    server = DemoServer(pace=0)
    server.close()
    server.start()
    with pytest.raises(RuntimeError, match="running"):
        server.start()
    server.close()
    server.close()
    with server:
        assert requests.get(f"{server.base_url}/models", timeout=5).status_code == 200


def test_closing_does_not_wait_for_streams() -> None:
    """Open streams are dropped at once, and are not counted as left by the client."""
    with DemoServer(pace=30) as server:
        ask = {"model": "m", "messages": [{"role": "user", "content": "hi"}], "stream": True}
        url = f"{server.base_url}/chat/completions"
        with requests.post(url, json=ask, stream=True, timeout=5) as reply:
            assert server.open_streams == 1
            begun = time.monotonic()
            server.close()
            assert time.monotonic() - begun < 1
            with pytest.raises(requests.exceptions.ChunkedEncodingError):
                list(reply.iter_content(1))
    assert (server.open_streams, server.cancelled) == (0, 0)


def test_a_taken_port_is_reported(others: set[int | None]) -> None:
    """The caller of start gets the error, not the thread."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(OSError, match=str(port)):
            DemoServer(port=port).start()
    assert not threads(others)


def test_a_failed_start_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    """What goes wrong in the thread before it serves is raised by start."""

    def fail(_service: Service) -> None:
        raise LookupError("no application")

    monkeypatch.setattr(Service, "application", fail)
    with pytest.raises(LookupError, match="no application"):
        DemoServer().start()


def test_the_fixed_port_is_used() -> None:
    """A port that was asked for is the one it listens on; before the start there is no address."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        free = other.getsockname()[1]
    server = DemoServer(port=free)
    with pytest.raises(RuntimeError, match="started"):
        _ = server.base_url
    with server:
        assert server.base_url == f"http://127.0.0.1:{free}/v1"


def test_ipv6() -> None:
    """An IPv6 address is written in brackets."""
    server = DemoServer(host="::1")
    try:
        server.start()
    except OSError:
        pytest.skip("this machine has no IPv6 loopback")
    with_brackets = server.base_url
    server.close()
    assert with_brackets.startswith("http://[::1]:")


@pytest.mark.parametrize("options", [{"pace": -1}, {"dialect": "klingon"}], ids=str)
def test_wrong_settings_are_refused(options: dict[str, object]) -> None:
    """A negative pace and an unknown dialect are refused before anything starts."""
    with pytest.raises(ValueError, match=r"pace|dialect"):
        DemoServer(**options)  # type: ignore[arg-type]


def test_wrong_plays_are_refused() -> None:
    """Options belong to exactly one play; unknown names are refused by the call itself."""
    server = DemoServer()
    with pytest.raises(ValueError, match="exactly one"):
        server.play("vllm", "cut", after=3)
    with pytest.raises(ValueError, match="unknown play"):
        server.play("explode")
    server.play(Play("cut"), "vllm")
    server.play("cut;after=1", reset=False)
    server.clear_plays()


def test_the_repr_hides_the_key() -> None:
    """The key of the server is not shown."""
    assert "s3cret" not in repr(DemoServer(api_key="s3cret"))


@pytest.mark.parametrize("started", [False, True])
def test_foreground_ends_when_closed(started: bool) -> None:
    """In the foreground it serves until another thread closes it, started before or not."""
    server = DemoServer(pace=0)
    if started:
        server.start()
    ready = threading.Event()
    thread = threading.Thread(target=server.run_forever, args=[lambda _server: ready.set()])
    thread.start()
    assert ready.wait(5)
    server.close()
    thread.join(5)
    assert not thread.is_alive()


def test_an_interrupt_closes_the_server(others: set[int | None]) -> None:
    """An interrupt ends the foreground and the server's thread."""

    def interrupt(_server: DemoServer) -> None:
        raise KeyboardInterrupt

    DemoServer(pace=0).run_forever(interrupt)
    assert not threads(others)


def test_ctrl_c_ends_the_foreground() -> None:
    """An interrupt ends the program cleanly, without a traceback.

    It starts an interpreter, which takes most of a second.
    """
    program = (
        "from evoclient.testing import DemoServer\n"
        "DemoServer().run_forever(lambda server: print(server.base_url, flush=True))\n"
        "print('ended', flush=True)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith("http://")
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=10)
    assert (process.returncode, out, err) == (0, "ended\n", "")


def test_importing_the_room_loads_no_http_library() -> None:
    """The names are loaded on first use; an interpreter of its own shows what is loaded."""
    program = (
        "import sys, evoclient.testing as room\n"
        "assert dir(room) == sorted(room.__all__)\n"
        "print('aiohttp' in sys.modules)\n"
        "room.DemoServer\n"
        "print('aiohttp' in sys.modules)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["False", "True"]


def test_unknown_names_are_attribute_errors() -> None:
    """The lazy room tells its names and has no others."""
    assert dir(evoclient.testing) == sorted(evoclient.testing.__all__)
    with pytest.raises(AttributeError, match="Nothing"):
        _ = evoclient.testing.Nothing
