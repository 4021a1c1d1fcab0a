"""Scenarios about heads that are refused: too large, too many, not HTTP."""

from __future__ import annotations

from typing import Final

from ...errors.tree import APIConnectionError
from ..raw_server import OK, Peer, RawServer, once, replies, sized
from .base import Scenarios, raises
from .heads import INTERIM

__all__ = ["RefusalScenarios"]

_GIANTS: Final = {
    "together": b"".join(b"X-%d: %b\r\n" % (number, b"y" * 1000) for number in range(90)),
    "one line": b"X-Long: " + b"y" * 70_000 + b"\r\n",
    "many": b"".join(b"X-%d: y\r\n" % number for number in range(200)),
}

_NOT_HTTP: Final = {
    "ssh": b"SSH-2.0-OpenSSH_9.2\r\n",
    "status": b"HTTP/1.1 abc OK\r\n\r\n",
    "header": OK + b"no header\r\nContent-Length: 5\r\n\r\nhello",
    "length": OK + b"Content-Length: ten\r\n\r\n",
    "coding": OK + b"Transfer-Encoding: rot13\r\n\r\n",
    "switch": b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
}


class RefusalScenarios(Scenarios):
    """Heads as they should not be."""

    def test_too_many_interim_answers_are_refused(self) -> None:
        """The twenty-first ends the exchange and its connection."""
        for status in (100, 103):

            def play(peer: Peer, status: int = status) -> None:
                peer.read_request()
                peer.send(INTERIM % status * 21, sized(b"hi"))
                peer.until_closed()

            with RawServer(play) as server:
                with raises(APIConnectionError, "interim") as caught:
                    self.caller.send(server.url)
                assert not caught.value.retryable
                assert server.peers[0].closed.wait(1)

    def test_a_giant_head_is_refused(self) -> None:
        """A head of more than 64 KiB, or of very many fields, is not taken into memory."""
        for kind, head in _GIANTS.items():
            with RawServer(replies(OK + head + b"Content-Length: 5\r\n\r\n")) as server:
                with raises(APIConnectionError, "not acceptable HTTP"):
                    self.caller.send(server.url)
                assert server.peers[0].closed.wait(1), kind

    def test_what_is_not_http_is_refused(self) -> None:
        """An answer that cannot be understood is said to be such, and not worth a retry."""
        for kind, wire in _NOT_HTTP.items():
            with RawServer(once(wire)) as server:
                with raises(APIConnectionError, "not acceptable HTTP") as caught:
                    self.caller.send(server.url).read_all()
                assert not caught.value.retryable, kind

    def test_a_connection_closed_before_the_reply_is_an_error(self) -> None:
        """A server that hangs up instead of answering is asked once."""
        for wire in (b"", b"HTTP/1.1 200 OK\r\nX-Half"):
            with RawServer(once(wire)) as server:
                with raises(APIConnectionError) as caught:
                    self.caller.send(server.url)
                assert caught.value.retryable or wire
                assert len(server.requests) == 1
