"""Scenarios about connections: which are reused, replaced and shared."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from ...errors.tree import APIConnectionError
from ...wire import Deadlines
from ..raw_server import CHUNKED, Peer, RawServer, chunk, once, replies, sized
from .base import Scenarios, raises
from .calls import a_request, deadline

__all__ = ["ConnectionScenarios"]

_HI: Final = sized(b"hi")


def _dies_on_the_second(end: Callable[[Peer], None]) -> Callable[[Peer], None]:
    """Answer one request, and end the connection when the next has come."""

    def play(peer: Peer) -> None:
        peer.read_request()
        peer.send(_HI)
        peer.read_request()
        end(peer)

    return play


def _half(peer: Peer) -> None:
    """Send the beginning of a reply."""
    peer.send(b"HTTP/1.1 200 O")
    peer.sock.close()


class _Together:
    """Answers a number of requests with streams that wait for each other, then dies."""

    def __init__(self, number: int) -> None:
        self._everyone = threading.Barrier(number)

    def play(self, peer: Peer) -> None:
        """Serve one connection."""
        peer.read_request()
        peer.send(CHUNKED)
        self._everyone.wait(10)  # nobody gets a body before all have a head
        peer.send(chunk(b"hi"), chunk(b""))
        peer.read_request()
        peer.reset()


class ConnectionScenarios(Scenarios):
    """Which connections are used."""

    def test_a_dead_kept_alive_connection_is_replaced(self) -> None:
        """A kept-alive connection that ends before a byte of the reply costs nobody anything."""
        for method in ("POST", "GET"):
            for end in (Peer.reset, lambda peer: peer.sock.close()):
                with RawServer(_dies_on_the_second(end), replies(_HI)) as server:
                    for _ in range(2):
                        answer = self.caller.send(a_request(server.url, b"{}", method))
                        assert answer.read_all() == b"hi"
                    assert (len(server.requests), len(server.peers)) == (3, 2)

    def test_a_connection_that_ended_while_idle_is_not_used(self) -> None:
        """A server may close an idle connection at any time, and nobody notices."""
        with RawServer(once(_HI)) as server:
            for _ in range(5):
                assert self.caller.send(server.url).read_all() == b"hi"
            assert len(server.peers) == 5

    def test_a_connection_that_dies_in_a_reply_is_not_replaced(self) -> None:
        """Once a byte of the reply has come, the request has been worked on and is not repeated."""
        with RawServer(_dies_on_the_second(_half), replies(_HI)) as server:
            assert self.caller.send(server.url).read_all() == b"hi"
            with raises(APIConnectionError):
                self.caller.send(server.url)
            assert len(server.requests) == 2

    def _make_idle(self, server: RawServer, number: int) -> None:
        """Leave a number of idle connections behind."""
        for answer in [self.caller.send(server.url) for _ in range(number)]:
            assert answer.read_all() == b"hi"
        assert len(server.peers) == number

    def test_several_dead_connections_are_replaced_by_one_that_lives(self) -> None:
        """A second dead connection in the pool does not use up the one chance."""
        together = _Together(2)
        with RawServer(*[together.play] * 2, replies(_HI)) as server:
            self._make_idle(server, 2)
            assert self.caller.send(server.url).read_all() == b"hi"

    def test_a_server_that_always_hangs_up_is_not_asked_for_ever(self) -> None:
        """The replacing of dead connections is bounded, however many there are."""
        together = _Together(8)
        with RawServer(*[together.play] * 8, once()) as server:
            self._make_idle(server, 8)
            with raises(APIConnectionError, "closed before an answer"):
                self.caller.send(server.url)
            assert len(server.requests) <= 8 + 4

    def test_streams_do_not_wait_for_each_other(self) -> None:
        """A hundred and fifty at once are open together, and their connections serve again."""
        everyone = threading.Barrier(150)

        def play(peer: Peer) -> None:
            peer.read_request()
            peer.send(CHUNKED)
            everyone.wait(20)
            peer.send(chunk(b"hi"), chunk(b""))
            peer.until_closed()

        with RawServer(play) as server, ThreadPoolExecutor(150) as threads:
            one = Deadlines(total=deadline(30))
            answers = list(threads.map(lambda _: self.caller.send(server.url, one), range(150)))
            assert [answer.read_all() for answer in answers] == [b"hi"] * 150
            assert len(server.peers) == 150

    def test_each_request_gets_its_own_answer(self) -> None:
        """Many at once, from threads or tasks, do not mix their replies up."""

        def echo(peer: Peer) -> None:
            while request := peer.read_request():
                peer.send(sized(request.partition(b"\r\n\r\n")[2]))
            peer.closed.set()

        with RawServer(echo) as server, ThreadPoolExecutor(8) as threads:

            def ask(number: int) -> bool:
                body = b"%d" % number
                return self.caller.send(a_request(server.url, body)).read_all() == body

            assert all(threads.map(ask, range(100)))
            assert len(server.peers) <= 8
