"""Faults and dialects on the wire, asked for by the test or by the request, and early leavers."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from evoclient.testing import DemoServer
from tests.testing.test_service import HELLO, STREAM, data_of, get, post, text_of

pytestmark = pytest.mark.loopback


@pytest.fixture
def server() -> Iterator[DemoServer]:
    """A server as fast as possible."""
    with DemoServer(pace=0) as server:
        yield server


def until_it_breaks(reply: requests.Response) -> tuple[bytes, bool]:
    """Read a body; tell what came, and whether it broke."""
    got = b""
    try:
        for block in reply.iter_content(1):
            got += block
    except requests.exceptions.RequestException:
        return got, True
    return got, False


@pytest.mark.parametrize("reset", [True, False])
def test_cut(server: DemoServer, reset: bool) -> None:
    """A cut breaks the connection behind so many chunks."""
    server.play("cut", after=3, reset=reset)
    with post(server, stream=True) as reply:
        got, broken = until_it_breaks(reply)
    assert broken
    assert got.count(b"data: ") == 3
    assert server.cancelled == 0
    assert text_of(post(server)) == "1 2 3 4 5"


def test_eof(server: DemoServer) -> None:
    """An early end is clean for HTTP, and has neither reason nor DONE."""
    server.play("eof", after=3)
    reply = post(server)
    assert text_of(reply) == "1 2"
    assert "[DONE]" not in reply.text


@pytest.mark.parametrize("name", ["cut", "eof"])
def test_broken_documents(server: DemoServer, name: str) -> None:
    """A whole answer breaks in the middle of its JSON."""
    server.play(name)
    with post(server, HELLO, stream=True) as reply:
        got, broken = until_it_breaks(reply)
    assert broken == (name == "cut")
    with pytest.raises(ValueError, match=r"."):
        json.loads(got)


def test_stall(server: DemoServer) -> None:
    """A stall is silence in the middle; what follows comes afterwards."""
    server.play("stall", after=3, seconds=0.2)
    begun = time.monotonic()
    assert text_of(post(server)) == "1 2 3 4 5"
    assert time.monotonic() - begun >= 0.2


def test_plays_are_used_up(server: DemoServer) -> None:
    """A play acts so many times, and then the ordinary answer returns."""
    server.play("status", code=503, headers={"Retry-After": "1"}, times=2)
    replies = [post(server) for _ in range(3)]
    assert [reply.status_code for reply in replies] == [503, 503, 200]
    assert replies[0].headers["Retry-After"] == "1"


def test_plays_wait_for_their_path(server: DemoServer) -> None:
    """A play for the token endpoint leaves other requests alone."""
    server.play("status", code=500, path="/api/v1/auth/token")
    assert post(server).status_code == 200
    assert requests.post(server.token_url, json={}, timeout=5).status_code == 500
    assert server.exchanges == 0


def test_refused_requests_use_no_play() -> None:
    """A request without a valid key leaves the queue as it is."""
    with DemoServer(pace=0, api_key="k") as server:
        server.play("status", code=418)
        assert get(server, "/models").status_code == 401
        assert get(server, "/models", headers={"api-key": "k"}).status_code == 418


@pytest.mark.parametrize(
    ("play", "begins"),
    [
        ("bom", b"\xef\xbb\xbfdata: {"),
        ("comments;text=ping", b": ping\n\n: ping\n\ndata: {"),
        ("pad;lines=2", b"\n\ndata: {"),
        ("crlf, cut;after=9;reset=false", b"data: {"),
        ("drip, no_done", b"data: {"),
        ("openrouter", b": OPENROUTER PROCESSING\n\n"),
    ],
)
def test_a_request_can_ask_for_plays(server: DemoServer, play: str, begins: bytes) -> None:
    """The header asks for faults and dialects by hand."""
    with post(server, headers={"x-demo-play": play}, stream=True) as reply:
        assert until_it_breaks(reply)[0].startswith(begins)


def test_the_body_can_ask_for_plays(server: DemoServer) -> None:
    """A field of the body does the same as the header."""
    reply = post(server, {**STREAM, "demo_play": ["vllm", {"name": "error_event", "after": 1}]})
    assert json.loads(data_of(reply)[1])["error"]["code"] == 502
    assert data_of(reply)[2] == "[DONE]"


@pytest.mark.parametrize(
    "play",
    [
        "explode",
        "cut;after=x",
        "stall;seconds=x",
        "status;code=x",
        "status;retry_after=x",
        b"comments;text=\xff",
        '[{"name": "error_event", "form": []}]',
    ],
)
def test_unusable_plays_are_bad_requests(server: DemoServer, play: str | bytes) -> None:
    """A play by hand that does not exist, or with a useless value, is a 400."""
    reply = post(server, headers={"x-demo-play": play})
    assert (reply.status_code, reply.json()["error"]["param"]) == (400, "demo_play")


def test_a_stream_can_come_whole(server: DemoServer) -> None:
    """The completion comes as JSON although a stream was asked for."""
    server.play("whole")
    reply = post(server)
    assert reply.headers["Content-Type"] == "application/json"
    assert reply.json()["object"] == "chat.completion"


def test_html_and_json_errors(server: DemoServer) -> None:
    """A page or an error comes under 200."""
    server.play("html")
    server.play("json_error", code=402)
    page, error = post(server), post(server)
    assert (page.status_code, page.headers["Content-Type"]) == (200, "text/html")
    assert (error.status_code, error.json()["error"]["code"]) == (200, 402)


def test_redirects_end(server: DemoServer) -> None:
    """A redirect asked for by the request itself leads to the answer."""
    reply = post(server, headers={"x-demo-play": "redirect"})
    assert text_of(reply) == "1 2 3 4 5"
    assert [step.status_code for step in reply.history] == [307]


def test_empty(server: DemoServer) -> None:
    """An empty stream is a 200 with the right type and no byte."""
    server.play("empty")
    reply = post(server)
    assert (reply.status_code, reply.content) == (200, b"")
    assert reply.headers["Content-Type"].startswith("text/event-stream")


def test_an_error_event_carries_the_head_of_its_stream(server: DemoServer) -> None:
    """The error belongs to the stream even where the dialect blanks the first chunk."""
    server.play("azure", "error_event;form=openrouter;after=2")
    *_, error = map(json.loads, data_of(post(server)))
    assert (error["id"], error["model"]) == ("chatcmpl-000001", "m")


def test_the_dialect_of_the_server() -> None:
    """A server can speak a dialect by habit, in its ids and errors, too."""
    with DemoServer(pace=0, dialect="openrouter") as server:
        assert post(server, HELLO).json()["id"].startswith("gen-")
        assert get(server, "/nowhere").json()["error"]["code"] == 404


def leave_early(server: DemoServer, play: str) -> None:
    """Read the beginning of a stream and go away while the server is silent."""
    with post(server, headers={"x-demo-play": play}, stream=True) as reply:
        blocks = reply.iter_content(1)  # kept, because dropping it closes the connection
        next(blocks)
        assert server.open_streams == 1
    assert server.wait_until(lambda: server.open_streams == 0, 1)


def test_early_leavers_are_counted(server: DemoServer) -> None:
    """A client that leaves in a pause is noticed at once, and the generation says so."""
    leave_early(server, "stall;after=2;seconds=30")
    assert server.cancelled == 1
    record = get(server, "/generation?id=chatcmpl-000001").json()["data"]
    assert record["cancelled"] is True


def test_leaving_a_finished_stream_is_no_cancellation(server: DemoServer) -> None:
    """After DONE nothing is missing, although the connection was still open."""
    with post(server, headers={"x-demo-play": "keep_open"}, stream=True) as reply:
        blocks = reply.iter_content(None)
        got = b""
        while b"[DONE]" not in got:
            got += next(blocks)
        assert server.open_streams == 1
    assert server.wait_until(lambda: server.open_streams == 0, 1)
    assert server.cancelled == 0


def test_connections_are_kept(server: DemoServer) -> None:
    """Several requests of one session use one connection."""
    with requests.Session() as session:
        for _ in range(3):
            session.post(f"{server.base_url}/chat/completions", json=STREAM, timeout=5)
    assert server.connections == 1


def test_a_client_may_vanish_before_the_answer(server: DemoServer) -> None:
    """A client that sends a request and hangs up leaves no stream behind."""
    body = json.dumps({**STREAM, "demo_play": "stall;after=0"}).encode()
    head = f"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n"
    address: Any = (server.host, server.port)
    with socket.create_connection(address, 5) as raw:
        raw.sendall(head.encode() + body)
        assert server.wait_until(lambda: server.open_streams == 1)
    assert server.wait_until(lambda: server.cancelled == 1)
    assert server.open_streams == 0
