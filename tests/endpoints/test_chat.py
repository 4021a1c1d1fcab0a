"""POST /chat/completions: what is asked, and how the answer is read."""

from __future__ import annotations

from collections import UserDict
from typing import Any

import pytest

from evoclient.endpoints.base import Call
from evoclient.endpoints.chat import chat_completion
from evoclient.errors.tree import ResponseDecodeError
from evoclient.ground import NOT_GIVEN, ConfigurationError
from evoclient.models.chat import ChatCompletion
from evoclient.models.codec import dumps, loads
from evoclient.providers.presets import GENERIC
from evoclient.wire import Headers, Response

HELLO = [{"role": "user", "content": "Hello"}]
RESPONSE = Response(200, Headers(), "https://h/v1/chat/completions")


def asked(*, stream: bool = False, default_model: str | None = "m", **given: Any) -> Call[Any]:
    """Return the call for keyword arguments, with a message and a model where none are given."""
    return chat_completion(
        {"messages": HELLO, **given},
        stream=stream,
        default_model=default_model,
        provider=GENERIC,
    )


def body(**given: Any) -> dict[str, Any]:
    """Return the body of a call."""
    found = asked(**given).body
    assert found is not None
    return found


PLAIN = {"model": "m", "messages": HELLO}

BODIES: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({}, PLAIN),
    ({"model": "x"}, {**PLAIN, "model": "x"}),
    ({"model": None}, PLAIN),
    ({"model": NOT_GIVEN, "n": NOT_GIVEN, "stop": NOT_GIVEN}, PLAIN),
    ({"temperature": None}, {**PLAIN, "temperature": None}),
    ({"temperature": 0, "stop": ["a"]}, {**PLAIN, "temperature": 0, "stop": ["a"]}),
    ({"repetition_penalty": 1.1, "min_p": 0}, {**PLAIN, "repetition_penalty": 1.1, "min_p": 0}),
    ({"extra_body": {"top_k": 1}}, {**PLAIN, "top_k": 1}),
    ({"extra_body": None}, PLAIN),
    ({"extra_body": NOT_GIVEN}, PLAIN),
    ({"seed": 1, "extra_body": {"seed": 2}}, {**PLAIN, "seed": 2}),
    ({"model": "x", "extra_body": {"model": "y"}}, {**PLAIN, "model": "y"}),
    ({"extra_body": UserDict({"a": 1})}, {**PLAIN, "a": 1}),
    ({"timeout": 5, "extra_headers": {}, "extra_query": {}, "incomplete": "strict"}, PLAIN),
    ({"usage": False}, PLAIN),
    ({"usage": True}, PLAIN),
    ({"tools": iter([{"type": "function"}])}, {**PLAIN, "tools": [{"type": "function"}]}),
    ({"stream": True}, {**PLAIN, "stream": True}),
    ({"stream": True, "usage": False}, {**PLAIN, "stream": True}),
    (
        {"stream": True, "usage": True},
        {**PLAIN, "stream": True, "stream_options": {"include_usage": True}},
    ),
    (
        {"stream": True, "usage": True, "stream_options": {"include_obfuscation": False}},
        {**PLAIN, "stream": True,
         "stream_options": {"include_obfuscation": False, "include_usage": True}},
    ),
    (
        {"stream": True, "usage": True, "stream_options": None},
        {**PLAIN, "stream": True, "stream_options": {"include_usage": True}},
    ),
    (
        {"stream": True, "stream_options": {"x": 1}},
        {**PLAIN, "stream": True, "stream_options": {"x": 1}},
    ),
    (
        {"default_model": None, "extra_body": {"models": ["a", "b"]}},
        {"messages": HELLO, "models": ["a", "b"]},
    ),
    ({"default_model": None, "models": ["a"]}, {"messages": HELLO, "models": ["a"]}),
    ({"default_model": None, "extra_body": {"model": "y"}}, {**PLAIN, "model": "y"}),
]  # fmt: skip


@pytest.mark.parametrize(("given", "expected"), BODIES)
def test_bodies(given: dict[str, Any], expected: dict[str, Any]) -> None:
    """What is given goes into the body as it is, what is not given does not, options do not."""
    assert body(**given) == expected


def test_the_arguments_are_left_as_they_were() -> None:
    """Neither the keyword arguments nor what is in them is changed."""
    given: dict[str, Any] = {"messages": HELLO, "usage": True, "stream_options": {"a": 1}}
    chat_completion(given, stream=True, default_model="m", provider=GENERIC)
    assert given == {"messages": HELLO, "usage": True, "stream_options": {"a": 1}}


def test_the_call() -> None:
    """Path, method and options are those of the endpoint and the arguments."""
    call = asked(extra_headers={"X-A": "1"}, incomplete="accept", timeout=7)
    assert (call.method, call.path) == ("POST", "/chat/completions")
    assert call.options.headers == {"X-A": "1"}
    assert (call.options.incomplete, call.options.timeout) == ("accept", 7)


@pytest.mark.parametrize(
    ("given", "choices"),
    [
        ({}, 1),
        ({"n": 3}, 3),
        ({"n": None}, 1),
        ({"n": 0}, 1),
        ({"n": "3"}, 1),
        ({"n": 2, "extra_body": {"n": 4}}, 4),
    ],
)
def test_choices(given: dict[str, Any], choices: int) -> None:
    """How many choices are asked for is known to the reader of the stream."""
    assert asked(**given).choices == choices


def test_messages_of_a_generator() -> None:
    """Messages may come from any iterable."""
    assert body(messages=(message for message in HELLO))["messages"] == HELLO
    assert body(messages=tuple(HELLO))["messages"] == HELLO


def test_messages_of_a_completion() -> None:
    """A message of a completion goes into the next request with all that was sent in it."""
    sent = {"role": "assistant", "content": None, "reasoning_details": [{"signature": "s"}], "x": 1}
    completion = ChatCompletion.from_dict({"choices": [{"index": 0, "message": sent}]})
    found = body(messages=[*HELLO, completion.choices[0].message])
    assert loads(dumps(found["messages"])) == [*HELLO, sent]


BAD: list[tuple[str, dict[str, Any], str]] = [
    ("model", {"default_model": None}, "no model is named"),
    ("model", {"model": ""}, "must be a string that is not empty"),
    ("model", {"model": "  "}, "must be a string that is not empty"),
    ("model", {"model": 5}, "it is 5"),
    ("messages", {"messages": None}, "missing"),
    ("messages", {"messages": NOT_GIVEN}, "missing"),
    ("messages", {"messages": []}, "is empty"),
    ("messages", {"messages": iter(())}, "is empty"),
    ("messages", {"messages": "Hello"}, "of type str"),
    ("messages", {"messages": b"Hello"}, "of type bytes"),
    ("messages", {"messages": HELLO[0]}, "of type dict"),
    ("messages", {"messages": 5}, "of type int"),
    ("messages", {"messages": [HELLO[0], "Hello"]}, r"messages\[1\].*of type str"),
    ("messages", {"messages": [None]}, r"messages\[0\].*of type NoneType"),
    ("extra_body", {"extra_body": [("a", 1)]}, "must be a mapping"),
    ("extra_body", {"extra_body": "a"}, "must be a mapping"),
    ("extra_body", {"extra_body": {5: 1}}, "must be a mapping"),
    ("extra_headers", {"extra_headers": {"X": "a\r\nb"}}, "without line ends"),
    ("extra_query", {"extra_query": 5}, "must be a mapping"),
    ("incomplete", {"incomplete": "never"}, "must be one of raise, accept, strict"),
    ("stream_options", {"stream": True, "usage": True, "stream_options": "x"}, "must be a mapping"),
]


@pytest.mark.parametrize(("argument", "given", "words"), BAD)
def test_bad_arguments(argument: str, given: dict[str, Any], words: str) -> None:
    """A wrong argument is named, with what is wrong about it, before anything is sent."""
    with pytest.raises(ConfigurationError, match=words) as caught:
        asked(**given)
    assert caught.value.argument == argument
    assert caught.value.message.startswith(argument)


def test_reading() -> None:
    """The answer becomes a completion that knows its reply."""
    completion = asked().read({"choices": [{"message": {"content": "hi"}}]}, RESPONSE)
    assert completion.text == "hi"
    assert completion.response is RESPONSE


@pytest.mark.parametrize("document", [[], [{}], "text", 5, None, True])
def test_answers_that_are_no_object(document: object) -> None:
    """JSON that is no object is no answer, and the message asks about the address."""
    with pytest.raises(ResponseDecodeError, match=type(document).__name__) as caught:
        asked().read(document, RESPONSE)
    assert caught.value.response is RESPONSE
    assert RESPONSE.url in caught.value.message
    assert caught.value.body is None  # nothing has masked it


@pytest.mark.parametrize("document", [{}, {"choices": None}, {"choices": 5}, {"object": 1}])
def test_answers_without_choices(document: dict[str, Any]) -> None:
    """An object without a list of choices is no completion, and the message says so."""
    with pytest.raises(ResponseDecodeError, match="no list of “choices”") as caught:
        asked().read(document, RESPONSE)
    assert caught.value.response is RESPONSE
    assert f"Check base_url: is {RESPONSE.url} " in caught.value.message
    assert caught.value.body is None  # nothing has masked it


@pytest.mark.parametrize("choices", [[], [None], ["odd", 5]])
def test_odd_choices(choices: list[Any]) -> None:
    """What stands in the list of choices and is none is passed over."""
    assert asked().read({"choices": choices}, RESPONSE).choices == []
