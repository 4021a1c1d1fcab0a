"""A key, sent as ``Authorization: Bearer …``, run without a driver."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from evoclient.auth.bearer import Bearer
from evoclient.ground import ConfigurationError
from evoclient.steps import Call
from evoclient.wire import Headers
from tests.auth.sending import never

KEY = "sk-0123456789"


def authorised(bearer: Bearer) -> Headers:
    """Run the flow as a driver would, and return its headers."""
    flow = bearer.authorise(never, None)
    try:
        step = next(flow)
        while True:
            assert isinstance(step, Call)
            step = flow.send(step.function())
    except StopIteration as end:
        headers: Headers = end.value
        return headers


@pytest.mark.parametrize("given", [KEY, f" {KEY}\n", f"\t{KEY}\r\n", f"\ufeff{KEY}"[1:]])
def test_keys_are_stripped(given: str) -> None:
    """White space around a key, as a file or a paste leaves it, goes."""
    for bearer in (Bearer(given), Bearer(lambda: given)):
        assert authorised(bearer).pairs == (("Authorization", f"Bearer {KEY}"),)


BAD: dict[str, Any] = {
    "empty": "",
    "blank": " \n",
    "LF": "hidden\nsecret",
    "CR": "hidden\rsecret",
    "CRLF": "hidden\r\nX: secret",
    "NUL": "hidden\0secret",
    "tab": "hidden\tsecret",
    "beyond ASCII": "hidden-ключ-secret",
    "a long dash": "hidden\u2013secret",
    "a no-break space": "hidden\xa0secret",
    "a surrogate": "hidden\ud800secret",
}


@pytest.mark.parametrize("case", BAD)
def test_bad_keys(case: str) -> None:
    """A key that may not be sent is refused without being shown, given or called for."""
    with pytest.raises(ConfigurationError, match=r"^api_key ") as given:
        Bearer(BAD[case])
    with pytest.raises(ConfigurationError, match=r"^api_key ") as called:
        authorised(Bearer(lambda: BAD[case]))
    for caught in (given, called):
        assert caught.value.argument == "api_key"
        shown = f"{caught.value!r} {caught.value.details}"
        assert "hidden" not in shown
        assert "secret" not in shown


@pytest.mark.parametrize("bad", [None, 5, b"key", ["key"], {}])
def test_no_keys(bad: Any) -> None:
    """What is neither a string nor a function is refused, and so is what a function returns."""
    with pytest.raises(ConfigurationError, match=type(bad).__name__):
        Bearer(bad)
    with pytest.raises(ConfigurationError, match=f"must be a string.*{type(bad).__name__}"):
        authorised(Bearer(lambda: bad))


def test_a_function_is_asked_each_time() -> None:
    """A function gives the key of each request anew."""
    keys: Iterator[str] = iter(["key-one", "key-two"])
    bearer = Bearer(lambda: next(keys))
    assert authorised(bearer)["authorization"] == "Bearer key-one"
    assert authorised(bearer)["authorization"] == "Bearer key-two"


def test_a_fixed_key_needs_no_step() -> None:
    """A fixed key is there at once: nothing is run for it."""
    with pytest.raises(StopIteration):
        next(Bearer(KEY).authorise(never, None))


def test_what_a_function_raises() -> None:
    """An error of the user's function reaches the user."""
    flow = Bearer(lambda: KEY).authorise(never, None)
    next(flow)
    with pytest.raises(LookupError, match="no vault"):
        flow.throw(LookupError("no vault"))


def test_repr() -> None:
    """The repr tells the kind of key, never the key."""
    assert repr(Bearer(KEY)) == "Bearer(***)"
    assert repr(Bearer(lambda: KEY)) == "Bearer(a function)"


@pytest.mark.parametrize("again", [pickle.dumps, copy.copy, copy.deepcopy])
def test_refusal_to_pickle(again: Callable[[object], object]) -> None:
    """A pickle would hold the key, so there is none."""
    with pytest.raises(TypeError, match="not pickled"):
        again(Bearer(KEY))
