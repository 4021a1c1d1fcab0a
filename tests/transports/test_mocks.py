"""The transports under the mocks that users have: responses and aioresponses."""

from __future__ import annotations

import aiohttp
import pytest
import requests
import responses
from aioresponses import aioresponses

from evoclient.errors.tree import APIConnectionError
from evoclient.testing.raw_server import RawServer, replies, sized
from evoclient.transports.with_aiohttp import AiohttpTransport
from evoclient.transports.with_requests import RequestsTransport
from evoclient.wire import AsyncBody, Deadlines

from .callers import KEY, a_request, async_body, deadline, sync_body

URL = "https://api.example/v1/chat/completions"


def soon() -> Deadlines:
    """Return deadlines that no test of this file comes near."""
    return Deadlines(total=deadline(60))


async def read_all(body: AsyncBody) -> bytes:
    """Read an asynchronous body to its end, close it, and read once more."""
    pieces = []
    while piece := await body.read(deadline(5)):
        pieces.append(piece)
    body.close()
    assert await body.read(None) == b""
    return b"".join(pieces)


@responses.activate
def test_responses_answers_the_sync_transport() -> None:
    """What the mock registers comes out, and the mock sees what was sent."""
    responses.post(URL, json={"a": 1}, status=201, headers={"X-Request-Id": "r1"})
    transport = RequestsTransport()
    reply = transport.send(a_request(URL, b'{"q":1}'), soon())
    body = sync_body(reply)
    assert (reply.status, reply.headers["x-request-id"]) == (201, "r1")
    assert body.read(deadline(5)) == b'{"a": 1}'
    assert body.read(None) == b""
    body.close()
    sent = responses.calls[0].request
    assert sent.headers["authorization"] == KEY
    assert sent.body == b'{"q":1}'
    assert "User-Agent" not in sent.headers
    transport.close()


@responses.activate
def test_responses_may_match_and_fail() -> None:
    """Matchers on headers and bodies work, and an exception that is registered is translated."""
    responses.post(
        URL,
        match=[
            responses.matchers.header_matcher({"Authorization": KEY}),
            responses.matchers.json_params_matcher({"q": 1}),
        ],
        body=requests.ConnectionError("no luck"),
    )
    with pytest.raises(APIConnectionError):
        RequestsTransport().send(a_request(URL, b'{"q":1}'), soon())
    with pytest.raises(APIConnectionError):  # not registered
        RequestsTransport().send(a_request(URL + "/x", b"{}"), soon())


@pytest.mark.loopback
@responses.activate
def test_responses_may_let_a_request_pass() -> None:
    """A request that the mock lets through goes over our connections."""
    with RawServer(replies(sized(b"real"))) as server:
        responses.add_passthru("http://127.0.0.1")
        transport = RequestsTransport()
        reply = transport.send(a_request(server.url), soon())
        assert sync_body(reply).read(deadline(5)) == b"real"
        transport.close()


async def test_aioresponses_answers_the_async_transport(aiohttp_mock: aioresponses) -> None:
    """What the mock registers comes out, and the mock sees what was sent."""
    aiohttp_mock.post(URL, payload={"a": 1}, status=201, headers={"X-Request-Id": "r1"})
    transport = AiohttpTransport()
    reply = await transport.send(a_request(URL, b'{"q":1}'), soon())
    assert (reply.status, reply.headers["x-request-id"]) == (201, "r1")
    assert await read_all(async_body(reply)) == b'{"a": 1}'
    ((call,),) = aiohttp_mock.requests.values()
    assert call.kwargs["headers"]["authorization"] == KEY
    assert call.kwargs["data"] == b'{"q":1}'
    await transport.aclose()


async def test_aioresponses_may_fail(aiohttp_mock: aioresponses) -> None:
    """An exception that is registered is translated, and so is a request that nobody expects."""
    transport = AiohttpTransport()
    aiohttp_mock.post(URL, exception=aiohttp.ClientPayloadError("no luck"))
    for _ in range(2):
        with pytest.raises(APIConnectionError):
            await transport.send(a_request(URL), soon())
    await transport.aclose()
