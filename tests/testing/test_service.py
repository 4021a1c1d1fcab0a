"""The routes over HTTP, as a client without any SDK sees them."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from evoclient.testing import DemoServer

pytestmark = pytest.mark.loopback

HELLO: dict[str, Any] = {"model": "m", "messages": [{"role": "user", "content": "count to 5"}]}
STREAM = {**HELLO, "stream": True}


@pytest.fixture(scope="module")
def shared() -> Iterator[DemoServer]:
    """One open server for the tests that leave no trace in it."""
    with DemoServer(pace=0) as server:
        yield server


@pytest.fixture
def server() -> Iterator[DemoServer]:
    """A server of the test's own, for counters and queues."""
    with DemoServer(pace=0) as server:
        yield server


def post(
    server: DemoServer, body: Any = STREAM, path: str = "/chat/completions", **options: Any
) -> requests.Response:
    """Post to the server and read the answer, unless a stream is wanted."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return requests.post(server.base_url + path, data=data, timeout=5, **options)


def get(server: DemoServer, path: str, **options: Any) -> requests.Response:
    """Get a path under the base URL."""
    return requests.get(server.base_url + path, timeout=5, **options)


def data_of(reply: requests.Response) -> list[str]:
    """The data of all events, the end marker included."""
    blocks = reply.content.decode().split("\n\n")
    return [block.removeprefix("data: ") for block in blocks if block.startswith("data: ")]


def text_of(reply: requests.Response) -> str:
    """The text of a stream."""
    chunks = [json.loads(data) for data in data_of(reply) if data != "[DONE]"]
    return "".join(
        choice["delta"].get("content") or "" for chunk in chunks for choice in chunk["choices"]
    )


def test_a_stream(shared: DemoServer) -> None:
    """A stream is typed as one, carries the text and ends with DONE."""
    reply = post(shared)
    assert reply.headers["Content-Type"] == "text/event-stream; charset=utf-8"
    assert reply.headers["x-request-id"].startswith("req_")
    assert text_of(reply) == "1 2 3 4 5"
    assert data_of(reply)[-1] == "[DONE]"


def test_a_whole_answer(shared: DemoServer) -> None:
    """Without a wish for a stream the completion comes as one document of known length."""
    reply = post(shared, HELLO)
    assert reply.json()["choices"][0]["message"]["content"] == "1 2 3 4 5"
    assert int(reply.headers["Content-Length"]) == len(reply.content)


def test_legacy_completions(shared: DemoServer) -> None:
    """The older endpoint answers whole and streamed."""
    body = {"model": "m", "prompt": "count to 3"}
    assert post(shared, body, "/completions").json()["choices"][0]["text"] == "1 2 3"
    *chunks, done = data_of(post(shared, {**body, "stream": True}, "/completions"))
    assert "".join(json.loads(chunk)["choices"][0]["text"] for chunk in chunks) == "1 2 3"
    assert done == "[DONE]"


def test_all_scripts_survive(shared: DemoServer) -> None:
    """Cyrillic, Chinese, emoji and unusual separators arrive as they were sent."""
    text = "Привет 你好 👩‍💻 a\u2028b\u0085c"
    body = {**STREAM, "messages": [{"role": "user", "content": f"repeat: {text}"}]}
    assert text_of(post(shared, body)) == text


def test_a_fresh_server_says_the_same() -> None:
    """The same request to two fresh servers gives the same bytes."""
    replies = []
    for _ in range(2):
        with DemoServer(pace=0) as server:
            replies.append(post(server).content)
    assert replies[0] == replies[1]


def test_models(shared: DemoServer) -> None:
    """The models are listed and told one by one; a model that is not there is a 404."""
    assert [model["id"] for model in get(shared, "/models").json()["data"]] == ["demo", "demo-mini"]
    assert get(shared, "/models/demo").json()["id"] == "demo"
    missing = get(shared, "/models/openai/gpt")
    assert (missing.status_code, missing.json()["error"]["code"]) == (404, "model_not_found")


def test_the_bill(server: DemoServer) -> None:
    """Key, credits and generation agree about what an answer has cost."""
    made = post(server, HELLO).json()
    record = get(server, "/generation", params={"id": made["id"]}).json()["data"]
    assert record["tokens_completion"] == made["usage"]["completion_tokens"]
    assert record["cancelled"] is False
    assert get(server, "/key").json()["data"]["usage"] == record["total_cost"]
    assert get(server, "/credits").json()["data"]["total_usage"] == record["total_cost"]
    assert get(server, "/generation").status_code == 400
    assert get(server, "/generation?id=x").status_code == 404


@pytest.mark.parametrize(
    "body",
    [b"{", b"", b"[]", b'{"model": "m"}', b'{"model": "m", "messages": []}', b'"\\ud800"'],
)
def test_bad_requests(shared: DemoServer, body: bytes) -> None:
    """What cannot be read or lacks a field is a 400 in OpenAI's form."""
    reply = post(shared, body)
    assert reply.status_code == 400
    assert reply.json()["error"]["type"] == "invalid_request_error"
    assert set(reply.json()["error"]) == {"message", "type", "param", "code"}


def test_wrong_addresses(shared: DemoServer) -> None:
    """Without /v1, or with another method, there is nothing: a 404 in OpenAI's form."""
    root = shared.base_url.removesuffix("/v1")
    for reply in (
        requests.post(f"{root}/chat/completions", json=HELLO, timeout=5),
        get(shared, "/chat/completions"),
        get(shared, "/nowhere"),
    ):
        assert (reply.status_code, reply.json()["error"]["code"]) == (404, "unknown_url")


def test_keys() -> None:
    """With a key set, requests under /v1 need it; the refusal has OpenAI's form."""
    with DemoServer(pace=0, api_key="k") as server:
        assert get(server, "/models").status_code == 401
        wrong = get(server, "/models", headers={"Authorization": "Bearer x"})
        assert (wrong.status_code, wrong.json()["error"]["code"]) == (401, "invalid_api_key")
        assert get(server, "/models", headers={"Authorization": "Bearer k"}).status_code == 200
        assert get(server, "/models", headers={"api-key": "k"}).status_code == 200


def test_tokens() -> None:
    """The exchange issues tokens that are accepted until they are revoked or expire."""
    with DemoServer(pace=0, key_id="id", secret="s", expires_in=100) as server:
        pair = {"keyId": "id", "secret": "s"}
        answer = requests.post(server.token_url, json=pair, timeout=5).json()
        assert answer["expires_in"] == server.expires_in == 100
        bearer = {"Authorization": f"Bearer {answer['access_token']}"}
        assert get(server, "/models", headers=bearer).status_code == 200
        server.revoke_tokens()
        assert get(server, "/models", headers=bearer).status_code == 401
        server.expires_in = 0
        answer = requests.post(server.token_url, json=pair, timeout=5).json()
        bearer = {"Authorization": f"Bearer {answer['access_token']}"}
        assert "expired" in get(server, "/models", headers=bearer).text
        wrong = requests.post(server.token_url, json={"keyId": "id", "secret": "x"}, timeout=5)
        assert wrong.status_code == 401
        assert server.exchanges == 3


def test_requests_are_recorded(server: DemoServer) -> None:
    """Method, path, query, headers and body are kept, newest last, also of what is refused."""
    get(server, "/nowhere?a=1", headers={"Authorization": "Bearer x"})
    post(server, HELLO)
    first, second = server.requests
    assert (first.method, first.path, first.query) == ("GET", "/v1/nowhere", {"a": "1"})
    assert first.header("authorization") == "Bearer x"
    assert (second.json, server.connections) == (HELLO, 2)


def test_the_pace_is_kept(server: DemoServer) -> None:
    """Pieces come one by one at the pace of the server, each in a write of its own."""
    server.pace = 0.02
    begun = time.monotonic()
    with post(server, stream=True) as reply:
        blocks = list(reply.iter_content(None))
    assert time.monotonic() - begun >= 6 * 0.02
    assert len(blocks) >= 7  # the end marker follows at once and may come with the last chunk
