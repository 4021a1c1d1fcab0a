"""Scenarios about the four limits: exact, whatever trickles in."""

from __future__ import annotations

import time

from ...errors.tree import APITimeoutError
from ...wire import Deadlines, Limit
from ..raw_server import CHUNKED, OK, Peer, RawServer, chunk, deaf_port, sized
from .base import Scenarios, raises
from .calls import a_request, deadline
from .replies import SLACK, SOON

__all__ = ["DeadlineScenarios"]


def _silent(peer: Peer) -> None:
    """Take a request and say nothing."""
    peer.read_request()
    peer.until_closed()


class DeadlineScenarios(Scenarios):
    """The limits connect, first_chunk, idle and total."""

    def _timed_out(self, url: str, deadlines: Deadlines) -> APITimeoutError:
        """Send, and return the error that comes when it should."""
        began = time.monotonic()
        with raises(APITimeoutError) as caught:
            self.caller.send(url, deadlines).read_all()
        assert SOON * 0.9 <= time.monotonic() - began < SOON + SLACK
        return caught.value

    def test_connecting_ends_at_the_earliest_of_its_limits(self) -> None:
        """A host that swallows packets runs into the limit that comes first, and it is named."""
        limits: tuple[Limit, ...] = ("connect", "first_chunk", "total")
        for limit in limits:
            with deaf_port() as port:
                given = {
                    "connect": deadline(20, "connect"),
                    "first_chunk": deadline(20, "first_chunk"),
                }
                given[limit] = deadline(SOON, limit)
                error = self._timed_out(f"http://127.0.0.1:{port}/", Deadlines(**given))
                assert (error.limit, error.seconds) == (limit, SOON)

    def test_the_connect_limit_does_not_bound_the_answer(self) -> None:
        """Once the connection stands, the time for connecting no longer runs."""

        def late(peer: Peer) -> None:
            peer.read_request()
            peer.server.stopping.wait(0.6)
            peer.send(sized(b"hi"))

        with RawServer(late) as server:
            # More than SOON: a machine that is busy connects slowly.
            answer = self.caller.send(server.url, Deadlines(connect=deadline(0.5, "connect")))
            assert answer.read_all() == b"hi"

    def test_a_connection_that_timed_out_is_closed(self) -> None:
        """A server that accepts and says nothing is left alone after the limit."""
        with RawServer(_silent) as server:
            limits = Deadlines(first_chunk=deadline(SOON, "first_chunk"), total=deadline(20))
            assert self._timed_out(server.url, limits).limit == "first_chunk"
            assert server.peers[0].closed.wait(1)

    def _trickles(self, wire: bytes) -> None:
        def play(peer: Peer) -> None:
            peer.read_request()
            peer.trickle(wire, 0.02)

        with RawServer(play) as server:
            limits = Deadlines(first_chunk=deadline(SOON, "first_chunk"))
            assert self._timed_out(server.url, limits).limit == "first_chunk"

    def test_a_trickling_head_runs_into_the_first_chunk(self) -> None:
        """Bytes that keep coming do not put the limit off."""
        self._trickles(OK + b"X-Long: " + b"y" * 10_000)

    def test_trickling_interim_answers_run_into_the_first_chunk(self) -> None:
        """Interim answers are no answer."""
        self._trickles(b"HTTP/1.1 100 Continue\r\n\r\n" * 15)

    def test_a_timed_out_body_closes_its_connection(self) -> None:
        """Each read has its own deadline, however the body is framed."""
        for head in (CHUNKED + chunk(b"hi"), OK + b"\r\nhi"):

            def play(peer: Peer, head: bytes = head) -> None:
                peer.read_request()
                peer.send(head)
                peer.until_closed()

            with RawServer(play) as server:
                answer = self.caller.send(server.url)
                assert answer.read() == b"hi"
                with raises(APITimeoutError) as caught:
                    answer.read(deadline(SOON, "idle"))
                assert caught.value.limit == "idle"
                assert server.peers[0].closed.wait(0.5)

    def test_a_body_that_trickles_without_a_piece_runs_into_the_deadline(self) -> None:
        """Framing that trickles in, such as a long chunk extension, is not a piece."""

        def play(peer: Peer) -> None:
            peer.read_request()
            peer.send(CHUNKED)
            peer.trickle(b"5;" + b"x" * 1000, 0.02)

        with RawServer(play) as server:
            answer = self.caller.send(server.url)
            began = time.monotonic()
            with raises(APITimeoutError):
                answer.read(deadline(SOON, "idle"))
            assert time.monotonic() - began < SOON + SLACK

    def test_deadlines_of_reads_may_go_forth_and_back(self) -> None:
        """A later deadline gives time, and an earlier one than the last takes it away."""

        def play(peer: Peer) -> None:
            peer.read_request()
            peer.send(CHUNKED, chunk(b"a"))
            peer.server.stopping.wait(2 * SOON)
            peer.send(chunk(b"b"))
            peer.until_closed()

        with RawServer(play) as server:
            answer = self.caller.send(server.url)
            assert answer.read(deadline(SOON, "idle")) == b"a"
            assert answer.read(deadline(10, "idle")) == b"b"
            began = time.monotonic()
            with raises(APITimeoutError):
                answer.read(deadline(SOON, "idle"))
            assert time.monotonic() - began < SOON + SLACK

    def test_a_deadline_does_not_pass_between_reads(self) -> None:
        """What arrived while nobody read is handed out, although the last deadline has passed."""

        def play(peer: Peer) -> None:
            peer.read_request()
            peer.send(CHUNKED, chunk(b"a"))
            peer.server.stopping.wait(SOON / 2)
            peer.send(chunk(b"b"))
            peer.server.stopping.wait(2 * SOON)
            peer.send(chunk(b"c"), chunk(b""))

        with RawServer(play) as server:
            answer = self.caller.send(server.url)
            assert answer.read(deadline(10, "idle")) == b"a"
            assert answer.read(deadline(SOON, "idle")) == b"b"
            self.caller.run(time.sleep, SOON)  # past the deadline of the read that is over
            assert answer.read(deadline(10, "idle")) == b"c"

    def test_sending_a_body_that_nobody_reads_ends_in_time(self) -> None:
        """A request is bounded by the limits of its answer while it is being sent."""

        def play(peer: Peer) -> None:
            peer.server.stopping.wait(10)

        with RawServer(play) as server:
            began = time.monotonic()
            limits = Deadlines(first_chunk=deadline(SOON, "first_chunk"))
            with raises(APITimeoutError) as caught:
                self.caller.send(a_request(server.url, b"x" * 20_000_000), limits)
            assert time.monotonic() - began < SOON + 3 * SLACK
            assert caught.value.limit == "first_chunk"

    def test_a_deadline_that_has_passed_sends_nothing(self) -> None:
        """A request whose time is over fails at once."""
        with RawServer(_silent) as server:
            began = time.monotonic()
            with raises(APITimeoutError):
                self.caller.send(server.url, Deadlines(total=deadline(-1)))
            assert time.monotonic() - began < SLACK
            assert server.requests == []
