"""Requests that go past aiohttp's session, and those that must not."""

from __future__ import annotations

import asyncio
import functools
import threading
from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any, cast

import aiohttp
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evoclient.errors.tree import APIConnectionError, APITimeoutError
from evoclient.testing.raw_server import CHUNKED, Peer, RawServer, chunk, replies, sized
from evoclient.transports import with_aiohttp_direct, with_aiohttp_sessions
from evoclient.transports.base import MOST_HEAD_BYTES
from evoclient.transports.with_aiohttp import AiohttpTransport
from evoclient.transports.with_aiohttp_body import DirectBody
from evoclient.transports.with_aiohttp_exchange import Exchange, Protocol
from evoclient.wire import Deadlines, Headers, Request

from .callers import a_request, async_body, deadline
from .test_framing import cut

pytestmark = pytest.mark.loopback

LARGE = 1024 * 1024 + 1


@pytest.fixture
async def transport() -> AsyncIterator[AiohttpTransport]:
    """Send, and close."""
    made = AiohttpTransport()
    yield made
    await made.aclose()


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Note the methods of the requests that aiohttp itself sends."""
    methods: list[str] = []
    send = aiohttp.ClientRequest.send

    async def noted(request: aiohttp.ClientRequest, connection: Any) -> aiohttp.ClientResponse:
        methods.append(request.method)
        return await send(request, connection)

    monkeypatch.setattr(aiohttp.ClientRequest, "send", noted)
    return methods


async def read(transport: AiohttpTransport, request: Request) -> bytes:
    """Send a request and return the first block of the answer."""
    reply = await transport.send(request, Deadlines(total=deadline(10)))
    body = async_body(reply)
    block = await body.read(deadline(10))
    assert await body.read(deadline(10)) == b""
    body.close()
    return block


async def test_an_ordinary_request_goes_past_the_session(
    transport: AiohttpTransport, asked: list[str]
) -> None:
    """Both the first request and the next one on the same connection do."""
    with RawServer(replies(sized(b"there"))) as server:
        for _ in range(2):
            assert await read(transport, a_request(server.url)) == b"there"
        assert (asked, len(server.requests), len(server.peers)) == ([], 2, 1)


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        ((("Host", "other.example"),), b"{}"),
        ((("Content-Length", "2"),), b"{}"),
        ((("connection", "close"),), b"{}"),
        ((), b"x" * LARGE),
    ],
)
async def test_what_aiohttp_knows_better_goes_through_the_session(
    transport: AiohttpTransport, asked: list[str], headers: Any, body: bytes
) -> None:
    """That is: headers that say how to send, and bodies that are sent part by part."""
    with RawServer(replies(sized(b"there"))) as server:
        request = Request("POST", server.url, Headers(headers), body)
        assert await read(transport, request) == b"there"
        assert server.requests[0].endswith(body)
    assert asked == ["POST"]


async def test_an_aiohttp_that_is_otherwise_is_asked_as_it_wants(
    transport: AiohttpTransport, asked: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where a parameter is not there that is needed, the session sends the request."""
    wanted = ((aiohttp.BaseConnector, "connect", {"req", "another"}),)
    monkeypatch.setattr(with_aiohttp_direct, "_NEEDED", wanted)
    with RawServer(replies(sized(b"there"))) as server:
        assert await read(transport, a_request(server.url)) == b"there"
    assert asked == ["POST"]


async def test_what_stands_in_the_place_of_the_session_is_asked(
    transport: AiohttpTransport, asked: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What mocks and recorders put there sees the requests, from the moment it is there."""
    plain = aiohttp.ClientSession._request
    seen: list[str] = []

    @functools.wraps(plain)
    async def recorded(session: Any, method: str, *args: Any, **options: Any) -> Any:
        seen.append(method)
        return await plain(session, method, *args, **options)

    with RawServer(replies(sized(b"there"))) as server:
        assert await read(transport, a_request(server.url)) == b"there"
        monkeypatch.setattr(aiohttp.ClientSession, "_request", recorded)
        assert await read(transport, a_request(server.url)) == b"there"
    assert (seen, asked) == (["POST"], ["POST"])


async def test_tracers_see_the_requests(
    transport: AiohttpTransport, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those that instrument aiohttp add a trace config to every session that is made."""
    plain = aiohttp.ClientSession.__init__
    seen: list[str] = []

    async def note(_: Any, __: Any, params: Any) -> None:
        seen.append(params.method)

    @functools.wraps(plain)
    def traced(session: Any, *args: Any, trace_configs: Any = (), **options: Any) -> None:
        trace = aiohttp.TraceConfig()
        trace.on_request_start.append(note)
        plain(session, *args, trace_configs=[*trace_configs, trace], **options)

    monkeypatch.setattr(aiohttp.ClientSession, "__init__", traced)
    with RawServer(replies(sized(b"there"))) as server:
        assert await read(transport, a_request(server.url)) == b"there"
    assert seen == ["POST"]


async def test_a_deadline_that_has_passed_sends_nothing_on_a_kept_connection(
    transport: AiohttpTransport,
) -> None:
    """There is nothing to wait for there before the request is written."""
    with RawServer(replies(sized(b"there"))) as server:
        assert await read(transport, a_request(server.url)) == b"there"
        with pytest.raises(APITimeoutError):
            await transport.send(a_request(server.url), Deadlines(total=deadline(-1)))
        assert await read(transport, a_request(server.url)) == b"there"
        assert len(server.requests) == 2


async def test_a_body_that_was_held_back_goes_on(transport: AiohttpTransport) -> None:
    """A reader that is slow stops the server, and one that reads on has it all."""
    pieces = [bytes([number % 256]) * 16384 for number in range(256)]

    def play(peer: Peer) -> None:
        peer.read_request()
        peer.send(CHUNKED, *(chunk(piece) for piece in (*pieces, b"")))

    with RawServer(play) as server:
        reply = await transport.send(a_request(server.url), Deadlines(total=deadline(10)))
        body = async_body(reply)
        held = cast("DirectBody", body)._exchange
        async with asyncio.timeout(10):
            for _ in iter(lambda: held._is_paused, True):
                await asyncio.sleep(0)
        assert held._held < len(pieces) * len(pieces[0])
        read = [await body.read(deadline(10))]
        while read[-1]:
            read.append(await body.read(deadline(10)))
        body.close()
    assert b"".join(read) == b"".join(pieces)


@pytest.mark.parametrize("is_direct", [True, False])
async def test_who_waits_hears_of_malformed_chunks(
    transport: AiohttpTransport, monkeypatch: pytest.MonkeyPatch, *, is_direct: bool
) -> None:
    """Not only when the next deadline passes, and whoever has sent the request."""
    if not is_direct:
        monkeypatch.setattr(with_aiohttp_sessions, "has_what_is_needed", lambda *_: False)
    waits = threading.Event()

    def play(peer: Peer) -> None:
        peer.read_request()
        peer.send(CHUNKED, chunk(b"there"))
        waits.wait(10)
        peer.send(b"zz\r\n")
        peer.until_closed()

    with RawServer(play) as server:
        reply = await transport.send(a_request(server.url), Deadlines(total=deadline(10)))
        body = async_body(reply)
        assert await body.read(deadline(10)) == b"there"
        reading = asyncio.create_task(body.read(deadline(10)))
        await asyncio.sleep(0)
        waits.set()
        with pytest.raises(APIConnectionError, match="cut in the middle") as caught:
            await reading
    assert (type(caught.value), caught.value.retryable) == (APIConnectionError, True)


class Wire:
    """A connection of aiohttp and its transport, with nothing behind them.

    Attributes:
        done: What was done with them.
        left: How many bytes of the request are still to be sent.
    """

    def __init__(self, method: str = "POST", *, left: int = 0, early: bytes = b"") -> None:
        """Begin an exchange, after the server has said something."""
        self.done: list[str] = []
        self.left = left
        self.protocol = Protocol(asyncio.get_running_loop())
        self.transport = self
        self.protocol.transport = cast("asyncio.Transport", self)
        if early:
            self.protocol.data_received(early)
        self.exchange = Exchange(self, method)
        self.protocol.begin(self.exchange)

    def get_write_buffer_size(self) -> int:
        """Return what is still to be sent."""
        return self.left

    def is_closing(self) -> bool:
        """Return False."""
        return False

    def __getattr__(self, name: str) -> Any:
        """Return what notes that it was called."""
        return lambda: self.done.append(name)


ANSWER = sized(b"there")


@pytest.mark.parametrize(
    ("wire", "left", "ends"),
    [
        (ANSWER, 0, "release"),
        (ANSWER, 1, "close"),
        (ANSWER + b"more", 0, "close"),
        (sized(b"there", extra=b"Connection: close\r\n"), 0, "close"),
        (ANSWER.replace(b"1.1", b"1.0"), 0, "close"),
    ],
    ids=["whole", "request on its way", "excess", "server closes", "HTTP/1.0"],
)
async def test_a_connection_serves_another_request_only_where_that_is_safe(
    wire: bytes, left: int, ends: str
) -> None:
    """A server may answer before it has read a request; the next would have to wait for it."""
    made = Wire(left=left)
    made.protocol.data_received(wire)
    assert made.exchange.taken() == b"there"
    assert made.exchange.failure is made.exchange.connection is made.protocol.exchange is None
    assert made.done == [ends]


async def test_a_server_waits_for_a_slow_reader() -> None:
    """Not much more than 128 KiB is kept for one; the connection goes on when it has read."""
    made = Wire()
    made.protocol.data_received(CHUNKED + chunk(b"x" * 128 * 1024))
    assert made.done == []
    made.protocol.data_received(chunk(b"y"))
    assert made.done == ["pause_reading"]
    made.protocol.data_received(chunk(b"z"))
    assert len(made.exchange.taken()) == 128 * 1024 + 2
    assert made.done == ["pause_reading", "resume_reading"]


async def test_a_connection_that_was_held_back_serves_the_next_request() -> None:
    """The end of a body lets the server send, although nobody has read that body yet."""
    made = Wire()
    made.protocol.data_received(CHUNKED + chunk(b"x" * 256 * 1024) + chunk(b"")[:-1])
    made.protocol.data_received(chunk(b"")[-1:])
    assert made.done == ["pause_reading", "resume_reading", "release"]
    assert len(made.exchange.taken()) == 256 * 1024
    assert made.exchange.taken() == b""


async def test_an_answer_to_nothing_spoils_the_connection() -> None:
    """What a server says before it is asked may be read, but another answer may follow it."""
    made = Wire(early=ANSWER)
    assert (made.exchange.taken(), made.done) == (b"there", ["close"])


async def test_what_comes_unasked_after_an_answer_ends_the_connection() -> None:
    """It would be taken for the next answer."""
    made = Wire()
    made.protocol.data_received(ANSWER)
    made.protocol.has_served = True
    made.protocol.data_received(ANSWER)
    assert made.done == ["release", "abort"]


async def test_a_server_that_talks_without_end_before_it_is_asked_is_left() -> None:
    """What it says is kept for who will ask, but not all of it."""
    made = Protocol(asyncio.get_running_loop())
    ended: list[str] = []
    made.transport = cast("Any", SimpleNamespace(abort=lambda: ended.append("abort")))
    made.data_received(b"x" * MOST_HEAD_BYTES)
    assert not ended
    made.data_received(b"x")
    assert ended == ["abort"]


@given(places=st.lists(st.integers(0, 400), max_size=8))
@pytest.mark.parametrize(
    ("rest", "failure"),
    [
        (b"0\r\n\r\n", None),
        (b"zz\r\n", "hexadecimal"),
        (b"4\r\nmore than that\r\n", "does not end where"),
        (b"", "last chunk"),
    ],
)
async def test_what_came_before_a_failure_is_kept(
    places: list[int], rest: bytes, failure: str | None
) -> None:
    """Wherever the network cuts the bytes, down to all of them in one packet."""
    made = Wire()
    for block in cut(CHUNKED + chunk(b"one") + chunk(b"two") + rest, places):
        made.protocol.data_received(block)
    made.protocol.connection_lost(None)
    assert made.exchange.head is not None
    assert made.exchange.taken()[:6] == b"onetwo"
    assert (failure or "None") in str(made.exchange.failure)


@pytest.mark.parametrize(
    ("begun", "error", "raised"),
    [
        (b"", None, aiohttp.ServerDisconnectedError),
        (b"", ConnectionResetError(104, "reset"), aiohttp.ClientOSError),
        (b"HTTP/1.1 200 OK\r\n", None, ConnectionResetError),
        (b"HTTP/1.1 200 OK\r\n", ConnectionResetError(104, "reset"), ConnectionResetError),
    ],
)
async def test_only_a_connection_that_has_said_nothing_is_taken_for_dead(
    begun: bytes, error: Exception | None, raised: type[Exception]
) -> None:
    """A request whose answer had begun is not sent again by itself."""
    made = Wire()
    if begun:
        made.protocol.data_received(begun)
    made.protocol.connection_lost(error)
    assert type(made.exchange.failure) is raised
    assert made.exchange.failure.__cause__ is error


async def test_two_readers_of_one_reply_are_a_mistake() -> None:
    """The second would take the place of the first, which would then wait for ever."""
    made = Wire()
    first = asyncio.create_task(made.exchange.wait())
    await asyncio.sleep(0)
    with pytest.raises(RuntimeError, match="Another task"):
        await made.exchange.wait()
    made.protocol.data_received(ANSWER)
    await first
