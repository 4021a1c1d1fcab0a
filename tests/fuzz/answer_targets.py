"""Targets that read what a server says: streams, errors, tool calls, JSON in pieces."""

from __future__ import annotations

import copy
import math
import pickle
import re
from collections.abc import Iterable
from typing import Any

from evoclient.errors.facts import error_in
from evoclient.errors.tree import APIError, APIStatusError, EvoClientError
from evoclient.errors.verdict import Asked, answer_error, status_error, stream_error
from evoclient.ground import Secrets, mask
from evoclient.models.chunks import ChatCompletionChunk, read_chunk
from evoclient.models.codec import loads
from evoclient.partial_json import Scanner
from evoclient.streaming.assemble import Assembly
from evoclient.streaming.telling import EventReader
from evoclient.streaming.template import use_templates
from evoclient.wire import Headers, Response
from tests.streaming.driving import drive, pipeline

from .shape import SECRET, Target, pieces_of, text_of

__all__ = ["ERRORS", "PARTIAL_JSON", "STREAM", "TOOL_CALLS"]

SECRETS = Secrets((SECRET,))

#: 2 KB of a server's words, and what stands around them.
MOST_OF_A_MESSAGE = 4096


def _check_error(error: EvoClientError) -> None:
    """Look whether an error is short, shows no secret, and survives pickle and copy."""
    assert len(error.message) <= MOST_OF_A_MESSAGE
    assert SECRET not in f"{error} {error!r} {vars(error)!r}"
    for twin in (pickle.loads(pickle.dumps(error)), copy.copy(error)):  # noqa: S301 - our own
        assert type(twin) is type(error)
        assert str(twin) == str(error)
    if isinstance(error, APIError) and error.retry_after is not None:
        assert math.isfinite(error.retry_after)
        assert error.retry_after >= 0


def _streamed(blocks: Iterable[bytes], *, with_templates: bool = True) -> Any:
    """Return everything that a reader of a stream sees, comparable."""
    use_templates(with_templates)
    try:
        pipe = pipeline(secrets=SECRETS)
        items = drive(pipe, blocks)
    finally:
        use_templates(True)
    chunks = [item for item in items if isinstance(item, ChatCompletionChunk)]
    reader = EventReader()
    told = [repr(event) for chunk in chunks for event in reader.feed(chunk)]
    assert pipe.end is not None
    error = pipe.end.error
    seen = None
    if error is not None:
        assert error.partial is not None
        _check_error(error)
        seen = (type(error), repr(error.code), error.retryable, error.partial.to_json())
    whole = pipe.stages.assembly.completion()
    assert isinstance(whole.text, str)
    repr(whole)
    sent = [chunk.to_json() for chunk in chunks]
    return sent, told, pipe.end.outcome, seen, whole.to_json()


def read_stream(data: bytes) -> None:
    """A stream of any bytes ends with an outcome, alike for any cut, with templates and without."""
    whole = _streamed([data])
    assert _streamed(pieces_of(data)) == whole
    assert _streamed([data], with_templates=False) == whole


def _reply_of(data: bytes) -> Response:
    """Read an input as a reply: a line that begins with a status, headers, a body."""
    head, _, body = data.partition(b"\n\n")
    first, *lines = head.decode("latin-1").split("\n")
    status = re.match("[1-9][0-9]{2}", first)
    pairs = [line.partition(":")[::2] for line in lines]
    headers = Headers((name.strip(), value.strip()) for name, value in pairs)
    return Response(int(status[0]) if status else 500, headers, content=body)


def _now() -> float:
    return 1_800_000_000.0


def judge(data: bytes) -> None:
    """Any reply and any error object become an error of ours: short, without secrets."""
    reply = _reply_of(data)
    asked = Asked(
        method="POST",
        url="https://api.example/v1/chat/completions?key=1",
        provider="generic",
        secrets=SECRETS,
        wall_clock=_now,
    )
    found = status_error(reply, asked)
    assert isinstance(found, APIStatusError)
    assert found.status_code == reply.status_code
    _check_error(found)
    try:
        document = loads(reply.content)
    except ValueError:
        document = reply.content.decode("utf-8", "replace")
    error = error_in(document) or document
    _check_error(stream_error(error, SECRETS))
    _check_error(answer_error(error, reply, asked))


def _deltas_of(data: bytes) -> list[dict[str, Any]]:
    """Read an input as deltas of tool calls, or as the arguments of one call, in pieces."""
    try:
        document = loads(data)
    except ValueError:
        document = None
    if isinstance(document, list):
        return [item for item in document if isinstance(item, dict)]
    first: dict[str, Any] = {"index": 0, "id": "c", "function": {"name": "f", "arguments": ""}}
    pieces = [piece.decode("utf-8", "replace") for piece in pieces_of(data)]
    return [first, *({"index": 0, "function": {"arguments": piece}} for piece in pieces)]


def _assembled(groups: Iterable[list[dict[str, Any]]]) -> str:
    assembly, reader = Assembly(), EventReader()
    for group in groups:
        chunk = read_chunk({"choices": [{"index": 0, "delta": {"tool_calls": group}}]})
        assembly.feed(chunk)
        for event in reader.feed(chunk):
            repr(event)
    completion = assembly.completion()
    for call in completion.tool_calls:
        repr(call)
        repr(call.function.arguments)
    return completion.to_json()


def put_calls_together(data: bytes) -> None:
    """Deltas of any shape are put together, alike in one chunk and in many."""
    deltas = _deltas_of(data)
    assert _assembled([delta] for delta in deltas) == _assembled([deltas])


def _scanned(pieces: Iterable[str]) -> tuple[bool, bool, str | None]:
    scanner = Scanner()
    for piece in pieces:
        scanner.feed(piece)
    completed = scanner.completed()
    if completed is not None and not _HUGE.search(completed):
        loads(completed)
    return scanner.is_valid, scanner.is_closed, completed


#: Python refuses to read so many digits, which JSON allows.
_HUGE = re.compile("[0-9]{4000}")


def scan_json(data: bytes) -> None:
    """What came so far can be read at any time, and is judged as the decoder judges it."""
    text = text_of(data)
    cuts = [len(piece) for piece in pieces_of(data)]
    pieces, at = [], 0
    for size in cuts:
        pieces.append(text[at : at + size])
        at += size
    assert _scanned([*pieces, text[at:]]) == _scanned([text])
    if _HUGE.search(text):
        return
    try:
        value = loads(text)
    except ValueError:
        value = _NO_JSON
    scanner = Scanner()
    scanner.feed(text)
    scanner.finish()
    assert scanner.is_valid is (value is not _NO_JSON)
    if scanner.is_valid:
        assert repr(scanner.value_so_far()) == repr(value)
    assert isinstance(mask(text, SECRETS), str)


_NO_JSON = object()

_JSON = (
    b'{"', b'"}', b'":', b"[", b"]", b"{", b"}", b",", b'"', b"\\u", b"\\ud83d", b"\\ude00", b"\\",
    b"null", b"true", b"NaN", b"-Infinity", b"1e999", b"0", b"\xef\xbb\xbf",
)  # fmt: skip
STREAM = Target(
    "stream",
    read_stream,
    (
        b"data: ", b"\n\n", b"data: [DONE]\n\n", b": ping\n\n", b"event: error\n", b'{"choices":[',
        b'{"index":0,"delta":{"content":"a"},"finish_reason":null}', b'"finish_reason":"stop"',
        b'"tool_calls":[{"index":0,"function":{"arguments":"{"}}]', b'"usage":{"total_tokens":3}',
        b'"error":{"message":"x","code":500}', b'"reasoning_content":"b"', SECRET.encode(), *_JSON,
    ),
    4096,
    weight=5,
)  # fmt: skip
ERRORS = Target(
    "errors",
    judge,
    (
        b"Retry-After: ", b"X-Should-Retry: true\n", b"X-Request-Id: ", b"Location: ", b"\n\n",
        b'{"error":', b'"message":', b'"code":', b'"type":', b'"metadata":', b'"availability":',
        b'"detail":[{"loc":["body"],"msg":"x"}]', b'"insufficient_quota"', b"<html><title>",
        b"</title>", b'"access_token":', SECRET.encode(), b"model", b"429", b"999", *_JSON,
    ),
    weight=2,
)  # fmt: skip
TOOL_CALLS = Target(
    "tool_calls",
    put_calls_together,
    (
        b'{"index":0,', b'"id":"c1"', b'"id":null', b'"type":"function"', b'"function":{',
        b'"name":"f"', b'"arguments":"', b'"arguments":{', b'"custom":', b'"extra_content":',
        *_JSON,
    ),
    weight=2,
)  # fmt: skip
PARTIAL_JSON = Target("partial_json", scan_json, _JSON)
