"""Bodies that are something else than what was asked for."""

from __future__ import annotations

import json

from evoclient.errors.tree import (
    APIStatusError,
    AuthenticationError,
    RateLimitError,
    ResponseDecodeError,
    StreamDecodeError,
    StreamInterruptedError,
    StreamProviderError,
)

from .bodies import read, wrong
from .scenario import BOTH
from .scenario import WHOLE as AS_WHOLE
from .wire import (
    ANSWER,
    JSON,
    LAST,
    SSE,
    STREAM,
    WHOLE,
    chunk,
    error,
    event,
    page,
    sized,
)

__all__ = ["SCENARIOS"]

TYPES = [
    wrong(
        "a web page",
        "A login page is no stream, and the error says what it is.",
        StreamDecodeError,
        sized(page("Log in"), extra=b"Content-Type: text/html\r\n"),
        says="web page",
    ),
    wrong(
        "a web page called a stream",
        "What a body is called does not make it one.",
        StreamDecodeError,
        sized(b"\n\n  " + page("Log in"), extra=SSE),
        says="web page",
    ),
    wrong(
        "a web page instead of a whole answer",
        "A login page is no answer, and the error says what came.",
        ResponseDecodeError,
        sized(page("Log in"), extra=b"Content-Type: text/html\r\n"),
        asks=AS_WHOLE,
        says="not with JSON",
    ),
    wrong(
        "an error under 200",
        "An error is an error, whatever the status says.",
        StreamProviderError,
        sized(error("too many requests", 429), extra=JSON),
        retryable=True,
        says="too many requests",
    ),
    wrong(
        "an error under 200, whole",
        "An error is an error, whatever the status says; it is not that of the reply.",
        RateLimitError,
        sized(error("too many requests", 429), extra=JSON),
        asks=AS_WHOLE,
        retryable=True,
        says="too many requests",
    ),
    wrong(
        "an error beside choices that are none, whole",
        "An error is that error, whatever stands beside it.",
        RateLimitError,
        sized(error("too many requests", 429)[:-1] + b',"choices":{"a":1}}', extra=JSON),
        asks=AS_WHOLE,
        says="too many requests",
    ),
    wrong(
        "an error of a wrong key under 200",
        "Its code tells what kind of error it is, and that it will not pass.",
        AuthenticationError,
        sized(error("no such key", "invalid_api_key"), extra=JSON),
        asks=AS_WHOLE,
        retryable=False,
    ),
    wrong(
        "an error that is a string",
        "Gateways send errors as plain strings.",
        StreamProviderError,
        sized(b'{"error":"the model is gone"}', extra=JSON),
        says="the model is gone",
    ),
    wrong(
        "an error that is a string, whole",
        "Gateways send errors as plain strings.",
        APIStatusError,
        sized(b'{"error":"the model is gone"}', extra=JSON),
        asks=AS_WHOLE,
        says="the model is gone",
    ),
    read(
        "a completion in the place of a stream",
        "A server that does not stream is understood all the same.",
        sized(WHOLE, extra=JSON),
    ),
    read(
        "a completion in pieces in the place of a stream",
        "Such a completion may come in pieces.",
        STREAM + chunk(b" \n" + WHOLE[:30]) + chunk(WHOLE[30:]) + LAST,
    ),
    read(
        "a padded completion",
        "Blank lines before an answer show that the server works on it.",
        sized(b"\n\n  \n" + WHOLE, extra=JSON),
        asks=BOTH,
    ),
    read(
        "a completion behind a byte order mark",
        "A byte order mark is dropped.",
        sized(b"\xef\xbb\xbf" + WHOLE, extra=JSON),
        asks=BOTH,
    ),
    wrong(
        "half a completion in the place of a stream",
        "Half of a JSON document is never taken for an answer.",
        StreamDecodeError,
        sized(WHOLE[:-10], extra=JSON),
    ),
    wrong(
        "a completion without a finish reason in the place of a stream",
        "A completion that does not say why it ended is not confirmed.",
        StreamInterruptedError,
        sized(WHOLE.replace(b'"stop"', b"null"), extra=JSON),
        call={"incomplete": "strict"},
        partial="Hello",
    ),
    wrong(
        "some other JSON",
        "JSON that is neither completion nor error shows that the address is wrong.",
        StreamDecodeError,
        sized(b'{"status":"ok"}', extra=JSON),
        says="Check base_url",
    ),
    wrong(
        "a JSON list",
        "A list is no stream, and the error shows what came.",
        StreamInterruptedError,
        sized(b'["ok"]', extra=JSON),
        says='["ok"]',
    ),
    *(
        wrong(
            f"a whole answer that is {name}",
            "JSON that is no object is no answer.",
            ResponseDecodeError,
            sized(body, extra=JSON),
            asks=AS_WHOLE,
        )
        for name, body in {
            "a list": b"[1]",
            "null": b"null",
            "a string": b'"ok"',
            "a number": b"42",
            "text": b"upstream connect error",
            "a stream": ANSWER,
            "binary": b"\x89PNG\r\n\x1a\n" + bytes(range(256)),
            "nested deeply": b'{"choices":' + b"[" * 5000 + b"]" * 5000 + b"}",
            "nested without end": b"[" * 200_000,
            "UTF-16": json.dumps({"choices": []}).encode("utf-16")[:-1],
        }.items()
    ),
    wrong(
        "an empty whole answer",
        "An empty answer is an error that is worth a retry.",
        ResponseDecodeError,
        sized(b""),
        asks=AS_WHOLE,
        retryable=True,
        says="empty body",
    ),
    wrong(
        "a blank whole answer",
        "A blank answer is an empty one.",
        ResponseDecodeError,
        sized(b"\n \n"),
        asks=AS_WHOLE,
        retryable=True,
        says="empty body",
    ),
    *(
        wrong(
            f"an answer that is an echo, {name}",
            "An answer that cannot be read shows no key.",
            ResponseDecodeError,
            sized(body, extra=JSON),
            asks=AS_WHOLE,
        )
        for name, body in {
            "list": b'["planted-key-0123456789"]',
            "text": b"key=planted-key-0123456789",
            "string": b'"planted-key-0123456789"',
        }.items()
    ),
    wrong(
        "choices that are null",
        "Null is not an answer.",
        ResponseDecodeError,
        sized(b'{"choices":null}', extra=JSON),
        says="choices",
        asks=AS_WHOLE,
    ),
    wrong(
        "an answer without choices",
        "An object without choices is no completion.",
        ResponseDecodeError,
        sized(b'{"status":"ok"}', extra=JSON),
        says="choices",
        asks=AS_WHOLE,
    ),
    *(
        wrong(
            f"a stream of {name}",
            "A stream without a chunk is never an empty answer.",
            StreamInterruptedError,
            STREAM + (chunk(body) if body else b"") + LAST,
            retryable=True,
            says="before it began",
            outcome="truncated",
        )
        for name, body in {
            "nothing": b"",
            "comments": b": wait\n\n" * 3,
            "blank lines": b"\n" * 50,
            "pings": b"event: ping\ndata:\n\n" * 3,
            "ids alone": b"id: 1\n\n" * 3,
            "an end marker alone": b"data: [DONE]\n\n",
            "plain text": b"upstream connect error\n\n",
            "binary": b"\x89PNG\r\n\x1a\n" + bytes(range(256)),
            "a byte order mark": b"\xef\xbb\xbf",
        }.items()
    ),
    read(
        "a stream called plain text",
        "A stream is a stream, whatever it is called.",
        sized(ANSWER, extra=b"Content-Type: text/plain\r\n"),
    ),
    read(
        "a stream called HTML",
        "A stream is a stream, whatever it is called.",
        sized(ANSWER, extra=b"Content-Type: text/html\r\n"),
    ),
    read(
        "a stream in a charset of its own",
        "Event streams are UTF-8, whatever they say.",
        sized(
            event("Привет", "stop"), extra=b"Content-Type: text/event-stream; charset=cp1251\r\n"
        ),
        text="Привет",
    ),
    read(
        "status 201",
        "Every status of success is one.",
        sized(ANSWER, b"201 Created", SSE),
    ),
    read("status 206", "Every status of success is one.", sized(ANSWER, b"206 Part", SSE)),
]

SCENARIOS = [*TYPES]
