"""The cassette format: exchanges with a server as readable JSON lines, and back.

The first line names the format and its version. Each exchange is a line for the request, one for
the head of the reply, one for each block of its body and one for the end. Times are seconds since
the line before. A body is JSON or text where that gives back its bytes exactly, else base64.
Nothing is hidden here: whoever records takes the secrets out first.
"""

from __future__ import annotations

import base64
import math
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, Literal, TypeAlias, cast, get_args

import attrs

from ..ground import ConfigurationError
from ..models.codec import dumps, loads
from ..wire import Headers, Limit

__all__ = ["Block", "Ending", "Exchange", "Failure", "read_exchanges", "write_exchanges"]

#: The version that is written, and the only one that is read.
VERSION: Final = 1

#: How a body ended: as it should, closed by its reader, or by an error.
Ending: TypeAlias = Literal["complete", "closed", "failed"]


@attrs.frozen
class Block:
    """Bytes that arrived together.

    Attributes:
        after: Seconds since the block before, or since the head.
        data: The bytes.
    """

    after: float
    data: bytes = attrs.field(repr=False)


@attrs.frozen
class Failure:
    """The error that ended an exchange.

    Attributes:
        kind: The name of its class.
        message: What it said.
        retryable: Whether the same call may succeed later.
        limit: Which time limit passed, or None.
        seconds: The length of that limit, or None.
    """

    kind: str
    message: str
    retryable: bool = False
    limit: Limit | None = None
    seconds: float | None = None


@attrs.frozen(kw_only=True)
class Exchange:
    """One request and what came of it.

    Attributes:
        method: The method of the request.
        url: Its URL.
        request_headers: Its headers.
        request_body: Its body, or None.
        status: The status of the reply; None where no reply came.
        headers: The headers of the reply.
        after: Seconds from the request to the head of the reply.
        blocks: The body, as it arrived.
        ending: "complete", "closed" (by its reader, before its end) or "failed".
        ended_after: Seconds from the last line before the end to the end.
        failure: The error of an exchange that failed, else None.
    """

    method: str
    url: str
    request_headers: Headers = attrs.field(factory=Headers)
    request_body: bytes | None = attrs.field(default=None, repr=False)
    status: int | None = None
    headers: Headers = attrs.field(factory=Headers)
    after: float = 0.0
    blocks: tuple[Block, ...] = ()
    ending: Ending = "complete"
    ended_after: float = 0.0
    failure: Failure | None = None

    @property
    def body(self) -> bytes:
        """The whole body of the reply."""
        return b"".join(block.data for block in self.blocks)


def write_exchanges(exchanges: Iterable[Exchange]) -> bytes:
    """Return a cassette with some exchanges: JSON lines in UTF-8."""
    lines: list[dict[str, Any]] = [{"cassette": "evoclient", "version": VERSION}]
    for exchange in exchanges:
        lines += _lines_of(exchange)
    return b"".join(dumps(line) + b"\n" for line in lines)


def _lines_of(exchange: Exchange) -> Iterator[dict[str, Any]]:
    body = exchange.request_body
    yield {
        "request": exchange.method,
        "url": exchange.url,
        "headers": _pairs(exchange.request_headers),
        **({} if body is None else _json_member(body) or _member(body)),
    }
    if exchange.status is not None:
        headers = _pairs(exchange.headers)
        yield {"reply": exchange.status, "after": exchange.after, "headers": headers}
        for block in exchange.blocks:
            yield {"after": block.after, **_member(block.data)}
    end = {"end": exchange.ending, "after": exchange.ended_after}
    failure = exchange.failure
    yield end if failure is None else {**end, "error": _without_none(attrs.asdict(failure))}


def _pairs(headers: Headers) -> list[list[str]]:
    return [[name, value] for name, value in headers.pairs]


def _without_none(members: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in members.items() if value is not None}


def _json_member(body: bytes) -> dict[str, Any] | None:
    """Return a body as JSON, or None where that would not give its bytes back."""
    try:
        # In a list, because the line around it counts as a level of nesting as well.
        document = loads(b"[%b]" % body)[0]
        return {"json": document} if dumps(document) == body else None
    except (ValueError, IndexError):
        return None


def _member(data: bytes) -> dict[str, str]:
    try:
        return {"text": data.decode()}
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(data).decode()}


def read_exchanges(data: bytes, name: str) -> tuple[Exchange, ...]:
    """Return the exchanges of a cassette.

    Args:
        data: What `write_exchanges` wrote.
        name: Where it came from, for the messages.

    Raises:
        ConfigurationError: It is no cassette, of another version, or broken; file and line are
            named.
    """
    lines = data.split(b"\n")
    if not lines[-1].strip():
        del lines[-1]
    reader = _Reader()
    try:
        for line in lines:
            reader.take(_object(line))
        return reader.finish()
    except _BrokenError as problem:
        raise ConfigurationError(
            f"{name}, line {reader.lines + 1}: {problem}. Mend the line, or record the cassette "
            "anew.",
            argument="path",
        ) from None


class _BrokenError(Exception):
    """A line that cannot be read; the text says why."""


def _object(line: bytes) -> dict[str, Any]:
    try:
        found = loads(line.decode())
    except ValueError:
        raise _BrokenError("this is not a line of JSON in UTF-8") from None
    if not isinstance(found, dict):
        raise _BrokenError("this is not a JSON object")
    return found


class _Reader:
    """Puts lines together to exchanges; `lines` is how many were taken."""

    def __init__(self) -> None:
        self.lines = 0
        self._done: list[Exchange] = []
        self._open: dict[str, Any] | None = None
        self._blocks: list[Block] = []

    def take(self, line: Mapping[str, Any]) -> None:
        """Take the next line."""
        if not self.lines:
            _check_version(line)
        elif self._open is None:
            self._open, self._blocks = _request(line), []
        elif "end" in line:
            blocks = tuple(self._blocks)
            self._done.append(Exchange(**self._open, blocks=blocks, **_end(line)))
            self._open = None
        elif "status" not in self._open:
            self._open.update(_head(line))
        else:
            self._blocks.append(Block(_seconds(line), _bytes(line)))
        self.lines += 1

    def finish(self) -> tuple[Exchange, ...]:
        """Return the exchanges."""
        if not self.lines:
            raise _BrokenError("the file is empty")
        if self._open is not None:
            raise _BrokenError("the file breaks off: the line with the “end” is missing")
        return tuple(self._done)


def _check_version(line: Mapping[str, Any]) -> None:
    if line.get("cassette") != "evoclient":
        raise _BrokenError("this is not the first line of a cassette of evoclient")
    if line.get("version") != VERSION:
        raise _BrokenError(
            f"the cassette is of version {line.get('version')!r}, and this evoclient reads "
            f"version {VERSION}"
        )


def _request(line: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "method": _text(line, "request"),
        "url": _text(line, "url"),
        "request_headers": _headers(line),
        "request_body": _body(line),
    }


def _body(line: Mapping[str, Any]) -> bytes | None:
    if "json" in line:
        return dumps(line["json"])
    return _bytes(line) if "text" in line or "base64" in line else None


def _head(line: Mapping[str, Any]) -> dict[str, Any]:
    status = line.get("reply")
    if type(status) is not int or not 100 <= status <= 999:
        raise _BrokenError("“reply” must be the status of the reply, or “end” must be there")
    return {"status": status, "after": _seconds(line), "headers": _headers(line)}


def _end(line: Mapping[str, Any]) -> dict[str, Any]:
    ending, error = line["end"], line.get("error")
    if ending not in get_args(Ending):
        raise _BrokenError(f"“end” must be one of {', '.join(get_args(Ending))}")
    if (ending == "failed") != isinstance(error, dict):
        raise _BrokenError("“error” must be there, as an object, where “end” is “failed” alone")
    failure = _failure(cast("dict[str, Any]", error)) if error is not None else None
    return {"ending": ending, "ended_after": _seconds(line), "failure": failure}


def _failure(error: Mapping[str, Any]) -> Failure:
    limit, seconds = error.get("limit"), error.get("seconds")
    if limit is not None and limit not in get_args(Limit):
        raise _BrokenError(f"“limit” must be one of {', '.join(get_args(Limit))}")
    return Failure(
        kind=_text(error, "kind"),
        message=_text(error, "message"),
        retryable=error.get("retryable") is True,
        limit=limit,
        seconds=None if seconds is None else _seconds(error, "seconds"),
    )


def _text(line: Mapping[str, Any], name: str) -> str:
    found = line.get(name)
    if not isinstance(found, str):
        raise _BrokenError(f"“{name}” must be there, as a string")
    return found


def _seconds(line: Mapping[str, Any], name: str = "after") -> float:
    found = line.get(name)
    is_number = isinstance(found, int | float) and not isinstance(found, bool)
    if not is_number or not 0 <= cast("float", found) < math.inf:
        raise _BrokenError(f"“{name}” must be there, as a number of seconds of at least 0")
    return float(cast("float", found))


def _headers(line: Mapping[str, Any]) -> Headers:
    found = line.get("headers")
    pairs = [_pair(item) for item in found] if isinstance(found, list) else [None]
    if None in pairs:
        raise _BrokenError("“headers” must be there, as a list of pairs of name and value")
    return Headers(cast("list[tuple[str, str]]", pairs))


def _pair(item: object) -> tuple[str, str] | None:
    match item:
        case [str(name), str(value)]:
            return name, value
        case _:
            return None


def _bytes(line: Mapping[str, Any]) -> bytes:
    try:
        if "base64" in line:
            return base64.b64decode(_text(line, "base64"), validate=True)
        return _text(line, "text").encode()
    except ValueError:  # binascii's and that of lone surrogates
        raise _BrokenError("the bytes cannot be read: they are no base64, or no text") from None
