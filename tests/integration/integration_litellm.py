"""Both clients against a LiteLLM proxy, whose models stand in `litellm.yaml`."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from evoclient.errors.tree import (
    APIStatusError,
    AuthenticationError,
    BadRequestError,
    ContextLengthExceededError,
    InternalServerError,
    ModelNotFoundError,
    NotFoundError,
    OverloadedError,
    RateLimitError,
    StreamProviderError,
)
from tests.colours import Colour
from tests.integration.serving import Server
from tests.integration.tap import Tap

AnyColour = Colour[Any, Any]

GREETING = "Привет, 世界 😀! one two three"


@pytest.fixture
def make(colour: AnyColour, litellm: Server) -> Iterator[Callable[..., Any]]:
    """Give what makes clients of the proxy, and close them at the end."""
    made = []

    def client(**options: Any) -> Any:
        settings = {"base_url": litellm.base_url, "api_key": "sk-good-key", "model": "greet"}
        made.append(colour.client(**{**settings, "max_retries": 0, **options}))
        return made[-1]

    yield client
    for each in made:
        colour.close(each)


def test_a_whole_answer(colour: AnyColour, make: Callable[..., Any]) -> None:
    """A whole answer has its text, finish reason, usage and headers."""
    completion = colour.create(make())
    assert (completion.text, completion.finish_reason) == (GREETING, "stop")
    assert completion.model == "greet"
    assert completion.usage is not None
    assert completion.usage.total_tokens
    assert completion.response is not None
    assert completion.response.headers["x-litellm-call-id"]


def test_whole_and_streamed_agree(colour: AnyColour, make: Callable[..., Any]) -> None:
    """A stream's pieces are the whole answer, and it is complete."""
    client = make()
    whole = colour.create(client)
    stream = colour.stream(client)
    pieces = colour.text(stream)
    assert len(pieces) > 5
    assert "".join(pieces) == stream.completion.text == whole.text
    assert (stream.finish_reason, stream.outcome) == ("stop", "complete")
    assert (stream.completion.model, stream.usage) == (whole.model, None)


def test_usage_beside_an_empty_choice(colour: AnyColour, make: Callable[..., Any]) -> None:
    """The usage chunk, which comes with a choice that says nothing, changes no choice."""
    stream = colour.stream(make(), usage=True)
    assert "".join(colour.text(stream)) == GREETING
    assert (stream.finish_reason, stream.outcome) == ("stop", "complete")
    usage = stream.usage
    assert usage.total_tokens == usage.prompt_tokens + usage.completion_tokens > 0
    assert len(stream.completion.choices) == 1


def test_two_choices(colour: AnyColour, make: Callable[..., Any]) -> None:
    """Two choices are two texts, whole and streamed."""
    client = make()
    whole = colour.create(client, n=2)
    assert [choice.message.content for choice in whole.choices] == [GREETING, GREETING]
    stream = colour.stream(client, n=2)
    list(colour.chunks(stream))
    choices = stream.completion.choices
    assert [(choice.index, choice.message.content) for choice in choices] == [
        (0, GREETING),
        (1, GREETING),
    ]
    # LiteLLM gives a finish reason to the first choice only, and then [DONE].
    assert [choice.finish_reason for choice in choices] == ["stop", None]
    assert stream.outcome == "unconfirmed"


def test_tool_calls(colour: AnyColour, make: Callable[..., Any]) -> None:
    """A call beside a text is read, although the finish reason does not tell of it."""
    completion = colour.create(make(model="tools"))
    assert (completion.text, completion.finish_reason) == ("Looking.", "stop")
    (call,) = completion.tool_calls
    assert (call.id, call.function.name) == ("call_a", "get_weather")
    assert json.loads(call.function.arguments) == {"city": "Москва"}


STATUSES: list[tuple[str, int, type[APIStatusError], str]] = [
    ("limited", 429, RateLimitError, "mock rate limit error"),
    ("broken", 500, InternalServerError, "mock internal server error"),
    ("overloaded", 529, OverloadedError, "mock error"),
    ("narrow", 400, ContextLengthExceededError, "context window exceeded"),
]


@pytest.mark.parametrize("streamed", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize(
    ("model", "status", "error", "words"), STATUSES, ids=[row[0] for row in STATUSES]
)
def test_error_statuses(
    colour: AnyColour,
    make: Callable[..., Any],
    streamed: bool,
    model: str,
    status: int,
    error: type[APIStatusError],
    words: str,
) -> None:
    """An error is the one of its name, with the server's words."""
    client = make(model=model)
    with pytest.raises(error, match=words) as caught:
        colour.stream(client) if streamed else colour.create(client)
    assert type(caught.value) is error
    assert caught.value.status_code == status
    assert caught.value.retryable == (status != 400)


def test_a_model_that_is_not_there(colour: AnyColour, make: Callable[..., Any]) -> None:
    """A model that the proxy does not know is an error that names it."""
    with pytest.raises((BadRequestError, ModelNotFoundError), match="model=made-up"):
        colour.create(make(model="made-up"))


def test_a_wrong_key(colour: AnyColour, make: Callable[..., Any]) -> None:
    """A key other than the master key is refused, and the error does not show it."""
    # Without a database LiteLLM cannot look keys up: it answers 400 "No connected db.", not 401.
    with pytest.raises(APIStatusError) as caught:
        colour.create(make(api_key="sk-wrong-key-123456"))
    assert caught.value.status_code in (400, 401)
    assert not caught.value.retryable
    assert "sk-wrong-key-123456" not in f"{caught.value} {caught.value!r}"


def test_a_wrong_path(colour: AnyColour, make: Callable[..., Any], litellm: Server) -> None:
    """A base URL that leads nowhere is a 404 that names the URL tried."""
    with pytest.raises(NotFoundError, match="/nowhere/chat/completions") as caught:
        colour.create(make(base_url=f"{litellm.root}/nowhere"))
    assert type(caught.value) is NotFoundError


def test_without_v1(colour: AnyColour, make: Callable[..., Any], litellm: Server) -> None:
    """The base URL may lack `/v1`."""
    assert colour.create(make(base_url=litellm.root)).text == GREETING


def test_stop_is_passed_on(colour: AnyColour, make: Callable[..., Any]) -> None:
    """The proxy takes `stop` in both of its forms."""
    client = make()
    for stop in ("two", ["two", "three"]):
        assert colour.create(client, stop=stop).finish_reason == "stop"


def test_connections_are_used_again(
    colour: AnyColour, make: Callable[..., Any], litellm: Server
) -> None:
    """Streams, whole answers and errors, one after another, share one connection."""
    with Tap(litellm.host, litellm.port) as tap:
        client = make(base_url=tap.base_url)
        for _ in range(5):
            assert "".join(colour.text(colour.stream(client, usage=True))) == GREETING
            assert colour.create(client).text == GREETING
            with pytest.raises(BadRequestError):
                colour.create(client, model="narrow")
        assert tap.connections == 1
        colour.close(client)
        assert tap.wait_until(lambda: tap.open == 0)


def test_leaving_early(colour: AnyColour, make: Callable[..., Any], litellm: Server) -> None:
    """A reader that leaves its loop closes the connection, and the client goes on."""
    with Tap(litellm.host, litellm.port) as tap:
        client = make(base_url=tap.base_url)
        stream = colour.stream(client)
        assert len(colour.first(stream, 2)) == 2
        assert stream.outcome == "cancelled"
        assert GREETING.startswith(stream.completion.text)
        assert colour.create(client).text == GREETING
        colour.close(client)
        assert tap.wait_until(lambda: tap.open == 0)


@pytest.fixture
def through(colour: AnyColour, make: Callable[..., Any], aimock: Server) -> Callable[..., Any]:
    """Give what asks, for a stream, the model behind which aimock stands."""

    def stream(text: str, *, model: str = "through", **options: Any) -> Any:
        messages = [{"role": "user", "content": text}]
        return colour.stream(make(model=model), messages=messages, **options)

    return stream


def test_streamed_tool_calls(colour: AnyColour, through: Callable[..., Any]) -> None:
    """Streamed arguments come together, although each delta says again of what type the call is."""
    stream = through("weather")
    deltas = [
        call
        for chunk in colour.chunks(stream)
        for choice in chunk.choices
        for call in choice.delta.tool_calls or ()
    ]
    assert len(deltas) > 5
    assert [(call.id, call.type, call.function.name) for call in stream.completion.tool_calls] == [
        ("call_a", "function", "get_weather"),
        ("call_b", "function", "get_time"),
    ]
    arguments = [json.loads(call.function.arguments) for call in stream.completion.tool_calls]
    assert arguments == [{"city": "Москва", "days": [1, 2, 3]}, {}]
    assert (stream.finish_reason, stream.outcome) == ("tool_calls", "complete")


def test_streamed_reasoning(colour: AnyColour, through: Callable[..., Any]) -> None:
    """Reasoning that comes through the proxy is told apart from the text."""
    stream = through("think")
    assert "".join(colour.text(stream)) == "42"
    assert stream.completion.reasoning == "Six times seven."


def test_an_error_inside_the_stream(colour: AnyColour, through: Callable[..., Any]) -> None:
    """A server that breaks down behind the proxy is an error with the text that had come."""
    stream = through("truncated")
    pieces: list[str] = []
    with pytest.raises(StreamProviderError, match="not completed") as caught:
        pieces.extend(chunk.text for chunk in colour.chunks(stream))
    assert caught.value.partial_text == "".join(pieces)
    assert caught.value.partial_text
    assert caught.value.status_code is None
    assert caught.value.code == "500"
    assert caught.value.retryable
    assert stream.outcome == "failed"


def test_the_proxy_has_a_wrong_key(through: Callable[..., Any]) -> None:
    """A 401 from behind the proxy is an AuthenticationError."""
    with pytest.raises(AuthenticationError, match="Invalid API key") as caught:
        through("greet", model="locked")
    assert caught.value.status_code == 401


def test_the_request_id_behind_the_proxy(through: Callable[..., Any]) -> None:
    """The name that the server behind the proxy gave the request is on the error."""
    with pytest.raises(RateLimitError, match="Slow down") as caught:
        through("status 429")
    assert (caught.value.request_id or "").startswith("req-")
