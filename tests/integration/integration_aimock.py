"""Both clients against aimock, whose answers stand in `aimock.json`."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from time import monotonic
from typing import Any
from uuid import uuid4

import attrs
import pytest

from evoclient.errors.tree import (
    APIConnectionError,
    APIStatusError,
    APITimeoutError,
    AuthenticationError,
    BadRequestError,
    InternalServerError,
    ModelNotFoundError,
    NotFoundError,
    OverloadedError,
    PermissionDeniedError,
    RateLimitError,
    ResponseDecodeError,
    StreamDecodeError,
    StreamInterruptedError,
    UnprocessableEntityError,
)
from evoclient.streaming.events import FinishEvent, KeepAliveEvent, UsageEvent
from evoclient.wire import Timeouts
from tests.colours import Colour
from tests.integration.serving import Server
from tests.integration.tap import Tap

AnyColour = Colour[Any, Any]

GREETING = "Привет, 世界 😀! one two three"
KEY = "good-key"


@attrs.frozen
class Caller:
    """One test's way to aimock, which keeps count for each caller.

    Attributes:
        colour: The colour.
        server: The server.
        name: What aimock knows this caller by.
        opened: The clients made, to be closed.
    """

    colour: AnyColour
    server: Server
    name: str
    opened: list[Any]

    def client(self, **options: Any) -> Any:
        """Return a client that tries once."""
        settings = {
            "base_url": self.server.base_url,
            "api_key": KEY,
            "model": "gpt-4o",
            "max_retries": 0,
            "default_headers": {"X-Test-Id": self.name},
            **options,
        }
        client = self.colour.client(**settings)
        self.opened.append(client)
        return client

    def create(self, text: str, *, client: Any = None, **options: Any) -> Any:
        """Ask for the whole answer to a text."""
        return self.colour.create(client or self.client(), **said(text), **options)

    def stream(self, text: str, *, client: Any = None, **options: Any) -> Any:
        """Ask for a stream that answers a text."""
        return self.colour.stream(client or self.client(), **said(text), **options)

    def seen(self) -> list[dict[str, Any]]:
        """Return what aimock noted of this caller's requests, in order."""
        path = f"/__aimock/journal?testId={self.name}"
        status, body = self.server.get(path, {"Authorization": f"Bearer {KEY}"})
        assert status == 200
        entries: list[dict[str, Any]] = json.loads(body)
        return entries


@pytest.fixture
def caller(colour: AnyColour, aimock: Server) -> Iterator[Caller]:
    """Give a way to aimock that no other test has used."""
    caller = Caller(colour, aimock, f"test-{uuid4().hex}", [])
    yield caller
    for client in caller.opened:
        colour.close(client)


def said(text: str) -> dict[str, Any]:
    """Return the messages that aimock looks its answer up by."""
    return {"messages": [{"role": "user", "content": text}]}


def known(record: Any) -> Any:
    """Return what a record says, without nulls: aimock's streams leave out what is null."""
    raw = record if isinstance(record, dict) else record.to_dict()
    return {
        name: known(value) if isinstance(value, dict) else value
        for name, value in raw.items()
        if value is not None
    }


def test_a_whole_answer(caller: Caller) -> None:
    """A whole answer has its text, usage, finish reason and the server's name for the request."""
    completion = caller.create("greet")
    assert completion.text == GREETING
    assert completion.finish_reason == "stop"
    assert (completion.model, completion.system_fingerprint) == ("gpt-4o", "fp_1")
    assert completion.usage.total_tokens == 12
    assert completion.response.status_code == 200
    assert completion.response.request_id.startswith("req-")


@pytest.mark.parametrize("text", ["greet", "weather", "nothing", "too long", "filtered"])
def test_whole_and_streamed_agree(caller: Caller, text: str) -> None:
    """A stream's completion is what the same request answers without streaming."""
    whole = caller.create(text)
    stream = caller.stream(text, usage=True)
    pieces = list(caller.colour.chunks(stream))
    assert "".join(piece.text for piece in pieces) == whole.text
    assert stream.finish_reason == whole.finish_reason
    assert stream.outcome == "complete"
    assert stream.completion.text == whole.text
    assert stream.completion.usage == whole.usage
    assert [known(choice) for choice in stream.completion.choices] == [
        known(choice) for choice in whole.choices
    ]


def test_a_character_in_two_halves(caller: Caller) -> None:
    """An emoji that aimock cuts into two halves of a surrogate pair comes out whole."""
    pieces = caller.colour.text(caller.stream("greet"))
    assert len(pieces) > 4
    assert "".join(pieces) == GREETING
    # Each piece for itself can be printed and written.
    assert b"".join(piece.encode() for piece in pieces) == GREETING.encode()


def test_usage_only_if_asked_for(caller: Caller) -> None:
    """A stream has no usage chunk unless asked for one, and its body no option for it."""
    stream = caller.stream("greet")
    assert all(chunk.choices for chunk in caller.colour.chunks(stream))
    assert (stream.usage, stream.outcome) == (None, "complete")
    asked = caller.stream("greet", usage=True)
    events = caller.colour.events(asked)
    assert [event.usage.total_tokens for event in events if isinstance(event, UsageEvent)] == [12]
    plain, with_usage = (entry["body"] for entry in caller.seen())
    assert "stream_options" not in plain
    assert with_usage["stream_options"] == {"include_usage": True}


def test_reasoning(caller: Caller) -> None:
    """Reasoning is told apart from the text, whole and streamed."""
    whole = caller.create("think")
    stream = caller.stream("think")
    list(caller.colour.chunks(stream))
    for completion in (whole, stream.completion):
        assert (completion.reasoning, completion.text) == ("Six times seven.", "42")


def test_tool_calls_and_their_answers(caller: Caller) -> None:
    """Streamed arguments come together, and the answers to the calls can go back."""
    stream = caller.stream("weather", tools=[tool("get_weather"), tool("get_time")])
    pieces = [
        call.function.arguments
        for chunk in caller.colour.chunks(stream)
        for choice in chunk.choices
        for call in choice.delta.tool_calls or ()
    ]
    assert len(pieces) > 5
    calls = stream.completion.tool_calls
    assert [(call.id, call.function.name) for call in calls] == [
        ("call_a", "get_weather"),
        ("call_b", "get_time"),
    ]
    assert json.loads(calls[0].function.arguments) == {"city": "Москва", "days": [1, 2, 3]}
    assert calls[1].function.arguments == "{}"
    assert (stream.finish_reason, stream.finish, stream.outcome) == (
        "tool_calls",
        "tool_calls",
        "complete",
    )
    answers = [{"role": "tool", "tool_call_id": call.id, "content": "snow"} for call in calls]
    history = [*said("weather")["messages"], stream.completion.choices[0].message, *answers]
    assert caller.colour.create(caller.client(), messages=history).text == "It snows."
    sent = caller.seen()[-1]["body"]["messages"]
    assert [call["id"] for call in sent[1]["tool_calls"]] == ["call_a", "call_b"]


def tool(name: str) -> dict[str, Any]:
    """Return the description of a tool that takes anything."""
    return {"type": "function", "function": {"name": name, "parameters": {"type": "object"}}}


def test_a_call_before_the_text(caller: Caller) -> None:
    """A stream with a tool call first and text after it has both."""
    stream = caller.stream("blocks")
    list(caller.colour.chunks(stream))
    completion = stream.completion
    assert completion.text == "Looking."
    assert [call.function.arguments for call in completion.tool_calls] == ['{"at":"this"}']
    assert stream.finish_reason == "tool_calls"


def test_what_is_sent(caller: Caller) -> None:
    """The body goes out as given, unknown fields, `stop` and `n` included."""
    options = {"stop": ["two"], "n": 2, "temperature": 0, "made_up": {"a": [1]}}
    caller.create("greet", **options)
    (entry,) = caller.seen()
    # aimock adds fields of its own, which begin with an underscore.
    sent = {name: value for name, value in entry["body"].items() if name[0] != "_"}
    assert sent == {"model": "gpt-4o", **said("greet"), **options}
    assert entry["headers"]["content-type"] == "application/json"
    assert entry["headers"]["idempotency-key"]


STATUSES: list[tuple[int, type[APIStatusError], str]] = [
    (400, BadRequestError, "This is bad"),
    (401, AuthenticationError, "Who are you"),
    (403, PermissionDeniedError, "Not for you"),
    (404, ModelNotFoundError, "does not exist"),
    (422, UnprocessableEntityError, "Cannot be done"),
    (429, RateLimitError, "Slow down"),
    (500, InternalServerError, "It broke"),
    (503, OverloadedError, "We are overloaded"),
]


@pytest.mark.parametrize("ask", [Caller.create, Caller.stream], ids=["whole", "streamed"])
@pytest.mark.parametrize(
    ("status", "error", "words"), STATUSES, ids=[str(row[0]) for row in STATUSES]
)
def test_error_statuses(
    caller: Caller,
    ask: Callable[..., Any],
    status: int,
    error: type[APIStatusError],
    words: str,
) -> None:
    """An error status is the error of its name, with the server's words and request id."""
    with pytest.raises(error, match=words) as caught:
        ask(caller, f"status {status}")
    assert type(caught.value) is error
    assert caught.value.status_code == status
    assert (caught.value.request_id or "").startswith("req-")
    assert caught.value.retryable == (status in (429, 500, 503))
    assert len(caller.seen()) == 1


def test_retry_after(caller: Caller) -> None:
    """What a 429 says about waiting is on the error."""
    with pytest.raises(RateLimitError) as caught:
        caller.create("status 429")
    assert caught.value.retry_after == 1
    assert caught.value.code == "rate_limit_exceeded"
    assert caught.value.response is not None
    assert caught.value.response.headers["x-ratelimit-limit-requests"] == "60"


@pytest.mark.parametrize("ask", [Caller.create, Caller.stream], ids=["whole", "streamed"])
def test_a_second_try(caller: Caller, ask: Callable[..., Any]) -> None:
    """A 503 is tried again, under the same idempotency key."""
    client = caller.client(max_retries=2, retry_delay=0.01)
    answer = ask(caller, "at second try", client=client)
    if ask is Caller.stream:
        list(caller.colour.chunks(answer))
        answer = answer.completion
    assert answer.text == "Now."
    first, second = caller.seen()
    assert (first["response"]["status"], second["response"]["status"]) == (503, 200)
    assert first["headers"]["idempotency-key"] == second["headers"]["idempotency-key"]


def test_retries_come_to_an_end(caller: Caller) -> None:
    """A server that keeps failing is asked three times, and the error tells of the earlier two."""
    client = caller.client(max_retries=2, retry_delay=0.01)
    with pytest.raises(InternalServerError) as caught:
        caller.create("dropped", client=client)
    assert len(caught.value.attempts) == 2
    assert len(caller.seen()) == 3


def test_a_wrong_key(caller: Caller) -> None:
    """A key that aimock refuses is an AuthenticationError that does not show it."""
    with pytest.raises(AuthenticationError) as caught:
        caller.create("greet", client=caller.client(api_key="wrong-key-123456"))
    assert caught.value.status_code == 401
    assert caught.value.code == "invalid_api_key"
    assert "wrong-key-123456" not in str(caught.value)


def test_a_wrong_path(caller: Caller) -> None:
    """A base URL that leads nowhere is a 404 that names the URL tried."""
    client = caller.client(base_url=f"{caller.server.root}/v1/nowhere")
    with pytest.raises(NotFoundError, match="/v1/nowhere/chat/completions") as caught:
        caller.create("greet", client=client)
    assert caught.value.status_code == 404


def test_no_answer_for_this(caller: Caller) -> None:
    """A 404 about something else than the path shows aimock's words and code."""
    with pytest.raises(NotFoundError, match="No fixture matched") as caught:
        caller.create("what nobody foresaw")
    assert caught.value.code == "no_fixture_match"


def test_a_truncated_stream(caller: Caller) -> None:
    """A stream that aimock cuts raises, and the error has the text that had come."""
    stream = caller.stream("truncated")
    pieces: list[str] = []
    with pytest.raises(StreamInterruptedError) as caught:
        pieces.extend(chunk.text for chunk in caller.colour.chunks(stream))
    assert stream.outcome == "truncated"
    assert caught.value.partial_text == "".join(pieces)
    assert "abcdefgh".startswith(caught.value.partial_text)
    assert caught.value.partial_text
    assert caught.value.status_code is None
    assert len(caller.seen()) == 1


def test_an_answer_that_is_no_json(caller: Caller) -> None:
    """A whole answer that cannot be read is a ResponseDecodeError."""
    with pytest.raises(ResponseDecodeError):
        caller.create("malformed")


def test_a_stream_that_is_no_stream(caller: Caller) -> None:
    """A reply to a streamed request that is neither a stream nor JSON is a decode error."""
    with pytest.raises((ResponseDecodeError, StreamDecodeError)):
        list(caller.colour.chunks(caller.stream("malformed")))


@pytest.mark.parametrize("ask", [Caller.create, Caller.stream], ids=["whole", "streamed"])
def test_a_connection_that_is_dropped(caller: Caller, ask: Callable[..., Any]) -> None:
    """A connection closed without an answer is a connection error."""
    with pytest.raises(APIConnectionError):
        ask(caller, "disconnected")


def test_pieces_are_handed_on_as_they_arrive(caller: Caller) -> None:
    """The first chunk is in the reader's hands long before the last one is sent."""
    arrivals = [monotonic() for _ in caller.colour.chunks(caller.stream("slow"))]
    # Ten chunks, 50 milliseconds between each: all at once would take no time at all.
    assert arrivals[-1] - arrivals[0] > 0.3


def test_a_stall_is_left(caller: Caller) -> None:
    """A stream that falls silent in the middle is left after `idle`, with the text that came."""
    stream = caller.stream("stalls", client=caller.client(timeout=Timeouts(idle=0.3)))
    began = monotonic()
    with pytest.raises(APITimeoutError) as caught:
        list(caller.colour.chunks(stream))
    assert monotonic() - began < 2
    assert (caught.value.limit, caught.value.partial_text) == ("idle", "ab")


def test_silence_from_the_start_is_left(caller: Caller) -> None:
    """A stream whose first line does not come is left after `first_chunk`."""
    client = caller.client(timeout=Timeouts(first_chunk=0.3))
    began = monotonic()
    with pytest.raises(APITimeoutError) as caught:
        list(caller.colour.chunks(caller.stream("silent", client=client)))
    assert monotonic() - began < 2
    assert caught.value.limit == "first_chunk"


def test_connections_are_used_again(caller: Caller) -> None:
    """Streams, whole answers and errors, one after another, share one connection."""
    with Tap(caller.server.host, caller.server.port) as tap:
        client = caller.client(base_url=tap.base_url)
        for _ in range(10):
            stream = caller.stream("greet", client=client, usage=True)
            assert "".join(caller.colour.text(stream)) == GREETING
            assert caller.create("greet", client=client).text == GREETING
            with pytest.raises(BadRequestError):
                caller.create("status 400", client=client)
        assert tap.connections == 1
        caller.colour.close(client)
        assert tap.wait_until(lambda: tap.open == 0)


def test_leaving_early(caller: Caller) -> None:
    """A reader that leaves its loop closes the connection, and the client goes on."""
    with Tap(caller.server.host, caller.server.port) as tap:
        client = caller.client(base_url=tap.base_url)
        stream = caller.stream("slow", client=client)
        assert len(caller.colour.first(stream, 3)) == 3
        assert tap.wait_until(lambda: tap.open == 0)
        assert (stream.outcome, stream.completion.text) == ("cancelled", "ab")
        assert caller.create("greet", client=client).text == GREETING
        caller.colour.close(client)


def test_cancel_while_blocked(caller: Caller) -> None:
    """A stream cancelled from elsewhere ends its blocked reader, and the connection with it."""
    with Tap(caller.server.host, caller.server.port) as tap:
        client = caller.client(base_url=tap.base_url)
        stream = caller.stream("stalls", client=client)
        began = monotonic()
        texts = caller.colour.beside(lambda: caller.colour.text(stream), stream.cancel, after=0.3)
        assert monotonic() - began < 3
        assert (texts, stream.outcome) == (["a", "b"], "cancelled")
        assert tap.wait_until(lambda: tap.open == 0)
        caller.colour.close(client)


def router(caller: Caller) -> Any:
    """Return a client of aimock where it plays OpenRouter."""
    return caller.client(
        provider="openrouter", base_url=f"{caller.server.root}/api/v1", model="openai/gpt-4o"
    )


def test_as_openrouter(caller: Caller) -> None:
    """Where aimock plays OpenRouter, comments, provider, cost and native reason are understood."""
    client = router(caller)
    whole = caller.create("routed", client=client)
    events = caller.colour.events(stream := caller.stream("routed", client=client))
    assert isinstance(events[0], KeepAliveEvent)
    assert [event.finish_reason for event in events if isinstance(event, FinishEvent)] == ["stop"]
    for completion in (whole, stream.completion):
        assert (completion.text, completion.provider) == ("By the router.", "Acme")
        assert completion.usage.cost == 0.0021
        assert completion.choices[0].native_finish_reason == "stop"
    assert stream.outcome == "complete"


def test_an_error_of_openrouter(caller: Caller) -> None:
    """OpenRouter's errors, whose code is the status as a number, are understood."""
    with pytest.raises(RateLimitError, match="Slow down") as caught:
        caller.create("status 429", client=router(caller))
    assert caught.value.status_code == 429
    assert caught.value.provider == "openrouter"
