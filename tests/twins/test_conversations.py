"""One table of scripted conversations, through both drivers."""

from __future__ import annotations

from typing import Any

import attrs
import pytest

from evoclient.errors.tree import (
    APIConnectionError,
    APIError,
    APITimeoutError,
    AuthenticationError,
    BadRequestError,
    InsufficientCreditsError,
    InternalServerError,
    RateLimitError,
    ResponseDecodeError,
    StreamDecodeError,
    StreamInterruptedError,
    StreamProviderError,
)
from evoclient.retry import Retry, RetryState
from evoclient.transports.memory import MemoryReply
from tests.colours import Colour
from tests.twins.scripts import (
    chunk,
    cut,
    failing,
    refusing,
    streamed,
    timing_out,
    whole,
)

ERROR_EVENT = {"error": {"code": 503, "message": "no provider"}}
FATAL_EVENT = {"error": {"code": 400, "message": "bad prompt"}}


@attrs.frozen(kw_only=True)
class Conversation:
    """A script, and what comes of it.

    Attributes:
        name: What happens.
        script: The replies, in order.
        text: The text in the end, partial where there is an error.
        error: The class of the error, or None.
        earlier: The classes in the error's `attempts`.
        requests: How many requests were sent.
        outcome: How a stream ended; None where none was opened.
        options: For `create`.
    """

    name: str
    script: tuple[MemoryReply, ...]
    text: str = ""
    error: type[APIError] | None = None
    earlier: tuple[type[APIError], ...] = ()
    requests: int = 1
    outcome: str | None = None
    options: dict[str, Any] = attrs.field(factory=dict)


WHOLE = [
    Conversation(name="an answer", script=(whole("Hi"),), text="Hi"),
    Conversation(name="no finish reason", script=(whole("Hi", None),), text="Hi"),
    Conversation(
        name="one reset, then an answer", script=(failing(), whole("Hi")), text="Hi", requests=2
    ),
    Conversation(
        name="busy twice, then an answer",
        script=(refusing(503), refusing(429), whole("Hi")),
        text="Hi",
        requests=3,
    ),
    Conversation(
        name="busy to the end",
        script=(refusing(500), refusing(429), refusing(503)),
        error=InternalServerError,
        earlier=(RateLimitError, InternalServerError),
        requests=3,
    ),
    Conversation(
        name="no connection to the end",
        script=(failing(), timing_out(), failing()),
        error=APIConnectionError,
        earlier=(APITimeoutError, APIConnectionError),
        requests=3,
    ),
    Conversation(name="a wrong key", script=(refusing(401),), error=AuthenticationError),
    Conversation(name="a bad request", script=(refusing(400),), error=BadRequestError),
    Conversation(
        name="a quota that is used up",
        script=(refusing(429, code="insufficient_quota"),),
        error=InsufficientCreditsError,
    ),
    Conversation(
        name="a server that says not to retry",
        script=(refusing(503, headers={"x-should-retry": "false"}),),
        error=InternalServerError,
    ),
    Conversation(
        name="a server that says to retry",
        script=(refusing(400, headers={"x-should-retry": "true"}), whole("Hi")),
        text="Hi",
        requests=2,
    ),
    Conversation(
        name="told to wait too long",
        script=(refusing(429, headers={"retry-after": "61"}),),
        error=RateLimitError,
    ),
    Conversation(
        name="a body that is cut, then an answer",
        script=(
            MemoryReply(pieces=[b'{"id"'], error=APIConnectionError("cut"), error_after=1),
            whole("Hi"),
        ),
        text="Hi",
        requests=2,
    ),
    Conversation(
        name="an empty body, then an answer",
        script=(MemoryReply(pieces=[]), whole("Hi")),
        text="Hi",
        requests=2,
    ),
    Conversation(
        name="a web page",
        script=(MemoryReply(pieces=[b"<html>login</html>"]),),
        error=ResponseDecodeError,
    ),
    Conversation(
        name="an error under 200",
        script=(MemoryReply.json({"error": {"code": 402, "message": "no money"}}),),
        error=InsufficientCreditsError,
    ),
    Conversation(
        name="an error in a choice keeps what was answered",
        script=(whole("Half", "error"),),
        text="Half",
        error=APIError,
    ),
    Conversation(
        name="padding before an answer",
        script=(MemoryReply(pieces=[b"\n\n", b"  \n", *whole("Hi").pieces]),),
        text="Hi",
    ),
]

STREAMED = [
    Conversation(
        name="a stream", script=(streamed("Hel", "lo"),), text="Hello", outcome="complete"
    ),
    Conversation(
        name="no end marker",
        script=(streamed("Hi", done=False),),
        text="Hi",
        outcome="complete",
    ),
    Conversation(
        name="an end marker alone",
        script=(streamed("Hi", finish=None),),
        text="Hi",
        outcome="unconfirmed",
    ),
    Conversation(
        name="an end marker alone is an error in strict mode",
        script=(streamed("Hi", finish=None),),
        text="Hi",
        error=StreamInterruptedError,
        outcome="unconfirmed",
        options={"incomplete": "strict"},
    ),
    Conversation(
        name="neither",
        script=(streamed("Hi", finish=None, done=False),),
        text="Hi",
        error=StreamInterruptedError,
        outcome="truncated",
    ),
    Conversation(
        name="neither is accepted if the user says so",
        script=(streamed("Hi", finish=None, done=False),),
        text="Hi",
        outcome="truncated",
        options={"incomplete": "accept"},
    ),
    Conversation(
        name="a cut after the first chunk is not tried again",
        script=(cut("Hel"), streamed("never")),
        text="Hel",
        error=StreamInterruptedError,
        outcome="truncated",
    ),
    Conversation(
        name="a cut before the first chunk is tried again",
        script=(cut(), streamed("Hi")),
        text="Hi",
        requests=2,
        outcome="complete",
    ),
    Conversation(
        name="comments do not count as chunks",
        script=(
            MemoryReply.stream(": OPENROUTER PROCESSING\n\n", done=False),
            streamed("Hi"),
        ),
        text="Hi",
        requests=2,
        outcome="complete",
    ),
    Conversation(
        name="cut before the first chunk to the end",
        script=(cut(), cut(), cut()),
        error=StreamInterruptedError,
        earlier=(StreamInterruptedError, StreamInterruptedError),
        requests=3,
        outcome="truncated",
    ),
    Conversation(
        name="an error event before the first chunk is judged like its status",
        script=(MemoryReply.stream(ERROR_EVENT), refusing(500), streamed("Hi")),
        text="Hi",
        requests=3,
        outcome="complete",
    ),
    Conversation(
        name="a fatal error event before the first chunk",
        script=(MemoryReply.stream(FATAL_EVENT), streamed("never")),
        error=StreamProviderError,
        outcome="failed",
    ),
    Conversation(
        name="an error event after the first chunk",
        script=(MemoryReply.stream(chunk("Hel"), ERROR_EVENT), streamed("never")),
        text="Hel",
        error=StreamProviderError,
        outcome="failed",
    ),
    Conversation(
        name="busy, then a stream",
        script=(refusing(503), streamed("Hi")),
        text="Hi",
        requests=2,
        outcome="complete",
    ),
    Conversation(
        name="a whole answer though a stream was asked for",
        script=(whole("Hi"),),
        text="Hi",
        outcome="complete",
    ),
    Conversation(
        name="an error body though a stream was asked for",
        script=(MemoryReply.json({"error": {"code": 400, "message": "no"}}),),
        error=StreamProviderError,
        outcome="failed",
    ),
    Conversation(
        name="a web page though a stream was asked for",
        script=(MemoryReply(pieces=[b"<html>login</html>"]),),
        error=StreamDecodeError,
        outcome="failed",
    ),
    Conversation(
        name="an event that is not JSON",
        script=(MemoryReply.stream(chunk("Hel"), "data: {broken\n\n"),),
        text="Hel",
        error=StreamDecodeError,
        outcome="failed",
    ),
    Conversation(
        name="an empty stream to the end",
        script=(MemoryReply(pieces=[]),) * 3,
        error=StreamInterruptedError,
        earlier=(StreamInterruptedError, StreamInterruptedError),
        requests=3,
        outcome="truncated",
    ),
    Conversation(name="a wrong key", script=(refusing(401),), error=AuthenticationError),
]


def named(conversation: Conversation) -> str:
    """Return what a case is called."""
    return conversation.name.replace(" ", "-")


class Told:
    """A client over a script, with retries that do not wait."""

    def __init__(self, colour: Colour[Any, Any], conversation: Conversation) -> None:
        """Make the client."""
        self.seen: list[RetryState] = []
        self.transport = colour.memory(conversation.script)
        retry = Retry(base=0, hooks=[self.seen.append])
        self.client = colour.client(transport=self.transport, model="m", retry=retry)

    def check(self, conversation: Conversation, error: APIError | None, text: str) -> None:
        """Compare what came of it."""
        assert (error is None) == (conversation.error is None), error
        if conversation.error is not None:
            assert isinstance(error, conversation.error)
        assert text == conversation.text
        assert len(self.transport.requests) == conversation.requests
        assert len(self.seen) == conversation.requests - 1
        assert self.transport.open_bodies == 0
        if error is not None:
            assert tuple(type(earlier) for earlier in error.attempts) == conversation.earlier
            assert error.provider == "generic"
            assert error.partial_text == text


@pytest.mark.parametrize("conversation", WHOLE, ids=named)
def test_whole(colour: Colour[Any, Any], conversation: Conversation) -> None:
    """A whole answer comes to the same end in both colours, with every body closed."""
    told = Told(colour, conversation)
    error, text = None, ""
    try:
        text = colour.create(told.client, **conversation.options).text
    except APIError as raised:
        error, text = raised, raised.partial_text
    told.check(conversation, error, text)


@pytest.mark.parametrize("conversation", STREAMED, ids=named)
def test_streamed(colour: Colour[Any, Any], conversation: Conversation) -> None:
    """A stream comes to the same end in both colours, with every body closed."""
    told = Told(colour, conversation)
    error, stream = None, None
    pieces: list[str] = []
    try:
        stream = colour.stream(told.client, **conversation.options)
        for chunk_ in colour.chunks(stream):
            pieces.append(chunk_.text)
    except APIError as raised:
        error = raised
    told.check(conversation, error, "".join(pieces))
    assert (stream.outcome if stream else None) == conversation.outcome
    if stream is not None:
        assert stream.completion.text == conversation.text
