"""What editors and type checkers know of the public face. Checked, never run."""

from __future__ import annotations

from typing import assert_type

from evoclient import (
    AsyncClient,
    AsyncStream,
    ChatCompletion,
    ChatCompletionChunk,
    Client,
    Finish,
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


def errors(error: StreamInterruptedError) -> None:
    """An error has its parts typed."""
    assert_type(error.partial, ChatCompletion | None)
    assert_type(error.partial_text, str)
    assert_type(error.status_code, int | None)
