"""Each of the four limits, over real sockets."""

from __future__ import annotations

import time

import pytest

from evoclient.errors.tree import APITimeoutError
from evoclient.wire import Deadlines, Limit

from .callers import Caller, Colour, a_request, deadline, over_http
from .raw_server import CHUNKED, OK, Peer, RawServer, chunk, sized

pytestmark = pytest.mark.loopback

# Long enough that it cannot pass by itself, short enough to wait for.
SOON = 0.15


def silent(peer: Peer) -> None:
    """Take a request and say nothing."""
    peer.read_request()
    peer.until_closed()


def timed_out(caller: Caller, url: str, deadlines: Deadlines) -> APITimeoutError:
    """Send, and return the error that comes when it should."""
    began = time.monotonic()
    with pytest.raises(APITimeoutError) as caught:
        caller.send(url, deadlines).read_all()
    assert SOON * 0.9 <= time.monotonic() - began < SOON + 0.6
    return caught.value


@pytest.mark.parametrize("limit", ["connect", "first_chunk", "total"])
def test_connecting_ends_at_the_earliest_of_its_limits(
    caller: Caller, deaf_port: int, limit: Limit
) -> None:
    """A host that swallows packets runs into the limit that comes first, and it is named."""
    others: dict[str, Limit] = {"connect": "connect", "first_chunk": "first_chunk"}
    limits = {name: deadline(20, name) for name in others.values()}
    limits[limit] = deadline(SOON, limit)
    error = timed_out(caller, f"http://127.0.0.1:{deaf_port}/", Deadlines(**limits))
    assert (error.limit, error.seconds, error.retryable) == (limit, SOON, limit != "total")


def test_the_connect_limit_does_not_bound_the_answer(caller: Caller) -> None:
    """Once the connection stands, the time for connecting no longer runs."""

    def late(peer: Peer) -> None:
        peer.read_request()
        peer.server.stopping.wait(2 * SOON)
        peer.send(sized(b"hi"))

    with RawServer(late) as server:
        answer = caller.send(server.url, Deadlines(connect=deadline(SOON, "connect")))
        assert answer.read_all() == b"hi"


def test_a_silent_server_runs_into_the_first_chunk(caller: Caller) -> None:
    """A server that accepts and says nothing is given up at the first of the limits."""
    with RawServer(silent) as server:
        limits = Deadlines(first_chunk=deadline(SOON, "first_chunk"), total=deadline(20))
        assert timed_out(caller, server.url, limits).limit == "first_chunk"
        assert server.peers[0].closed.wait(1)


@pytest.mark.parametrize(
    "wire",
    [OK + b"X-Long: " + b"y" * 10_000, b"HTTP/1.1 100 Continue\r\n\r\n" * 15],
    ids=["head", "interim answers"],
)
def test_a_trickling_head_runs_into_the_first_chunk(caller: Caller, wire: bytes) -> None:
    """Bytes that keep coming do not put the limit off."""

    def play(peer: Peer) -> None:
        peer.read_request()
        peer.trickle(wire, 0.02)

    with RawServer(play) as server:
        limits = Deadlines(first_chunk=deadline(SOON, "first_chunk"))
        assert timed_out(caller, server.url, limits).limit == "first_chunk"


@pytest.mark.parametrize("head", [CHUNKED + chunk(b"hi"), OK + b"\r\nhi"])
def test_silence_in_a_body_runs_into_the_deadline_of_the_read(caller: Caller, head: bytes) -> None:
    """Each read has its own deadline, and the error names that one's limit."""

    def play(peer: Peer) -> None:
        peer.read_request()
        peer.send(head)
        peer.until_closed()

    with RawServer(play) as server:
        answer = caller.send(server.url)
        assert answer.read() == b"hi"
        began = time.monotonic()
        with pytest.raises(APITimeoutError) as caught:
            answer.read(deadline(SOON, "idle"))
        assert SOON * 0.9 <= time.monotonic() - began < SOON + 0.6
        assert caught.value.limit == "idle"
        assert server.peers[0].closed.wait(0.5)


def test_a_body_that_trickles_without_a_piece_runs_into_the_deadline(caller: Caller) -> None:
    """Framing that trickles in, such as a long chunk extension, is not a piece."""

    def play(peer: Peer) -> None:
        peer.read_request()
        peer.send(CHUNKED)
        peer.trickle(b"5;" + b"x" * 1000, 0.02)

    with RawServer(play) as server:
        answer = caller.send(server.url)
        began = time.monotonic()
        with pytest.raises(APITimeoutError):
            answer.read(deadline(SOON, "idle"))
        assert time.monotonic() - began < SOON + 0.6


def test_deadlines_of_reads_may_go_forth_and_back(caller: Caller) -> None:
    """A later deadline gives time, and an earlier one than the last takes it away."""

    def play(peer: Peer) -> None:
        peer.read_request()
        peer.send(CHUNKED, chunk(b"a"))
        peer.server.stopping.wait(2 * SOON)
        peer.send(chunk(b"b"))
        peer.until_closed()

    with RawServer(play) as server:
        answer = caller.send(server.url)
        assert answer.read(deadline(SOON, "idle")) == b"a"
        assert answer.read(deadline(10, "idle")) == b"b"
        began = time.monotonic()
        with pytest.raises(APITimeoutError):
            answer.read(deadline(SOON, "idle"))
        assert time.monotonic() - began < SOON + 0.6


def test_a_deadline_does_not_pass_between_reads(caller: Caller) -> None:
    """What arrived while nobody read is handed out, although the last deadline has passed."""

    def play(peer: Peer) -> None:
        peer.read_request()
        peer.send(CHUNKED, chunk(b"a"))
        peer.until_closed()

    with RawServer(play) as server:
        answer = caller.send(server.url)
        assert answer.read(deadline(10, "idle")) == b"a"
        with pytest.raises(APITimeoutError):
            answer.read(deadline(SOON, "idle"))

    def slow(peer: Peer) -> None:
        peer.read_request()
        peer.send(CHUNKED, chunk(b"a"))
        peer.server.stopping.wait(SOON / 2)
        peer.send(chunk(b"b"))
        peer.server.stopping.wait(2 * SOON)
        peer.send(chunk(b"c"), chunk(b""))

    with RawServer(slow) as server:
        answer = caller.send(server.url)
        assert answer.read(deadline(10, "idle")) == b"a"
        assert answer.read(deadline(SOON, "idle")) == b"b"
        caller.run(time.sleep, SOON)  # past the deadline of the read that is over
        assert answer.read(deadline(10, "idle")) == b"c"


def test_sending_a_body_that_nobody_reads_ends_in_time(caller: Caller) -> None:
    """A request is bounded by the limits of its answer while it is being sent."""

    def play(peer: Peer) -> None:
        peer.server.stopping.wait(10)

    with RawServer(play) as server:
        began = time.monotonic()
        limits = Deadlines(first_chunk=deadline(SOON, "first_chunk"))
        with pytest.raises(APITimeoutError) as caught:
            caller.send(a_request(server.url, b"x" * 20_000_000), limits)
        assert time.monotonic() - began < SOON + 1.5
        assert caught.value.limit == "first_chunk"


def test_a_deadline_that_has_passed_sends_nothing(colour: Colour) -> None:
    """A request whose time is over fails at once."""
    caller = over_http(colour)
    with RawServer(silent) as server:
        began = time.monotonic()
        with pytest.raises(APITimeoutError):
            caller.send(server.url, Deadlines(total=deadline(-1)))
        assert time.monotonic() - began < 0.5
        assert server.requests == []
    caller.close()
