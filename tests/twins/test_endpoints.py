"""The endpoints beside chat, in both colours."""

from __future__ import annotations

import base64
import json
import struct
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from evoclient.errors.tree import (
    APITimeoutError,
    BadRequestError,
    ModelNotFoundError,
    ResponseDecodeError,
    StreamInterruptedError,
)
from evoclient.ground import ConfigurationError
from evoclient.models.completions import Completion
from evoclient.models.finish import Finish
from evoclient.streaming.ending import Outcome
from evoclient.testing.server import DemoServer
from evoclient.transports.memory import MemoryReply
from evoclient.wire import Timeouts
from tests.colours import Colour
from tests.twins.scripts import chunk, refusing

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
def test_models(colour: AnyColour, client: Any) -> None:
    """The models of a server can be iterated over, and know their reply."""
    models = colour.run(client.models.list())
    assert [model.id for model in models] == ["demo", "maker/model:free"]
    assert models.data[0].context_length == 8192
    assert models.response.status_code == 200
    assert models.response.request_id is not None


@pytest.mark.loopback
def test_one_model(colour: AnyColour, client: Any, demo: DemoServer) -> None:
    """An id with slashes and colons reaches the server as it is."""
    model = colour.run(client.models.retrieve("maker/model:free"))
    assert (model.id, model.response.status_code) == ("maker/model:free", 200)
    assert demo.requests[-1].path.endswith("/models/maker/model:free")


@pytest.mark.loopback
def test_a_model_that_is_not_there(colour: AnyColour, client: Any) -> None:
    """A model that the server does not have is an error of its own."""
    with pytest.raises(ModelNotFoundError):
        colour.run(client.models.retrieve("nobody/nothing"))


def test_unusual_ids(colour: AnyColour) -> None:
    """What has a meaning in a URL is encoded in an id."""
    transport, client = scripted(colour, *[MemoryReply.json({"id": "x"})] * 3)
    for model in ("a b?c#d", "50%25", "org/ж"):
        colour.run(client.models.retrieve(model))
    assert [request.url.partition("/models/")[2] for request in transport.requests] == [
        "a%20b%3Fc%23d",
        "50%2525",
        "org/%D0%B6",
    ]


@pytest.mark.loopback
def test_embeddings(colour: AnyColour, client: Any) -> None:
    """Vectors are the same lists of floats, whichever encoding was sent."""
    plain = colour.run(client.embeddings.create(input=["one", "two words"], dimensions=8))
    packed = colour.run(
        client.embeddings.create(input=["one", "two words"], dimensions=8, encoding_format="base64")
    )
    assert [len(item.embedding) for item in plain.data] == [8, 8]
    assert [item.embedding for item in plain.data] == [item.embedding for item in packed.data]
    assert isinstance(packed.to_dict()["data"][0]["embedding"], str)
    assert plain.usage.prompt_tokens == packed.usage.prompt_tokens == 4
    assert plain.response.status_code == 200


@pytest.mark.loopback
def test_embeddings_in_batches(colour: AnyColour, client: Any, demo: DemoServer) -> None:
    """More inputs than fit are sent in several requests, and answered as if in one."""
    texts = ["one", "two", "three", "four", "five"]
    whole = colour.run(client.embeddings.create(input=texts, dimensions=4))
    before = len(demo.requests)
    batched = colour.run(client.embeddings.create(input=texts, dimensions=4, batch_size=2))
    assert batched.to_dict() == whole.to_dict()
    assert [request.json["input"] for request in demo.requests[before:]] == [
        ["one", "two"],
        ["three", "four"],
        ["five"],
    ]


@pytest.mark.parametrize("texts", ["one", [1, 2, 3]])
def test_one_input(colour: AnyColour, texts: Any) -> None:
    """One text, or the tokens of one, go out as they are, whatever the size of a batch."""
    transport, client = scripted(colour, MemoryReply.json({"data": []}))
    colour.run(client.embeddings.create(input=texts, batch_size=1))
    assert json.loads(transport.requests[0].body) == {"model": "m", "input": texts}


def vectors(*numbers: float, usage: Any = None) -> MemoryReply:
    """Return an answer with vectors of one number, in the wrong order."""
    data = [{"index": index, "embedding": [number]} for index, number in enumerate(numbers)]
    return MemoryReply.json({"data": data[::-1], **({} if usage is None else {"usage": usage})})


def test_the_sum_of_usage(colour: AnyColour) -> None:
    """Usage is added up, and is None where one of the answers lacks it."""
    usage = {"prompt_tokens": 2, "total_tokens": 2, "cost": 0.5}
    _, client = scripted(
        colour, vectors(1, 2, usage=usage), vectors(3, usage={"prompt_tokens": 1, "cost": 0.25})
    )
    answer = colour.run(client.embeddings.create(input=["a", "b", "c"], batch_size=2))
    assert [(item.index, item.embedding) for item in answer.data] == [(0, [1]), (1, [2]), (2, [3])]
    assert (answer.usage.prompt_tokens, answer.usage.cost) == (3, 0.75)
    assert answer.usage.total_tokens is None


def test_each_batch_has_a_key_of_its_own(colour: AnyColour) -> None:
    """A batch that fails is tried again alone, and each has its Idempotency-Key."""
    transport, client = scripted(colour, vectors(1), refusing(503), vectors(2))
    answer = colour.run(client.embeddings.create(input=["a", "b"], batch_size=1))
    assert [item.embedding for item in answer.data] == [[1], [2]]
    first, second, third = (request.headers["idempotency-key"] for request in transport.requests)
    assert first != second == third


def test_a_batch_that_fails(colour: AnyColour) -> None:
    """The first batch without a good answer ends the call."""
    transport, client = scripted(colour, vectors(1), refusing(400), vectors(3))
    with pytest.raises(BadRequestError):
        colour.run(client.embeddings.create(input=["a", "b", "c"], batch_size=1))
    assert len(transport.requests) == 2


def test_total_covers_all_batches(colour: AnyColour) -> None:
    """The total limit bounds the requests together."""
    late = MemoryReply.json({"data": []}, pause_before=0.15)
    transport, client = scripted(colour, *[late] * 10, timeout=Timeouts(total=0.35))
    with pytest.raises(APITimeoutError) as caught:
        colour.run(client.embeddings.create(input=["a"] * 10, batch_size=1))
    assert caught.value.limit == "total"
    assert len(transport.requests) == 3


def test_numpy(colour: AnyColour) -> None:
    """With `as_numpy` the vectors are arrays of 32-bit floats, whichever encoding was sent."""
    numpy = pytest.importorskip("numpy")
    text = base64.b64encode(struct.pack("<2f", 0.5, -1)).decode()
    _, client = scripted(
        colour, MemoryReply.json({"data": [{"embedding": text}, {"embedding": [0.5, -1]}]})
    )
    answer = colour.run(client.embeddings.create(input=["a", "b"], as_numpy=True))
    for item in answer.data:
        assert item.embedding.dtype == numpy.float32
        assert item.embedding.tolist() == [0.5, -1]


@pytest.mark.loopback
def test_completions(colour: AnyColour, client: Any) -> None:
    """The older endpoint gives a text, whole."""
    completion = colour.run(client.completions.create(prompt="Count to 3"))
    assert completion.choices[0].text == completion.text == str(completion) == "1 2 3"
    assert completion.choices[0].message.content == "1 2 3"
    assert (completion.finish_reason, completion.finish) == ("stop", Finish.stop)
    assert completion.usage.completion_tokens == 3
    assert completion.response.status_code == 200
    assert isinstance(completion, Completion)


@pytest.mark.loopback
def test_streamed_completions(colour: AnyColour, client: Any) -> None:
    """The older endpoint streams as the chat endpoint does, and comes to the same completion."""
    whole = colour.run(client.completions.create(prompt="Count to 3", n=2))
    stream = colour.run(
        client.completions.create(prompt="Count to 3", n=2, stream=True, usage=True)
    )
    chunks = list(colour.chunks(stream))
    assert "".join(chunk.text for chunk in chunks) == "1 2 3"
    assert "".join(c.text for chunk in chunks for c in chunk.choices if c.index == 1) == (
        whole.choices[1].text
    )
    assert (stream.outcome, stream.finish, stream.finish_reason) == ("complete", "stop", "stop")
    assert stream.usage == whole.usage
    assert isinstance(stream.completion, Completion)
    assert [choice.text for choice in stream.completion.choices] == [
        choice.text for choice in whole.choices
    ]


@pytest.mark.loopback
def test_events_of_a_streamed_completion(colour: AnyColour, client: Any) -> None:
    """The events of a streamed text are those of a chat."""
    stream = colour.run(client.completions.create(prompt="Count to 3", stream=True))
    kinds = [event.type for event in colour.events(stream)]
    assert kinds == ["content", "content", "content", "finish"]


@pytest.mark.loopback
def test_a_cut_completion(colour: AnyColour, client: Any, demo: DemoServer) -> None:
    """What came of a text is kept where its stream is cut."""
    demo.play("cut", after=2)
    stream = colour.run(client.completions.create(prompt="Count to 9", stream=True))
    with pytest.raises(StreamInterruptedError) as caught:
        list(colour.chunks(stream))
    assert caught.value.partial_text == "1 2"
    assert isinstance(caught.value.partial, Completion)
    assert stream.outcome is Outcome.truncated


@pytest.mark.loopback
def test_a_completion_that_is_not_streamed(
    colour: AnyColour, client: Any, demo: DemoServer
) -> None:
    """A server that answers whole where a stream was asked for gives one chunk."""
    demo.play("whole")
    stream = colour.run(client.completions.create(prompt="Count to 3", stream=True))
    assert colour.text(stream) == ["1 2 3"]
    assert stream.outcome is Outcome.complete


BAD: list[tuple[str, Callable[[Any], Any]]] = [
    ("model", lambda client: client.models.retrieve("")),
    ("model", lambda client: client.models.retrieve("a/../b")),
    ("timeout", lambda client: client.models.list(timeout=-1)),
    ("limit", lambda client: client.models.list(limit=5)),
    ("input", lambda client: client.embeddings.create()),
    ("input", lambda client: client.embeddings.create(input=["a", 5])),
    ("batch_size", lambda client: client.embeddings.create(input="a", batch_size=0)),
    ("model", lambda client: client.embeddings.create(input="a", model="")),
    ("prompt", lambda client: client.completions.create()),
    ("prompt", lambda client: client.completions.create(prompt=[])),
    ("extra_headers", lambda client: client.completions.create(prompt="a", extra_headers=5)),
    ("path", lambda client: client.request("GET", "models")),
    ("path", lambda client: client.request("GET", "/models?a=1")),
    ("path", lambda client: client.request("GET", "/../admin")),
    ("method", lambda client: client.request("GET it", "/models")),
    ("body", lambda client: client.request("POST", "/models", body=[1])),
    ("json", lambda client: client.request("POST", "/models", json={})),
    ("incomplete", lambda client: client.request("POST", "/m", stream=True, incomplete="no")),
]


@pytest.mark.parametrize(("argument", "ask"), BAD)
def test_bad_arguments(colour: AnyColour, argument: str, ask: Callable[[Any], Any]) -> None:
    """A bad argument is named before anything is sent."""
    transport, client = scripted(colour)
    with pytest.raises(ConfigurationError) as caught:
        colour.run(ask(client))
    assert caught.value.argument == argument
    assert argument in caught.value.message
    assert transport.requests == []


ODD: list[tuple[Any, Callable[[Any], Any]]] = [
    ("text", lambda client: client.models.list()),
    ([], lambda client: client.models.retrieve("a")),
    ([[1.0]], lambda client: client.embeddings.create(input="a")),
    ("text", lambda client: client.completions.create(prompt="a")),
]


@pytest.mark.parametrize(("document", "ask"), ODD)
def test_answers_of_another_kind(
    colour: AnyColour, document: Any, ask: Callable[[Any], Any]
) -> None:
    """JSON that cannot be what was asked for is an error that says what came."""
    _, client = scripted(colour, MemoryReply.json(document))
    with pytest.raises(ResponseDecodeError, match=type(document).__name__):
        colour.run(ask(client))


def test_a_chat_answer_of_the_older_endpoint(colour: AnyColour) -> None:
    """A server that answers the older endpoint as it answers a chat is understood."""
    message = {"choices": [{"message": {"content": "Hi"}, "finish_reason": "stop"}]}
    delta = [chunk("Hi"), chunk(None, "stop")]
    _, client = scripted(colour, MemoryReply.json(message), MemoryReply.stream(*delta))
    assert colour.run(client.completions.create(prompt="a")).choices[0].text == "Hi"
    stream = colour.run(client.completions.create(prompt="a", stream=True))
    assert colour.text(stream) == ["Hi"]
    assert stream.completion.choices[0].text == "Hi"
