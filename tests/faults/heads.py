"""Heads that are no heads of HTTP, or odd ones that are."""

from __future__ import annotations

from typing import Any

from evoclient.errors.tree import APIConnectionError, APITimeoutError, InternalServerError
from evoclient.testing.acts import Close, Drip, Fault, Receive, Repeat, Send, Wait
from evoclient.wire import Timeouts

from .scenario import BOTH, WHOLE, Scenario, does
from .wire import ANSWER, LAST, OK, SSE, STREAM, WHOLE_GOOD, chunk, sized
from .wire import WHOLE as ANSWERED

__all__ = ["SCENARIOS"]


def refused(name: str, *head: bytes, **more: Any) -> Scenario:
    """Return a scenario whose head cannot be accepted."""
    facts = {
        "asks": BOTH,
        "error": APIConnectionError,
        "says": "not acceptable HTTP",
        "retryable": False,
        "leaves": True,
        "options": {"timeout": Timeouts(first_chunk=1, idle=1)},
        **more,
    }
    if "fails_in" in more:  # once will do to see that it does not hold
        facts["asks"] = WHOLE
    wants = "What is no acceptable HTTP is said to be so, at once, and is not asked for again."
    return Scenario(name=name, wants=wants, does=does(*map(Send, head), Wait()), **facts)


def read(name: str, wants: str, fault: Fault, **more: Any) -> Scenario:
    """Return a scenario whose answer is read whole."""
    return Scenario(name=name, wants=wants, does=fault, text="Hello", outcome="complete", **more)


BODY = b"Content-Length: %d\r\n\r\n" % len(ANSWER) + ANSWER

NOT_HTTP = [
    refused("another protocol", b"SSH-2.0-OpenSSH_9.2\r\n"),
    refused("a mail server", b"220 mail.example ESMTP\r\n"),
    refused("a preface of HTTP/2", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
    refused(
        "frames of HTTP/2",
        b"\x00\x00\x12\x04\x00\x00\x00\x00\x00" + bytes(18),
    ),
    refused("binary rubbish", bytes(range(128, 256)) * 4),
    refused("HTTP/0.9", ANSWERED),
    refused("a web page without a head", b"<html><body>hello</body></html>\r\n\r\n"),
    refused("status of letters", b"HTTP/1.1 abc OK\r\n\r\n"),
    refused("status of two digits", b"HTTP/1.1 20 OK\r\n\r\n"),
    refused("status of four digits", b"HTTP/1.1 2000 OK\r\n\r\n"),
    refused("status negative", b"HTTP/1.1 -200 OK\r\n\r\n"),
    refused("no status", b"HTTP/1.1\r\n\r\n"),
    refused("version of letters", b"HTTP/x.y 200 OK\r\n\r\n"),
    refused("version of the future", b"HTTP/9.9 200 OK\r\n" + BODY),
    refused("a header without a colon", OK + b"no header\r\n" + BODY),
    refused("a header without a name", OK + b": value\r\n" + BODY),
    refused("a space before the colon", OK + b"Content-Type : text/event-stream\r\n" + BODY),
    refused("NUL in a header", OK + b"X-Odd: a\0b\r\n" + BODY),
    refused("CR in a header", OK + b"X-Odd: one\rX-Evil: two\r\n" + BODY),
    refused("two hundred headers", OK + b"X-Many: y\r\n" * 200 + BODY),
    refused("a header of 70 KB", OK + b"X-Long: " + b"y" * 70_000 + b"\r\n" + BODY),
    refused("headers of 90 KB", OK + (b"X: " + b"y" * 1000 + b"\r\n") * 90 + BODY),
    refused("a reason without end", b"HTTP/1.1 200 " + b"O" * 100_000),
]

FLOODS = [
    Scenario(
        name=f"endless {name}",
        wants="A head is bounded, in bytes and in fields.",
        does=does(*acts),
        options={"timeout": Timeouts(first_chunk=1)},
        asks=BOTH,
        error=APIConnectionError,
        says="not acceptable HTTP",
        retryable=False,
        leaves=True,
        is_bounded=True,
    )
    for name, acts in {
        "headers": (Send(OK), Repeat(b"X-More: 1\r\n")),
        "header": (Send(OK + b"X-More: "), Repeat(b"y" * 65536)),
        "name of a header": (Send(OK), Repeat(b"y" * 65536)),
        "status line": (Send(b"HTTP/1.1 200 "), Repeat(b"O" * 65536)),
        "blank lines before the head": (Repeat(b"\r\n" * 4096),),
        "folded lines": (Send(OK + b"X-More: 1\r\n"), Repeat(b" 1\r\n")),
    }.items()
]

INTERIM = b"HTTP/1.1 %d Wait\r\nLink: </x>\r\n\r\n"

INTERIMS = [
    *(
        read(
            f"interim {code}",
            "An interim answer is not the answer.",
            does(Send(INTERIM % code), Wait(0.02), Send(STREAM + chunk(ANSWER) + LAST)),
            connections=1,
            calls=2,
            requests=2,
        )
        for code in (100, 102, 103)
    ),
    read(
        "interim 199",
        "An interim answer of an unknown kind is passed over as well.",
        does(Send(INTERIM % 199 + STREAM + chunk(ANSWER) + LAST)),
    ),
    read(
        "twenty interim answers",
        "A server may be chatty, to a degree.",
        does(Send(INTERIM % 103 * 20 + STREAM + chunk(ANSWER) + LAST)),
    ),
    read(
        "interim answer before a whole one",
        "A whole answer has interim ones too.",
        does(Send(INTERIM % 103), WHOLE_GOOD),
        asks=WHOLE,
    ),
    refused("21 interim answers", INTERIM % 103 * 21, says="interim"),
    refused("21 interim answers of three kinds", (INTERIM * 3 % (100, 102, 103)) * 7),
    refused(
        "switching protocols",
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n",
    ),
    Scenario(
        name="endless interim answers",
        wants="Interim answers are bounded in number, however fast they come.",
        does=does(Repeat(INTERIM % 103)),
        asks=BOTH,
        error=APIConnectionError,
        says="not acceptable HTTP",
        retryable=False,
        leaves=True,
    ),
    Scenario(
        name="interim answers now and then",
        wants="Interim answers do not stretch a limit.",
        does=does(Repeat(INTERIM % 102, every=0.1)),
        asks=BOTH,
        options={"timeout": Timeouts(first_chunk=0.5)},
        error=APITimeoutError,
        limit="first_chunk",
        retryable=True,
        least=0.5,
        most=1.5,
        leaves=True,
    ),
    Scenario(
        name="cut behind an interim answer",
        wants="An interim answer alone is no answer.",
        does=does(Send(INTERIM % 100), Close()),
        asks=BOTH,
        error=APIConnectionError,
        retryable=True,
    ),
]

ODD = [
    read(
        "head byte by byte",
        "A slow head is a head.",
        does(Drip(STREAM, 0.0005), Send(chunk(ANSWER) + LAST)),
    ),
    read(
        "no reason behind the status",
        "Newer servers send none.",
        does(Send(b"HTTP/1.1 200 \r\n" + SSE + BODY)),
    ),
    read(
        "no space behind the status",
        "Sloppy servers leave even the space out.",
        does(Send(b"HTTP/1.1 200\r\n" + SSE + BODY)),
    ),
    read(
        "reason in Russian",
        "The words of a status line mean nothing.",
        does(Send("HTTP/1.1 200 Ладно\r\n".encode() + SSE + BODY)),
    ),
    read(
        "headers that are not ASCII",
        "A header that nobody needs breaks nothing.",
        does(Send(OK + "X-City: Москва\r\n".encode() + SSE + BODY)),
    ),
    read(
        "content type twice",
        "The bytes tell what a body is.",
        does(Send(OK + b"Content-Type: text/html\r\n" + SSE + BODY)),
    ),
    read(
        "content type missing",
        "The bytes tell what a body is, where no type is named.",
        does(Send(OK + BODY)),
    ),
    read(
        "content type wrong",
        "A stream is a stream, whatever its type is called.",
        does(Send(OK + b"Content-Type: application/octet-stream\r\n" + BODY)),
    ),
    read(
        "a header without a value",
        "An empty value is a value.",
        does(Send(OK + b"X-Empty:\r\n" + SSE + BODY)),
    ),
    read(
        "ninety headers",
        "Gateways add a lot.",
        does(Send(OK + b"".join(b"X-%d: y\r\n" % at for at in range(90)) + BODY)),
    ),
    read(
        "a header of 40 KB",
        "Cookies and policies can be long.",
        does(Send(OK + b"X-Long: " + b"y" * 40_000 + b"\r\n" + BODY)),
    ),
    read(
        "a line that is folded",
        "Old servers fold long headers.",
        does(Send(OK + b"X-Odd: one\r\n two\r\n" + SSE + BODY)),
    ),
    read(
        "line feeds alone",
        "A head whose lines end in LF alone can be read, and is.",
        does(Send((OK + SSE).replace(b"\r\n", b"\n") + BODY.replace(b"\r\n\r\n", b"\n\n", 1))),
    ),
    read(
        "a cookie",
        "A cookie is not sent back.",
        does(Send(sized(ANSWER, extra=b"Set-Cookie: a=b; Path=/\r\n"))),
        calls=2,
        requests=2,
        connections=1,
    ),
    Scenario(
        name="status above all classes",
        wants="A status that nobody knows is an error with that status.",
        does=does(Send(sized(b"", b"999 What"))),
        asks=BOTH,
        error=InternalServerError,
        status=999,
    ),
    Scenario(
        name="hung up in the head",
        wants="A head that was cut is no answer, and worth a retry.",
        does=does(Send(OK + b"X-Half: o"), Close()),
        asks=BOTH,
        error=APIConnectionError,
        retryable=True,
    ),
    Scenario(
        name="hung up in the status line",
        wants="A status line that was cut is no answer, and worth a retry.",
        does=does(Send(b"HTTP/1.1 2"), Close()),
        asks=BOTH,
        error=APIConnectionError,
        retryable=True,
    ),
    Scenario(
        name="talks before it is asked",
        wants="A banner before any request shows that it is no API server.",
        does=Fault(((Wait(),),), greeting=(Send(b"220 ready\r\n"), Receive())),
        asks=BOTH,
        error=APIConnectionError,
        says="not acceptable HTTP",
        retryable=False,
        requests=0,
    ),
]

SCENARIOS = [*NOT_HTTP, *FLOODS, *INTERIMS, *ODD]
