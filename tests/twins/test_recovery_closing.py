"""A reader that wants nothing more ends a recovery, wherever it stands."""

from __future__ import annotations

import asyncio
from time import monotonic
from typing import Any

import attrs
import pytest

from evoclient.retry import Retry
from evoclient.streaming.ending import Outcome
from evoclient.streaming.events import RetryEvent
from tests.colours import Aio, Colour
from tests.twins.recovering import READERS, broken, read, reply, streaming
from tests.twins.scripts import refusing

AnyColour = Colour[Any, Any]

#: Far longer than a test may take, in seconds.
LONG_PAUSE = 20.0


def waiting(colour: AnyColour, seconds: float = LONG_PAUSE) -> tuple[Any, Any]:
    """Return a transport, and a stream that waits long before its second attempt."""
    transport = colour.memory([broken(["One"]), reply(["One two"])])
    retry = Retry(base=2 * seconds, cap=2 * seconds)
    client = colour.client(transport=transport, model="m", retry=retry)
    return transport, colour.stream(client, recover="restart")


@pytest.mark.parametrize("reader", READERS)
def test_closed_between_the_attempts(colour: AnyColour, reader: str) -> None:
    """A stream that is closed while it waits before another attempt ends soon, and asks nobody."""
    transport, stream = waiting(colour)
    began = monotonic()
    text = colour.beside(lambda: read(colour, stream, reader), stream.close, 0.1)
    assert monotonic() - began < 2
    assert text == "One"
    assert stream.outcome is Outcome.cancelled
    assert len(transport.requests) == 1
    assert list(colour.chunks(stream)) == []


@pytest.mark.parametrize("is_refused", [False, True])
def test_closed_while_the_next_attempt_is_asked_for(colour: AnyColour, is_refused: bool) -> None:
    """The reply that comes then is closed unread, and an error that comes is not raised."""
    second = attrs.evolve(refusing(400) if is_refused else reply(["One two"]), pause_before=0.3)
    transport = colour.memory([broken(["One"]), second])
    stream = streaming(colour, None, transport=transport)(recover="restart")
    text = colour.beside(lambda: read(colour, stream, "text"), stream.close, 0.1)
    assert text == "One"
    assert stream.outcome is Outcome.cancelled
    assert transport.open_bodies == 0


@pytest.mark.parametrize("is_refused", [False, True])
def test_the_client_is_closed_while_the_next_attempt_is_asked_for(
    colour: AnyColour, is_refused: bool
) -> None:
    """The stream ends as one that was closed: no error follows what it has handed out."""
    second = attrs.evolve(refusing(400) if is_refused else reply(["One two"]), pause_before=0.3)
    transport = colour.memory([broken(["One"]), second])
    client = colour.client(transport=transport, model="m", retry=Retry(base=0.001, cap=0.001))
    stream = colour.stream(client, recover="restart")

    def close() -> object:
        closing = client.close()
        return closing if colour.name == "sync" else asyncio.ensure_future(closing)

    assert colour.beside(lambda: read(colour, stream, "text"), close, 0.1) == "One"
    assert stream.outcome is Outcome.cancelled


def test_closed_by_a_callback(colour: AnyColour) -> None:
    """A callback that hears of the retry may close the stream: the attempt is not made."""
    transport = colour.memory([broken(["One"]), reply(["One two"])])
    held: list[Any] = []
    opened = streaming(colour, None, transport=transport)
    held.append(opened(recover="restart", on_retry=lambda state: held[0].close() and None))
    assert "".join(colour.text(held[0])) == "One"
    assert held[0].outcome is Outcome.cancelled
    assert list(colour.chunks(held[0])) == []
    assert len(transport.requests) == 1


def test_a_loop_left_at_a_retry(colour: AnyColour) -> None:
    """A reader who leaves the loop when it hears of a retry asks for nothing more."""
    transport, stream = waiting(colour)
    if colour.name == "sync":
        for event in stream.events():
            if isinstance(event, RetryEvent):
                break
    else:

        async def leave() -> None:
            async for event in stream.events():
                if isinstance(event, RetryEvent):
                    break

        colour.run(leave())
        colour.settle()
    assert stream.outcome is Outcome.cancelled
    assert list(colour.chunks(stream)) == []
    assert len(transport.requests) == 1


def test_a_task_that_is_cancelled_between_the_attempts() -> None:
    """Cancellation ends the wait, and the stream counts as cancelled."""
    colour = Aio()
    transport, stream = waiting(colour)

    async def read_all() -> None:
        async for _ in stream:
            pass

    async def cancel() -> None:
        task = asyncio.ensure_future(read_all())
        await asyncio.sleep(0.05)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    colour.run(cancel())
    assert stream.outcome is Outcome.cancelled
    assert len(transport.requests) == 1
    colour.finish()
