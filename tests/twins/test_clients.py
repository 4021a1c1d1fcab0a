"""What a client sends, and what it refuses to send, in both colours."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from time import monotonic
from typing import Any

import pytest

from evoclient.errors.tree import (
    APIConnectionError,
    APIStatusError,
    APITimeoutError,
    RateLimitError,
)
from evoclient.ground import NOT_GIVEN, ConfigurationError
from evoclient.retry import Retry
from evoclient.transports.memory import MemoryReply
from evoclient.wire import Timeouts
from tests.colours import Colour
from tests.twins.scripts import failing, refusing, streamed, whole

AnyColour = Colour[Any, Any]


def asked(colour: AnyColour, client_options: dict[str, Any] | None = None, **options: Any) -> Any:
    """Return the request that a call sends."""
    transport = colour.memory([whole()])
    client = colour.client(**{"transport": transport, "model": "m", **(client_options or {})})
    colour.create(client, **options)
    return transport.requests[0]


def test_the_body(colour: AnyColour) -> None:
    """The body is what was given: unknown keywords as they are, what was not given left out."""
    request = asked(colour, temperature=0, top_k=5, seed=NOT_GIVEN, stop=None, extra_body={"x": 1})
    assert json.loads(request.body) == {
        "model": "m",
        "messages": [{"role": "user", "content": "Hello"}],
        "temperature": 0,
        "top_k": 5,
        "stop": None,
        "x": 1,
    }


def test_a_stream_asks_for_usage_only_if_told(colour: AnyColour) -> None:
    """`stream_options` is sent for ``usage=True``, and not otherwise."""
    transport = colour.memory([streamed("a"), streamed("a")])
    client = colour.client(transport=transport, model="m")
    for usage in (False, True):
        list(colour.chunks(colour.stream(client, usage=usage)))
    plain, counted = (json.loads(request.body) for request in transport.requests)
    assert "stream_options" not in plain
    assert counted["stream_options"] == {"include_usage": True}
    assert "usage" not in counted


def test_the_headers(colour: AnyColour) -> None:
    """Each layer of headers wins over the one before, and None takes a header away."""
    request = asked(
        colour,
        {
            "api_key": " secret-key\n",
            "default_headers": {"X-One": "1", "user-agent": "mine", "X-Two": "2"},
        },
        extra_headers={"x-two": None, "X-Three": "3"},
    )
    headers = dict(request.headers)
    assert headers["authorization"] == "Bearer secret-key"
    assert (headers["x-one"], headers["x-three"], headers["user-agent"]) == ("1", "3", "mine")
    assert "x-two" not in headers
    assert (headers["accept"], headers["accept-encoding"]) == ("application/json", "identity")
    assert "secret-key" not in repr(request)


def test_the_query(colour: AnyColour) -> None:
    """Query parameters of the client and of the call are sent together."""
    request = asked(
        colour,
        {"base_url": "https://h.test/v1/", "default_query": {"api-version": "1"}},
        extra_query={"debug": True},
    )
    assert request.url == "https://h.test/v1/chat/completions?api-version=1&debug=true"


def test_one_idempotency_key_per_call(colour: AnyColour) -> None:
    """All attempts of one call bear the same fresh UUID4; another call bears another."""
    transport = colour.memory([refusing(503), whole(), whole()])
    client = colour.client(transport=transport, model="m", retry_delay=0)
    colour.create(client)
    colour.create(client)
    first, second, third = (request.headers["idempotency-key"] for request in transport.requests)
    assert first == second != third
    assert uuid.UUID(first).version == 4


def test_a_key_from_a_function(colour: AnyColour) -> None:
    """A function that gives the key is asked before each attempt."""
    keys = iter(["key-one", "key-two"])
    transport = colour.memory([refusing(503), whole()])
    client = colour.client(
        transport=transport, model="m", retry_delay=0, api_key=lambda: next(keys)
    )
    colour.create(client)
    sent = [request.headers["authorization"] for request in transport.requests]
    assert sent == ["Bearer key-one", "Bearer key-two"]


def test_a_bad_key_from_a_function(colour: AnyColour) -> None:
    """A key that may not be sent is refused, without being shown."""
    client = colour.client(transport="memory", model="m", api_key=lambda: "se\ncret")
    with pytest.raises(ConfigurationError, match="api_key") as caught:
        colour.create(client)
    assert "cret" not in str(caught.value)


BAD_CALLS: list[tuple[str, dict[str, Any]]] = [
    ("messages", {"messages": []}),
    ("messages", {"messages": "Hello"}),
    ("messages", {"messages": ["Hello"]}),
    ("model", {"model": ""}),
    ("timeout", {"timeout": -1}),
    ("timeout", {"timeout": "1"}),
    ("extra_headers", {"extra_headers": {"X-Bad": "a\r\nb"}}),
    ("extra_headers", {"extra_headers": {"X Bad": "a"}}),
    ("incomplete", {"incomplete": "maybe"}),
]


@pytest.mark.parametrize(("argument", "options"), BAD_CALLS)
def test_bad_arguments(colour: AnyColour, argument: str, options: dict[str, Any]) -> None:
    """A bad argument fails before any request, and is named."""
    transport = colour.memory()
    client = colour.client(transport=transport, model="m")
    for ask in (colour.create, colour.stream):
        with pytest.raises(ConfigurationError) as caught:
            ask(client, **options)
        assert caught.value.argument == argument
        assert argument in str(caught.value)
    assert transport.requests == []


def test_no_model(colour: AnyColour) -> None:
    """Where no model is named, nothing is sent and the error says how to name one."""
    client = colour.client(transport="memory")
    with pytest.raises(ConfigurationError, match="EVOCLIENT_MODEL"):
        colour.create(client)


BAD_CLIENTS: list[tuple[str, dict[str, Any]]] = [
    ("base_url", {"base_url": "localhost:8000"}),
    ("base_url", {"base_url": "ftp://h.test"}),
    ("provider", {"provider": "nobody"}),
    ("provider", {}),
    ("transport", {"base_url": "http://h.test", "transport": "carrier pigeon"}),
    ("transport", {"base_url": "http://h.test", "transport": object()}),
    ("default_headers", {"base_url": "http://h.test", "default_headers": {"X": "a\nb"}}),
    ("max_retries", {"base_url": "http://h.test", "max_retries": -1}),
    ("timeout", {"base_url": "http://h.test", "timeout": 0}),
    ("max_event_bytes", {"base_url": "http://h.test", "max_event_bytes": 0}),
    ("api_key", {"base_url": "http://h.test", "api_key": "\u043a\u043b\u044e\u0447"}),
]


@pytest.mark.parametrize(("argument", "options"), BAD_CLIENTS)
def test_bad_settings(colour: AnyColour, argument: str, options: dict[str, Any]) -> None:
    """A bad setting fails when the client is made, and is named."""
    with pytest.raises(ConfigurationError) as caught:
        colour.client(**options)
    assert caught.value.argument == argument


def test_a_transport_of_the_other_colour(colour: AnyColour) -> None:
    """A transport of the other colour is refused by name and as an object."""
    other = {"sync": "aiohttp", "aio": "requests"}[colour.name]
    with pytest.raises(ConfigurationError, match="transport"):
        colour.client(base_url="http://h.test", transport=other)


def test_the_hint_is_honoured(colour: AnyColour) -> None:
    """A server that says how long to wait is obeyed, whatever the policy computes."""
    waits: list[float] = []
    retry = Retry(base=30, hooks=[lambda state: waits.append(state.wait)])
    transport = colour.memory([refusing(429, headers={"retry-after-ms": "20"}), whole()])
    colour.create(colour.client(transport=transport, model="m", retry=retry))
    assert waits == [0.02]


def test_too_long_a_hint(colour: AnyColour) -> None:
    """Told to wait longer than a minute, the call fails at once and says how long."""
    transport = colour.memory([refusing(429, headers={"retry-after": "3600"})])
    client = colour.client(transport=transport, model="m")
    with pytest.raises(RateLimitError) as caught:
        colour.create(client)
    assert caught.value.retry_after == 3600


def test_total_covers_attempts_and_waits(colour: AnyColour) -> None:
    """No retry is begun that the total limit would cut off."""
    retry = Retry(base=30, cap=30)
    client = colour.client(transport=colour.memory([failing(), whole()]), model="m", retry=retry)
    began = monotonic()
    with pytest.raises(APIConnectionError, match="refused"):
        colour.create(client, timeout=Timeouts(total=1))
    assert monotonic() - began < 1


def test_total_cuts_a_silent_server(colour: AnyColour) -> None:
    """The total limit ends an attempt that goes on too long, and is not tried again."""
    transport = colour.memory([MemoryReply(pause_before=30), whole()])
    client = colour.client(transport=transport, model="m", timeout=Timeouts(total=0.05))
    with pytest.raises(APITimeoutError) as caught:
        colour.create(client)
    assert caught.value.limit == "total"
    assert len(transport.requests) == 1


def test_a_hook_that_raises(colour: AnyColour, caplog: pytest.LogCaptureFixture) -> None:
    """A hook that raises is logged, and the call goes on."""

    def broken(state: object) -> None:
        raise RuntimeError("hook")

    transport = colour.memory([refusing(503), whole("Hi")])
    client = colour.client(transport=transport, model="m", retry=Retry(base=0, hooks=[broken]))
    assert colour.create(client).text == "Hi"
    assert "hook" in caplog.text


def test_secrets_are_masked_where_a_server_echoes_them(
    colour: AnyColour, caplog: pytest.LogCaptureFixture
) -> None:
    """A key that the server echoes shows in no part of the error, and in no log record."""
    key = "planted-key-0123456789"

    def echo(request: Any) -> MemoryReply:
        sent = request.headers["authorization"]
        return MemoryReply.json(
            {"error": {"message": f"bad {sent}"}}, status=503, headers={"x-echo": sent}
        )

    caplog.set_level("DEBUG")
    client = colour.client(transport=colour.memory(echo), model="m", retry_delay=0, api_key=key)
    with pytest.raises(APIStatusError, match="503") as caught:
        colour.create(client)
    error = caught.value
    assert error.response is not None
    shown = [str(error), repr(error), repr(vars(error)), caplog.text, repr(client)]
    shown += [
        repr(error.response),
        repr(error.response.content),
        repr(error.response.headers.pairs),
    ]
    assert all(key not in text for text in shown)


@pytest.mark.parametrize("make", [lambda: 1, lambda: None, lambda: b"key"])
def test_a_function_that_gives_no_string(colour: AnyColour, make: Callable[[], Any]) -> None:
    """A function that gives something else than a string is named as the fault."""
    client = colour.client(transport="memory", model="m", api_key=make)
    with pytest.raises(ConfigurationError, match="must be a string"):
        colour.create(client)
