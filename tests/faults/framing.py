"""How a body is framed, rightly and wrongly."""

from __future__ import annotations

from typing import Any

from evoclient.errors.tree import (
    APIConnectionError,
    ResponseDecodeError,
    StreamInterruptedError,
)
from evoclient.testing.acts import Close, Drip, Fault, Send, Wait

from .scenario import BOTH, WHOLE, Scenario, does
from .wire import (
    ANSWER,
    CHUNKED,
    DONE,
    FINISH,
    FIRST,
    JSON,
    LAST,
    OK,
    SSE,
    STREAM,
    chunk,
    event,
    sized,
)
from .wire import WHOLE as ANSWERED

__all__ = ["PAUSE", "SCENARIOS", "cut", "good"]

PAUSE = Wait(0.03)

SIZED = OK + SSE + b"Content-Length: %b\r\n\r\n" + ANSWER


def good(name: str, wants: str, fault: Fault, **more: Any) -> Scenario:
    """Return a scenario whose answer is read whole."""
    facts = {"text": "Hello", "outcome": "complete", **more}
    return Scenario(name=name, wants=wants, does=fault, **facts)


def cut(name: str, wants: str, fault: Fault, **more: Any) -> Scenario:
    """Return a scenario whose stream breaks behind the first piece."""
    facts = {
        "error": StreamInterruptedError,
        "partial": "Hel",
        "outcome": "truncated",
        "retryable": True,
        **more,
    }
    return Scenario(name=name, wants=wants, does=fault, **facts)


def refused(name: str, head: bytes, **more: Any) -> Scenario:
    """Return a scenario whose head says nonsense of its body."""
    return Scenario(
        name=name,
        wants="A length that is none is an answer that cannot be trusted, said so at once.",
        does=does(Send(head), Wait()),
        asks=BOTH,
        error=APIConnectionError,
        says="not acceptable HTTP",
        retryable=False,
        leaves=True,
        **more,
    )


def split(name: str, body: bytes, at: bytes, **more: Any) -> Scenario:
    """Return a scenario whose body arrives in two parts, cut behind some bytes."""
    place = body.index(at) + len(at)
    first, second = body[:place], body[place:]
    return good(
        f"split {name}",
        "Where the network cuts the bytes changes nothing.",
        does(Send(STREAM + chunk(first)), PAUSE, Send(chunk(second) + LAST)),
        connections=1,
        **more,
    )


CRLF = ANSWER.replace(b"\n", b"\r\n")
RUSSIAN = event("Привет") + FINISH

SPLITS = [
    split("in a field name", ANSWER, b"da"),
    split("before the colon", ANSWER, b"data"),
    split("behind the colon", ANSWER, b"data:"),
    split("in the JSON", ANSWER, b'"cho'),
    split("in an escape", ANSWER.replace(b"Hel", b"\\u0048el"), b"\\u0"),
    split("before the end of a line", ANSWER, b"null}]}"),
    split("between the two line feeds", ANSWER, b"null}]}\n"),
    split("between two events", ANSWER, b"null}]}\n\n"),
    split("between CR and LF", CRLF, b"null}]}\r"),
    split("in the end marker", ANSWER, b"[DO"),
    split("before the end marker", ANSWER, b'"stop"}]}\n\n'),
    split("in a comment", b": waiting\n\n" + ANSWER, b": wai"),
    split("in a byte order mark", b"\xef\xbb\xbf" + ANSWER, b"\xef\xbb"),
    split("in the name of an event", b"event: message\n" + ANSWER, b"event: mes"),
    split(
        "in a character",
        RUSSIAN.replace(rb"\u041f", "П".encode()),
        "П".encode()[:1],
        text="Привет",
    ),
    good(
        "split in the head",
        "A head may come in two parts as well.",
        does(Send(STREAM[:20]), PAUSE, Send(STREAM[20:] + chunk(ANSWER) + LAST)),
    ),
    good(
        "split in a chunk size",
        "The framing may be cut like everything else.",
        does(Send(STREAM + chunk(ANSWER)[:1]), PAUSE, Send(chunk(ANSWER)[1:] + LAST)),
    ),
    good(
        "split behind a chunk",
        "The line end of a chunk may come later than its content.",
        does(Send(STREAM + chunk(ANSWER)[:-1]), PAUSE, Send(b"\n" + LAST)),
    ),
    good(
        "byte by byte",
        "A server that flushes every byte is slow, not wrong.",
        does(Drip(STREAM + chunk(ANSWER) + LAST, 0.0003)),
        connections=1,
    ),
    good(
        "each byte a chunk",
        "The framing of the body has nothing to do with that of the events.",
        does(Send(STREAM + b"".join(chunk(bytes([byte])) for byte in ANSWER) + LAST)),
    ),
]

FORMS = [
    good("sized", "A stream may have a Content-Length.", does(Send(sized(ANSWER, extra=SSE)))),
    good(
        "to the close",
        "A body may last as long as its connection.",
        does(Send(OK + SSE + b"\r\n" + ANSWER), Close()),
    ),
    good(
        "HTTP/1.0",
        "An old proxy ends the body by closing.",
        does(Send(b"HTTP/1.0 200 OK\r\n" + SSE + b"\r\n" + ANSWER), Close()),
    ),
    good(
        "closed after the answer",
        "A server that says it closes, and closes, is no fault.",
        does(Send(sized(ANSWER, extra=b"Connection: close\r\n")), Close()),
        calls=2,
        requests=2,
        connections=2,
    ),
    good(
        "upper hex",
        "Chunk sizes may be written in capitals.",
        does(Send(STREAM + b"%X\r\n%b\r\n" % (len(ANSWER), ANSWER) + LAST)),
    ),
    good(
        "leading zeros",
        "Chunk sizes may begin with zeros.",
        does(Send(STREAM + b"0000%x\r\n%b\r\n" % (len(ANSWER), ANSWER) + b"000\r\n\r\n")),
    ),
    good(
        "extensions",
        "Chunk extensions mean nothing and break nothing.",
        does(Send(STREAM + b'%x;a=1;b="x;y"\r\n%b\r\n0;c\r\n\r\n' % (len(ANSWER), ANSWER))),
    ),
    good(
        "trailers",
        "Trailers are passed over, and the connection is good for the next call.",
        does(Send(STREAM + chunk(ANSWER) + b"0\r\nX-Sum: 1\r\nX-Cost: 2\r\n\r\n")),
        calls=2,
        requests=2,
        connections=1,
    ),
    good(
        "coding in capitals",
        "The name of a transfer coding may be written in any case.",
        does(Send(OK + b"TRANSFER-ENCODING: Chunked\r\n\r\n" + chunk(ANSWER) + LAST)),
    ),
    good(
        "coding and length",
        "Where both are there the coding counts, as the standard says.",
        does(
            Send(OK + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n"),
            Send(chunk(ANSWER) + LAST),
        ),
    ),
    good(
        "length twice",
        "The same length twice is one length.",
        does(Send(OK + b"Content-Length: %d\r\n" % len(ANSWER) * 2 + b"\r\n" + ANSWER)),
    ),
    good(
        "whole in chunks",
        "A whole answer may be chunked.",
        does(Send(CHUNKED + chunk(ANSWERED[:9]) + chunk(ANSWERED[9:]) + LAST)),
        asks=WHOLE,
    ),
    good(
        "whole to the close",
        "A whole answer may end with its connection.",
        does(Send(OK + JSON + b"\r\n" + ANSWERED), Close()),
        asks=WHOLE,
    ),
]

LENGTHS = [
    cut(
        "length too long",
        "A body that is shorter than it said was cut, and what came is kept.",
        does(Send(OK + SSE + b"Content-Length: 9999\r\n\r\n" + FIRST), Close()),
    ),
    cut(
        "length too short",
        "A body whose length ends before the answer does is cut there.",
        does(Send(OK + SSE + b"Content-Length: %d\r\n\r\n%b" % (len(FIRST), ANSWER))),
    ),
    good(
        "length ends with the finish reason",
        "Behind the finish reason nothing is missed.",
        does(
            Send(OK + SSE + b"Content-Length: %d\r\n\r\n" % (len(ANSWER) - len(DONE)) + ANSWER),
            Close(),
        ),
    ),
    good(
        "length too long behind the finish reason",
        "An answer that has its finish reason is whole, however its body ends.",
        does(Send(SIZED % b"9999"), Close()),
    ),
    cut(
        "length of nothing",
        "A stream without a byte is never an empty answer.",
        does(Send(OK + SSE + b"Content-Length: 0\r\n\r\n")),
        partial="",
        says="before it began",
    ),
    cut(
        "no content",
        "204 answers nothing, which is no answer.",
        does(Send(b"HTTP/1.1 204 No Content\r\n\r\n")),
        partial="",
        says="before it began",
    ),
    refused("length negative", SIZED % b"-1"),
    refused("length not a number", SIZED % b"ten"),
    refused("length empty", SIZED % b""),
    refused("length signed", SIZED % b"+10"),
    refused("length hexadecimal", SIZED % b"0x10"),
    refused("length with a fraction", SIZED % b"10.0"),
    refused("two lengths in one line", SIZED % b"10, 20"),
    refused(
        "two lengths in two lines",
        OK + b"Content-Length: 10\r\nContent-Length: 20\r\n\r\n" + ANSWER,
    ),
    refused("length in other digits", SIZED % "١٠".encode()),
    refused("coding unknown", OK + b"Transfer-Encoding: rot13\r\n\r\n" + ANSWER),
    refused("coding not asked for", OK + b"Transfer-Encoding: gzip, chunked\r\n\r\n" + ANSWER),
    Scenario(
        name="whole, length too long",
        wants="A whole answer that was cut is an error that is worth a retry.",
        does=does(Send(OK + JSON + b"Content-Length: 9999\r\n\r\n" + ANSWERED[:50]), Close()),
        asks=WHOLE,
        error=APIConnectionError,
        says="cut in the middle",
        retryable=True,
    ),
    Scenario(
        name="whole, length too short",
        wants="Half of a JSON document is never taken for an answer.",
        does=does(Send(OK + JSON + b"Content-Length: 50\r\n\r\n" + ANSWERED), Close()),
        asks=WHOLE,
        error=ResponseDecodeError,
    ),
    Scenario(
        name="whole, cut before the close",
        wants="Where only the close ends a body, the JSON shows that it was cut.",
        does=does(Send(OK + JSON + b"\r\n" + ANSWERED[:-5]), Close()),
        asks=WHOLE,
        error=ResponseDecodeError,
    ),
    Scenario(
        name="whole, no content",
        wants="An empty answer is an error that is worth a retry.",
        does=does(Send(b"HTTP/1.1 204 No Content\r\n\r\n")),
        asks=WHOLE,
        error=ResponseDecodeError,
        says="empty body",
        retryable=True,
    ),
]


SCENARIOS = [*SPLITS, *FORMS, *LENGTHS]
