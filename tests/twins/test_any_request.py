"""Any path of the API, in both colours."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from evoclient.endpoints.raw import APIResponse
from evoclient.errors.tree import (
    APIConnectionError,
    BadRequestError,
    StreamInterruptedError,
    StreamProviderError,
)
from evoclient.streaming.ending import Outcome
from evoclient.testing.server import DemoServer
from evoclient.transports.memory import MemoryReply
from tests.colours import Colour
from tests.twins.scripts import refusing, streamed

AnyColour = Colour[Any, Any]


@pytest.fixture(scope="module")
def demo() -> Iterator[DemoServer]:
    """Give a demo server that answers as fast as it can."""
    with DemoServer(pace=0, api_key="demo-key", models=("demo", "maker/model:free")) as server:
        yield server


@pytest.fixture
def client(colour: AnyColour, demo: DemoServer) -> Iterator[Any]:
    """Give a client of the demo server."""
    demo.clear_plays()
    made = colour.client(base_url=demo.base_url, api_key="demo-key", model="demo", retry_delay=0)
    yield made
    colour.close(made)


def scripted(colour: AnyColour, *script: Any, **options: Any) -> tuple[Any, Any]:
    """Return a transport that plays a script, and a client with it."""
    transport = colour.memory(list(script))
    settings = {"model": "m", "retry_delay": 0, **options}
    return transport, colour.client(transport=transport, **settings)


@pytest.mark.loopback
def test_any_request(colour: AnyColour, client: Any, demo: DemoServer) -> None:
    """Any path can be asked, with the client's key and headers."""
    answer = colour.run(client.request("get", "/key", extra_query={"a": 1}))
    assert isinstance(answer, APIResponse)
    assert answer.data["data"]["label"] == "demo"
    assert (answer.status_code, answer.request_id) == (200, answer.response.request_id)
    assert answer.headers["content-type"].startswith("application/json")
    assert demo.requests[-1].method == "GET"


def test_any_request_is_tried_again(colour: AnyColour) -> None:
    """A request of any kind is judged and tried again as the others are."""
    transport, client = scripted(colour, refusing(503), MemoryReply.json([1, 2]))
    answer = colour.run(client.request("POST", "/rerank", body={"query": "q"}))
    assert answer.data == [1, 2]
    first, second = transport.requests
    assert first.headers["idempotency-key"] == second.headers["idempotency-key"]
    assert (second.url, json.loads(second.body)) == (
        "http://memory.invalid/v1/rerank",
        {"query": "q"},
    )


def test_any_answer_without_a_body(colour: AnyColour) -> None:
    """An answer without a body has no data."""
    _, client = scripted(colour, MemoryReply(status=204))
    answer = colour.run(client.request("DELETE", "/files/f-1"))
    assert (answer.data, answer.status_code) == (None, 204)


def test_any_answer_that_reports_an_error(colour: AnyColour) -> None:
    """An error under 200 is an error, and what came beside it is no completion."""
    document = {"error": {"message": "no", "code": 400}, "choices": [{"text": "a"}]}
    _, client = scripted(colour, MemoryReply.json(document), max_retries=0)
    with pytest.raises(BadRequestError) as caught:
        colour.run(client.request("POST", "/x", body={}))
    assert caught.value.partial is None


@pytest.mark.loopback
def test_any_stream(colour: AnyColour, client: Any) -> None:
    """A chat that is asked for by its path streams as a chat."""
    body = {
        "model": "demo",
        "messages": [{"role": "user", "content": "Count to 3"}],
        "stream": True,
    }
    stream = colour.run(client.request("POST", "/chat/completions", body=body, stream=True))
    assert colour.text(stream) == ["1", " 2", " 3"]
    assert (stream.outcome, stream.completion.text) == (Outcome.complete, "1 2 3")


RESPONSES: list[dict[str, Any]] = [
    {"type": "response.created", "response": {"id": "r", "error": None}},
    {"type": "response.output_text.delta", "delta": "Hi"},
]


@pytest.mark.parametrize("done", [True, False])
def test_a_stream_without_choices(colour: AnyColour, done: bool) -> None:
    """A stream of another dialect is handed out as it is, and whole when its body ends."""
    _, client = scripted(colour, MemoryReply.stream(*RESPONSES, done=done))
    stream = colour.run(client.request("POST", "/responses", body={}, stream=True))
    chunks = list(colour.chunks(stream))
    assert [chunk.to_dict() for chunk in chunks] == RESPONSES
    assert [chunk.type for chunk in chunks] == [document["type"] for document in RESPONSES]
    assert stream.outcome is Outcome.complete


def test_a_stream_without_choices_that_is_cut(colour: AnyColour) -> None:
    """A stream of another dialect whose connection breaks is cut all the same."""
    cut = MemoryReply.stream(
        *RESPONSES, done=False, error=APIConnectionError("reset"), error_after=1
    )
    _, client = scripted(colour, cut)
    stream = colour.run(client.request("POST", "/responses", body={}, stream=True))
    with pytest.raises(StreamInterruptedError):
        list(colour.chunks(stream))


def test_a_stream_with_choices_is_judged_by_them(colour: AnyColour) -> None:
    """Where there are choices, their finish reasons tell whether the stream is whole."""
    _, client = scripted(colour, streamed("a", finish=None, done=False))
    stream = colour.run(client.request("POST", "/chat/completions", body={}, stream=True))
    with pytest.raises(StreamInterruptedError):
        list(colour.chunks(stream))


def test_an_empty_stream_of_any_kind(colour: AnyColour) -> None:
    """A stream that brings nothing is a failure, whatever was asked."""
    _, client = scripted(colour, MemoryReply.stream(done=False), max_retries=0)
    stream = colour.run(client.request("POST", "/x", body={}, stream=True))
    with pytest.raises(StreamInterruptedError):
        list(colour.chunks(stream))


def test_an_error_in_any_stream(colour: AnyColour) -> None:
    """An error event is an error in any stream."""
    _, client = scripted(colour, MemoryReply.stream(RESPONSES[0], {"error": {"message": "no"}}))
    stream = colour.run(client.request("POST", "/x", body={}, stream=True))
    with pytest.raises(StreamProviderError):
        list(colour.chunks(stream))


def test_a_whole_document_as_any_stream(colour: AnyColour) -> None:
    """JSON where a stream was asked for is one chunk, whatever is in it."""
    _, client = scripted(colour, MemoryReply.json({"answer": 42}))
    stream = colour.run(client.request("POST", "/x", body={}, stream=True))
    assert [chunk.answer for chunk in colour.chunks(stream)] == [42]
    assert stream.outcome is Outcome.complete
