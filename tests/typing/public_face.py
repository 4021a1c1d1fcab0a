"""What editors and type checkers know of the public face. Checked, never run."""

from __future__ import annotations

from typing import assert_type

from evoclient import (
    APIError,
    APIResponse,
    AsyncClient,
    AsyncStream,
    Callbacks,
    ChatCompletion,
    ChatCompletionChunk,
    Client,
    Completion,
    CreateEmbeddingResponse,
    Finish,
    Model,
    ModelList,
    Outcome,
    RateLimitError,
    Response,
    Stream,
    StreamInterruptedError,
    StreamMetrics,
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


def read_otherwise(client: Client) -> None:
    """The options of reading are known, and so is what stages and metrics add to a stream."""
    stream = client.chat.completions.create(
        messages=MESSAGES,
        stream=True,
        stop=["END"],
        stop_mode="client",
        split_think=True,
        accumulate=False,
        on_text=print,
        on_error=[print, print],
    )
    assert_type(stream.stop_sequence, str | None)
    assert_type(stream.metrics, StreamMetrics)
    assert_type(stream.metrics.time_to_first_text, float | None)
    assert_type(stream.metrics.attempts, int)
    assert_type(
        client.completions.create(prompt="a", stop_mode="server", on_finish=print), Completion
    )
    for event in stream.events():
        if event.type == "tool_call.done":
            assert_type(event.call.function.arguments, str)
        elif event.type == "retry":
            assert_type((event.attempt, event.wait, event.error), tuple[int, float, APIError])
        elif event.type == "restart":
            assert_type(event.keep, int)
        elif event.type == "error":
            assert_type(event.error, APIError)
    completion = stream.completion
    assert_type(completion.response_time, float | None)
    assert_type(completion.total_tokens, int | None)
    assert_type(completion.cost, float | None)
    assert_type(completion.has_tool_calls, bool)


def callbacks(client: Client) -> None:
    """Callbacks chain, and decorate without a change of what they decorate."""
    heard = Callbacks(on_text=print, errors="stop").on("finish", print)
    assert_type(heard, Callbacks)

    @heard.on_chunk
    def count(chunk: ChatCompletionChunk) -> int:
        return len(chunk.text)

    @heard.on_error(RateLimitError)
    def slow_down(error: RateLimitError) -> None:
        assert_type(error.retry_after, float | None)

    assert_type(count(ChatCompletionChunk.from_dict({})), int)
    assert_type(client.callbacks, Callbacks)
    assert_type(client.with_options(callbacks=heard, slow_after=5), Client)
    client.chat.completions.create(messages=MESSAGES, callbacks=heard)
    Client(callbacks={"on_text": print}, slow_after=10)


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
