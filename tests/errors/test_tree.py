"""The error tree: what users catch, copy and send to other processes."""

from __future__ import annotations

import copy
import inspect
import pickle
import traceback
from typing import Any

import pytest

from evoclient.errors import tree
from evoclient.errors.tree import (
    APIConnectionError,
    APIError,
    APIStatusError,
    APITimeoutError,
    EvoClientError,
)
from evoclient.models.chat import ChatCompletion
from evoclient.wire import Headers, Response

CLASSES: list[type[EvoClientError]] = [getattr(tree, name) for name in tree.__all__]
RESPONSE = Response(
    429, Headers([("X-Request-Id", "r-1"), ("Set-Cookie", "sk-hidden")]), "https://h/", 0.5, b"{}"
)
PARENTS = {
    "ConfigurationError": (EvoClientError, ValueError),
    "ClientClosedError": (EvoClientError, RuntimeError),
    "APIError": (EvoClientError,),
    "APIConnectionError": (APIError,),
    "APITimeoutError": (APIConnectionError, TimeoutError),
    "APIStatusError": (APIError,),
    "ContextLengthExceededError": (tree.BadRequestError,),
    "ContentFilterError": (tree.BadRequestError,),
    "ModelNotFoundError": (tree.NotFoundError,),
    "OverloadedError": (tree.InternalServerError,),
    "ResponseDecodeError": (APIError,),
    "StreamError": (APIError,),
    "StreamInterruptedError": (tree.StreamError,),
    "StreamDecodeError": (tree.StreamError,),
    "StreamProviderError": (tree.StreamError,),
}


def made(kind: type[EvoClientError]) -> EvoClientError:
    """Make an error with everything that it may have."""
    facts: dict[str, Any] = {"details": {"a": [1]}, "provider": "p"}
    if issubclass(kind, APIError):
        facts |= {
            "response": RESPONSE,
            "status_code": 429,
            "judged_as": 429,
            "code": "c",
            "body": {"error": ["x"]},
            "retry_after": 1.5,
            "advice": True,
        }
    if issubclass(kind, APITimeoutError):
        facts |= {"limit": "idle", "seconds": 60.0}
    error = kind("what happened", **facts)
    if isinstance(error, APIError):
        message = {"role": "assistant", "content": "so far"}
        error.partial = ChatCompletion.from_dict({"choices": [{"index": 0, "message": message}]})
    error.attempts = (APIConnectionError("newer"), APIConnectionError("older"))
    return error


@pytest.mark.parametrize("kind", CLASSES)
def test_parents(kind: type[EvoClientError]) -> None:
    """Each error stands where the tree of the docstring has it."""
    assert issubclass(kind, EvoClientError)
    if kind is not EvoClientError:
        assert kind.__bases__ == PARENTS.get(kind.__name__, (APIStatusError,))
    assert f"── {kind.__name__}" in (tree.__doc__ or "") or kind is EvoClientError


def test_all_of_them_are_public() -> None:
    """Every error class of the module is in `__all__`."""
    found = [
        name
        for name, value in vars(tree).items()
        if inspect.isclass(value) and issubclass(value, EvoClientError)
    ]
    assert sorted(found) == sorted(tree.__all__)


def pickled(value: Any) -> Any:
    """Send a value through pickle."""
    return pickle.loads(pickle.dumps(value))  # noqa: S301 - our own bytes


def facts(error: BaseException) -> dict[str, Any]:
    """Return the attributes of an error, other errors among them as text."""
    return {
        name: [str(one) for one in value] if name == "attempts" else value
        for name, value in error.__dict__.items()
    }


@pytest.mark.parametrize("again", [pickled, copy.copy, copy.deepcopy])
@pytest.mark.parametrize("kind", CLASSES)
def test_copies(kind: type[EvoClientError], again: Any) -> None:
    """Each error pickles, copies and deep-copies with all its attributes."""
    error = made(kind)
    twin = again(error)
    assert type(twin) is kind
    assert twin is not error
    assert (twin.args, str(twin)) == (error.args, str(error))
    assert facts(twin) == facts(error)
    if isinstance(twin, APIError):
        assert twin.partial_text == "so far"
        assert twin.response == RESPONSE


@pytest.mark.parametrize("kind", CLASSES)
def test_no_secret_shows(kind: type[EvoClientError]) -> None:
    """Neither text, repr nor traceback of an error shows what its reply held."""
    error = made(kind)
    shown = f"{error} {error!r} {''.join(traceback.format_exception(error))}"
    assert "what happened" in shown
    assert "sk-hidden" not in shown + repr(error.__dict__)


def test_request_id_of_the_reply() -> None:
    """The request id is that of the reply, unless another is named."""
    assert APIError("m", response=RESPONSE).request_id == "r-1"
    assert APIError("m", response=RESPONSE, request_id="r-2").request_id == "r-2"
    assert APIError("m").request_id is None


def test_partial_text_without_a_partial() -> None:
    """Where no answer had begun, the partial text is empty."""
    assert APIError("m").partial_text == ""


@pytest.mark.parametrize(
    ("limit", "retryable"),
    [("connect", True), ("first_chunk", True), ("idle", True), ("total", False)],
)
def test_timeouts(limit: Any, retryable: bool) -> None:
    """A timeout names its limit; past `total` nothing is worth another try."""
    error = APITimeoutError("late", limit=limit, seconds=5)
    assert (error.limit, error.seconds, error.retryable) == (limit, 5, retryable)


def test_connections_are_worth_another_try() -> None:
    """A connection that failed may work the next time, unless said otherwise."""
    assert APIConnectionError("m").retryable
    assert not APIConnectionError("m", retryable=False).retryable
