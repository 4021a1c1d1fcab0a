"""Connections of the transports that are shipped: forks, and what leaves no trace."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
import threading
import time
from contextlib import suppress

import pytest

from evoclient.errors.tree import ClientClosedError
from evoclient.testing.raw_server import Peer, Play, RawServer, sized
from evoclient.transports.framing import Malformed
from evoclient.transports.http_heads import parsed_head
from evoclient.transports.registry import transport_class
from evoclient.transports.with_aiohttp_direct import DirectSession

from .callers import Caller, Kind, over_http

pytestmark = pytest.mark.loopback


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
@pytest.mark.parametrize("name", ["requests", "httpx"])
def test_a_forked_child_opens_its_own_connections(name: str) -> None:
    """Parent and child do not mix their replies up on a shared connection, nor end each other's."""
    script = """
import os, sys
from tests.transports.callers import a_request, over_http
from evoclient.testing.raw_server import CHUNKED, Peer, RawServer, chunk, sized

def play(peer):
    while request := peer.read_request():
        if request.endswith(b"stream"):
            peer.send(CHUNKED, chunk(b"first"))
            go.wait(10)
            peer.send(chunk(b"second"), chunk(b""))
        else:
            peer.send(sized(request.partition(b"\\r\\n\\r\\n")[2]))

import threading
go = threading.Event()
caller = over_http((sys.argv[1], "sync"))
with RawServer(play) as server:
    ask = lambda body: caller.send(a_request(server.url, body)).read_all()
    assert ask(b"before") == b"before"
    stream = caller.send(a_request(server.url, b"stream"))
    assert stream.read() == b"first"
    assert ask(b"again") == b"again"
    child = os.fork()
    if child == 0:
        stream.close()
        good = all(ask(b"child") == b"child" for _ in range(5))
        os._exit(0 if good else 1)
    good = all(ask(b"parent") == b"parent" for _ in range(5))
    _, status = os.waitpid(child, 0)
    go.set()
    assert good and status == 0, (good, status)
    assert stream.read_all() == b"second"
    print(len(server.peers))
caller.close()
"""
    done = subprocess.run(
        [sys.executable, "-W", "ignore::DeprecationWarning", "-c", script, name],
        capture_output=True,
        text=True,
        timeout=30,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, "3\n"), done.stderr


def test_a_reset_that_nobody_reads_is_not_reported(
    caller: Caller, caplog: pytest.LogCaptureFixture
) -> None:
    """A connection that breaks under a body nobody reads any more is nobody's business."""

    def play(peer: Peer) -> None:
        peer.read_request()
        peer.send(b"HTTP/1.1 200 OK\r\n\r\nfirst")
        go.wait(5)
        peer.reset()
        over.set()

    go, over = threading.Event(), threading.Event()
    with RawServer(play) as server:
        answer = caller.send(server.url)
        assert answer.read() == b"first"
        go.set()
        over.wait(5)
        caller.run(int)  # a turn of the loop, which sees the reset
        answer.close()
        del answer
        gc.collect()
    assert caplog.records == []


def test_constructing_opens_nothing(kind: Kind) -> None:
    """A transport can be made outside a loop and dropped again without a trace."""
    made = transport_class(*kind)()
    del made
    gc.collect()


EVIL = sized(b"EVIL!")


def two_at_once(peer: Peer) -> None:
    """Answer each request twice."""
    while peer.read_request():
        peer.send(sized(b"right") + EVIL)


def once_more_while_idle(peer: Peer) -> None:
    """Answer each request, and a little later once more."""
    while peer.read_request():
        peer.send(sized(b"right"))
        time.sleep(0.02)
        peer.send(EVIL)


@pytest.mark.parametrize("goes_past", [True, False], ids=["direct", "session"])
@pytest.mark.parametrize("play", [two_at_once, once_more_while_idle])
def test_what_nobody_asked_for_is_no_answer(
    kind: Kind, play: Play, goes_past: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server, or a proxy, that sends an answer too many gets no other request on that line."""
    if kind[0] == "aiohttp" and not goes_past:
        monkeypatch.setattr(DirectSession, "may_send", lambda *_: False)
    elif not goes_past:
        pytest.skip("there is one way only")
    with RawServer(play) as server:
        caller = over_http(kind)
        for _ in range(3):
            assert caller.send(server.url).read_all() == b"right"
            time.sleep(0.05)
        caller.close()


def test_a_transport_that_is_closed_connects_no_more() -> None:
    """A request that waits on a connection which has served is ended, and not tried anew."""
    waits = threading.Event()

    def play(peer: Peer) -> None:
        peer.read_request()
        peer.send(sized(b"hi"))
        peer.read_request()
        waits.set()
        peer.until_closed()

    with RawServer(play) as server:
        caller = over_http(("requests", "sync"))
        assert caller.send(server.url).read_all() == b"hi"

        def close() -> None:
            if waits.wait(5):
                caller.close()

        closing = threading.Thread(target=close)
        closing.start()
        with pytest.raises(ClientClosedError):
            caller.send(server.url)
        closing.join()
        assert len(server.peers) == 1


@pytest.mark.parametrize("line", [b"X:%b\0", b"X: a%bb", b"X: a\r\n%bb"])
def test_heads_are_read_in_linear_time(line: bytes) -> None:
    """Four times the spaces take no sixteen times as long; a head that is refused neither."""

    def seconds(spaces: int) -> float:
        head = b"HTTP/1.1 200 OK\r\n" + line % (b" " * spaces) + b"\r\n"
        began = time.perf_counter()
        with suppress(Malformed):
            parsed_head(head)
        return time.perf_counter() - began

    short, long = (min(seconds(spaces) for _ in range(5)) for spaces in (15_000, 60_000))
    assert long < 10 * short + 0.005
