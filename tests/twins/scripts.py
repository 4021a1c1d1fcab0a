"""Building blocks of scripted conversations."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeVar

from evoclient.errors.tree import APIConnectionError, APITimeoutError
from evoclient.transports.memory import MemoryReply

__all__ = ["chunk", "cut", "failing", "refusing", "streamed", "taken", "timing_out", "whole"]


T = TypeVar("T")


def chunk(text: str | None = None, finish: str | None = None, **fields: Any) -> dict[str, Any]:
    """Return the document of a chunk of choice 0."""
    delta = {} if text is None else {"content": text}
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return {"id": "c1", "model": "m", "choices": [choice], **fields}


def streamed(*texts: str, finish: str | None = "stop", done: bool = True) -> MemoryReply:
    """Return a stream of texts."""
    events = [chunk(text) for text in texts]
    if finish:
        events.append(chunk(None, finish))
    return MemoryReply.stream(*events, done=done)


def cut(*texts: str) -> MemoryReply:
    """Return a stream whose connection breaks after some texts."""
    events = [chunk(text) for text in texts]
    return MemoryReply.stream(
        *events,
        done=False,
        error=APIConnectionError("the connection was reset"),
        error_after=len(events),
    )


def failing(message: str = "refused") -> MemoryReply:
    """Return no reply: the connection fails."""
    return MemoryReply(error=APIConnectionError(message))


def timing_out() -> MemoryReply:
    """Return no reply: a limit passes."""
    return MemoryReply(error=APITimeoutError("too late", limit="first_chunk", seconds=1.0))


def refusing(
    status: int, message: str = "no", headers: dict[str, str] | None = None, **error: Any
) -> MemoryReply:
    """Return an error status with OpenAI's body."""
    return MemoryReply.json(
        {"error": {"message": message, **error}}, status=status, headers=headers or {}
    )


def whole(text: str = "Hello", finish: str | None = "stop", **fields: Any) -> MemoryReply:
    """Return a whole answer."""
    choice = {
        "index": 0,
        "message": {"role": "assistant", "content": text},
        "finish_reason": finish,
    }
    return MemoryReply.json({"id": "c1", "model": "m", "choices": [choice], **fields})


def taken(items: Iterable[T], seen: list[T]) -> None:
    """Put items into a list; where they end in an error, those before it are there."""
    for item in items:
        seen.append(item)
