"""Events to JSON documents: what is skipped, what ends the stream, what is an error."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from evoclient.errors.tree import StreamDecodeError, StreamProviderError
from evoclient.ground import Secrets
from evoclient.streaming.documents import DONE, document_of, provider_error
from evoclient.streaming.sse import ServerEvent

NONE = Secrets()


@pytest.mark.parametrize(
    ("wire", "document"),
    [
        (b'{"a": 1}', {"a": 1}),
        (b'  {"a": 1} ', {"a": 1}),
        (ServerEvent('{"a": 1}', event="delta"), {"a": 1}),
        (b'{"a": "\xff"}', {"a": "\ufffd"}),
        ('{"a": "x\u2028y\u0085\x0b"}'.encode(), {"a": "x\u2028y\u0085\x0b"}),
        (b'{"type": "ping", "choices": []}', {"type": "ping", "choices": []}),
        (b"[DONE]", DONE),
        (b" [DONE] ", DONE),
        (ServerEvent("[DONE]", id="9"), DONE),
    ],
)
def test_what_is_read(wire: bytes | ServerEvent, document: object) -> None:
    """An object is a document, and the end marker is known with white space around it."""
    assert document_of(wire, NONE) == document


@pytest.mark.parametrize(
    "wire",
    [
        b"",
        b"  ",
        b": OPENROUTER PROCESSING",
        ServerEvent(":x"),
        b'{"type": "ping"}',
        ServerEvent('{"type": "ping"}', event="ping"),
        b"null",
        b"1",
        b"true",
        b'"text"',
        b"[]",
        b'[{"choices": []}]',
    ],
)
def test_what_is_skipped(wire: bytes | ServerEvent, caplog: pytest.LogCaptureFixture) -> None:
    """Empty data, wrapped comments, pings and JSON that is no object leave a log record only."""
    with caplog.at_level(logging.DEBUG, "evoclient"):
        assert document_of(wire, NONE) is None
    assert [record.name for record in caplog.records] == ["evoclient"]


@pytest.mark.parametrize(
    "wire", [b'{"a": 1', b"hello", b"[DONE", b'{"a": 1}{"b": 2}', b"data: {}", b"[" * 5000]
)
def test_what_is_refused(wire: bytes) -> None:
    """Anything else raises, and the message shows how it begins."""
    with pytest.raises(StreamDecodeError, match="not JSON") as caught:
        document_of(wire, NONE)
    assert wire[:5].decode() in str(caught.value)
    assert len(str(caught.value)) < 700


def test_refusal_shows_no_secret() -> None:
    """A key that a server repeats in plain text is masked before the text is cut."""
    text = b"x " * 148 + b"sk-hidden-key"
    with pytest.raises(StreamDecodeError) as caught:
        document_of(text, Secrets(["sk-hidden-key"]))
    assert "sk-" not in str(caught.value)


@pytest.mark.parametrize(
    ("data", "message", "code"),
    [
        ('{"error": {"message": "boom", "code": 500}}', "boom", 500),
        ('{"message": "boom", "code": "x"}', "boom", "x"),
        ('{"detail": "boom"}', "boom", None),
        ("boom", "boom", None),
        ("", "no message", None),
    ],
)
def test_error_events(data: str, message: str, code: object) -> None:
    """An event named "error" is the provider's error, whatever its data is."""
    with pytest.raises(StreamProviderError, match=message) as caught:
        document_of(ServerEvent(data, event="error"), NONE)
    assert caught.value.code == code


ERRORS: list[tuple[dict[str, Any], str | None]] = [
    ({"choices": [{"delta": {"content": "a"}}]}, None),
    ({"error": None, "choices": []}, None),
    ({"error": "", "choices": []}, None),
    ({"error": {}, "choices": []}, None),
    ({"choices": [{"finish_reason": "stop"}, 5, None]}, None),
    ({"choices": None, "x_groq": {"id": "1"}}, None),
    ({"error": {"message": "boom"}}, "boom"),
    ({"error": "boom"}, "boom"),
    ({"error": ["boom"]}, "boom"),
    ({"error": {"message": "boom"}, "choices": [{"finish_reason": "error"}]}, "boom"),
    ({"object": "error", "message": "boom"}, "boom"),
    ({"error": {"object": "error", "message": "boom"}}, "boom"),
    ({"choices": [{}, {"error": {"message": "boom"}}]}, "boom"),
    ({"x_groq": {"error": "boom"}}, "boom"),
    ({"choices": [{"finish_reason": "error", "delta": {}}]}, "finish reason is “error”"),
    ({"choices": [5, {"finish_reason": "error"}]}, "finish reason is “error”"),
]


@pytest.mark.parametrize(("document", "message"), ERRORS)
def test_errors_in_documents(document: dict[str, Any], message: str | None) -> None:
    """An error object is found wherever servers put it; an empty one is none."""
    error = provider_error(document, NONE)
    assert (error is None) == (message is None)
    assert message is None or message in str(error)


def test_errors_show_no_secret() -> None:
    """A key in an error object is masked in the message and in `body`."""
    document = {"error": {"message": "key sk-hidden", "metadata": {"sk-hidden": ["sk-hidden"]}}}
    error = provider_error(document, Secrets(["sk-hidden"]))
    assert error is not None
    assert "sk-hidden" not in f"{error} {error.body} {error.details}"
    assert document["error"]["message"] == "key sk-hidden"  # what was given is left as it was
