"""A whole completion as the one chunk of a stream, for servers that do not stream."""

from __future__ import annotations

from typing import Any

__all__ = ["chunk_document"]


def chunk_document(completion: dict[str, Any]) -> dict[str, Any]:
    """Return the document of a chunk that says what the document of a completion says."""
    choices = completion.get("choices")
    return {
        **completion,
        "object": "chat.completion.chunk",
        "choices": [
            _chunk_choice(choice) if isinstance(choice, dict) else choice
            for choice in (choices if isinstance(choices, list) else ())
        ],
    }


def _chunk_choice(choice: dict[str, Any]) -> dict[str, Any]:
    rest = dict(choice)
    message = rest.pop("message", None)
    delta = dict(message) if isinstance(message, dict) else {}
    calls = delta.get("tool_calls")
    if isinstance(calls, list):
        # In a message the place in the list is the index; in a delta it must be said.
        delta["tool_calls"] = [
            {"index": index, **call} if isinstance(call, dict) else call
            for index, call in enumerate(calls)
        ]
    return {**rest, "delta": delta}
