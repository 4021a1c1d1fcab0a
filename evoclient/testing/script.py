"""A reply as data: what to write, where to pause, where to break off.

The server makes a script of every answer, faults rewrite it, and one player performs it. So a
fault needs no hook in the server, and what a fault does can be read and tested without a socket.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

from ..streaming.encode import encode_event

__all__ = ["Abort", "Action", "Hold", "Pause", "Script", "Write", "body", "dump", "events", "split"]

Kind = Literal["chunk", "comment", "error", "done", "body", "part"]


@dataclass(frozen=True)
class Write:
    """Send a block in a write of its own; a paced one waits for its turn first."""

    data: bytes
    kind: Kind
    paced: bool = False


@dataclass(frozen=True)
class Pause:
    """Say nothing for a while, then go on."""

    seconds: float


@dataclass(frozen=True)
class Hold:
    """The answer is over, but the connection stays open for a while."""

    seconds: float


@dataclass(frozen=True)
class Abort:
    """Drop the connection: with a reset, or as a process that dies, without the final chunk."""

    reset: bool


Action = Write | Pause | Hold | Abort
Script = list[Action]


def dump(value: Any) -> str:
    """Write JSON as servers do: compact, with letters of every script as they are."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def body(record: Any) -> Script:
    """The script of a reply that is one JSON document."""
    return [Write(dump(record).encode(), "body")]


def events(records: Iterable[Any]) -> Script:
    """The script of a stream: an event for every record, then the end marker."""
    writes: Script = [
        Write(encode_event(dump(record)), "chunk", paced=index > 0)
        for index, record in enumerate(records)
    ]
    return [*writes, Write(encode_event("[DONE]"), "done")]


def split(script: Script, after: int) -> tuple[Script, Script]:
    """Divide a script behind its first ``after`` chunks; the end marker is never in the first part.

    A script without chunks, one JSON document, is divided in the middle of the document.
    """
    whole = [action for action in script if isinstance(action, Write) and action.kind == "body"]
    if whole:
        half = len(whole[0].data) // 2
        return [Write(whole[0].data[:half], "body")], [Write(whole[0].data[half:], "part")]
    seen = 0
    for position, action in enumerate(script):
        if isinstance(action, Write) and action.kind in ("chunk", "done"):
            if seen >= after or action.kind == "done":
                return script[:position], script[position:]
            seen += 1
    return script, []
