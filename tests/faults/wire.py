"""The bytes that the scenarios are made of."""

from __future__ import annotations

import gzip
import json
import zlib
from typing import Any

from evoclient.testing.acts import Act, Fault, Send
from evoclient.testing.fault_catalog import ANSWER, FINISH, FIRST, REST, STREAM, WHOLE
from evoclient.testing.raw_server import CHUNKED, OK, chunk, sized

from .scenario import does

__all__ = [
    "ANSWER",
    "BEGUN",
    "CHUNKED",
    "DONE",
    "FINISH",
    "FIRST",
    "GOOD",
    "JSON",
    "LAST",
    "OK",
    "REST",
    "SSE",
    "STREAM",
    "WHOLE",
    "WHOLE_GOOD",
    "chunk",
    "deflated",
    "error",
    "event",
    "events",
    "gzipped",
    "page",
    "raw_deflated",
    "sized",
    "streamed",
]

SSE = b"Content-Type: text/event-stream\r\n"
JSON = b"Content-Type: application/json\r\n"
DONE = b"data: [DONE]\n\n"
LAST = chunk(b"")

#: The head of a stream and its first piece, in a chunk of its own.
BEGUN = STREAM + chunk(FIRST)

#: Good answers, of both kinds.
GOOD = Send(STREAM + chunk(ANSWER) + LAST)
WHOLE_GOOD = Send(sized(WHOLE, extra=JSON))


def event(text: str | None, finish_reason: str | None = None, index: int = 0) -> bytes:
    """Return the event of one chunk."""
    delta = {} if text is None else {"content": text}
    choice = {"index": index, "delta": delta, "finish_reason": finish_reason}
    return b"data: " + json.dumps({"choices": [choice]}).encode() + b"\n\n"


def events(body: bytes, *then: Act) -> Fault:
    """Return the fault that sends a body of events in one chunk, and its end."""
    return does(Send(STREAM + chunk(body) + LAST), *then)


def streamed(*blocks: bytes) -> Send:
    """Send the head of a stream, some blocks in chunks, and no end."""
    return Send(STREAM + b"".join(map(chunk, blocks)))


def error(message: str, code: Any = None, **more: Any) -> bytes:
    """Return an error body of OpenAI's dialect."""
    return json.dumps({"error": {"message": message, "code": code, **more}}).encode()


def page(title: str) -> bytes:
    """Return a web page."""
    return f"<!DOCTYPE html>\n<html><head><title>{title}</title></head></html>".encode()


def gzipped(body: bytes) -> bytes:
    """Return a reply whose body is compressed by gzip."""
    return sized(gzip.compress(body, mtime=0), extra=SSE + b"Content-Encoding: gzip\r\n")


def deflated(body: bytes) -> bytes:
    """Return a reply whose body is compressed by deflate, as the standard says."""
    return sized(zlib.compress(body), extra=SSE + b"Content-Encoding: deflate\r\n")


def raw_deflated(body: bytes) -> bytes:
    """Return a reply whose body is compressed by deflate, without its header."""
    deflater = zlib.compressobj(wbits=-15)
    content = deflater.compress(body) + deflater.flush()
    return sized(content, extra=SSE + b"Content-Encoding: deflate\r\n")
