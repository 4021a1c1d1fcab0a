"""The official `openai` package, as a client against the demo server."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import pytest

from evoclient.testing import DemoServer

openai = pytest.importorskip("openai", reason="the official package is the client under test")
jsonschema = pytest.importorskip("jsonschema", reason="structured answers are judged by it")

pytestmark = pytest.mark.loopback

KEY = "demo-key"
WEATHER = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "The weather of a city",
        "parameters": {
            "type": "object",
            "properties": {
                "city": {"type": "string"},
                "unit": {"type": "string", "enum": ["celsius", "fahrenheit"]},
            },
            "required": ["city", "unit"],
            "additionalProperties": False,
        },
    },
}


def user(text: str) -> list[dict[str, str]]:
    """A history of one user message."""
    return [{"role": "user", "content": text}]


@pytest.fixture(scope="module")
def server() -> Iterator[DemoServer]:
    """A server that wants a key."""
    with DemoServer(pace=0, api_key=KEY) as server:
        yield server


@pytest.fixture
def client(server: DemoServer) -> Iterator[Any]:
    """The blocking client."""
    with openai.OpenAI(base_url=server.base_url, api_key=KEY, max_retries=0) as client:
        yield client


def test_whole(client: Any) -> None:
    """A whole completion has text, a reason and usage."""
    completion = client.chat.completions.create(model="demo", messages=user("count to 3"))
    assert completion.choices[0].message.content == "1 2 3"
    assert completion.choices[0].finish_reason == "stop"
    assert completion.usage.completion_tokens == 3


def test_stream_with_usage(client: Any) -> None:
    """A stream gives the text in pieces and the usage in the last chunk."""
    stream = client.chat.completions.create(
        model="demo",
        messages=user("count to 9"),
        stream=True,
        stream_options={"include_usage": True},
    )
    *chunks, last = stream
    assert "".join(c.choices[0].delta.content or "" for c in chunks) == "1 2 3 4 5 6 7 8 9"
    assert chunks[0].choices[0].delta.role == "assistant"
    assert last.choices == []
    assert last.usage.completion_tokens == 9


def test_stop(client: Any) -> None:
    """A stop sequence ends the text before it."""
    completion = client.chat.completions.create(
        model="demo", messages=user("count to 9"), stop=[" 4"]
    )
    assert completion.choices[0].message.content == "1 2 3"


@pytest.mark.parametrize("name", ["max_tokens", "max_completion_tokens"])
def test_limits(client: Any, name: str) -> None:
    """Both names of the limit end the text with the reason "length"."""
    completion = client.chat.completions.create(
        model="demo", messages=user("count to 9"), **{name: 4}
    )
    assert completion.choices[0].message.content == "1 2 3 4"
    assert completion.choices[0].finish_reason == "length"


def test_choices(client: Any) -> None:
    """Two choices arrive interleaved and differ."""
    texts = ["", ""]
    order = []
    for chunk in client.chat.completions.create(
        model="demo", messages=user("hello"), n=2, stream=True
    ):
        choice = chunk.choices[0]
        order.append(choice.index)
        texts[choice.index] += choice.delta.content or ""
    assert order[:6] == [0, 1, 0, 1, 0, 1]
    assert texts[0] != texts[1]
    assert min(map(len, texts)) > 100


def test_tools_streamed(client: Any) -> None:
    """The package's own stream helper puts the calls together; the arguments validate."""
    with client.chat.completions.stream(
        model="demo", messages=user("What is the weather in Oslo, in celsius?"), tools=[WEATHER]
    ) as stream:
        completion = stream.get_final_completion()
    choice = completion.choices[0]
    assert choice.finish_reason == "tool_calls"
    arguments = json.loads(choice.message.tool_calls[0].function.arguments)
    assert arguments == {"city": "Oslo", "unit": "celsius"}


def test_a_tool_round(client: Any) -> None:
    """The result of a tool is quoted in the next answer."""
    messages: list[Any] = user("What is the weather in Oslo?")
    first = client.chat.completions.create(model="demo", messages=messages, tools=[WEATHER])
    call = first.choices[0].message.tool_calls[0]
    messages += [
        first.choices[0].message,
        {"role": "tool", "tool_call_id": call.id, "content": "12 degrees"},
    ]
    second = client.chat.completions.create(model="demo", messages=messages, tools=[WEATHER])
    assert "12 degrees" in second.choices[0].message.content


def test_structured(client: Any) -> None:
    """A JSON schema is answered by a document that validates."""
    schema = {
        "type": "object",
        "properties": {
            "title": {"type": "string"},
            "tags": {"type": "array", "items": {"enum": ["a", "b"]}, "minItems": 1},
            "author": {
                "type": "object",
                "properties": {"name": {"type": "string"}, "age": {"type": "integer"}},
                "required": ["name", "age"],
            },
        },
        "required": ["title", "tags", "author"],
    }
    completion = client.chat.completions.create(
        model="demo",
        messages=user("Describe a book"),
        response_format={"type": "json_schema", "json_schema": {"name": "book", "schema": schema}},
    )
    jsonschema.validate(json.loads(completion.choices[0].message.content), schema)


def test_models(client: Any) -> None:
    """Models are listed and found; a missing one is the package's NotFoundError."""
    assert [model.id for model in client.models.list()] == ["demo", "demo-mini"]
    assert client.models.retrieve("demo").owned_by == "evoclient"
    with pytest.raises(openai.NotFoundError):
        client.models.retrieve("missing")


def test_embeddings(client: Any) -> None:
    """The package asks for base64 by itself; both encodings give the same numbers."""
    packed = client.embeddings.create(model="demo", input=["a", "b"], dimensions=8)
    plain = client.embeddings.create(
        model="demo", input=["a", "b"], dimensions=8, encoding_format="float"
    )
    assert len(packed.data) == 2
    assert packed.data[1].embedding == pytest.approx(plain.data[1].embedding)


def test_legacy_completions(client: Any) -> None:
    """The older endpoint works, too."""
    assert client.completions.create(model="m", prompt="count to 2").choices[0].text == "1 2"


def test_errors_are_the_package_s(server: DemoServer, client: Any) -> None:
    """A wrong key, a played limit and an error inside a stream raise the package's errors."""
    with (
        openai.OpenAI(base_url=server.base_url, api_key="wrong", max_retries=0) as wrong,
        pytest.raises(openai.AuthenticationError),
    ):
        wrong.models.list()
    server.play("status", code=429)
    with pytest.raises(openai.RateLimitError):
        client.models.list()
    server.play("error_event", form="vllm", after=2)
    stream = client.chat.completions.create(model="m", messages=user("hi"), stream=True)
    with pytest.raises(openai.APIError, match="Provider disconnected"):
        list(stream)


def test_async(server: DemoServer) -> None:
    """The asyncio client streams text and calls, and reads whole answers."""

    async def main() -> None:
        options = {"base_url": server.base_url, "api_key": KEY, "max_retries": 0}
        async with openai.AsyncOpenAI(**options) as client:
            create = client.chat.completions.create
            stream = await create(model="m", messages=user("count to 4"), stream=True)
            text = "".join([chunk.choices[0].delta.content or "" async for chunk in stream])
            assert text == "1 2 3 4"
            whole = await create(model="m", messages=user("the weather"), tools=[WEATHER])
            assert whole.choices[0].message.tool_calls[0].function.name == "get_weather"
            models = await client.models.list()
            assert len(models.data) == 2
        async with openai.AsyncOpenAI(**{**options, "api_key": "wrong"}) as client:
            with pytest.raises(openai.AuthenticationError):
                await client.models.list()

    asyncio.run(main())
