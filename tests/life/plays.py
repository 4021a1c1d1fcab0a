"""Servers that stop in the middle, clients of them, and how long the sockets may live."""

from __future__ import annotations

import json
import threading
from time import monotonic
from typing import Any, Final

from evoclient.testing.raw_server import CHUNKED, OK, Peer, RawServer, chunk, sized
from tests.fronts import AnyColour

__all__ = [
    "SOON",
    "answering",
    "client_of",
    "silent",
    "silent_behind_a_chunk",
    "silent_in_a_body",
    "silent_in_an_error",
    "soon",
]

#: Seconds that a socket may outlive its end, as promised.
SOON: Final = 2.0

PIECE = {"id": "c1", "model": "m", "choices": [{"index": 0, "delta": {"content": "Hi"}}]}
LAST = {**PIECE, "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}
FIRST_EVENT = b"data: %b\n\n" % json.dumps(PIECE).encode()
STREAM = FIRST_EVENT * 3 + b"data: %b\n\ndata: [DONE]\n\n" % json.dumps(LAST).encode()
SSE = b"Content-Type: text/event-stream\r\n"


def silent_behind_a_chunk(peer: Peer) -> None:
    """Begin a stream, say nothing more, and note when the client closes."""
    peer.read_request()
    peer.send(OK + SSE + b"Transfer-Encoding: chunked\r\n\r\n" + chunk(FIRST_EVENT))
    peer.until_closed()


def silent(peer: Peer) -> None:
    """Take a request and do not answer."""
    peer.read_request()
    peer.until_closed()


def silent_in_a_body(peer: Peer) -> None:
    """Begin a whole answer, and stop in it."""
    peer.read_request()
    peer.send(CHUNKED + chunk(b'{"id": '))
    peer.until_closed()


def silent_in_an_error(peer: Peer) -> None:
    """Begin the body of an error, and stop in it."""
    peer.read_request()
    peer.send(b"HTTP/1.1 500 No\r\nTransfer-Encoding: chunked\r\n\r\n" + chunk(b'{"error": '))
    peer.until_closed()


def client_of(front: AnyColour, server: RawServer, **options: Any) -> Any:
    """Return a client of a server with one transport."""
    own = {"base_url": server.url.removesuffix("/chat/completions"), "model": "m"}
    return front.client(transport=front.transport, **{**own, **options})


def soon(front: AnyColour, event: threading.Event) -> bool:
    """Let the event loop, if there is one, go on until something has happened; not for long."""
    latest = monotonic() + SOON
    while not event.is_set() and monotonic() < latest:
        front.settle()
        event.wait(0.005)
    return event.is_set()


def answering(peer: Peer) -> None:
    """Answer every request with a stream, in one of the ways that servers frame it in turn."""
    frames = (
        lambda body: OK + SSE + b"Transfer-Encoding: chunked\r\n\r\n" + chunk(body) + chunk(b""),
        lambda body: sized(body, extra=SSE),
        lambda body: OK + SSE + b"Transfer-Encoding: chunked\r\n\r\n" + dripping(body),
    )
    number = 0
    while peer.read_request():
        peer.send(frames[number % len(frames)](STREAM))
        number += 1
    peer.closed.set()


def dripping(body: bytes) -> bytes:
    """Return a body in many small chunks, with a trailer."""
    cuts = range(0, len(body), 7)
    return b"".join(chunk(body[at : at + 7]) for at in cuts) + b"0\r\nX-Sum: 1\r\n\r\n"
