"""What is tried again, and when: hints of servers, and failures that pass."""

from __future__ import annotations

import math
from typing import Any

from evoclient import Retry
from evoclient.errors.tree import (
    APIConnectionError,
    BadRequestError,
    InternalServerError,
    StreamInterruptedError,
    StreamProviderError,
)
from evoclient.testing.acts import Close, Fault, HalfClose, Reset, Send, Wait

from .scenario import BOTH, Scenario, does, in_turn
from .scenario import WHOLE as AS_WHOLE
from .wire import BEGUN, GOOD, LAST, STREAM, WHOLE_GOOD, chunk, error, sized, streamed

__all__ = ["SCENARIOS"]

#: Three attempts with hardly a wait between them.
THREE = Retry(attempts=3, base=0.01, cap=0.02)
SLOW = Retry(attempts=2, base=30, cap=30)


def hinted(name: str, fields: bytes, *, wants: str = "", **more: Any) -> Scenario:
    """Return a scenario of a server that is busy once and says something about trying again."""
    facts = {
        "text": "Hello",
        "requests": 2,
        "options": {"retry": THREE},
        "most": 3.0,
        **more,
    }
    first = Send(sized(error("busy"), b"503 Busy", fields))
    wants = wants or "A hint that cannot be used is passed over, and the wait is our own."
    return Scenario(name=f"hint: {name}", wants=wants, does=in_turn(first, GOOD), **facts)


def gave_up(name: str, fields: bytes, wants: str, after: float | None, **more: Any) -> Scenario:
    """Return a scenario of a server that must not be asked again."""
    facts = {"error": InternalServerError, "status": 503, "retry_after": after, **more}
    first = Send(sized(error("busy"), b"503 Busy", fields))
    return Scenario(
        name=f"hint: {name}",
        wants=wants,
        does=in_turn(first, GOOD),
        options={"retry": THREE},
        **facts,
    )


WAITED = "The server is asked again when it said, neither sooner nor much later."
SOONER = {"options": {"retry": SLOW}}

HINTS = [
    hinted("none", b"", wants="A server that is busy is asked again."),
    hinted("seconds", b"Retry-After: 1\r\n", wants=WAITED, least=1),
    hinted("a fraction", b"Retry-After: 0.6\r\n", wants=WAITED, least=0.6),
    hinted("zero", b"Retry-After: 0\r\n", wants=WAITED, **SOONER),
    hinted("milliseconds", b"Retry-After-Ms: 600\r\n", wants=WAITED, least=0.6),
    hinted(
        "milliseconds and seconds",
        b"Retry-After: 50\r\nRetry-After-Ms: 10\r\n",
        wants="The finer of two hints counts.",
        **SOONER,
    ),
    hinted(
        "milliseconds that are rubbish",
        b"Retry-After: 0\r\nRetry-After-Ms: soon\r\n",
        wants="Of two hints the one that can be read counts.",
        **SOONER,
    ),
    hinted("spaces", b"Retry-After:   0  \r\n", wants=WAITED, **SOONER),
    hinted("negative", b"Retry-After: -5\r\n"),
    hinted("NaN", b"Retry-After: nan\r\n"),
    hinted("infinite", b"Retry-After: inf\r\n"),
    hinted("beyond every float", b"Retry-After: 1e999\r\n"),
    hinted("words", b"Retry-After: soon\r\n"),
    hinted("empty", b"Retry-After:\r\n"),
    hinted("hexadecimal", b"Retry-After: 0x10\r\n"),
    hinted("with underscores", b"Retry-After: 1_0\r\n"),
    hinted("with a unit", b"Retry-After: 30s\r\n"),
    hinted("twice", b"Retry-After: 30\r\nRetry-After: 40\r\n"),
    hinted("a date in the past", b"Retry-After: Wed, 21 Oct 2015 07:28:00 GMT\r\n"),
    hinted("an old form of date", b"Retry-After: Wednesday, 21-Oct-15 07:28:00 GMT\r\n"),
    hinted("a date that is none", b"Retry-After: Wed, 99 Oct 2015 07:28:00 GMT\r\n"),
    hinted("a date without end", b"Retry-After: Wed, 21 Oct " + b"9" * 200 + b" GMT\r\n"),
    gave_up(
        "a day",
        b"Retry-After: 86400\r\n",
        "Nobody waits for a day: the error says how long the server asked for.",
        86400,
    ),
    gave_up(
        "a minute and a second",
        b"Retry-After: 61\r\n",
        "Nobody waits for more than a minute.",
        61,
    ),
    gave_up(
        "milliseconds of a day",
        b"Retry-After-Ms: 86400000\r\n",
        "Nobody waits for a day.",
        86400,
    ),
    gave_up(
        "not to try again",
        b"X-Should-Retry: false\r\n",
        "A server that says not to is not asked again.",
        None,
        retryable=False,
    ),
    Scenario(
        name="hint: a date far away",
        wants="A date of the next century is not waited for.",
        does=in_turn(
            Send(sized(b"", b"503 Busy", b"Retry-After: Wed, 21 Oct 2099 07:28:00 GMT\r\n")), GOOD
        ),
        options={"retry": THREE},
        error=InternalServerError,
        status=503,
        retry_after=math.inf,
    ),
    Scenario(
        name="hint: to try again",
        wants="A server that says so is asked again, whatever its status.",
        does=in_turn(Send(sized(b"", b"400 Bad", b"X-Should-Retry: true\r\n")), GOOD),
        options={"retry": THREE},
        text="Hello",
        requests=2,
    ),
    Scenario(
        name="hint: neither yes nor no",
        wants="What is neither true nor false says nothing.",
        does=in_turn(Send(sized(b"", b"400 Bad", b"X-Should-Retry: maybe\r\n")), GOOD),
        options={"retry": THREE},
        error=BadRequestError,
        status=400,
    ),
]


def again(name: str, wants: str, fault: Fault, **more: Any) -> Scenario:
    """Return a scenario that ends well at a later attempt."""
    facts = {"text": "Hello", "requests": 2, "options": {"retry": THREE}, **more}
    return Scenario(name=f"again: {name}", wants=wants, does=fault, **facts)


RETRIED = "A failure before the first chunk is tried again, and nobody notices."
KEPT = "No call is repeated after its first chunk has been handed out."

RETRIES = [
    again("busy once", RETRIED, in_turn(Send(sized(b"", b"503 Busy")), GOOD)),
    again(
        "busy twice",
        RETRIED,
        in_turn(Send(sized(b"", b"503 B")), Send(sized(b"", b"429 S")), GOOD),
        requests=3,
    ),
    again("closed once", RETRIED, in_turn(Close(), GOOD)),
    again("reset once", RETRIED, in_turn(Reset(), GOOD)),
    again("cut before the first chunk", RETRIED, in_turn((Send(STREAM), Close()), GOOD)),
    again("cut in the first event", RETRIED, in_turn((streamed(b"data: {"), Close()), GOOD)),
    again("an empty stream once", RETRIED, in_turn(Send(STREAM + LAST), GOOD)),
    again(
        "comments, then a cut",
        "Comments are not the answer.",
        in_turn((streamed(b": wait\n\n"), Close()), GOOD),
    ),
    again(
        "an error as the first event",
        "An error before the first chunk is judged like its status.",
        in_turn((streamed(b"data: " + error("busy", 503) + b"\n\n", b""), Close()), GOOD),
    ),
    again(
        "a whole answer that is cut",
        RETRIED,
        in_turn((Send(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{"), Close()), WHOLE_GOOD),
        asks=AS_WHOLE,
    ),
    again(
        "an empty whole answer",
        RETRIED,
        in_turn(Send(sized(b"")), WHOLE_GOOD),
        asks=AS_WHOLE,
    ),
    again(
        "an error under 200",
        RETRIED,
        in_turn(Send(sized(error("busy", 503))), WHOLE_GOOD),
        asks=AS_WHOLE,
    ),
    Scenario(
        name="again: always busy",
        wants="There are so many attempts and no more.",
        does=does(Send(sized(b"", b"503 Busy"))),
        asks=BOTH,
        options={"retry": THREE},
        error=InternalServerError,
        status=503,
        requests=3,
    ),
    Scenario(
        name="again: always closed",
        wants="There are so many attempts and no more.",
        does=does(Close()),
        asks=BOTH,
        options={"retry": THREE},
        error=APIConnectionError,
        requests=3,
    ),
    Scenario(
        name="again: a wrong request",
        wants="What cannot succeed is not tried again.",
        does=does(Send(sized(error("bad"), b"400 Bad"))),
        asks=BOTH,
        options={"retry": THREE},
        error=BadRequestError,
        status=400,
    ),
    Scenario(
        name="again: cut behind the first chunk",
        wants=KEPT,
        does=in_turn((Send(BEGUN), Close()), GOOD),
        options={"retry": THREE},
        error=StreamInterruptedError,
        partial="Hel",
    ),
    Scenario(
        name="again: an error behind the first chunk",
        wants=KEPT,
        does=in_turn((Send(BEGUN + chunk(b"data: " + error("x", 503) + b"\n\n")), Close()), GOOD),
        options={"retry": THREE},
        error=StreamProviderError,
        partial="Hel",
    ),
    again(
        "cut behind the first chunk, with a restart",
        "Who asked for it gets the rest, and nothing twice.",
        in_turn((Send(BEGUN), Close()), GOOD),
        call={"recover": "restart"},
    ),
    again(
        "reset behind the first chunk, with a restart",
        "Who asked for it gets the rest, and nothing twice.",
        in_turn((Send(BEGUN), Wait(0.03), Reset()), GOOD),
        call={"recover": "restart"},
    ),
    Scenario(
        name="again: too late",
        wants="No attempt is begun that would come too late.",
        does=does(Send(sized(b"", b"503 Busy", b"Retry-After: 20\r\n"))),
        asks=BOTH,
        options={"retry": Retry(attempts=3, deadline=5)},
        error=InternalServerError,
        status=503,
        retry_after=20,
        most=2.0,
    ),
]

EARLY = [
    Scenario(
        name=f"answers before the body is read, {name}",
        wants="An answer that comes early is the answer.",
        does=Fault((acts,), reads="head"),
        asks=BOTH,
        call={"messages": [{"role": "user", "content": "x" * size}]},
        error=BadRequestError,
        status=413,
        retryable=False,
    )
    for name, size, acts in (
        ("small", 10, (Send(sized(error("too large"), b"413 Too Large")), HalfClose(), Wait(0.5))),
        (
            "large",
            4_000_000,
            (Send(sized(error("too large"), b"413 Too Large")), HalfClose(), Wait(0.5)),
        ),
    )
]

SCENARIOS = [*HINTS, *RETRIES, *EARLY]
