"""Replies whose status is an error or a redirect."""

from __future__ import annotations

import gzip
import zlib
from typing import Any

from evoclient.errors.tree import (
    APIStatusError,
    AuthenticationError,
    BadRequestError,
    ConflictError,
    ContentFilterError,
    ContextLengthExceededError,
    InsufficientCreditsError,
    InternalServerError,
    ModelNotFoundError,
    NotFoundError,
    OverloadedError,
    PermissionDeniedError,
    RateLimitError,
    UnprocessableEntityError,
)
from evoclient.testing.acts import Send

from .scenario import BOTH, Scenario, does
from .wire import LAST, chunk, error, page, sized

__all__ = ["SCENARIOS"]


def failed(name: str, kind: type[Exception], reply: bytes, **more: Any) -> Scenario:
    """Return a scenario whose status is an error."""
    status = int(reply.split(b" ", 2)[1])
    facts = {"asks": BOTH, "error": kind, "status": status, "retryable": False, **more}
    return Scenario(
        name=name,
        wants="The status decides on the error, its body tells more, and nothing is asked twice.",
        does=does(Send(reply)),
        **facts,
    )


CLASSES: list[tuple[int, type[Exception], bool]] = [
    (400, BadRequestError, False),
    (401, AuthenticationError, False),
    (402, InsufficientCreditsError, False),
    (403, PermissionDeniedError, False),
    (404, NotFoundError, False),
    (405, APIStatusError, False),
    (408, APIStatusError, True),
    (409, ConflictError, True),
    (410, APIStatusError, False),
    (413, BadRequestError, False),
    (415, APIStatusError, False),
    (418, APIStatusError, False),
    (422, UnprocessableEntityError, False),
    (425, APIStatusError, True),
    (429, RateLimitError, True),
    (451, APIStatusError, False),
    (499, APIStatusError, False),
    (500, InternalServerError, True),
    (501, InternalServerError, False),
    (502, InternalServerError, True),
    (503, InternalServerError, True),
    (504, InternalServerError, True),
    (505, InternalServerError, False),
    (520, InternalServerError, False),
    (524, InternalServerError, True),
    (529, OverloadedError, True),
    (599, InternalServerError, False),
]

STATUSES = [
    failed(
        f"status {status}",
        kind,
        sized(error("it went wrong"), b"%d Such" % status),
        retryable=retryable,
        says="it went wrong",
    )
    for status, kind, retryable in CLASSES
]

GZIP = b"Content-Encoding: gzip\r\n"
BROKEN = b"500 Broken"

BODIES = [
    failed(f"500 with {name}", InternalServerError, reply, retryable=True, **more)
    for name, reply, more in (
        ("a web page", sized(page("Bad gateway"), BROKEN), {"says": "Bad gateway"}),
        ("a page without a title", sized(b"<html>x</html>", BROKEN), {"says": "HTML page"}),
        ("nothing", sized(b"", BROKEN), {"says": "no message"}),
        ("blanks", sized(b"  \n ", BROKEN), {"says": "no message"}),
        ("plain text", sized(b"upstream connect error", BROKEN), {"says": "upstream connect"}),
        ("binary", sized(bytes(range(256)), BROKEN), {}),
        ("half of a JSON document", sized(error("it broke")[:-5], BROKEN), {"says": "it broke"}),
        ("JSON nested without end", sized(b"[" * 50_000, BROKEN), {}),
        ("null", sized(b"null", BROKEN), {}),
        ("a number", sized(b"42", BROKEN), {}),
        ("a list", sized(b"[" + error("it broke") + b"]", BROKEN), {"says": "it broke"}),
        ("a string", sized(b'"it broke"', BROKEN), {"says": "it broke"}),
        ("a detail", sized(b'{"detail":"it broke"}', BROKEN), {"says": "it broke"}),
        ("an error that is null", sized(b'{"error":null}', BROKEN), {}),
        ("a long message", sized(error("word " * 10_000), BROKEN), {"says": "word word"}),
        ("a long line", sized(b"x" * 300_000, BROKEN), {}),
        ("gzip", sized(gzip.compress(error("it broke")), BROKEN, GZIP), {"says": "it broke"}),
        ("gzip that is cut", sized(gzip.compress(error("it broke"))[:-15], BROKEN, GZIP), {}),
        ("gzip that is none", sized(error("it broke"), BROKEN, GZIP), {}),
        (
            "deflate",
            sized(zlib.compress(error("it broke")), BROKEN, b"Content-Encoding: deflate\r\n"),
            {"says": "it broke"},
        ),
        (
            "an encoding nobody knows",
            sized(error("it broke"), BROKEN, b"Content-Encoding: br\r\n"),
            {},
        ),
        (
            "chunks",
            b"HTTP/1.1 500 Broken\r\nTransfer-Encoding: chunked\r\n\r\n"
            + chunk(error("it broke"))
            + LAST,
            {"says": "it broke"},
        ),
        (
            "an event stream",
            sized(b"data: " + error("it broke") + b"\n\n", BROKEN),
            {"says": "it broke"},
        ),
        (
            "an echo of the key",
            sized(error("wrong: planted-key-0123456789"), BROKEN),
            {"says": "wrong: ***"},
        ),
        (
            "an echo of the key in a header",
            sized(b"", BROKEN, b"X-Echo: planted-key-0123456789\r\n"),
            {},
        ),
    )
]

KINDS = [
    failed(
        "a quota that is used up",
        InsufficientCreditsError,
        sized(error("All is spent", "insufficient_quota"), b"429 Slow"),
    ),
    failed(
        "a context that is too long",
        ContextLengthExceededError,
        sized(error("Too long", "context_length_exceeded"), b"400 Bad"),
    ),
    failed(
        "a context that is too long, in words",
        ContextLengthExceededError,
        sized(error("This model's maximum context length is 4096 tokens"), b"400 Bad"),
    ),
    failed(
        "a filter",
        ContentFilterError,
        sized(error("Refused", "content_filter"), b"400 Bad"),
    ),
    failed(
        "a model that is unknown",
        ModelNotFoundError,
        sized(error("The model does not exist", "model_not_found"), b"404 No"),
    ),
    failed(
        "a model that is unknown, in words",
        ModelNotFoundError,
        sized(error("model 'm' not found"), b"404 No"),
    ),
    failed(
        "an overload, in words",
        OverloadedError,
        sized(error("The server is overloaded"), b"503 Busy"),
        retryable=True,
    ),
]

TRAPPED = b"Location: http://trap.invalid:1/v1/chat/completions\r\n"

REDIRECTS = [
    *(
        failed(
            f"redirect {status} to another host",
            APIStatusError,
            sized(b"", b"%d There" % status, TRAPPED),
            says="redirects to http://127.0.0.1",
        )
        for status in (300, 301, 302, 303, 307, 308)
    ),
    failed(
        "redirect to the same host",
        APIStatusError,
        sized(b"", b"307 There", b"Location: /v2/chat/completions\r\n"),
        says="redirects to /v2/chat",
    ),
    failed(
        "redirect to nowhere",
        APIStatusError,
        sized(b"", b"302 There"),
        says="redirects to nowhere",
    ),
    failed("redirect to an empty place", APIStatusError, sized(b"", b"302 X", b"Location:\r\n")),
    failed(
        "redirect to rubbish",
        APIStatusError,
        sized(b"", b"302 There", b"Location: http://[::1\r\n"),
        says="http://[::1",
    ),
    failed(
        "redirect to a script",
        APIStatusError,
        sized(b"", b"302 There", b"Location: javascript:alert(1)\r\n"),
    ),
    failed(
        "redirect to a file",
        APIStatusError,
        sized(b"", b"302 There", b"Location: file:///etc/passwd\r\n"),
    ),
    failed(
        "redirect to a long place",
        APIStatusError,
        sized(b"", b"302 There", b"Location: http://x.invalid/" + b"y" * 20_000 + b"\r\n"),
    ),
    failed(
        "redirect in two places",
        APIStatusError,
        sized(b"", b"302 There", TRAPPED + b"Location: /elsewhere\r\n"),
    ),
    failed(
        "redirect in Russian",
        APIStatusError,
        sized(b"", b"302 There", "Location: http://хост.invalid/\r\n".encode()),
    ),
    failed(
        "redirect with the key in it",
        APIStatusError,
        sized(b"", b"302 There", b"Location: http://x.invalid/?k=planted-key-0123456789\r\n"),
        says="http://x.invalid/",
    ),
    failed(
        "redirect with a page",
        APIStatusError,
        sized(page("Moved"), b"301 Moved", TRAPPED),
    ),
    failed("not modified", APIStatusError, b"HTTP/1.1 304 Not Modified\r\n\r\n"),
    failed(
        "a refresh header",
        InternalServerError,
        sized(b"", b"500 Broken", TRAPPED.replace(b"Location: ", b"Refresh: 0; url=")),
        retryable=True,
    ),
]

SCENARIOS = [*STATUSES, *BODIES, *KINDS, *REDIRECTS]
