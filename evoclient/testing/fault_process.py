"""The process of a fault server: plays acts on connections, and tells what it has seen.

It is spoken to over its standard input and output, in pickles: the parent is this package in the
process that started it. It ends with the end of its input, so it never outlives its parent.
"""

from __future__ import annotations

import os
import pickle
import selectors
import sys
import time
from collections.abc import Callable
from typing import Any

from .acts import Act, Close, Drip, Fault, HalfClose, Receive, Repeat, Reset, Send, Wait
from .raw_server import Peer, RawServer, content_length
from .sightings import Connection, SeenRequest

__all__ = ["main"]

#: So many bytes are sent at once, that the count of those sent is nearly right.
_SLICE = 64 * 1024


class _OverError(Exception):
    """The connection has ended, on whichever side."""


class _Answers:
    """Hands out the answers of a fault: one for each request, the last one for all further."""

    def __init__(self, fault: Fault) -> None:
        self.fault = fault
        self._number = 0

    def next(self) -> tuple[Act, ...]:
        answers = self.fault.answers
        answer = answers[min(self._number, len(answers) - 1)]
        self._number += 1
        return answer


class _Conversation:
    """Plays a fault on one connection, and keeps what happens."""

    def __init__(self, peer: Peer, answers: _Answers, clock: Callable[[], float]) -> None:
        self._peer = peer
        self._answers = answers
        self._clock = clock
        self._opened = clock()
        self._requests: list[SeenRequest] = []
        self._received = b""
        self._sent = 0
        self._closed: float | None = None
        self._ended: float | None = None

    def seen(self) -> Connection:
        """Tell what has happened so far."""
        requests = tuple(self._requests)
        return Connection(self._opened, requests, self._sent, self._closed, self._ended)

    def play(self) -> None:
        """Play until one side ends the connection."""
        fault = self._answers.fault
        try:
            self._perform(fault.greeting)
            while True:
                self._read_request(whole=fault.reads == "whole")
                self._perform(self._answers.next())
        except _OverError:
            pass
        finally:
            self._ended = self._clock()

    def _read_request(self, *, whole: bool) -> None:
        while b"\r\n\r\n" not in self._received:
            self._receive()
        head, _, self._received = self._received.partition(b"\r\n\r\n")
        wanted = content_length(head)
        while whole and len(self._received) < wanted:
            self._receive()
        body, self._received = self._received[:wanted], self._received[wanted:]
        self._requests.append(SeenRequest(head, body, self._clock()))

    def _receive(self) -> None:
        """Receive something; the end of what comes is the client's closing."""
        try:
            block = self._peer.sock.recv(65536)
        except OSError:
            block = b""
        if not block:
            self._is_left()
        self._received += block

    def _is_left(self) -> None:
        """Note that the client has gone, unless the server is stopped.

        Raises:
            _OverError: Always.
        """
        if not self._peer.server.stopping.is_set():
            self._closed = self._clock()
        raise _OverError

    def _perform(self, acts: tuple[Act, ...]) -> None:
        for act in acts:
            self._do(act)

    def _do(self, act: Act) -> None:
        match act:
            case Send(data):
                self._send(data)
            case Drip(data, every):
                for at in range(len(data)):
                    self._pause(every if at else 0)
                    self._send(data[at : at + 1])
            case Repeat(data, times, every):
                done = 0
                while times is None or done < times:
                    self._pause(every if done else 0)
                    self._send(data)
                    done += 1
            case Wait(seconds):
                self._pause(seconds)
            case Receive():
                self._receive()
                self._received = b""
            case HalfClose():
                self._peer.half_close()
            case Reset():
                self._peer.reset()
                raise _OverError
            case Close():
                raise _OverError

    def _send(self, data: bytes) -> None:
        for start in range(0, len(data), _SLICE):
            piece = data[start : start + _SLICE]
            try:
                self._peer.sock.sendall(piece)
            except OSError:
                self._is_left()
            self._sent += len(piece)

    def _pause(self, seconds: float) -> None:
        """Wait, and notice a client that goes."""
        until = time.monotonic() + seconds
        with selectors.DefaultSelector() as selector:
            selector.register(self._peer.sock, selectors.EVENT_READ)
            while (left := until - time.monotonic()) > 0:
                if not selector.select(left):
                    return
                self._receive()


class _Site:
    """One address, where one fault is played."""

    def __init__(self, fault: Fault) -> None:
        began = time.monotonic()
        self._clock = lambda: time.monotonic() - began
        self._answers = _Answers(fault)
        self._conversations: list[_Conversation] = []
        self._server = RawServer(self._play).__enter__()

    @property
    def port(self) -> int:
        return self._server.port

    def seen(self) -> list[Connection]:
        return [conversation.seen() for conversation in list(self._conversations)]

    def close(self) -> None:
        self._server.__exit__(None, None, None)

    def _play(self, peer: Peer) -> None:
        conversation = _Conversation(peer, self._answers, self._clock)
        self._conversations.append(conversation)
        conversation.play()


class _Sites:
    """Does what the parent asks for."""

    def __init__(self) -> None:
        self._sites: dict[int, _Site] = {}

    def open(self, fault: Fault) -> int:
        """Play a fault at a new address, and return its port."""
        site = _Site(fault)
        self._sites[site.port] = site
        return site.port

    def look(self, port: int) -> list[Connection]:
        """Return what has been seen at an address."""
        return self._sites[port].seen()

    def shut(self, port: int) -> list[Connection]:
        """Close an address and its connections, and return what has been seen there."""
        site = self._sites.pop(port)
        site.close()
        return site.seen()

    def shut_all(self) -> None:
        """Close all addresses."""
        for port in list(self._sites):
            self.shut(port)


def main() -> None:
    """Do what comes in, until there is nothing more."""
    sites = _Sites()
    orders, answers = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what anything prints does not get among the answers
    commands: dict[str, Callable[[Any], Any]] = {
        "open": sites.open,
        "look": sites.look,
        "shut": sites.shut,
    }
    while True:
        try:
            name, argument = pickle.load(orders)  # noqa: S301 - from the process that started us
        except EOFError:
            break
        try:
            answer = True, commands[name](argument)
        except Exception as error:  # told to the parent, which raises it
            answer = False, repr(error)
        pickle.dump(answer, answers)
        answers.flush()
    sites.shut_all()


if __name__ == "__main__":
    main()
