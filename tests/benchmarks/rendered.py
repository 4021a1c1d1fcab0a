"""The replies of the benchmarks' server, rendered once, and the names by which they are asked for.

The name of a model says what is wanted: ``burst:4000`` is a stream of 4,000 pieces of text,
``burst:1:10000`` one of a single piece of 10,000 bytes, ``whole`` an answer that is no stream.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from functools import cache
from itertools import cycle, islice
from typing import Any, Final

__all__ = ["STREAMS", "rendered"]

HEAD: Final = (
    b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
)
DONE: Final = b"data: [DONE]\n\n"
END: Final = b"0\r\n\r\n"

#: Pieces of an ordinary answer; one in sixteen has an escape in JSON.
PIECES: Final = (
    *(" The", " ordinary", " answer", " of", " a", " model", " goes", " on", " and", " on"),
    *(" with", " words", " that", " are", " short", ".\n"),
)
#: Pieces of the arguments of a tool call, with the escapes that they have in JSON.
ARGUMENTS: Final = ('{"', "place", '":"', "Moscow", '","', "days", '":', "3", ',"', "unit", '":"')


def chunk(delta: dict[str, Any], finish: str | None = None, **more: Any) -> dict[str, Any]:
    """Return a chunk as OpenAI sends it."""
    return {
        "id": "chatcmpl-A1b2C3d4",
        "object": "chat.completion.chunk",
        "created": 1763640000,
        "model": "gpt-4o-mini-2024-07-18",
        "service_tier": "default",
        "system_fingerprint": "fp_0123456789",
        "choices": [{"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}],
        **more,
    }


def event(content: dict[str, Any]) -> bytes:
    """Return a chunk as an event."""
    return b"data: %b\n\n" % json.dumps(content, separators=(",", ":")).encode()


def framed(content: bytes) -> bytes:
    """Return an event as one HTTP chunk."""
    return b"%x\r\n%b\r\n" % (len(content), content)


def _plain(pieces: int, size: int) -> list[bytes]:
    texts = ["x" * size] if size else PIECES
    return _repeated([chunk({"content": text}) for text in texts], pieces)


def _varied(pieces: int, size: int) -> list[bytes]:
    # A clock that goes on and letters that hide the length: more than the text differs.
    letters = random.Random(1)
    events = []
    for number in range(pieces):
        content = chunk({"content": PIECES[number % len(PIECES)]})
        content["created"] += number
        obfuscation = "".join(letters.choices("abcdefghijklmnopqrstuvwxyz", k=8 + number % 8))
        events.append(framed(event(content | {"obfuscation": obfuscation})))
    return events


def _tools(pieces: int, size: int) -> list[bytes]:
    call: dict[str, Any] = {"index": 0, "id": "call_A1", "type": "function"}
    call["function"] = {"name": "weather", "arguments": ""}
    some = [
        chunk({"tool_calls": [{"index": 0, "function": {"arguments": arguments}}]})
        for arguments in ARGUMENTS
    ]
    return [framed(event(chunk({"tool_calls": [call]}))), *_repeated(some, pieces)]


def _reasoning(pieces: int, size: int) -> list[bytes]:
    return _repeated([chunk({"reasoning_content": text}) for text in PIECES], pieces)


def _repeated(some: list[dict[str, Any]], pieces: int) -> list[bytes]:
    """Return so many events, which share the bytes that are the same."""
    once = [framed(event(content)) for content in some]
    return list(islice(cycle(once), pieces))


#: How the pieces of each kind of stream are made, from their number and their size (0: a word).
STREAMS: Final[dict[str, Callable[[int, int], list[bytes]]]] = {
    "burst": _plain,
    "each": _plain,
    "first": _plain,
    "varied": _varied,
    "tools": _tools,
    "reasoning": _reasoning,
}


def _stream(kind: str, pieces: int, size: int) -> list[bytes]:
    last = framed(event(chunk({}, "tool_calls" if kind == "tools" else "stop")))
    return [HEAD, *STREAMS[kind](pieces, size), last, framed(DONE) + END]


def _whole() -> bytes:
    answer = {
        "id": "chatcmpl-A1b2C3d4",
        "object": "chat.completion",
        "created": 1763640000,
        "model": "gpt-4o-mini-2024-07-18",
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": "".join(PIECES * 4), "refusal": None},
                "logprobs": None,
                "finish_reason": "stop",
            }
        ],
        "usage": {"prompt_tokens": 9, "completion_tokens": 64, "total_tokens": 73},
        "service_tier": "default",
        "system_fingerprint": "fp_0123456789",
    }
    body = json.dumps(answer, separators=(",", ":")).encode()
    head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
    return (head % len(body)).encode() + body


@cache
def rendered(model: str) -> tuple[bytes, ...]:
    """Return a reply, as what is sent by one write each.

    Args:
        model: ``whole``, or ``KIND:PIECES`` or ``KIND:PIECES:SIZE`` with a kind of `STREAMS`.
    """
    kind, *numbers = model.split(":")
    if kind == "whole":
        return (_whole(),)
    pieces, size = (*map(int, numbers), 0)[:2]
    parts = _stream(kind, pieces, size)
    if kind == "each":
        return tuple(parts)
    if kind == "first":
        # The head with what is there at once, and the rest.
        return (b"".join(parts[:2]), b"".join(parts[2:]))
    return (b"".join(parts),)
