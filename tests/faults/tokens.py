"""Token endpoints that go wrong, and servers that refuse a token."""

from __future__ import annotations

import gzip
import json
from typing import Any

from evoclient import Retry
from evoclient.errors.tree import (
    APIConnectionError,
    APIStatusError,
    APITimeoutError,
    AuthenticationError,
    BadRequestError,
    InternalServerError,
    PermissionDeniedError,
    ResponseDecodeError,
)
from evoclient.testing.acts import Act, Close, Drip, Fault, Repeat, Reset, Send, Wait
from evoclient.wire import Timeouts

from .scenario import Scenario, does, in_turn
from .wire import CHUNKED, GOOD, JSON, LAST, OK, chunk, error, page, sized

__all__ = ["SCENARIOS"]

THREE = Retry(attempts=3, base=0.01, cap=0.02)


def token(**members: Any) -> Send:
    """Answer with a token."""
    answer = {"access_token": "token-0123456789", "expires_in": 3600, **members}
    return Send(sized(json.dumps(answer).encode(), extra=JSON))


def answered(body: bytes, status: bytes = b"200 OK", extra: bytes = JSON) -> Fault:
    """Answer each exchange with the same body."""
    return does(Send(sized(body, status, extra)))


def good(name: str, wants: str, desk: Fault, **more: Any) -> Scenario:
    """Return a scenario whose exchange succeeds."""
    facts = {"does": does(GOOD), "text": "Hello", "exchanges": 1, **more}
    return Scenario(name=f"token: {name}", wants=wants, desk=desk, **facts)


def failed(name: str, kind: type[Exception], desk: Fault, **more: Any) -> Scenario:
    """Return a scenario whose exchange fails, so that nothing is asked."""
    facts = {"exchanges": 1, **more}
    return Scenario(
        name=f"token: {name}",
        wants="Without a token nothing is asked, and the error is that of the token endpoint.",
        does=does(GOOD),
        desk=desk,
        error=kind,
        requests=0,
        **facts,
    )


def unread(name: str, body: bytes, **more: Any) -> Scenario:
    """Return a scenario whose token endpoint answers with something else."""
    return failed(name, ResponseDecodeError, answered(body), says="token endpoint", **more)


LIVES = [
    good(
        f"expires_in {name}",
        "A token is good for a while, whatever is said of how long.",
        does(token(expires_in=value)),
        calls=2,
        requests=2,
        **more,
    )
    for name, value, more in (
        ("as text", "3600", {}),
        ("zero", 0, {}),
        ("negative", -5, {}),
        ("null", None, {}),
        ("a float", 3600.5, {}),
        ("huge", 10**30, {}),
        ("true", True, {}),
        ("a word", "soon", {}),
        ("a list", [3600], {}),
    )
]
LIVES += [
    good(
        "expires_in missing",
        "A token is good for a while, where nothing is said.",
        answered(b'{"access_token": "token-0123456789"}'),
        calls=2,
        requests=2,
    ),
    good(
        "expires_in beyond every float",
        "A token does not live for ever, whatever is said.",
        answered(b'{"access_token": "token-0123456789", "expires_in": 1e999}'),
        calls=2,
        requests=2,
    ),
    good(
        "expires_in NaN",
        "A token is good for a while, whatever is said of how long.",
        answered(b'{"access_token": "token-0123456789", "expires_in": NaN}'),
        calls=2,
        requests=2,
    ),
    good("with spaces around", "Spaces are no part of a token.", does(token(access_token=" t-1 "))),
    good(
        "in another type",
        "The bytes tell what an answer is.",
        answered(b'{"access_token": "token-0123456789"}', extra=b"Content-Type: text/plain\r\n"),
    ),
    good(
        "compressed",
        "The answer may be compressed.",
        answered(
            gzip.compress(b'{"access_token": "token-0123456789"}'),
            extra=b"Content-Encoding: gzip\r\n",
        ),
    ),
    good(
        "in chunks, byte by byte",
        "A slow token endpoint is waited for.",
        does(Drip(CHUNKED + chunk(b'{"access_token": "t-1"}') + LAST)),
    ),
    good("status 201", "Created is a success.", answered(b'{"access_token":"t-1"}', b"201 Made")),
    good(
        "behind interim answers",
        "An interim answer is not the answer.",
        does(Send(b"HTTP/1.1 103 Early Hints\r\n\r\n"), token()),
    ),
]

UNREAD = [
    unread("missing", b'{"expires_in": 3600}'),
    unread("null", b'{"access_token": null}'),
    unread("empty", b'{"access_token": ""}'),
    unread("blank", b'{"access_token": "  "}'),
    unread("a number", b'{"access_token": 42}'),
    unread("a list", b'{"access_token": ["t-1"]}'),
    unread("with a line end", b'{"access_token": "t-1\\r\\nX-Evil: 1"}'),
    unread("with NUL", b'{"access_token": "t-1\\u0000"}'),
    unread("in Russian", '{"access_token": "токен"}'.encode()),
    unread("a web page", page("Log in")),
    unread("plain text", b"t-1"),
    unread("a JSON list", b'[{"access_token": "t-1"}]'),
    unread("half of a document", b'{"access_token": "t-1"'),
    unread("nested without end", b"[" * 100_000),
    unread("an error under 200", error("wrong pair")),
    unread("nothing at all", b""),
    unread("an echo of the pair", b'{"secret": "planted-secret-0123456789"}'),
]

STATUSES = [
    *(
        failed(
            f"status {status}",
            kind,
            answered(error("the pair is wrong"), b"%d Such" % status),
            status=status,
            says="the pair is wrong",
        )
        for status, kind in (
            (400, BadRequestError),
            (401, AuthenticationError),
            (403, PermissionDeniedError),
            (418, APIStatusError),
            (500, InternalServerError),
            (503, InternalServerError),
        )
    ),
    failed(
        "a web page with 502",
        InternalServerError,
        answered(page("Bad gateway"), b"502 Bad"),
        status=502,
        says="Bad gateway",
    ),
    failed(
        "an echo of the pair with 401",
        AuthenticationError,
        answered(error("no pair planted-id-0123456789/planted-secret-0123456789"), b"401 No"),
        status=401,
        says="no pair ***",
    ),
    *(
        failed(
            f"redirect {status}",
            APIStatusError,
            answered(b"", b"%d There" % status, b"Location: http://trap.invalid:1/token\r\n"),
            status=status,
            says="redirects to http://127.0.0.1",
        )
        for status in (301, 302, 303, 307, 308)
    ),
    failed(
        "not modified",
        APIStatusError,
        does(Send(b"HTTP/1.1 304 Not Modified\r\n\r\n")),
        status=304,
    ),
]

BROKEN: list[tuple[str, type[Exception], tuple[Act, ...], dict[str, Any]]] = [
    ("closed", APIConnectionError, (Close(),), {}),
    ("reset", APIConnectionError, (Reset(),), {}),
    ("cut in the head", APIConnectionError, (Send(OK + b"X-H"), Close()), {}),
    (
        "cut in the body",
        APIConnectionError,
        (Send(OK + b'Content-Length: 99\r\n\r\n{"access_token"'), Close()),
        {},
    ),
    ("not HTTP", APIConnectionError, (Send(b"SSH-2.0-OpenSSH_9.2\r\n"), Close()), {}),
    ("headers without end", APIConnectionError, (Send(OK), Repeat(b"X-More: 1\r\n")), {}),
    (
        "a body without end",
        ResponseDecodeError,
        (Send(CHUNKED), Repeat(chunk(b"x" * 65536))),
        {
            "is_bounded": True,
            "most_growth": 20_000_000,
            "most": 20.0,
            "says": "larger than 1048576 bytes",
        },
    ),
    (
        "an encoding that is unknown",
        ResponseDecodeError,
        (Send(sized(b"{}", extra=b"Content-Encoding: br\r\n")),),
        {"says": "content encoding"},
    ),
    (
        "gzip that is none",
        ResponseDecodeError,
        (Send(sized(b"{}", extra=b"Content-Encoding: gzip\r\n")),),
        {"says": "decompressed"},
    ),
    ("21 interim answers", APIConnectionError, (Send(b"HTTP/1.1 100 C\r\n\r\n" * 21),), {}),
]

LATE: list[tuple[str, tuple[Act, ...]]] = [
    ("silent", (Wait(),)),
    ("a head that trickles", (Send(OK + b"X: "), Repeat(b"x", every=0.05))),
    ("a body that stalls", (Send(OK + b"Content-Length: 99\r\n\r\n{"), Wait())),
    ("a body that trickles", (Send(CHUNKED), Repeat(chunk(b"\n"), every=0.05))),
]

TROUBLE = [
    *(failed(name, kind, does(*acts), **more) for name, kind, acts, more in BROKEN),
    *(
        failed(
            name,
            APITimeoutError,
            does(*acts),
            options={"timeout": Timeouts(total=0.5)},
            limit="total",
            retryable=False,
            least=0.5,
            most=1.5,
        )
        for name, acts in LATE
    ),
    good(
        "busy once",
        "The exchange is tried again like any other request.",
        in_turn(Send(sized(b"", b"503 Busy")), token()),
        exchanges=2,
        options={"retry": THREE},
    ),
    good(
        "closed once",
        "The exchange is tried again like any other request.",
        in_turn(Close(), token()),
        exchanges=2,
        options={"retry": THREE},
    ),
    failed(
        "always busy",
        InternalServerError,
        answered(b"", b"503 Busy"),
        status=503,
        exchanges=3,
        options={"retry": THREE},
    ),
    failed(
        "busy for a day",
        InternalServerError,
        answered(b"", b"503 Busy", b"Retry-After: 86400\r\n"),
        status=503,
        retry_after=86400,
        options={"retry": THREE},
    ),
    good(
        "refused once",
        "A token that is refused is fetched anew, and the call repeated, even without retries.",
        does(token()),
        does=in_turn(Send(sized(error("expired"), b"401 No")), GOOD),
        requests=2,
        exchanges=2,
    ),
    good(
        "expired by 403",
        "A token that has expired is fetched anew, whichever status says so.",
        does(token()),
        does=in_turn(Send(sized(error("JWT is expired"), b"403 No")), GOOD),
        requests=2,
        exchanges=2,
    ),
    Scenario(
        name="token: refused always",
        wants="One refresh and one repeat, and then the error.",
        does=does(Send(sized(error("no"), b"401 No"))),
        desk=does(token()),
        error=AuthenticationError,
        status=401,
        requests=2,
        exchanges=2,
    ),
    Scenario(
        name="token: forbidden",
        wants="A caller that may not do this is not asked to fetch another token.",
        does=does(Send(sized(error("no"), b"403 No"))),
        desk=does(token()),
        error=PermissionDeniedError,
        status=403,
        exchanges=1,
    ),
    Scenario(
        name="token: echoed by the server",
        wants="No error shows a token.",
        does=does(Send(sized(error("token-0123456789 is bad"), b"400 Bad"))),
        desk=does(token()),
        error=BadRequestError,
        status=400,
        says="*** is bad",
        exchanges=1,
    ),
]

SCENARIOS = [*LIVES, *UNREAD, *STATUSES, *TROUBLE]
