"""What everything else stands on: the sentinel, the root of the errors, hiding secrets."""

from __future__ import annotations

import copy
import html
import json
import pickle
import re
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import pytest

from evoclient.ground import (
    NOT_GIVEN,
    ConfigurationError,
    EvoClientError,
    NotGiven,
    Secrets,
    elide,
    mask,
    redacted,
    secrets_in,
)


def pickled(value: Any) -> Any:
    """Send a value through pickle."""
    return pickle.loads(pickle.dumps(value))  # noqa: S301 - our own bytes


COPIES = [pickled, copy.copy, copy.deepcopy]


@pytest.mark.parametrize("again", [*COPIES, lambda _: NotGiven()])
def test_one_sentinel(again: Any) -> None:
    """There is one NOT_GIVEN, whatever is done with it; it is false and is not None."""
    assert again(NOT_GIVEN) is NOT_GIVEN
    assert not NOT_GIVEN
    assert repr(NOT_GIVEN) == "NOT_GIVEN"


def test_root_error() -> None:
    """The facts of an error are attributes, its text is the message."""
    details = {"a": 1}
    error = EvoClientError("m", details=details, retryable=True, request_id="r", provider="p")
    details["a"] = 2
    assert str(error) == error.message == "m"
    assert (error.details, error.retryable, error.request_id) == ({"a": 1}, True, "r")
    assert (error.provider, error.attempts) == ("p", ())


@pytest.mark.parametrize("again", COPIES)
def test_errors_survive(again: Any) -> None:
    """Pickling and copying keep the class, the text and every attribute."""
    error = ConfigurationError("m", argument="x", details={"a": [1]}, provider="p")
    error.attempts = (EvoClientError("first"),)
    error.add_note("a note")
    twin = again(error)
    assert type(twin) is ConfigurationError
    assert twin.args == error.args
    assert str(twin.attempts[0]) == "first"
    rest = {**error.__dict__, "attempts": None}
    assert {**twin.__dict__, "attempts": None} == rest


def test_a_copy_keeps_the_cause() -> None:
    """A shallow copy, as is made to raise an error twice, has the same cause."""
    error = EvoClientError("m")
    error.__cause__ = OSError("x")
    assert copy.copy(error).__cause__ is error.__cause__


def test_configuration_error_is_a_value_error() -> None:
    """Code that knows nothing of evoclient can catch a bad argument."""
    assert issubclass(ConfigurationError, ValueError)
    assert ConfigurationError("m").argument is None


KEY = "sk-0123456789"


@pytest.mark.parametrize(
    ("headers", "secrets"),
    [
        ([("Authorization", f"Bearer {KEY}")], {f"Bearer {KEY}", KEY}),
        ([("authorization", "Bearer two words-here")],
         {"Bearer two words-here", "two words-here", "words-here"}),
        ([("API-KEY", KEY), ("x-api-key", KEY + "x")], {KEY, KEY + "x"}),
        ([("Cookie", "a=12345678")], {"a=12345678"}),
        ([("X-Title", KEY), ("Accept", "text/event-stream")], set()),
        ([("api-key", "short")], set()),
        ([], set()),
    ],
)  # fmt: skip
def test_secrets_in_headers(headers: list[tuple[str, str]], secrets: set[str]) -> None:
    """The values of sensitive headers are secrets, with and without their scheme."""
    found = secrets_in(headers)
    assert secrets <= set(found)
    assert bool(found) == bool(secrets)
    assert list(found) == sorted(found, key=len, reverse=True)


def test_secrets_do_not_show() -> None:
    """A traceback that shows local variables shows how many secrets there are."""
    assert repr(Secrets([KEY])) == "Secrets(1)"
    assert KEY not in f"{Secrets([KEY])}"


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        (f"key {KEY}, again {KEY}", "key ***, again ***"),
        (f"Bearer {KEY}", "***"),
        ("nothing", "nothing"),
        ("", ""),
    ],
)
def test_masking(text: str, masked: str) -> None:
    """Each secret in a text is replaced, the longest first."""
    assert mask(text, secrets_in([("Authorization", f"Bearer {KEY}")])) == masked


@pytest.mark.parametrize(
    "spell",
    [
        lambda key: quote(key, safe=""),
        lambda key: re.sub("%..", lambda found: found[0].lower(), quote(key, safe="")),
        lambda key: json.dumps(key)[1:-1].replace("/", "\\/"),
        lambda key: key.replace("&", "\\u0026").replace("+", "\\u002b").replace("<", "\\u003c"),
        lambda key: html.escape(key),
        lambda key: b64encode(f"user:{key}".encode()).decode(),
        lambda key: urlsafe_b64encode(f"user1:{key}:".encode()).decode(),
        lambda key: b64encode(f"user12:{key}".encode()).decode(),
    ],
)
def test_spellings_are_masked(spell: Callable[[str], str]) -> None:
    """A secret is found as JSON, URLs, HTML and base64 spell it."""
    key = "Sk/0123+4567&<89??~~~"
    spelt = spell(key)
    masked = mask(f"a {spelt} b", secrets_in([("api-key", key)]))
    assert masked.startswith("a ")
    assert "***" in masked
    assert len(masked) < 24


def test_redacted_headers() -> None:
    """Headers for a log keep their names, and sensitive ones lose their values."""
    headers = [("Authorization", KEY), ("Set-Cookie", KEY), ("X-A", "1")]
    assert redacted(headers) == {"Authorization": "***", "Set-Cookie": "***", "X-A": "1"}


@pytest.mark.parametrize(
    ("text", "limit", "shown"),
    [
        ("short", 5, "short"),
        ("longer", 5, "longe… (1 more characters)"),
        ("a" * 200, 500, "<200 characters of data>"),
        ("a" * 199, 500, "a" * 199),
        ("x " + "QUJD" * 60 + "== y", 500, "x <242 characters of data> y"),
    ],
)
def test_eliding(text: str, limit: int, shown: str) -> None:
    """Long base64 goes first, then the end."""
    assert elide(text, limit) == shown
