"""What a chat model of the memory transport says, in OpenAI's form."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from ..wire import Request

__all__ = ["completion", "content_of", "friendly", "stream_events"]

_WORD = re.compile(r"\s*\S+|\s+$")
_ID = "chatcmpl-memory"


def friendly() -> str:
    """Return what is said when there is no script."""
    return (
        "Hello! This is the memory transport of evoclient: no request has left your machine, "
        "and everything else works as it will with a real model."
    )


def content_of(request: Request) -> Mapping[str, Any]:
    """Return the fields of a request's body; empty where it is not a JSON object."""
    try:
        value = json.loads(request.body or b"")
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def completion(text: str, model: str) -> dict[str, Any]:
    """Return a whole answer."""
    message = {"role": "assistant", "content": text}
    return {
        "id": _ID,
        "object": "chat.completion",
        "created": 0,
        "model": model,
        "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
        "usage": _usage(text),
    }


def stream_events(text: str, model: str, *, with_usage: bool) -> Iterator[dict[str, Any]]:
    """Yield the same answer chunk by chunk, a word in each."""
    yield _chunk(model, {"role": "assistant", "content": ""})
    for word in _WORD.findall(text):
        yield _chunk(model, {"content": word})
    yield _chunk(model, {}, "stop")
    if with_usage:
        yield {**_chunk(model, {}), "choices": [], "usage": _usage(text)}


def _chunk(model: str, delta: Mapping[str, Any], finish: str | None = None) -> dict[str, Any]:
    """Return one chunk."""
    return {
        "id": _ID,
        "object": "chat.completion.chunk",
        "created": 0,
        "model": model,
        "choices": [{"index": 0, "delta": delta, "finish_reason": finish}],
    }


def _usage(text: str) -> dict[str, int]:
    """Count words as tokens."""
    said = len(_WORD.findall(text))
    return {"prompt_tokens": 1, "completion_tokens": said, "total_tokens": said + 1}
