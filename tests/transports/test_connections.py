"""Connections over real sockets: which are reused, replaced, shared and let go."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from evoclient.errors.tree import APIConnectionError, ClientClosedError
from evoclient.transports.with_aiohttp import AiohttpTransport
from evoclient.transports.with_requests import RequestsTransport
from evoclient.wire import Deadlines

from .callers import Caller, Colour, a_request, deadline, over_http
from .raw_server import CHUNKED, Peer, RawServer, chunk, once, replies, sized

pytestmark = pytest.mark.loopback

HI = sized(b"hi")


def dies_on_the_second(end: Callable[[Peer], None]) -> Callable[[Peer], None]:
    """Answer one request, and end the connection when the next has come."""

    def play(peer: Peer) -> None:
        peer.read_request()
        peer.send(HI)
        peer.read_request()
        end(peer)

    return play


@pytest.mark.parametrize("method", ["POST", "GET"])
@pytest.mark.parametrize("end", [Peer.reset, lambda peer: peer.sock.close()], ids=["RST", "FIN"])
def test_a_dead_kept_alive_connection_is_replaced(
    caller: Caller, end: Callable[[Peer], None], method: str
) -> None:
    """A kept-alive connection that ends before a byte of the reply costs nobody anything."""
    with RawServer(dies_on_the_second(end), replies(HI)) as server:
        for _ in range(2):
            answer = caller.send(a_request(server.url, b"{}", method))
            assert answer.read_all() == b"hi"
        assert (len(server.requests), len(server.peers)) == (3, 2)


def test_a_connection_that_ended_while_idle_is_not_used(caller: Caller) -> None:
    """A server may close an idle connection at any time, and nobody notices."""
    with RawServer(once(HI)) as server:
        for _ in range(5):
            assert caller.send(server.url).read_all() == b"hi"
        assert len(server.peers) == 5


def test_a_connection_that_dies_in_a_reply_is_not_replaced(caller: Caller) -> None:
    """Once a byte of the reply has come, the request has been worked on and is not repeated."""

    def half(peer: Peer) -> None:
        peer.send(b"HTTP/1.1 200 O")
        peer.sock.close()

    with RawServer(dies_on_the_second(half), replies(HI)) as server:
        assert caller.send(server.url).read_all() == b"hi"
        with pytest.raises(APIConnectionError):
            caller.send(server.url)
        assert len(server.requests) == 2


def make_idle(caller: Caller, server: RawServer, number: int) -> None:
    """Leave a number of idle connections behind."""
    for answer in [caller.send(server.url) for _ in range(number)]:
        assert answer.read_all() == b"hi"
    assert len(server.peers) == number


def streams_then_dies(peer: Peer) -> None:
    """Answer one request with a stream that waits for the others, and die at the next."""
    peer.read_request()
    peer.send(CHUNKED)
    peer.server.stopping.wait(0.1)
    peer.send(chunk(b"hi"), chunk(b""))
    peer.read_request()
    peer.reset()


def test_several_dead_connections_are_replaced_by_one_that_lives(caller: Caller) -> None:
    """A second dead connection in the pool does not use up the one chance."""
    with RawServer(*[streams_then_dies] * 2, replies(HI)) as server:
        make_idle(caller, server, 2)
        assert caller.send(server.url).read_all() == b"hi"


def test_a_server_that_always_hangs_up_is_not_asked_for_ever(caller: Caller) -> None:
    """The replacing of dead connections is bounded, however many there are."""
    with RawServer(*[streams_then_dies] * 8, once()) as server:
        make_idle(caller, server, 8)
        with pytest.raises(APIConnectionError, match="closed before an answer"):
            caller.send(server.url)
        assert len(server.requests) <= 8 + 4


def test_a_hundred_and_fifty_streams_at_once(caller: Caller) -> None:
    """Open streams do not wait for each other, and their connections serve again."""
    everyone = threading.Barrier(150)

    def play(peer: Peer) -> None:
        peer.read_request()
        peer.send(CHUNKED)
        everyone.wait(20)  # nobody gets a body before all have a head
        peer.send(chunk(b"hi"), chunk(b""))
        peer.until_closed()

    with RawServer(play) as server, ThreadPoolExecutor(150) as threads:
        one = Deadlines(total=deadline(30))
        first = list(threads.map(lambda _: caller.send(server.url, one), range(150)))
        assert [answer.read_all() for answer in first] == [b"hi"] * 150
        assert len(server.peers) == 150
        gone = sum(peer.closed.is_set() for peer in server.peers)
        assert gone <= 50


def descriptors() -> int:
    """Return how many files this process has open."""
    return len(os.listdir("/proc/self/fd"))


@pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="counts descriptors in /proc")
def test_abandoned_streams_leave_nothing_open(caller: Caller) -> None:
    """Streams that are closed half-way leave neither a descriptor nor garbage."""

    def play(peer: Peer) -> None:
        peer.read_request()
        peer.send(CHUNKED, chunk(b"first"))
        peer.until_closed()

    with RawServer(play) as server:
        before = 0
        for number in range(200):
            answer = caller.send(server.url)
            assert answer.read() == b"first"
            answer.close()
            assert server.peers[-1].closed.wait(2)
            if number == 20:
                before = descriptors()
        assert descriptors() <= before + 5


def test_after_close_nothing_is_sent(caller: Caller) -> None:
    """Closing ends idle connections, and the next request says that the client is closed."""
    with RawServer(replies(HI)) as server:
        assert caller.send(server.url).read_all() == b"hi"
        transport = caller.transport
        close = transport.close if hasattr(transport, "close") else transport.aclose
        caller.run(close)
        caller.run(close)
        assert server.peers[0].closed.wait(1)
        with pytest.raises(ClientClosedError):
            caller.send(server.url)
        assert len(server.requests) == 1


def test_a_stream_outlives_the_close_of_its_transport_or_is_cut(caller: Caller) -> None:
    """A stream that is open when the client is closed ends soon, and leaves no connection."""

    def play(peer: Peer) -> None:
        peer.read_request()
        peer.send(CHUNKED, chunk(b"first"))
        peer.server.stopping.wait(0.1)
        peer.send(chunk(b""))
        peer.until_closed()

    with RawServer(play) as server:
        answer = caller.send(server.url)
        assert answer.read() == b"first"
        transport = caller.transport
        caller.run(transport.close if hasattr(transport, "close") else transport.aclose)
        try:
            assert answer.read_all() == b""
        except APIConnectionError:
            pass
        assert server.peers[0].closed.wait(1)


def test_threads_share_one_transport() -> None:
    """Many threads get their own answers over few connections."""
    caller = over_http("sync")

    def echo(peer: Peer) -> None:
        while request := peer.read_request():
            peer.send(sized(request.partition(b"\r\n\r\n")[2]))
        peer.closed.set()

    with RawServer(echo) as server, ThreadPoolExecutor(8) as threads:

        def ask(number: int) -> bool:
            body = b"%d" % number
            return caller.send(a_request(server.url, body)).read_all() == body

        assert all(threads.map(ask, range(200)))
        assert len(server.peers) <= 8
        caller.close()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_a_forked_child_opens_its_own_connections() -> None:
    """Parent and child do not mix their replies up on a shared connection, nor end each other's."""
    script = """
import os, sys
from tests.transports.callers import a_request, over_http
from tests.transports.raw_server import CHUNKED, Peer, RawServer, chunk, sized

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
caller = over_http("sync")
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
        [sys.executable, "-W", "ignore::DeprecationWarning", "-c", script],
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


def test_constructing_opens_nothing(colour: Colour) -> None:
    """A transport can be made outside a loop and dropped again without a trace."""
    made = RequestsTransport() if colour == "sync" else AiohttpTransport()
    del made
    gc.collect()
