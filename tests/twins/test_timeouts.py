"""The four limits through both clients, over real sockets: exact, and named."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import attrs
import pytest

from evoclient import dispatch
from evoclient.errors.tree import APIError, APIStatusError, APITimeoutError, InternalServerError
from evoclient.limits import Limits
from evoclient.testing.raw_server import (
    CHUNKED,
    OK,
    Peer,
    RawServer,
    chunk,
    deaf_port,
    replies,
    sized,
)
from evoclient.wire import Limit, Timeouts
from tests.colours import Colour

AnyColour = Colour[Any, Any]
Play = Callable[[Peer], None]

pytestmark = [pytest.mark.loopback, pytest.mark.waits]

# Long enough that no machine is that slow by itself, short enough to wait for.
SOON = 0.3

#: How late an error may be.
SLACK = 0.5

#: Far beyond what a test may take.
LONG = 20.0

EVENT = b'data: {"choices":[{"index":0,"delta":{"content":"a"}}]}\n\n'
STREAM = OK + b"Content-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
BUSY = sized(b'{"error":{"message":"busy"}}', b"503 Busy")
HUNG = b"HTTP/1.1 503 Busy\r\nContent-Length: 900\r\n\r\n"


def limits_but(**short: float) -> Timeouts:
    """Return limits that are long but for one."""
    long: dict[str, Any] = dict.fromkeys(("connect", "first_chunk", "idle", "total"), LONG)
    return Timeouts(**{**long, **short})


def then(
    *blocks: bytes, trickle: bytes = b"", every: float = 0.03, in_chunks: bool = False
) -> Play:
    """Answer with some bytes, then with one piece after another for ever, or with nothing."""

    def play(peer: Peer) -> None:
        peer.read_request()
        peer.send(*blocks)
        try:
            while trickle and not peer.server.stopping.wait(every):
                peer.sock.sendall(chunk(trickle) if in_chunks else trickle)
        except OSError:
            peer.closed.set()
        else:
            peer.until_closed()

    return play


def closing(reply: bytes) -> Play:
    """Answer one request, and close."""

    def play(peer: Peer) -> None:
        peer.read_request()
        peer.send(reply.replace(b"\r\n", b"\r\nConnection: close\r\n", 1))

    return play


@contextmanager
def timed(seconds: float = SOON, error: type[APIError] = APITimeoutError) -> Iterator[Any]:
    """Expect an error when it should come: not before, and hardly later."""
    began = time.monotonic()
    with pytest.raises(error) as caught:
        yield caught
    assert seconds * 0.9 <= time.monotonic() - began < seconds + SLACK


def client_of(colour: AnyColour, port: int, **options: Any) -> Any:
    """Return a client of a server on this machine."""
    options = {"max_retries": 0, "model": "m", "auth": "none", **options}
    return colour.client(base_url=f"http://127.0.0.1:{port}/v1", **options)


def ask(colour: AnyColour, client: Any, *, stream: bool) -> None:
    """Ask for an answer and read all of it."""
    if stream:
        colour.text(colour.stream(client))
    else:
        colour.create(client)


@attrs.frozen(kw_only=True)
class Case:
    """What a server does, and which limit ends it.

    Attributes:
        name: What happens.
        play: What the server does.
        limit: The limit that is short.
        streams: Whether a stream, a whole answer or both are asked for.
        facts: Other fields of `Timeouts`.
    """

    name: str
    play: Play
    limit: Limit
    streams: tuple[bool, ...] = (False, True)
    facts: dict[str, Any] = attrs.field(factory=dict)


INTERIM = b"HTTP/1.1 103 Early Hints\r\n\r\n"

CASES = [
    Case(name="silence", play=then(), limit="first_chunk"),
    Case(name="a silent body", play=then(CHUNKED), limit="first_chunk"),
    Case(name="a head that trickles", play=then(OK + b"X: ", trickle=b"x"), limit="first_chunk"),
    Case(name="endless interim answers", play=then(trickle=INTERIM), limit="first_chunk"),
    Case(
        name="endless interim answers in all",
        play=then(trickle=INTERIM),
        limit="total",
        streams=(False,),
    ),
    Case(
        name="a line that never ends",
        play=then(STREAM, trickle=b"x", in_chunks=True),
        limit="first_chunk",
    ),
    Case(
        name="framing that trickles", play=then(CHUNKED + b"5;", trickle=b"x"), limit="first_chunk"
    ),
    Case(
        name="comments that do not count",
        play=then(STREAM, trickle=b": ping\n\n", in_chunks=True),
        limit="first_chunk",
        streams=(True,),
        facts={"keepalive_counts": False},
    ),
    Case(
        name="silence after a chunk",
        play=then(STREAM + chunk(EVENT)),
        limit="idle",
        streams=(True,),
    ),
    Case(
        name="a line that never ends after a chunk",
        play=then(STREAM + chunk(EVENT), trickle=b"x", in_chunks=True),
        limit="idle",
        streams=(True,),
    ),
    Case(
        name="comments that do not count after a chunk",
        play=then(STREAM + chunk(EVENT), trickle=b": ping\n\n", in_chunks=True),
        limit="idle",
        streams=(True,),
        facts={"keepalive_counts": False},
    ),
    Case(
        name="silence after an empty line",
        play=then(CHUNKED + chunk(b"\n")),
        limit="idle",
        streams=(False,),
    ),
    Case(
        name="chunks without end",
        play=then(STREAM, trickle=EVENT, in_chunks=True),
        limit="total",
        streams=(True,),
    ),
    Case(
        name="comments without end",
        play=then(STREAM, trickle=b": ping\n\n", in_chunks=True),
        limit="total",
        streams=(True,),
    ),
    Case(
        name="empty lines without end",
        play=then(CHUNKED, trickle=b"\n", in_chunks=True),
        limit="total",
        streams=(False,),
    ),
    Case(name="silence in all", play=then(), limit="total", streams=(True,)),
]

ROWS = [(case, stream) for case in CASES for stream in case.streams]


@pytest.mark.parametrize(
    ("case", "stream"),
    ROWS,
    ids=[f"{case.name}-{'stream' if stream else 'whole'}" for case, stream in ROWS],
)
def test_limits_are_exact(colour: AnyColour, case: Case, stream: bool) -> None:
    """The short limit ends the call when it should, is named, and closes the connection."""
    with RawServer(case.play) as server:
        timeouts = limits_but(**{case.limit: SOON}, **case.facts)
        client = client_of(colour, server.port, timeout=timeouts)
        with timed() as caught:
            ask(colour, client, stream=stream)
        assert (caught.value.limit, caught.value.seconds) == (case.limit, SOON)
        assert server.peers[0].closed.wait(1)
        colour.close(client)


@pytest.mark.parametrize("limit", ["connect", "first_chunk", "total"])
def test_connecting(colour: AnyColour, limit: Limit, monkeypatch: pytest.MonkeyPatch) -> None:
    """All the addresses of a host together take no longer than the limit."""
    with deaf_port() as port:
        found = (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: [found] * 3)
        options = {"max_retries": 0, "model": "m", "timeout": limits_but(**{limit: SOON})}
        client = colour.client(base_url=f"http://host.example:{port}/v1", **options)
        with timed() as caught:
            colour.create(client)
        assert (caught.value.limit, caught.value.seconds) == (limit, SOON)
        colour.close(client)


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
def test_waits_between_attempts_count(colour: AnyColour, stream: bool) -> None:
    """The time of the first attempt, and the wait after it, is taken from that of the second."""
    with RawServer(closing(BUSY), then()) as server:
        client = client_of(
            colour, server.port, timeout=limits_but(total=0.6), max_retries=1, retry_delay=0.3
        )
        with timed(0.6) as caught:
            ask(colour, client, stream=stream)
        assert caught.value.limit == "total"
        assert [type(error) for error in caught.value.attempts] == [InternalServerError]
        assert len(server.requests) == 2
        colour.close(client)


def test_a_wait_that_would_be_too_long_is_not_begun(colour: AnyColour) -> None:
    """Where the wait would end behind `total`, the failure is told at once."""
    with RawServer(replies(BUSY)) as server:
        client = client_of(
            colour, server.port, timeout=limits_but(total=1), max_retries=5, retry_delay=8
        )
        with timed(0, InternalServerError):
            colour.create(client)
        colour.close(client)


def test_the_time_after_the_first_chunk_counts_into_total(colour: AnyColour) -> None:
    """A stream that is opened late has so much less time left."""

    def late(peer: Peer) -> None:
        peer.read_request()
        peer.server.stopping.wait(0.3)
        peer.send(STREAM)
        while not peer.server.stopping.wait(0.03):
            peer.send(chunk(EVENT))

    with RawServer(late) as server:
        client = client_of(colour, server.port, timeout=limits_but(total=0.6))
        with timed(0.6) as caught:
            ask(colour, client, stream=True)
        assert caught.value.limit == "total"
        assert caught.value.partial_text.startswith("aa")
        colour.close(client)


@pytest.mark.parametrize(
    "play",
    [then(), then(OK + b"X: ", trickle=b"x"), then(CHUNKED, trickle=b"\n", in_chunks=True)],
    ids=["silent", "a head that trickles", "a body that trickles"],
)
def test_a_slow_token_exchange_counts_into_total(colour: AnyColour, play: Play) -> None:
    """Whatever the token endpoint does, the call ends with its own time."""
    with RawServer(play) as desk, RawServer(replies(BUSY)) as server:
        pair = {"key_id": "planted-id-01", "secret": "planted-secret-01"}
        client = client_of(
            colour,
            server.port,
            timeout=limits_but(total=SOON),
            auth=None,
            token_url=desk.url,
            **pair,
        )
        with timed() as caught:
            colour.create(client)
        assert (caught.value.limit, caught.value.seconds) == ("total", SOON)
        assert server.requests == []
        colour.close(client)


def test_waiting_for_a_slot_counts_into_total(colour: AnyColour) -> None:
    """Whoever waits for a slot of the limits waits no longer than their time."""
    limits = Limits(1)
    with RawServer(then(STREAM, trickle=EVENT, in_chunks=True)) as server:
        client = client_of(colour, server.port, limits=limits, timeout=limits_but())
        stream = colour.stream(client)
        with timed() as caught:
            colour.create(client, timeout=limits_but(total=SOON))
        assert (caught.value.limit, limits.waiting) == ("total", 0)
        colour.close(stream)
        colour.close(client)


ERRORS = {
    "nothing": then(HUNG),
    "some of it": then(HUNG + b'{"error": '),
    "byte by byte": then(HUNG + b'{"error": ', trickle=b"x"),
    "line by line": then(HUNG + b'{"error": ', trickle=b"\n"),
}
TOTAL = [("some of it", "total"), ("line by line", "total")]


@pytest.mark.parametrize(
    ("case", "limit"),
    [*((case, "patience") for case in ERRORS), ("some of it", "first_chunk"), *TOTAL],
)
def test_stalled_error_bodies(
    colour: AnyColour, case: str, limit: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A stalled body costs five seconds, or what is left, and the status is told all the same."""
    assert dispatch.PATIENCE_WITH_ERRORS == 5
    short = {limit: SOON} if limit != "patience" else {}
    if limit == "patience":
        monkeypatch.setattr(dispatch, "PATIENCE_WITH_ERRORS", SOON)
    with RawServer(ERRORS[case]) as server:
        client = client_of(colour, server.port, timeout=limits_but(**short))
        with timed(SOON, APIStatusError) as caught:
            colour.create(client)
        error = caught.value
        assert error.status_code == 503
        assert error.response.content.startswith(b"" if case == "nothing" else b'{"error": ')
        assert server.peers[0].closed.wait(1)
        colour.close(client)
