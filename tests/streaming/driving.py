"""What the tests of streams share: a clock that stands still, a front without colour, bodies."""

from __future__ import annotations

import gc
import json
import time
from collections.abc import Callable, Iterable
from typing import Any

from evoclient.errors.tree import APIError
from evoclient.models.chunks import ChatCompletionChunk
from evoclient.streaming.pipeline import Item, Pipeline, StreamTerms
from evoclient.streaming.timing import Patience
from evoclient.wire import Deadline, Timeouts

DONE = b"data: [DONE]\n\n"


class Clock:
    """A clock that goes on when it is told to."""

    def __init__(self, now: float = 1000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        """Return the moment."""
        return self.now


def patience(
    clock: Clock | None = None, timeouts: Timeouts | None = None, total: Deadline | None = None
) -> Patience:
    """Return patience whose attempt begins now."""
    clock = clock or Clock()
    return Patience(timeouts or Timeouts(), clock=clock, started=clock.now, total=total)


def pipeline(
    clock: Clock | None = None,
    *,
    timeouts: Timeouts | None = None,
    encoding: str | None = None,
    **terms: Any,
) -> Pipeline:
    """Return a pipeline at the beginning of a body."""
    return Pipeline(patience(clock, timeouts), encoding, StreamTerms(**terms))


def drive(pipe: Pipeline, blocks: Iterable[bytes], error: APIError | None = None) -> list[Item]:
    """Do as a front does: feed blocks until the stream is over, and learn how the body ended."""
    items: list[Item] = []
    waiting = iter(blocks)
    while not pipe.over:
        if pipe.pending:
            items += pipe.feed(b"")
        elif block := next(waiting, b""):
            items += pipe.feed(block)
        else:
            items += pipe.finish(error)
    return items


def text_of(items: Iterable[Item]) -> str:
    """Return the text of choice 0 in all chunks."""
    return "".join(item.text for item in items if isinstance(item, ChatCompletionChunk))


def event(document: Any) -> bytes:
    """Return the event that carries a JSON document."""
    return b"data: " + json.dumps(document).encode() + b"\n\n"


def chunk(
    content: str | None = None, finish: str | None = None, index: int = 0, **more: Any
) -> dict[str, Any]:
    """Return the document of a chunk with one choice."""
    delta = {} if content is None else {"content": content}
    choice = {"index": index, "delta": delta, "finish_reason": finish}
    return {"id": "gen-1", "object": "chat.completion.chunk", "choices": [choice], **more}


def said(
    content: str | None = None, finish: str | None = None, index: int = 0, **more: Any
) -> bytes:
    """Return the event of a chunk with one choice."""
    return event(chunk(content, finish, index, **more))


def pieces(data: bytes, size: int) -> list[bytes]:
    """Cut bytes into pieces of a size."""
    return [data[at : at + size] for at in range(0, len(data), size)]


def growth(work: Callable[[int], object], size: int) -> float:
    """Return how much longer twice the size takes: 2 is linear, 4 is quadratic.

    The least of several ratios, in one run: other work on the machine can only add to a time. The
    first that is near 2 will do.
    """

    def seconds(size: int) -> float:
        started = time.process_time()
        work(size)
        return time.process_time() - started

    least = float("inf")
    # A collection looks at all objects of the process, and most of them are the test suite's.
    gc.disable()
    try:
        for _ in range(7):
            least = min(least, seconds(2 * size) / seconds(size))
            if least < 2.3:
                break
    finally:
        gc.enable()
    return least
