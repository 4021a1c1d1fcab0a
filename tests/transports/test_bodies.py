"""Bodies over real sockets: pieces, ends, cuts, closing."""

from __future__ import annotations

import threading
import time

import pytest

from evoclient.errors.tree import APIConnectionError, APITimeoutError

from .callers import Caller, a_request, deadline
from .raw_server import CHUNKED, OK, Peer, RawServer, chunk, once, replies, sized

pytestmark = pytest.mark.loopback

SIZED_SIX = OK + b"Content-Length: 6\r\n\r\n"
TO_CLOSE = OK + b"\r\n"


class Stepwise:
    """Sends one block each time the test has seen the one before."""

    def __init__(self, head: bytes, *blocks: bytes) -> None:
        self.blocks = blocks
        self.head = head
        self.seen = threading.Semaphore(0)

    def play(self, peer: Peer) -> None:
        """Answer one request."""
        peer.read_request()
        peer.send(self.head)
        for block in self.blocks:
            self.seen.acquire(timeout=5)
            peer.send(block)


@pytest.mark.parametrize(
    ("head", "blocks"),
    [
        (CHUNKED, [chunk(b"one"), chunk(b"two"), chunk(b"")]),
        (SIZED_SIX, [b"one", b"two"]),
        (TO_CLOSE, [b"one", b"two"]),
    ],
    ids=["chunked", "sized", "to close"],
)
def test_pieces_are_handed_on_as_they_arrive(
    caller: Caller, head: bytes, blocks: list[bytes]
) -> None:
    """A piece is returned before the server sends the next, however the body is framed."""
    steps = Stepwise(head, *blocks)
    with RawServer(steps.play) as server:
        answer = caller.send(server.url)
        got = []
        for _ in range(2):
            steps.seen.release()
            got.append(answer.read())
        steps.seen.release()
        assert (got, answer.read()) == ([b"one", b"two"], b"")


def test_a_body_may_come_byte_by_byte(caller: Caller) -> None:
    """Chunk sizes, line ends and the last chunk may be cut anywhere."""
    wire = CHUNKED + chunk(b"hello ") + b"5;name=value\r\nworld\r\n" + b"0\r\nTrailer: x\r\n\r\n"

    def play(peer: Peer) -> None:
        peer.read_request()
        peer.trickle(wire, 0.0005)
        peer.until_closed()

    with RawServer(play) as server:
        assert caller.send(server.url).read_all() == b"hello world"


@pytest.mark.parametrize("method", ["HEAD", "GET"])
def test_replies_without_a_body_end_at_once(caller: Caller, method: str) -> None:
    """A reply to HEAD, and 204, have no body whatever their head says."""
    head = OK if method == "HEAD" else b"HTTP/1.1 204 No Content\r\n"
    length = b"Content-Length: 5\r\n" if method == "HEAD" else b""
    with RawServer(replies(head + length + b"\r\n")) as server:
        for _ in range(2):
            assert caller.send(a_request(server.url, None, method)).read() == b""
        assert len(server.peers) == 1


CUT = {
    "chunked, in a chunk": CHUNKED + b"a\r\nhello",
    "chunked, between chunks": CHUNKED + chunk(b"hello"),
    "chunked, in the last chunk": CHUNKED + chunk(b"hello") + b"0\r\n",
    "chunked, in a size": CHUNKED + chunk(b"hello") + b"1",
    "sized": OK + b"Content-Length: 10\r\n\r\nhello",
}


@pytest.mark.parametrize("wire", CUT.values(), ids=CUT.keys())
def test_a_cut_body_is_an_error_after_what_had_come(caller: Caller, wire: bytes) -> None:
    """What came before a cut is handed on, and the cut is never taken for the end."""
    with RawServer(once(wire)) as server:
        answer = caller.send(server.url)
        assert answer.read() == b"hello"
        with pytest.raises(APIConnectionError, match="cut in the middle") as caught:
            answer.read()
        assert not isinstance(caught.value, APITimeoutError)
        assert caught.value.retryable


@pytest.mark.parametrize("head", [CHUNKED + b"5\r\n", SIZED_SIX, TO_CLOSE])
def test_a_reset_in_a_body_is_an_error(caller: Caller, head: bytes) -> None:
    """A connection that is reset is a cut, also where the end of a connection ends the body."""
    read = threading.Event()

    def play(peer: Peer) -> None:
        peer.read_request()
        peer.send(head + b"hello")
        read.wait(5)
        peer.reset()

    with RawServer(play) as server:
        answer = caller.send(server.url)
        assert answer.read() == b"hello"
        read.set()
        with pytest.raises(APIConnectionError, match="cut in the middle"):
            answer.read()


@pytest.mark.parametrize(
    "wire",
    [b"zz\r\nhello\r\n0\r\n\r\n", b"-5\r\nhello\r\n", b"3\r\nhello\r\n0\r\n\r\n"],
    ids=["no number", "negative", "too long"],
)
def test_bad_chunks_are_an_error(caller: Caller, wire: bytes) -> None:
    """A body that is framed wrongly is an error, never a body of another length."""
    with RawServer(once(CHUNKED + wire)) as server, pytest.raises(APIConnectionError):
        caller.send(server.url).read_all()


def test_endless_trailers_are_refused(caller: Caller) -> None:
    """What comes after the last chunk is bounded too."""

    def play(peer: Peer) -> None:
        peer.read_request()
        peer.send(CHUNKED, chunk(b"hi"), b"0\r\n")
        for _ in range(2000):
            peer.send(b"X-Trailer: %b\r\n" % (b"y" * 1000))

    with RawServer(play) as server, pytest.raises(APIConnectionError):
        caller.send(server.url).read_all()


def endless(peer: Peer) -> None:
    """Begin a stream that does not end, and note when the client closes."""
    peer.read_request()
    peer.send(CHUNKED, chunk(b"first"))
    peer.until_closed()


def test_closing_early_closes_the_connection(caller: Caller) -> None:
    """The server sees the end of the connection soon after an unfinished body was closed."""
    with RawServer(endless) as server:
        answer = caller.send(server.url)
        assert answer.read() == b"first"
        answer.close()
        answer.close()
        assert server.peers[0].closed.wait(0.5)
        assert answer.read() == b""


def test_closing_frees_a_reader(caller: Caller) -> None:
    """A reader that is blocked sees the end when another thread or task closes the body."""
    with RawServer(endless) as server:
        answer = caller.send(server.url)
        assert answer.read() == b"first"
        got: list[object] = []

        def read() -> None:
            try:
                got.append(answer.read())
            except APIConnectionError as error:
                got.append(error)

        reader = threading.Thread(target=read)
        reader.start()
        reader.join(0.05)  # so that it is blocked; closing before that works as well
        began = time.monotonic()
        answer.close()
        reader.join(5)
        assert not reader.is_alive()
        assert time.monotonic() - began < 0.5
        assert got == [b""] or isinstance(got[0], APIConnectionError)
        assert server.peers[0].closed.wait(0.5)


@pytest.mark.parametrize(
    "wire", [CHUNKED + chunk(b"hi") + chunk(b""), sized(b"hi")], ids=["chunked", "sized"]
)
def test_a_body_read_to_its_end_gives_the_connection_back(caller: Caller, wire: bytes) -> None:
    """Twenty requests one after another need one connection."""
    with RawServer(replies(wire)) as server:
        for _ in range(20):
            answer = caller.send(server.url)
            assert answer.read_all() == b"hi"
            answer.close()
        assert (len(server.requests), len(server.peers)) == (20, 1)


def test_bytes_after_the_end_spoil_the_connection(caller: Caller) -> None:
    """What follows a body is never taken for the beginning of the next reply."""
    with RawServer(replies(sized(b"hi") + b"HTTP/1.1 200 OK\r\n\r\nstolen")) as server:
        for _ in range(3):
            assert caller.send(server.url).read_all() == b"hi"
        assert len(server.peers) == 3


def test_connection_close_is_obeyed(caller: Caller) -> None:
    """A connection that the server wants closed is not used again."""
    with RawServer(replies(sized(b"hi", extra=b"Connection: close\r\n"))) as server:
        for _ in range(2):
            assert caller.send(server.url).read_all() == b"hi"
        assert len(server.peers) == 2
        assert server.peers[0].closed.wait(1)


def test_what_came_before_a_cut_is_not_lost_to_a_slow_reader(caller: Caller) -> None:
    """A reader that comes late still gets all that had arrived before the connection ended."""
    with RawServer(once(CHUNKED + chunk(b"one") + chunk(b"two"))) as server:
        answer = caller.send(server.url)
        server.peers[0].sock.close()
        caller.run(time.sleep, 0.05)  # the loop of the other colour must have seen the cut
        got = answer.read()
        with pytest.raises(APIConnectionError):
            got += answer.read() + answer.read()
        assert got == b"onetwo"


def test_a_dropped_body_does_not_keep_its_connection(caller: Caller) -> None:
    """A body that is forgotten without being closed closes its connection, and quietly."""
    with RawServer(endless) as server:
        answer = caller.send(server.url)
        assert answer.read(deadline(5)) == b"first"
        del answer
        caller.run(int)  # a turn of the loop
        assert server.peers[0].closed.wait(1)
