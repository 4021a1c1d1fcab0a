"""Models, the older completions and any other request: what is asked."""

from __future__ import annotations

from typing import Any

import pytest

from evoclient.endpoints.completions import text_completion
from evoclient.endpoints.models import model_list, one_model
from evoclient.endpoints.raw import any_request
from evoclient.errors.tree import ResponseDecodeError
from evoclient.ground import NOT_GIVEN, ConfigurationError
from evoclient.providers.presets import GENERIC
from evoclient.streaming.shapes import ANY
from evoclient.streaming.texts import TEXT
from evoclient.wire import Headers, Response

RESPONSE = Response(200, Headers(), "https://h/v1/models")


def test_the_models() -> None:
    """The models are asked for with the options of the call."""
    call = model_list({"timeout": 3, "extra_query": {"a": 1}})
    assert (call.method, call.path, call.body) == ("GET", "/models", None)
    assert (call.options.timeout, call.options.query) == (3, {"a": "1"})
    assert [model.id for model in call.read([{"id": "a"}], RESPONSE)] == ["a"]
    assert call.read({}, RESPONSE).response is RESPONSE


@pytest.mark.parametrize("document", [{"id": "a"}, {"data": {"id": "a"}}])
def test_one_model(document: dict[str, Any]) -> None:
    """A model is read with and without an envelope."""
    call = one_model("a/b", {})
    assert call.path == "/models/a/b"
    model = call.read(document, RESPONSE)
    assert (model.id, model.response) == ("a", RESPONSE)


@pytest.mark.parametrize("bad", [None, "", " ", 5, "..", "a/./b", NOT_GIVEN])
def test_bad_ids(bad: Any) -> None:
    """An id that is none is named."""
    with pytest.raises(ConfigurationError, match=r"^model") as caught:
        one_model(bad, {})
    assert caught.value.argument == "model"


def completion(stream: bool = False, **given: Any) -> Any:
    """Return the call for keyword arguments."""
    return text_completion(given, stream=stream, default_model="m", provider=GENERIC)


@pytest.mark.parametrize(
    ("given", "body"),
    [
        ({"prompt": "a"}, {"model": "m", "prompt": "a"}),
        ({"prompt": "", "echo": None}, {"model": "m", "prompt": "", "echo": None}),
        ({"prompt": ("a", "b"), "n": 2}, {"model": "m", "prompt": ["a", "b"], "n": 2}),
        ({"prompt": "a", "min_p": 1, "user": NOT_GIVEN}, {"model": "m", "prompt": "a", "min_p": 1}),
        ({"prompt": "a", "extra_body": {"model": "x"}}, {"model": "x", "prompt": "a"}),
        ({"prompt": "a", "models": ["x"]}, {"models": ["x"], "prompt": "a"}),
        ({"prompt": "a", "usage": True}, {"model": "m", "prompt": "a"}),
        ({"stream": True, "prompt": "a"}, {"model": "m", "prompt": "a", "stream": True}),
        (
            {"stream": True, "prompt": "a", "usage": True},
            {
                "model": "m",
                "prompt": "a",
                "stream": True,
                "stream_options": {"include_usage": True},
            },
        ),
    ],
)
def test_completions(given: dict[str, Any], body: dict[str, Any]) -> None:
    """What is given goes into the body as it is."""
    call = completion(**given)
    assert (call.method, call.path, call.body, call.shape) == ("POST", "/completions", body, TEXT)


@pytest.mark.parametrize(
    ("given", "choices"),
    [
        ({"prompt": "a"}, 1),
        ({"prompt": ["a", "b"]}, 2),
        ({"prompt": ["a", "b"], "n": 3}, 6),
        ({"prompt": [1, 2, 3]}, 1),
        ({"prompt": [[1], [2]]}, 2),
    ],
)
def test_choices(given: dict[str, Any], choices: int) -> None:
    """How many choices come is known to the reader of the stream."""
    assert completion(**given).choices == choices


def test_completions_without_choices() -> None:
    """An object without a list of choices is no completion here either."""
    call = completion(prompt="a")
    assert call.read({"choices": []}, RESPONSE).choices == []
    with pytest.raises(ResponseDecodeError, match="no list of “choices”"):
        call.read({"content": "the dialect of another server"}, RESPONSE)


@pytest.mark.parametrize("bad", [None, [], 5, b"a", {"a": 1}, NOT_GIVEN])
def test_bad_prompts(bad: Any) -> None:
    """A prompt that is none is named."""
    with pytest.raises(ConfigurationError, match=r"^prompt") as caught:
        completion(prompt=bad)
    assert caught.value.argument == "prompt"


def test_any_request() -> None:
    """A request goes out as it was given; nothing is added to its body."""
    call = any_request("post", "/a/b", {"body": {"x": 1}, "extra_headers": {"X": "1"}})
    assert (call.method, call.path, call.body, call.shape) == ("POST", "/a/b", {"x": 1}, ANY)
    assert call.options.headers == {"X": "1"}
    answer = call.read([1], RESPONSE)
    assert (answer.data, answer.status_code, answer.headers) == ([1], 200, RESPONSE.headers)


@pytest.mark.parametrize("nothing", [None, NOT_GIVEN])
def test_no_body(nothing: Any) -> None:
    """None is no body; an empty object is one."""
    assert any_request("GET", "/a", {"body": nothing}).body is None
    assert any_request("POST", "/a", {"body": {}}).body == {}
