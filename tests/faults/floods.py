"""Servers that send too much, reset, or say that they send no more."""

from __future__ import annotations

from typing import Any

from evoclient.errors.tree import (
    APIConnectionError,
    InternalServerError,
    StreamDecodeError,
    StreamInterruptedError,
)
from evoclient.testing.acts import Act, Drip, HalfClose, Repeat, Reset, Send, Wait
from evoclient.wire import Timeouts

from .scenario import BOTH, Scenario, does
from .scenario import WHOLE as AS_WHOLE
from .waits import SILENT, SOON, TRICKLE, done
from .wire import (
    ANSWER,
    BEGUN,
    DONE,
    FINISH,
    FIRST,
    LAST,
    OK,
    REST,
    SSE,
    STREAM,
    chunk,
    event,
    streamed,
)

__all__ = ["SCENARIOS"]


def flooded(name: str, *acts: Act, **more: Any) -> Scenario:
    """Return a scenario whose stream is too much."""
    facts = {
        "error": StreamDecodeError,
        "partial": "Hel",
        "outcome": "failed",
        "leaves": True,
        **more,
    }
    return Scenario(
        name=name,
        wants="What is too large is left in time, and never taken into memory whole.",
        does=does(*acts),
        options={"max_event_bytes": 2**20},
        is_bounded=True,
        **facts,
    )


BLOCK = chunk(b"x" * 65536)

FLOODS = [
    flooded("a line without end", Send(BEGUN + chunk(b"data: ")), Repeat(BLOCK)),
    flooded("a line without a field", Send(BEGUN), Repeat(BLOCK)),
    flooded("a comment without end", Send(BEGUN + chunk(b": ")), Repeat(BLOCK)),
    flooded("data lines without end", Send(BEGUN), Repeat(chunk(b"data: x\n" * 4096))),
    flooded("names without end", Send(BEGUN), Repeat(chunk(b"event: x\n" * 4096))),
    flooded(
        "an event over the limit",
        Send(BEGUN + chunk(event("x" * 3 * 2**19)) + LAST),
        says="max_event_bytes",
        leaves=None,
    ),
    flooded("a chunk without end", Send(BEGUN + b"7fffffff\r\n"), Repeat(b"x" * 65536)),
    flooded(
        "a JSON answer without end",
        Send(STREAM + chunk(b"{")),
        Repeat(BLOCK),
        partial="",
        says="A stream was asked for",
    ),
    Scenario(
        name="trailers without end and fast",
        wants="Trailers are bounded.",
        does=does(Send(BEGUN), Wait(0.03), Send(b"0\r\n"), Repeat(b"X: " + b"y" * 1000 + b"\r\n")),
        error=StreamInterruptedError,
        partial="Hel",
        leaves=True,
        is_bounded=True,
    ),
    done(
        "a flood of comments",
        "Ten thousand comments cost little.",
        Send(STREAM + chunk(b": wait\n\n" * 10_000) + chunk(ANSWER) + LAST),
    ),
    done(
        "a flood of blank lines",
        "A hundred thousand blank lines cost little.",
        Send(STREAM + chunk(b"\n" * 100_000) + chunk(ANSWER) + LAST),
    ),
    done(
        "a large event",
        "An event of ten megabytes is an image, and is read in time.",
        Send(
            STREAM
            + chunk(FIRST)
            + chunk(b'data: {"choices":[],"image":"' + b"x" * 10_000_000 + b'"}\n\n')
            + chunk(REST + FINISH)
            + LAST
        ),
        is_bounded=True,
    ),
    done(
        "a large event in small pieces",
        "A megabyte in pieces of a hundred bytes takes linear time.",
        Send(
            STREAM
            + chunk(FIRST)
            + chunk(b'data: {"choices":[],"image":"')
            + chunk(b"x" * 100) * 10_000
            + chunk(b'"}\n\n')
            + chunk(REST + FINISH)
            + LAST
        ),
    ),
]

ERRORS = [
    Scenario(
        name=f"error body that {name}",
        wants="The status is known, so nobody waits for the rest of its body for long.",
        does=does(Send(b"HTTP/1.1 500 Broken\r\nContent-Length: 999999999999\r\n\r\n"), *acts),
        asks=AS_WHOLE if is_slow else BOTH,
        options={"timeout": Timeouts(first_chunk=SOON, idle=SOON)},
        error=InternalServerError,
        status=500,
        retryable=True,
        least=SOON if is_slow else 0,
        most=2 * SOON + 0.5 if is_slow else 5.0,
        leaves=True,
    )
    for name, is_slow, acts in (
        ("does not come", True, (SILENT,)),
        ("stalls", True, (Send(b'{"error":{"message":"brok'), SILENT)),
        ("trickles", True, (Repeat(b"x", every=TRICKLE),)),
        ("is cut", False, (Send(b'{"error":{"message":"brok'), HalfClose(), SILENT)),
        ("is reset", False, (Send(b'{"error":'), Wait(0.03), Reset())),
        ("floods", False, (Repeat(b"x" * 65536),)),
    )
]

RESETS = [
    Scenario(
        name="reset before the answer",
        wants="A reset instead of an answer is worth a retry.",
        does=does(Reset()),
        asks=BOTH,
        error=APIConnectionError,
        retryable=True,
    ),
    Scenario(
        name="reset in the head",
        wants="A reset in the head is worth a retry.",
        does=does(Send(OK + b"X-H"), Wait(0.03), Reset()),
        asks=BOTH,
        error=APIConnectionError,
        retryable=True,
    ),
    *(
        Scenario(
            name=f"reset in a body {name}",
            wants="A reset is a cut, and what came before it is kept.",
            does=does(Send(head), Wait(0.03), Reset()),
            error=StreamInterruptedError,
            partial="Hel",
            outcome="truncated",
            retryable=True,
        )
        for name, head in {
            "in chunks": BEGUN,
            "in a chunk": BEGUN + b"99\r\n",
            "with a length": OK + SSE + b"Content-Length: 999\r\n\r\n" + FIRST,
            "to the close": OK + SSE + b"\r\n" + FIRST,
        }.items()
    ),
    done(
        "reset behind the end marker",
        "A reset behind the end marker takes nothing from the answer.",
        Send(STREAM + chunk(ANSWER)),
        Wait(0.03),
        Reset(),
    ),
    done(
        "reset behind the finish reason",
        "A reset behind the finish reason takes nothing from the answer.",
        streamed(FIRST, REST, event(None, "stop")),
        Wait(0.03),
        Reset(),
    ),
    Scenario(
        name="half closed before the answer",
        wants="A server that says it will not answer is not waited for.",
        does=does(HalfClose(), SILENT),
        asks=BOTH,
        error=APIConnectionError,
        retryable=True,
        leaves=True,
    ),
    Scenario(
        name="half closed in the body",
        wants="A server that says it sends nothing more is not waited for.",
        does=does(Send(BEGUN), HalfClose(), SILENT),
        error=StreamInterruptedError,
        partial="Hel",
        outcome="truncated",
        retryable=True,
        leaves=True,
    ),
    done(
        "half closed behind the answer",
        "A half-closed connection ends a body that lasts as long as it.",
        Send(OK + SSE + b"\r\n" + ANSWER),
        HalfClose(),
        SILENT,
        leaves=True,
    ),
    done(
        "half closed behind the end marker",
        "Behind the end marker it is of no matter how the body ends.",
        Send(STREAM + chunk(FIRST + REST + event(None, "stop") + DONE)),
        HalfClose(),
        SILENT,
        leaves=True,
    ),
    done(
        "an answer byte by byte",
        "A drip is slow, not wrong.",
        Send(OK + SSE + b"Content-Length: %d\r\n\r\n" % len(ANSWER)),
        Drip(ANSWER, 0.0003),
    ),
]

SCENARIOS = [*FLOODS, *ERRORS, *RESETS]
