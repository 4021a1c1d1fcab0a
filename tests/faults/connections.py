"""Connections: kept, dropped, refused; names that are none; TLS where there is none."""

from __future__ import annotations

from typing import Any

from evoclient.errors.tree import APIConnectionError, BadRequestError
from evoclient.testing.acts import Close, Fault, Receive, Reset, Send, Wait

from .scenario import BOTH, Scenario, does, in_turn
from .scenario import WHOLE as AS_WHOLE
from .wire import ANSWER, GOOD, LAST, SSE, STREAM, WHOLE_GOOD, chunk, sized

__all__ = ["SCENARIOS"]


def served(name: str, wants: str, fault: Fault, **more: Any) -> Scenario:
    """Return a scenario of two calls that both succeed."""
    facts = {"text": "Hello", "calls": 2, "requests": 2, **more}
    return Scenario(name=name, wants=wants, does=fault, **facts)


def unreachable(name: str, wants: str, **more: Any) -> Scenario:
    """Return a scenario in which no request gets through."""
    facts = {"does": None, "asks": BOTH, "error": APIConnectionError, "requests": 0, **more}
    return Scenario(name=name, wants=wants, **facts)


KEPT = [
    served(
        "a connection is kept",
        "Complete answers leave a connection that serves again.",
        does(GOOD),
        calls=20,
        requests=20,
        connections=1,
    ),
    served(
        "a connection is kept behind whole answers",
        "Complete answers leave a connection that serves again.",
        does(WHOLE_GOOD),
        asks=AS_WHOLE,
        calls=20,
        requests=20,
        connections=1,
    ),
    Scenario(
        name="a connection is kept behind errors",
        wants="An error whose body was read leaves a connection that serves again.",
        does=does(Send(sized(b"{}", b"400 Bad"))),
        asks=BOTH,
        error=BadRequestError,
        status=400,
        calls=3,
        requests=3,
        connections=1,
    ),
    served(
        "closed behind each answer",
        "A connection that ended while nobody used it costs nobody anything.",
        does(GOOD, Wait(0.01), Close()),
        calls=3,
        requests=3,
        connections=3,
    ),
    served(
        "reset behind each answer",
        "A connection that was reset while nobody used it costs nobody anything.",
        does(GOOD, Wait(0.01), Reset()),
        calls=3,
        requests=3,
        connections=3,
    ),
    served(
        "closed when it is used again",
        "A kept connection that dies under a request is replaced, and nobody notices.",
        in_turn(GOOD, Close(), GOOD),
        requests=3,
        connections=2,
    ),
    served(
        "reset when it is used again",
        "A kept connection that dies under a request is replaced, and nobody notices.",
        in_turn(GOOD, Reset(), GOOD),
        requests=3,
        connections=2,
    ),
    served(
        "closed as announced",
        "A server that closes after each answer says so, and is believed.",
        does(Send(sized(ANSWER, extra=SSE + b"Connection: close\r\n")), Close()),
        connections=2,
    ),
    served(
        "closing announced and not done",
        "A connection that is to be closed is not used again.",
        does(Send(sized(ANSWER, extra=SSE + b"Connection: close\r\n"))),
        connections=2,
    ),
    served(
        "keep-alive announced",
        "What a server says of its patience breaks nothing.",
        does(Send(sized(ANSWER, extra=SSE + b"Keep-Alive: timeout=0, max=rubbish\r\n"))),
    ),
    served(
        "HTTP/1.0 without keep-alive",
        "An old server closes after each answer.",
        does(Send(b"HTTP/1.0 200 OK\r\nContent-Length: %d\r\n\r\n" % len(ANSWER) + ANSWER)),
        connections=2,
    ),
    served(
        "a second answer unasked",
        "An answer that nobody asked for is never taken for the next one.",
        does(Send(STREAM + chunk(ANSWER) + LAST + sized(b'{"error":"stolen"}'))),
        connections=2,
    ),
    Scenario(
        name="dies in the second answer",
        wants="Once a byte of an answer has come, its request is not repeated.",
        does=in_turn((Send(b"HTTP/1.1 2"), Close())),
        asks=BOTH,
        error=APIConnectionError,
        retryable=True,
    ),
    Scenario(
        name="always hangs up",
        wants="A server that hangs up on a new connection is asked once.",
        does=does(Close()),
        asks=BOTH,
        error=APIConnectionError,
        says="closed before an answer",
        retryable=True,
    ),
    Scenario(
        name="hangs up before it is asked",
        wants="A server that hangs up at once is no server.",
        does=Fault(greeting=(Close(),)),
        asks=BOTH,
        error=APIConnectionError,
        requests=0,
    ),
    Scenario(
        name="resets before it is asked",
        wants="A server that resets at once is no server.",
        does=Fault(greeting=(Reset(),)),
        asks=BOTH,
        error=APIConnectionError,
        requests=0,
    ),
]

#: What a TLS server says to a client that does not speak TLS.
ALERT = b"\x15\x03\x01\x00\x02\x02\x46"
PLAIN = b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"

NOWHERE = [
    unreachable(
        "a port where nobody listens",
        "A refused connection is said to be one.",
        base_url="http://127.0.0.1:1/v1",
        says="refused",
        retryable=True,
    ),
    unreachable(
        "a name that does not exist",
        "A name that is not found is shown, with what to look at.",
        base_url="http://nobody.invalid/v1",
        says="nobody.invalid",
        most=10.0,
    ),
    unreachable(
        "TLS to a plain port",
        "A server that answers TLS with plain text is told apart from one that is down.",
        does=Fault(greeting=(Receive(), Send(PLAIN), Close())),
        base_url="https://127.0.0.1:@PORT@/v1",
        says="TLS",
    ),
    unreachable(
        "TLS to a port that hangs up",
        "A handshake that breaks off is an error like any other.",
        does=Fault(greeting=(Receive(), Close())),
        base_url="https://127.0.0.1:@PORT@/v1",
    ),
    unreachable(
        "TLS to a port that sends rubbish",
        "A handshake that cannot be understood is said to be one.",
        does=Fault(greeting=(Receive(), Send(b"\0" * 100), Close())),
        base_url="https://127.0.0.1:@PORT@/v1",
        says="TLS",
    ),
    unreachable(
        "plain HTTP to a TLS port",
        "An alert of TLS is no acceptable HTTP.",
        does=Fault(greeting=(Receive(), Send(ALERT), Close())),
    ),
]

SCENARIOS = [*KEPT, *NOWHERE]
