"""What comes after the end of a stream.

A stream asks at every end, good or bad, whether and how it goes on. Here: a failure before the
first chunk was handed out is tried again, like any other failure before an answer.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import attrs

from .endpoints.base import Call
from .errors.tree import APIError
from .exchange import Exchange, Opened, persistently
from .settings import Settings
from .steps import Flow, pause
from .streaming.pipeline import Pipeline
from .wire import Reply

__all__ = ["OpenedStream", "Reopen", "stream"]

#: Given a pipeline that has ended: a flow that opens what comes next, or None where the stream
#: is over. It raises the error of the end where nothing can follow it.
Reopen: TypeAlias = Callable[[Pipeline], Flow[Opened] | None]


@attrs.frozen(eq=False)
class OpenedStream:
    """A stream that may be read, and what comes after it.

    Attributes:
        opened: The reply and its pipeline.
        reopen: Asked at the end.
    """

    opened: Opened
    reopen: Reopen

    @property
    def reply(self) -> Reply:
        """The reply, whose body the driver must leave open."""
        return self.opened.reply


def stream(call: Call[Any], settings: Settings, through: object) -> Flow[OpenedStream]:
    """Ask for a stream, and try again where that may help.

    Args:
        call: What to ask.
        settings: The client's settings.
        through: The client's transport handle.

    Raises:
        APIError: No stream could be had; earlier failures are in its `attempts`.
        ConfigurationError: The call cannot be made.
    """
    exchange = Exchange(call, settings, through, stream=True)

    def reopen(pipeline: Pipeline) -> Flow[Opened] | None:
        usage = pipeline.assembly.usage
        exchange.settle(None if usage is None else usage.total_tokens)
        error = None if pipeline.end is None else pipeline.end.error
        if error is None:
            return None
        if pipeline.delivered:
            raise error
        return _again(exchange, error)

    opened = yield from persistently(exchange.attempt_stream, exchange.course)
    return OpenedStream(opened, reopen)


def _again(exchange: Exchange, error: APIError) -> Flow[Opened]:
    """Open the stream once more after a failure before its first chunk.

    Raises:
        APIError: The failure itself where it is not to be tried again, or a later one.
    """
    yield from pause(exchange.course.wait_after(error))
    return (yield from persistently(exchange.attempt_stream, exchange.course))
