"""What objects show of themselves, and what is shown where a client cannot be made."""

from __future__ import annotations

import pickle
import threading
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import pytest

from evoclient.auth.bearer import Bearer
from evoclient.auth.key_pair import KeyPair
from evoclient.ground import ConfigurationError
from evoclient.transports.memory import MemoryReply

from .conftest import AnyColour
from .search import ECHO, KEY, KEY_ID, SECRET, TOKEN, found, places

TOKEN_URL = "https://iam.test/token"


def answering(request: Any) -> MemoryReply:
    """Issue the token, and answer with every secret in the headers."""
    if request.url == TOKEN_URL:
        return MemoryReply.json({"access_token": TOKEN, "expires_in": 60})
    piece = {"choices": [{"index": 0, "delta": {"content": "Hi"}, "finish_reason": "stop"}]}
    return MemoryReply.stream(piece, headers={"X-Echo": ECHO, "X-Request-Id": ECHO})


def shown_by(thing: object, depth: int = 0) -> list[tuple[str, str]]:
    """Return the reprs of an object and of what its attributes hold, as debuggers show them."""
    shown = [(type(thing).__name__, repr(thing)), (type(thing).__name__, str(thing))]
    if depth < 4:
        for name, value in getattr(thing, "__dict__", {}).items():
            if type(value).__module__.startswith("evoclient"):
                shown += [(f"{type(thing).__name__}.{name}", repr(value))]
                shown += shown_by(value, depth + 1)
    return shown


def test_a_client_and_its_parts(colour: AnyColour) -> None:
    """Client, settings, stream and reply show no secret, before, during and after a call."""
    client = colour.client(
        base_url="https://api.test/v1",
        model="m",
        transport=colour.memory(answering),
        auth=KeyPair(KEY_ID, SECRET, token_url=TOKEN_URL),
        default_headers={"X-Api-Key": KEY},
        default_query={"key": KEY},
    )
    assert not found(shown_by(client))
    stream = colour.stream(client)
    assert not found([*shown_by(stream), *shown_by(client)])
    list(colour.chunks(stream))
    assert not found([*shown_by(stream), *shown_by(client), *shown_by(stream.completion)])
    assert not found([("response", pickle.dumps(stream.response).decode("latin-1"))])
    assert not found([("request id", str(stream.request_id))])
    headers = client.headers()
    assert (headers["X-Api-Key"], headers["Authorization"]) == ("***", "***")
    assert not found([("headers", repr(headers)), ("info", repr(client.current_token_info()))])
    assert not found([("threads", repr(threading.enumerate()))])


BAD: dict[str, dict[str, Any]] = {
    "a key with a line end": {"api_key": f"{KEY}\n{KEY}"},
    "a key in bytes": {"api_key": KEY.encode()},
    "half a pair": {"key_id": KEY_ID},
    "too much": {"api_key": KEY, "key_id": KEY_ID, "secret": SECRET},
    "a bad pair": {"key_id": KEY_ID, "secret": f"{SECRET}\n{SECRET}"},
    "a bad token URL": {"key_id": KEY_ID, "secret": SECRET, "token_url": "iam"},
    "a bad base URL": {"api_key": KEY, "base_url": "nothing"},
    "a key in the base URL": {
        "api_key": KEY,
        "base_url": f"https://u:{quote(KEY, safe='')}@a.test",
    },
    "a bad header": {"default_headers": {"X-Api-Key": f"{KEY}\n"}},
    "a bad query": {"default_query": {"key": [KEY]}},
    "a bad provider": {"api_key": KEY, "provider": "nobody"},
    "a bad transport": {"api_key": KEY, "transport": "nothing"},
    "a bad number": {"api_key": KEY, "default_headers": {"X-Api-Key": KEY}, "max_retries": -1},
}


@pytest.mark.parametrize("what", BAD)
def test_a_client_that_cannot_be_made(colour: AnyColour, what: str) -> None:
    """An error of the constructor shows no secret, nor do the frames that it came through."""
    with pytest.raises(ConfigurationError) as caught:
        colour.client(**{"base_url": "https://api.test/v1", **BAD[what]})
    assert not found(places(caught.value))


@pytest.mark.parametrize(
    ("variables", "options"),
    [
        ({"EVOLUTION_API_KEY": f"{KEY}\n{KEY}"}, {}),
        ({"EVOLUTION_KEY_ID": KEY_ID, "EVOLUTION_SECRET": f"{SECRET}\n{SECRET}"}, {}),
        ({"EVOLUTION_KEY_ID": KEY_ID, "EVOLUTION_SECRET": SECRET, "EVOLUTION_TOKEN_URL": "x"}, {}),
        ({"OPENROUTER_API_KEY": KEY}, {"provider": "openrouter", "base_url": "https://evil.test"}),
    ],
)
def test_what_the_environment_holds(
    colour: AnyColour,
    monkeypatch: pytest.MonkeyPatch,
    variables: dict[str, str],
    options: dict[str, Any],
) -> None:
    """A credential from the environment that cannot be used is not shown."""
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(ConfigurationError) as caught:
        colour.client(**options)
    assert not found(places(caught.value))


@pytest.mark.parametrize(
    "make",
    [
        lambda: Bearer(f"{KEY}\n{KEY}"),
        lambda: Bearer(KEY.encode()),  # type: ignore[arg-type]
        lambda: KeyPair(KEY_ID, f"{SECRET}\n{SECRET}"),
        lambda: KeyPair(KEY_ID, SECRET, token_url="iam"),
        lambda: KeyPair(KEY_ID, SECRET.encode()),  # type: ignore[arg-type]
        lambda: pickle.dumps(Bearer(KEY)),
        lambda: pickle.dumps(KeyPair(KEY_ID, SECRET)),
    ],
)
def test_auth_schemes(make: Callable[[], object]) -> None:
    """A scheme that cannot be made, or must not be pickled, shows nothing of what it was given."""
    with pytest.raises((ConfigurationError, TypeError)) as caught:
        make()
    assert not found(places(caught.value))
