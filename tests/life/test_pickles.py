"""A client that goes to another process: with its settings, never with a credential."""

from __future__ import annotations

import copy
import pickle
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import Any

import pytest

from evoclient.auth.bearer import Bearer
from evoclient.auth.key_pair import KeyPair
from evoclient.limits import Limits
from evoclient.retry import Retry
from evoclient.sync.client import Client
from evoclient.testing.server import DemoServer
from evoclient.wire import Timeouts
from tests.colours import Colour

AnyColour = Colour[Any, Any]

KEY = "planted-key-0123456789"


def again(client: Any) -> Any:
    """Send a client through pickle."""
    return pickle.loads(pickle.dumps(client))  # noqa: S301 - our own bytes


def test_a_key_of_the_environment(colour: AnyColour, monkeypatch: pytest.MonkeyPatch) -> None:
    """The key stays here, and is read anew from the environment there."""
    monkeypatch.setenv("OPENROUTER_API_KEY", KEY)
    client = colour.client(
        provider="openrouter", model="m", timeout=Timeouts(idle=3), max_retries=5, verify=False
    )
    data = pickle.dumps(client)
    assert KEY.encode() not in data
    monkeypatch.setenv("OPENROUTER_API_KEY", "another-key-0123")
    twin = pickle.loads(data)  # noqa: S301 - our own bytes
    assert type(twin) is type(client)
    assert (twin.model, twin.base_url, twin.provider) == ("m", client.base_url, client.provider)
    assert twin._settings.timeouts == Timeouts(idle=3)
    assert twin._settings.retry.attempts == 6
    assert "another-key-0123" in twin._settings.auth._headers["Authorization"]


def test_a_pair_of_the_environment(colour: AnyColour, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither half of a key pair of the environment is in the pickle."""
    monkeypatch.setenv("EVOLUTION_KEY_ID", "planted-id-0123")
    monkeypatch.setenv("EVOLUTION_SECRET", "planted-secret-0123")
    data = pickle.dumps(colour.client(model="m"))
    assert b"planted" not in data
    assert isinstance(pickle.loads(data)._settings.auth, KeyPair)  # noqa: S301 - our own bytes


def test_no_credential_at_all(colour: AnyColour) -> None:
    """A client of a server that wants no key is pickled; so is one with plain headers."""
    client = colour.client(
        base_url="http://localhost:8000/v1",
        default_headers={"X-Title": "Test", "User-Agent": None},
        default_query={"api-version": "1"},
        retry=Retry(base=0.1),
        limits=Limits(2),
        auth="none",
    )
    twin = again(client)
    assert twin.headers() == client.headers()
    assert twin._settings.limits.max_concurrent == 2
    assert twin._settings.query == {"api-version": "1"}


def test_a_copy_with_options(colour: AnyColour, monkeypatch: pytest.MonkeyPatch) -> None:
    """What `with_options` gives is pickled by the same rule, with what it changed."""
    monkeypatch.setenv("OPENROUTER_API_KEY", KEY)
    client = colour.client(model="m", max_retries=5)
    data = pickle.dumps(client.with_options(model="other"))
    assert KEY.encode() not in data
    twin = pickle.loads(data)  # noqa: S301 - our own bytes
    assert (twin.model, twin._settings.retry.attempts) == ("other", 6)
    with pytest.raises(TypeError, match="default_headers"):
        pickle.dumps(client.with_options(default_headers={"Authorization": KEY}))


REFUSED: dict[str, dict[str, Any]] = {
    "api_key": {"api_key": KEY},
    "api_key ": {"api_key": lambda: KEY},
    "key_id": {"key_id": KEY, "secret": KEY},
    "auth": {"auth": Bearer(KEY)},
    "default_headers": {"default_headers": {"X-API-Key": KEY}},
    "default_query": {"default_query": {"Key": KEY}},
    "retry": {"retry": Retry(hooks=[lambda _: None])},
}


@pytest.mark.parametrize("argument", REFUSED)
@pytest.mark.parametrize("go", [pickle.dumps, copy.copy, copy.deepcopy])
def test_refusals(colour: AnyColour, argument: str, go: Any) -> None:
    """What must not or cannot travel is named, and not shown."""
    client = colour.client(base_url="https://api.test/v1", **REFUSED[argument])
    with pytest.raises(TypeError, match=argument.strip()) as caught:
        go(client)
    assert KEY not in str(caught.value)


def test_a_transport_stays(colour: AnyColour) -> None:
    """A client with a transport object is not pickled; one with its name is."""
    with pytest.raises(TypeError, match="transport"):
        pickle.dumps(colour.client(transport=colour.memory(), model="m"))
    assert colour.create(again(colour.client(transport="memory", model="m"))).text


def _text(client: Client) -> str:
    with client:
        asked = [{"role": "user", "content": "repeat: Hi"}]
        return client.chat.completions.create(messages=asked).text


@pytest.mark.loopback
def test_another_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """A client goes to a fresh process as an argument, and works there."""
    # A fresh interpreter takes more than a second to start and to load what it needs.
    with DemoServer(pace=0, api_key=KEY) as server:
        monkeypatch.setenv("EVOCLIENT_BASE_URL", server.base_url)
        monkeypatch.setenv("EVOCLIENT_API_KEY", KEY)
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
            assert pool.submit(_text, Client(model="demo")).result(timeout=30) == "Hi"
