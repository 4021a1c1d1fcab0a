"""What editors and type checkers know of the public face. Checked, never run."""

from __future__ import annotations

from typing import assert_type

from evoclient import (
    APIResponse,
    AsyncClient,
    AsyncStream,
    ChatCompletion,
    ChatCompletionChunk,
    Client,
    Completion,
    CreateEmbeddingResponse,
    Finish,
    Model,
    ModelList,
    Outcome,
    Response,
    Stream,
    StreamInterruptedError,
    Timeouts,
    Usage,
)

MESSAGES = [{"role": "user", "content": "Hello"}]


def whole(client: Client) -> None:
    """Without `stream`, and with ``stream=False``, a completion comes back."""
    completion = client.chat.completions.create(messages=MESSAGES, temperature=0.5)
    assert_type(completion, ChatCompletion)
    assert_type(client.chat.completions.create(messages=MESSAGES, stream=False), ChatCompletion)
    assert_type(completion.text, str)
    assert_type(completion.choices[0].message.content, str | None)
    assert_type(completion.usage, Usage | None)
    assert_type(completion.response, Response | None)


def streamed(client: Client) -> None:
    """With ``stream=True`` a stream comes back, and its parts have their types."""
    stream = client.chat.completions.create(
        messages=MESSAGES, stream=True, timeout=Timeouts(idle=5), extra_body={"top_k": 4}
    )
    assert_type(stream, Stream)
    with stream:
        for chunk in stream:
            assert_type(chunk, ChatCompletionChunk)
            assert_type(chunk.choices[0].delta.content, str | None)
            assert_type(chunk.text, str)
    for text in stream.text:
        assert_type(text, str)
    for event in stream.events():
        if event.type == "content":
            assert_type(event.text, str)
        elif event.type == "usage":
            assert_type(event.usage, Usage)
    assert_type(stream.outcome, Outcome | None)
    assert_type(stream.finish, Finish | None)


def either(client: Client, flag: bool) -> None:
    """With a `stream` that is not known, both may come back."""
    result = client.chat.completions.create(messages=MESSAGES, stream=flag)
    assert_type(result, ChatCompletion | Stream)


async def the_other_colour(client: AsyncClient, flag: bool) -> None:
    """The asynchronous client has the same types."""
    create = client.chat.completions.create
    assert_type(await create(messages=MESSAGES), ChatCompletion)
    assert_type(await create(messages=MESSAGES, stream=flag), ChatCompletion | AsyncStream)
    stream = await create(messages=MESSAGES, stream=True)
    assert_type(stream, AsyncStream)
    async with stream:
        async for chunk in stream:
            assert_type(chunk, ChatCompletionChunk)
    async for text in stream.text:
        assert_type(text, str)
    stream.close()
    await stream.aclose()


def other_endpoints(client: Client, flag: bool) -> None:
    """Each endpoint has its own types, whole and streamed."""
    models = client.models.list(timeout=5)
    assert_type(models, ModelList)
    for model in models:
        assert_type(model, Model)
    assert_type(client.models.retrieve("a/b").context_length, int | None)
    answer = client.embeddings.create(input=["a"], batch_size=5, encoding_format="base64")
    assert_type(answer, CreateEmbeddingResponse)
    assert_type(answer.data[0].embedding, list[float])
    client.embeddings.create(input=[[1, 2], [3]], as_numpy=flag)
    completion = client.completions.create(prompt="Once", max_tokens=5)
    assert_type(completion, Completion)
    assert_type(completion.choices[0].text, str)
    assert_type(client.completions.create(prompt=[1, 2], stream=True), Stream)
    assert_type(client.request("GET", "/key"), APIResponse)
    assert_type(client.request("POST", "/x", body={"a": 1}, stream=True), Stream)
    assert_type(client.request("POST", "/x", stream=flag), APIResponse | Stream)
    assert_type(client.with_options(timeout=5, default_query={"a": 1}), Client)
    assert_type(client.copy(model="m"), Client)


async def other_endpoints_of_the_other_colour(client: AsyncClient) -> None:
    """The asynchronous client has the same types."""
    assert_type(await client.models.list(), ModelList)
    assert_type(await client.models.retrieve("a"), Model)
    assert_type(await client.embeddings.create(input="a"), CreateEmbeddingResponse)
    assert_type(await client.completions.create(prompt="a"), Completion)
    assert_type(await client.completions.create(prompt="a", stream=True), AsyncStream)
    assert_type(await client.request("GET", "/key"), APIResponse)
    assert_type(client.with_options(max_retries=0), AsyncClient)


def errors(error: StreamInterruptedError) -> None:
    """An error has its parts typed."""
    assert_type(error.partial, ChatCompletion | None)
    assert_type(error.partial_text, str)
    assert_type(error.status_code, int | None)
