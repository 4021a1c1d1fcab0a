"""A credential that goes over plain HTTP to another machine: one warning, and nothing shown."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from evoclient.auth.key_pair import KeyPair
from tests.colours import Colour

AnyColour = Colour[Any, Any]

KEY = "planted-key-0123456789"
FAR = "http://llm.example/v1"
TOKEN_URL = "http://iam.example/token"


def pair() -> KeyPair:
    """Return a pair whose secret goes where everybody can read it."""
    return KeyPair("planted-id-0123", "planted-secret-0123", token_url=TOKEN_URL)


def warnings_of(caplog: pytest.LogCaptureFixture) -> list[str]:
    """Return the warnings of evoclient so far, and forget them."""
    found = [
        record.getMessage()
        for record in caplog.records
        if record.name == "evoclient" and record.levelno == logging.WARNING
    ]
    caplog.clear()
    return found


EXPOSED: dict[str, dict[str, Any]] = {
    "a key": {"api_key": KEY},
    "a function": {"api_key": lambda: KEY},
    "a header": {"auth": "none", "default_headers": {"x-API-key": KEY}},
    "a parameter": {"auth": "none", "default_query": {"Key": KEY}},
    "an address of a private network": {"api_key": KEY, "base_url": "http://10.0.0.5:8000"},
}


@pytest.mark.parametrize("what", EXPOSED)
def test_one_warning(colour: AnyColour, caplog: pytest.LogCaptureFixture, what: str) -> None:
    """A client warns when it is made, once, its copies included; where it goes is told."""
    client = colour.client(**{"base_url": FAR, "model": "m", **EXPOSED[what]})
    (said,) = warnings_of(caplog)
    assert client.base_url in said
    assert "https://" in said
    assert KEY not in said
    client.with_options(timeout=3).with_options(default_headers={"X-Api-Key": KEY})
    assert warnings_of(caplog) == []


def test_a_copy_that_begins_it(colour: AnyColour, caplog: pytest.LogCaptureFixture) -> None:
    """A copy with a credential warns, where its client has none."""
    client = colour.client(base_url=FAR, auth="none", model="m")
    copy = client.with_options(model="other", default_headers={"X-Title": "Test"})
    assert warnings_of(caplog) == []
    copy = copy.with_options(default_headers={"Authorization": f"Bearer {KEY}"})
    (said,) = warnings_of(caplog)
    assert FAR in said
    copy.with_options(default_query={"key": KEY})
    assert warnings_of(caplog) == []


def test_a_pair(colour: AnyColour, caplog: pytest.LogCaptureFixture) -> None:
    """A key pair warns of its own address, once, whatever number of clients shares it."""
    shared = pair()
    (said,) = warnings_of(caplog)
    assert TOKEN_URL in said
    assert "planted" not in said
    for _ in range(2):
        colour.client(base_url="https://api.example/v1", auth=shared, model="m")
    assert warnings_of(caplog) == []


HIDDEN: dict[str, dict[str, Any]] = {
    "https": {"base_url": "https://llm.example/v1", "api_key": KEY},
    "this machine": {"base_url": "http://localhost:8000", "api_key": KEY},
    "another address of it": {"base_url": "http://127.0.0.2:8000", "api_key": KEY},
    "a name below it": {"base_url": "http://llm.localhost/v1", "api_key": KEY},
    "IPv6": {"base_url": "http://[::1]:8000/v1", "api_key": KEY},
    "no credential": {"base_url": FAR, "auth": "none"},
    "no key": {"base_url": FAR, "default_headers": {"X-Title": "Test"}},
    "a header taken away": {"base_url": FAR, "default_headers": {"Authorization": None}},
    "no server": {"base_url": FAR, "api_key": KEY, "transport": "memory"},
}


@pytest.mark.parametrize("what", HIDDEN)
def test_no_warning(colour: AnyColour, caplog: pytest.LogCaptureFixture, what: str) -> None:
    """Nothing is said where nobody can read along, or there is nothing to read."""
    client = colour.client(model="m", **HIDDEN[what])
    client.with_options(model="other", timeout=3)
    assert warnings_of(caplog) == []


def test_a_key_of_the_environment(
    colour: AnyColour, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It does not matter where the credential and the address come from."""
    monkeypatch.setenv("EVOCLIENT_BASE_URL", FAR)
    monkeypatch.setenv("EVOCLIENT_API_KEY", KEY)
    colour.client(model="m")
    (said,) = warnings_of(caplog)
    assert FAR in said
    assert KEY not in said
