"""Scenarios about closing: bodies, their connections, the transport."""

from __future__ import annotations

import os
import threading
import time
from unittest import SkipTest

from ...errors.tree import APIConnectionError
from ..raw_server import CHUNKED, Peer, RawServer, chunk, replies, sized
from .base import Scenarios
from .calls import deadline

__all__ = ["ClosingScenarios"]


def _endless(peer: Peer) -> None:
    """Begin a stream that does not end, and note when the client closes."""
    peer.read_request()
    peer.send(CHUNKED, chunk(b"first"))
    peer.until_closed()


def _descriptors() -> int:
    """Return how many files this process has open."""
    return len(os.listdir("/proc/self/fd"))


class ClosingScenarios(Scenarios):
    """What is closed when."""

    def test_closing_early_closes_the_connection(self) -> None:
        """The server sees the end of the connection soon after an unfinished body was closed."""
        with RawServer(_endless) as server:
            answer = self.caller.send(server.url)
            assert answer.read() == b"first"
            answer.close()
            assert server.peers[0].closed.wait(0.5)

    def test_closing_under_a_reader_closes_the_connection(self) -> None:
        """The server sees the end although somebody was reading."""
        with RawServer(_endless) as server:
            answer = self.caller.send(server.url)
            assert answer.read() == b"first"

            def read() -> None:
                try:
                    answer.read()
                except APIConnectionError:
                    pass

            reader = threading.Thread(target=read)
            reader.start()
            reader.join(0.05)
            began = time.monotonic()
            answer.close()
            reader.join(5)
            assert server.peers[0].closed.wait(0.5)
            assert time.monotonic() - began < 1

    def test_a_body_read_to_its_end_gives_the_connection_back(self) -> None:
        """Twenty requests one after another need one connection."""
        for wire in (CHUNKED + chunk(b"hi") + chunk(b""), sized(b"hi")):
            with RawServer(replies(wire)) as server:
                for _ in range(20):
                    answer = self.caller.send(server.url)
                    assert answer.read_all() == b"hi"
                    answer.close()
                assert (len(server.requests), len(server.peers)) == (20, 1)

    def test_bytes_after_the_end_spoil_the_connection(self) -> None:
        """What follows a body is never taken for the beginning of the next reply."""
        with RawServer(replies(sized(b"hi") + b"HTTP/1.1 200 OK\r\n\r\nstolen")) as server:
            for _ in range(3):
                assert self.caller.send(server.url).read_all() == b"hi"
            assert len(server.peers) == 3

    def test_connection_close_is_obeyed(self) -> None:
        """A connection that the server wants closed is not used again."""
        with RawServer(replies(sized(b"hi", extra=b"Connection: close\r\n"))) as server:
            for _ in range(2):
                assert self.caller.send(server.url).read_all() == b"hi"
            assert len(server.peers) == 2
            assert server.peers[0].closed.wait(1)

    def test_a_dropped_body_does_not_keep_its_connection(self) -> None:
        """A body that is forgotten without being closed closes its connection, and quietly."""
        with RawServer(_endless) as server:
            answer = self.caller.send(server.url)
            assert answer.read(deadline(5)) == b"first"
            del answer
            self.caller.run(int)  # a turn of the loop
            assert server.peers[0].closed.wait(1)

    def test_abandoned_streams_leave_nothing_open(self) -> None:
        """Streams that are closed half-way leave no descriptor."""
        if not os.path.isdir("/proc/self/fd"):
            raise SkipTest("counts descriptors in /proc")
        with RawServer(_endless) as server:
            before = 0
            for number in range(100):
                answer = self.caller.send(server.url)
                assert answer.read() == b"first"
                answer.close()
                assert server.peers[-1].ended.wait(2)
                if number == 20:
                    before = _descriptors()
            assert _descriptors() <= before + 5

    def test_closing_the_transport_ends_idle_connections(self) -> None:
        """The server sees their end."""
        with RawServer(replies(sized(b"hi"))) as server:
            assert self.caller.send(server.url).read_all() == b"hi"
            self.caller.close_transport()
            assert server.peers[0].closed.wait(1)

    def test_a_stream_outlives_the_close_of_its_transport_or_is_cut(self) -> None:
        """A stream that is open when the transport is closed ends soon, with its connection."""

        def play(peer: Peer) -> None:
            peer.read_request()
            peer.send(CHUNKED, chunk(b"first"))
            peer.server.stopping.wait(0.1)
            peer.send(chunk(b""))
            peer.until_closed()

        with RawServer(play) as server:
            answer = self.caller.send(server.url)
            assert answer.read() == b"first"
            self.caller.close_transport()
            try:
                assert answer.read_all() == b""
            except APIConnectionError:
                pass
            assert server.peers[0].closed.wait(1)
