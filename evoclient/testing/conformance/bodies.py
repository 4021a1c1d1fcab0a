"""Scenarios about bodies: pieces, ends, cuts."""

from __future__ import annotations

import threading
import time
from typing import Final

from ...errors.tree import APIConnectionError, APITimeoutError
from ..raw_server import CHUNKED, OK, Peer, RawServer, chunk, once, replies, sized
from .base import Scenarios, raises
from .calls import Answer, a_request

__all__ = ["BodyScenarios"]

_SIZED: Final = OK + b"Content-Length: 6\r\n\r\n"
_TO_CLOSE: Final = OK + b"\r\n"

_CUT: Final = {
    "chunked, in a chunk": CHUNKED + b"a\r\nhello",
    "chunked, between chunks": CHUNKED + chunk(b"hello"),
    "chunked, in the last chunk": CHUNKED + chunk(b"hello") + b"0\r\n",
    "chunked, in a size": CHUNKED + chunk(b"hello") + b"1",
    "sized": OK + b"Content-Length: 10\r\n\r\nhello",
}


class _Stepwise:
    """Sends one block each time the test has seen the one before."""

    def __init__(self, head: bytes, *blocks: bytes) -> None:
        self._blocks = blocks
        self._head = head
        self.seen = threading.Semaphore(0)

    def play(self, peer: Peer) -> None:
        """Answer one request."""
        peer.read_request()
        peer.send(self._head)
        for block in self._blocks:
            self.seen.acquire(timeout=5)
            peer.send(block)


def _read_until_cut(answer: Answer) -> bytes:
    """Return what had come before a cut, which must be an error."""
    pieces = []
    with raises(APIConnectionError, "cut in the middle") as caught:
        for _ in range(10):
            pieces.append(answer.read())
    assert not isinstance(caught.value, APITimeoutError)
    assert caught.value.retryable
    return b"".join(pieces)


class BodyScenarios(Scenarios):
    """Pieces, ends and cuts."""

    def _steps(self, head: bytes, *blocks: bytes) -> None:
        steps = _Stepwise(head, *blocks)
        with RawServer(steps.play) as server:
            answer = self.caller.send(server.url)
            got = []
            for _ in range(2):
                steps.seen.release()
                got.append(answer.read())
            steps.seen.release()
            assert (got, answer.read()) == ([b"one", b"two"], b"")

    def test_pieces_of_a_chunked_body_are_handed_on_as_they_arrive(self) -> None:
        """A chunk is returned before the server sends the next."""
        self._steps(CHUNKED, chunk(b"one"), chunk(b"two"), chunk(b""))

    def test_pieces_of_a_sized_body_are_handed_on_as_they_arrive(self) -> None:
        """A part is returned before the server sends the next."""
        self._steps(_SIZED, b"one", b"two")

    def test_pieces_of_a_body_to_the_close_are_handed_on_as_they_arrive(self) -> None:
        """A body may last as long as its connection."""
        self._steps(_TO_CLOSE, b"one", b"two")

    def test_a_body_may_come_byte_by_byte(self) -> None:
        """Chunk sizes, line ends and the last chunk may be cut anywhere."""
        wire = (
            CHUNKED + chunk(b"hello ") + b"5;name=value\r\nworld\r\n" + b"0\r\nTrailer: x\r\n\r\n"
        )

        def play(peer: Peer) -> None:
            peer.read_request()
            peer.trickle(wire, 0.0005)
            peer.until_closed()

        with RawServer(play) as server:
            assert self.caller.send(server.url).read_all() == b"hello world"

    def test_replies_without_a_body_end_at_once(self) -> None:
        """A reply to HEAD, and 204, have no body whatever their head says."""
        cases = {
            "HEAD": OK + b"Content-Length: 5\r\n\r\n",
            "GET": b"HTTP/1.1 204 No Content\r\n\r\n",
        }
        for method, wire in cases.items():
            with RawServer(replies(wire)) as server:
                for _ in range(2):
                    assert self.caller.send(a_request(server.url, None, method)).read() == b""
                assert len(server.peers) == 1, method

    def test_a_cut_body_is_an_error_after_what_had_come(self) -> None:
        """What came before a cut is handed on, wherever in the framing it falls."""
        for where, wire in _CUT.items():
            with RawServer(once(wire)) as server:
                assert _read_until_cut(self.caller.send(server.url)) == b"hello", where

    def test_a_reset_in_a_body_is_an_error(self) -> None:
        """A connection that is reset is a cut, also where the end of a connection ends the body."""
        for head in (CHUNKED + b"5\r\n", _SIZED, _TO_CLOSE):
            read = threading.Event()

            def play(peer: Peer, head: bytes = head, read: threading.Event = read) -> None:
                peer.read_request()
                peer.send(head + b"hello")
                read.wait(5)
                peer.reset()

            with RawServer(play) as server:
                answer = self.caller.send(server.url)
                assert answer.read() == b"hello"
                read.set()
                assert _read_until_cut(answer) == b"", head

    def test_bad_chunks_are_an_error(self) -> None:
        """A body that is framed wrongly is an error, never a body of another length."""
        for wire in (b"zz\r\nhello\r\n0\r\n\r\n", b"-5\r\nhello\r\n", b"3\r\nhello\r\n0\r\n\r\n"):
            with RawServer(once(CHUNKED + wire)) as server, raises(APIConnectionError):
                self.caller.send(server.url).read_all()

    def test_endless_trailers_are_refused(self) -> None:
        """What comes after the last chunk is bounded too."""

        def play(peer: Peer) -> None:
            peer.read_request()
            peer.send(CHUNKED, chunk(b"hi"), b"0\r\n")
            for _ in range(2000):
                peer.send(b"X-Trailer: %b\r\n" % (b"y" * 1000))

        with RawServer(play) as server, raises(APIConnectionError):
            self.caller.send(server.url).read_all()

    def test_what_came_before_a_cut_is_not_lost_to_a_slow_reader(self) -> None:
        """A reader that comes late still gets all that had arrived before the connection ended."""
        with RawServer(once(CHUNKED + chunk(b"one") + chunk(b"two"))) as server:
            answer = self.caller.send(server.url)
            server.peers[0].ended.wait(5)
            self.caller.run(time.sleep, 0.05)  # the loop of the other colour must have seen it
            assert _read_until_cut(answer) == b"onetwo"

    def test_content_encodings_are_left_alone(self) -> None:
        """A body comes out as it was sent, whatever coding its head names."""
        wire = sized(b"\x1f\x8bno gzip", extra=b"Content-Encoding: gzip\r\n")
        with RawServer(replies(wire)) as server:
            assert self.caller.send(server.url).read_all() == b"\x1f\x8bno gzip"
