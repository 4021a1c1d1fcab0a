"""A transport with a session of the user's: what holds, what does not, what the session adds."""

from __future__ import annotations

import asyncio
from typing import Any, ClassVar, cast

import aiohttp
import pytest
import requests

from evoclient.ground import ConfigurationError
from evoclient.testing import TransportConformance
from evoclient.testing.conformance.calls import a_request, calling, deadline
from evoclient.testing.raw_server import RawServer, replies, sized
from evoclient.transports.with_aiohttp import AiohttpTransport
from evoclient.transports.with_requests import RequestsTransport
from evoclient.wire import AsyncBody, Deadlines

pytestmark = pytest.mark.loopback


OWN = "the session is the user's, with its cookies, its headers and its connections"
DEAD = "a connection that died is replaced only where it is seen in time"
HTTP_CLIENT = "heads and trailers are what http.client takes"
TRICKLE = "requests waits for each read anew"


class TestRequestsSession(TransportConformance):
    """A session of requests."""

    exceptions: ClassVar = {
        "test_a_body_that_trickles_without_a_piece_runs_into_the_deadline": TRICKLE,
        "test_a_connection_closed_before_the_reply_is_an_error": HTTP_CLIENT,
        "test_a_connection_that_dies_in_a_reply_is_not_replaced": HTTP_CLIENT,
        "test_a_connection_that_ended_while_idle_is_not_used": DEAD,
        "test_a_cut_body_is_an_error_after_what_had_come": HTTP_CLIENT,
        "test_a_dead_kept_alive_connection_is_replaced": DEAD,
        "test_a_giant_head_is_refused": HTTP_CLIENT,
        "test_a_request_arrives_exactly_as_given": OWN,
        "test_a_stream_outlives_the_close_of_its_transport_or_is_cut": OWN,
        "test_a_trickling_head_runs_into_the_first_chunk": TRICKLE,
        "test_bytes_after_the_end_spoil_the_connection": HTTP_CLIENT,
        "test_closing_the_transport_ends_idle_connections": OWN,
        "test_cookies_are_not_kept": OWN,
        "test_endless_trailers_are_refused": HTTP_CLIENT,
        "test_interim_answers_are_skipped": HTTP_CLIENT,
        "test_several_dead_connections_are_replaced_by_one_that_lives": DEAD,
        "test_the_head_of_a_reply_is_handed_on": HTTP_CLIENT,
        "test_too_many_interim_answers_are_refused": HTTP_CLIENT,
        "test_trickling_interim_answers_run_into_the_first_chunk": TRICKLE,
        "test_what_is_not_http_is_refused": HTTP_CLIENT,
    }

    def make(self) -> RequestsTransport:
        """Return a new one."""
        self.session = requests.Session()
        return RequestsTransport(session=self.session)

    def teardown_method(self, method: Any) -> None:
        """Close what is the user's to close."""
        super().teardown_method(method)
        if method.__name__ not in self.exceptions:
            self.session.close()


class _InLoop(AiohttpTransport):
    """Makes its session in the loop of the caller, as a user would."""

    def __init__(self) -> None:
        pass

    async def send(self, request: Any, deadlines: Any) -> Any:
        """Send, over a session that is made before the first request."""
        if not hasattr(self, "session"):
            self.session = aiohttp.ClientSession()
            super().__init__(session=self.session)
        return await super().send(request, deadlines)

    async def aclose(self) -> None:
        """Close it, unless nothing was ever sent."""
        if hasattr(self, "session"):
            await super().aclose()


class TestAiohttpSession(TransportConformance):
    """A session of aiohttp."""

    exceptions: ClassVar = {
        "test_a_dead_kept_alive_connection_is_replaced": DEAD,
        "test_a_giant_head_is_refused": "aiohttp bounds lines and fields, not the whole",
        "test_a_stream_outlives_the_close_of_its_transport_or_is_cut": OWN,
        "test_closing_the_transport_ends_idle_connections": OWN,
        "test_cookies_are_not_kept": OWN,
        "test_several_dead_connections_are_replaced_by_one_that_lives": DEAD,
        "test_streams_do_not_wait_for_each_other": "a connector of aiohttp has 100 connections",
        "test_too_many_interim_answers_are_refused": "aiohttp does not count them",
        "test_what_is_not_http_is_refused": "aiohttp hands a 101 on",
    }

    def make(self) -> AiohttpTransport:
        """Return a new one."""
        return _InLoop()

    def teardown_method(self, method: Any) -> None:
        """Close what is the user's to close."""
        if method.__name__ not in self.exceptions:
            transport = self.caller.transport
            if hasattr(transport, "session"):
                self.caller.run(transport.session.close)
        super().teardown_method(method)


class _Counting(requests.adapters.HTTPAdapter):
    """An adapter of a user's."""

    sent = 0

    def send(self, *args: Any, **options: Any) -> requests.Response:
        self.sent += 1
        assert options["timeout"][1] <= 10
        return super().send(*args, **options)


def test_a_session_of_requests_is_used_as_it_is() -> None:
    """Its adapters, headers, cookies and hooks hold, redirects are refused, and it stays open."""
    adapter = _Counting()
    seen: list[int] = []
    wire = sized(b"there", b"302 Found", b"Set-Cookie: a=1\r\nLocation: /elsewhere\r\n")
    with requests.Session() as session, RawServer(replies(wire)) as server:
        session.mount("http://127.0.0.1", adapter)
        session.headers["X-Mine"] = "yes"
        session.hooks["response"].append(lambda reply, **_: seen.append(reply.status_code))
        caller = calling(RequestsTransport(session=session))
        for _ in range(2):
            answer = caller.send(server.url)
            assert (answer.status, answer.read_all()) == (302, b"there")
        caller.close()
        assert (adapter.sent, seen, len(server.requests)) == (2, [302, 302], 2)
        assert b"X-Mine: yes" in server.requests[0]
        assert b"Cookie: a=1" in server.requests[1]
        assert b"Bearer sk-verysecret" in server.requests[1]
        assert session.get(server.url, allow_redirects=False, timeout=(5, 5)).status_code == 302


async def test_a_session_of_aiohttp_is_used_as_it_is() -> None:
    """Its headers and traces hold, redirects are refused, and it stays open."""
    seen: list[str] = []

    async def note(_: Any, __: Any, params: Any) -> None:
        seen.append(params.method)

    trace = aiohttp.TraceConfig()
    trace.on_request_start.append(note)
    wire = sized(b"there", b"302 Found", b"Location: /elsewhere\r\n")
    with RawServer(replies(wire)) as server:
        async with aiohttp.ClientSession(headers={"X-Mine": "yes"}, trace_configs=[trace]) as own:
            transport = AiohttpTransport(session=own)
            limits = Deadlines(total=deadline(10))
            reply = await transport.send(a_request(server.url), limits)
            body = cast("AsyncBody", reply.body)
            assert (reply.status, await body.read(None)) == (302, b"there")
            await transport.aclose()
            assert not own.closed
        assert b"X-Mine: yes" in server.requests[0]
        assert (seen, len(server.requests)) == (["POST"], 1)


def test_a_session_of_aiohttp_serves_its_own_loop_alone() -> None:
    """Another loop is told so, with what to do instead."""

    async def make() -> aiohttp.ClientSession:
        return aiohttp.ClientSession()

    async def ask(session: aiohttp.ClientSession) -> None:
        transport = AiohttpTransport(session=session)
        await transport.send(a_request("http://127.0.0.1:1/"), Deadlines())

    with asyncio.Runner() as first:
        session = first.run(make())
        with pytest.raises(ConfigurationError, match="event loop it was made in"):
            asyncio.run(ask(session))
        first.run(session.close())
        with pytest.raises(ConfigurationError, match="closed"):
            first.run(ask(session))


@pytest.mark.parametrize(
    "options", [{"verify": False}, {"cert": __file__}, {"pool_size": 5}, {"keep_alive": 1}]
)
def test_what_a_session_settles_is_refused_beside_it(options: dict[str, Any]) -> None:
    """The error names the argument and the place to set it."""
    with requests.Session() as session:
        with pytest.raises(ConfigurationError, match="set it on the session") as caught:
            RequestsTransport(session=session, **options)
        assert caught.value.argument in options
    with pytest.raises(ConfigurationError, match=r"of type requests\.Session"):
        RequestsTransport(session=cast("Any", "mine"))
    with pytest.raises(ConfigurationError, match=r"of type aiohttp\.ClientSession"):
        AiohttpTransport(session=cast("Any", requests))
