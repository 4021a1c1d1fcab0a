"""The story of one request: authorise, send, judge the reply, wait, try again.

It is told once, for both colours: everything here is a flow.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from random import random
from typing import Any, Final, TypeVar

import attrs

from .auth.base import Auth
from .endpoints.base import Call, timeouts_of
from .errors.facts import error_in
from .errors.tree import APIError, ResponseDecodeError
from .errors.verdict import Asked, answer_error, shown_url, status_error
from .ground import elide, mask, secrets_in
from .models.codec import dumps, loads
from .providers.base import Provider
from .retry import Course, Retry
from .steps import Flow, drain, drop, pause, send
from .streaming.collect import MOST_ANSWER_BYTES, MOST_ERROR_BYTES, Collector
from .streaming.inflate import InflateError
from .streaming.pipeline import Pipeline, StreamTerms
from .streaming.sse import MOST_EVENT_BYTES
from .streaming.timing import Patience
from .urls import joined
from .wire import Deadline, Deadlines, Headers, Limit, Reply, Request, Response, Timeouts

__all__ = ["Exchange", "Opened", "Settings", "persistently", "whole"]

_T = TypeVar("_T")

#: The status of an error is known before its body: no more than so many seconds are spent on it.
PATIENCE_WITH_ERRORS: Final = 5.0


@attrs.frozen(kw_only=True)
class Settings:
    """What a client has decided, for all its calls.

    Attributes:
        provider: The preset.
        base_url: Where requests go; a normal base URL.
        auth: Who we are.
        model: The model where a call names none.
        retry: When to try again.
        timeouts: How long to wait.
        headers: Headers of every request; a value of None takes one of ours away.
        query: Query parameters of every request.
        max_event_bytes: The most bytes of one event of a stream.
        clock: The monotonic clock, in seconds.
        wall_clock: The time of day in seconds since 1970.
        dice: Gives a random number from 0 to 1.
        new_key: Makes the Idempotency-Key of a call.
    """

    provider: Provider
    base_url: str
    auth: Auth
    model: str | None = None
    retry: Retry = attrs.field(factory=Retry)
    timeouts: Timeouts = attrs.field(factory=Timeouts)
    headers: Mapping[str, str | None] = attrs.field(factory=dict, repr=False)
    query: Mapping[str, str] = attrs.field(factory=dict, repr=False)
    max_event_bytes: int = MOST_EVENT_BYTES
    clock: Callable[[], float] = attrs.field(default=time.monotonic, repr=False)
    wall_clock: Callable[[], float] = attrs.field(default=time.time, repr=False)
    dice: Callable[[], float] = attrs.field(default=random, repr=False)
    new_key: Callable[[], str] = attrs.field(repr=False)


@attrs.frozen(eq=False)
class Opened:
    """A reply whose stream may be read.

    Attributes:
        reply: The reply, its body open.
        pipeline: What the blocks of the body go into.
        response: The record of the reply.
    """

    reply: Reply
    pipeline: Pipeline
    response: Response


class Exchange:
    """One call in the making: what stays the same over its attempts.

    Attributes:
        course: The attempts so far.
    """

    def __init__(
        self, call: Call[Any], settings: Settings, through: object, *, stream: bool
    ) -> None:
        """Prepare the call; the time begins now.

        Args:
            call: What to ask.
            settings: The client's settings.
            through: The client's transport handle.
            stream: Whether the answer is to be streamed.

        Raises:
            ConfigurationError: The body cannot be sent as JSON, or the timeout is wrong.
        """
        self._call = call
        self._settings = settings
        self._through = through
        self._timeouts = timeouts_of(call.options.timeout, settings.timeouts)
        self._url = joined(settings.base_url, call.path, {**settings.query, **call.options.query})
        self._body = None if call.body is None else dumps(call.body)
        self._own = _own_headers(call, settings, stream=stream)
        self.course = Course(
            settings.retry,
            clock=settings.clock,
            dice=settings.dice,
            total=self._timeouts.total,
        )

    def attempt_whole(self) -> Flow[Any]:
        """Ask once, and read the whole answer.

        Raises:
            APIError: There is no good answer.
        """
        started = self._settings.clock()
        reply, response, asked = yield from self._reply(started)
        content = yield from self._content(reply, response, asked, started)
        document = _document(content, response, asked)
        if error_in(document) or _ends_in_error(document):
            error = answer_error(
                error_in(document) or "the finish reason is “error”", response, asked
            )
            if isinstance(document, dict) and document.get("choices"):
                error.partial = self._call.read(document, response)
            raise error
        return self._call.read(document, response)

    def attempt_stream(self) -> Flow[Opened]:
        """Ask once, and return the reply with its body still open.

        Raises:
            APIError: The status is an error, or no reply could be had.
        """
        started = self._settings.clock()
        reply, response, asked = yield from self._reply(started)
        terms = StreamTerms(
            choices=self._call.choices,
            max_event_bytes=self._settings.max_event_bytes,
            incomplete=self._call.options.incomplete,
            keepalive_counts=self._timeouts.keepalive_counts,
            secrets=asked.secrets,
            describe=lambda error: _describe(error, response, asked),
        )
        try:
            pipeline = Pipeline(self._patience(started), _encoding(reply), terms)
        except InflateError as error:
            yield from drop(reply)
            raise _undecodable(error, response, asked) from error
        return Opened(reply, pipeline, response)

    def _reply(self, started: float) -> Flow[tuple[Reply, Response, Asked]]:
        """Authorise, send, and judge the status.

        Raises:
            APIError: No reply could be had, or its status is an error.
        """
        settings = self._settings
        credentials = yield from settings.auth.authorise()
        request = self._request(credentials)
        asked = Asked(
            method=request.method,
            url=request.url,
            provider=settings.provider.name,
            secrets=secrets_in(request.headers.pairs),
            wall_clock=settings.wall_clock,
        )
        try:
            reply = yield from send(request, self._deadlines(started), self._through)
        except APIError as error:
            error.provider = asked.provider
            raise
        response = Response(
            reply.status, reply.headers, shown_url(request.url), settings.clock() - started
        )
        if 200 <= reply.status < 300:
            return reply, response, asked
        content = yield from self._error_content(reply)
        raise status_error(attrs.evolve(response, content=content), asked)

    def _request(self, credentials: Headers) -> Request:
        call, settings = self._call, self._settings
        headers = _merged(
            self._own, settings.headers.items(), credentials.pairs, call.options.headers.items()
        )
        return Request(call.method, self._url, headers, self._body)

    def _deadlines(self, started: float) -> Deadlines:
        limits = self._timeouts
        return Deadlines(
            connect=_deadline(started, "connect", limits.connect),
            first_chunk=_deadline(started, "first_chunk", limits.first_chunk),
            total=self.course.total,
        )

    def _patience(self, started: float) -> Patience:
        return Patience(
            self._timeouts,
            clock=self._settings.clock,
            started=started,
            total=self.course.total,
        )

    def _content(
        self, reply: Reply, response: Response, asked: Asked, started: float
    ) -> Flow[bytes]:
        """Read the body of a good answer.

        Raises:
            APIError: It was cut, is too large, or cannot be decompressed.
        """
        try:
            collector = Collector(self._patience(started), _encoding(reply), most=MOST_ANSWER_BYTES)
            yield from drain(reply, collector)
        except InflateError as error:
            raise _undecodable(error, response, asked) from error
        except APIError as error:
            _describe(error, response, asked)
            raise
        if collector.over:
            raise ResponseDecodeError(
                f"The answer is larger than {MOST_ANSWER_BYTES} bytes.", response=response
            )
        return collector.content

    def _error_content(self, reply: Reply) -> Flow[bytes]:
        """Read the beginning of the body of an error; less where it is cut or stalls."""
        patience = self._patience(self._settings.clock())
        patience.shorten(PATIENCE_WITH_ERRORS)
        encoding = _encoding(reply)
        try:
            collector = Collector(patience, encoding, most=MOST_ERROR_BYTES)
        except InflateError:
            yield from drop(reply)
            return f"(a body in the encoding {encoding})".encode()
        try:
            yield from drain(reply, collector)
        except (APIError, InflateError):
            # The status says what is wrong; what is there of the body must do.
            yield from drop(reply)
        return collector.content


def whole(call: Call[_T], settings: Settings, through: object) -> Flow[_T]:
    """Ask, try again where that may help, and return the result.

    Args:
        call: What to ask.
        settings: The client's settings.
        through: The client's transport handle.

    Raises:
        APIError: There is no good answer; earlier failures are in its `attempts`.
        ConfigurationError: The call cannot be made.
    """
    exchange = Exchange(call, settings, through, stream=False)
    result: _T = yield from persistently(exchange.attempt_whole, exchange.course)
    return result


def persistently(attempt: Callable[[], Flow[_T]], course: Course) -> Flow[_T]:
    """Run an attempt until it succeeds or its course says that it is over.

    Raises:
        APIError: The last failure, with the earlier ones in `attempts`.
    """
    while True:
        try:
            return (yield from attempt())
        except APIError as error:
            wait = course.wait_after(error)
        yield from pause(wait)


def _own_headers(call: Call[Any], settings: Settings, *, stream: bool) -> list[tuple[str, str]]:
    """Return the headers that evoclient itself sets, the same for each attempt."""
    from . import _version

    headers = [
        ("Accept", "text/event-stream" if stream else "application/json"),
        # A compressed stream arrives late, and a small bomb fills a memory.
        ("Accept-Encoding", "identity"),
        ("User-Agent", f"evoclient/{_version.__version__}"),
    ]
    if call.body is not None:
        headers.append(("Content-Type", "application/json"))
    if call.method == "POST":
        headers.append(("Idempotency-Key", settings.new_key()))
    return headers


def _merged(*layers: Iterable[tuple[str, str | None]]) -> Headers:
    """Lay headers over each other: a later one replaces an earlier one, None takes it away."""
    merged: dict[str, tuple[str, str]] = {}
    for layer in layers:
        for name, value in layer:
            merged.pop(name.lower(), None)
            if value is not None:
                merged[name.lower()] = (name, value)
    return Headers(merged.values())


def _deadline(started: float, limit: Limit, seconds: float | None) -> Deadline | None:
    return None if seconds is None else Deadline(started + seconds, limit, seconds)


def _encoding(reply: Reply) -> str | None:
    return reply.headers.get("content-encoding")


def _document(content: bytes, response: Response, asked: Asked) -> Any:
    """Parse a whole answer.

    Raises:
        ResponseDecodeError: It is empty, or not JSON.
    """
    text = content.strip()
    if not text:
        raise ResponseDecodeError(
            f"{asked.method} {response.url} answered {response.status_code} with an empty body.",
            response=response,
            provider=asked.provider,
            # Seen where a provider gives up under load: the next attempt mostly works.
            retryable=True,
        )
    try:
        return loads(text)
    except ValueError as error:
        shown = mask(text.decode("utf-8", "replace"), asked.secrets)
        raise ResponseDecodeError(
            f"{asked.method} {response.url} answered {response.status_code}, but not with JSON "
            f"({error}): {elide(shown, 300)!r}. Check base_url: it should be the address of the "
            "API, and no login page or proxy should stand before it.",
            response=response,
            provider=asked.provider,
            body=elide(shown, MOST_ERROR_BYTES),
        ) from error


def _ends_in_error(document: Any) -> bool:
    choices = document.get("choices") if isinstance(document, dict) else None
    return isinstance(choices, list) and any(
        isinstance(choice, dict) and choice.get("finish_reason") == "error" for choice in choices
    )


def _describe(error: APIError, response: Response, asked: Asked) -> None:
    """Add to an error what only the exchange knows."""
    error.response = error.response or response
    error.request_id = error.request_id or response.request_id
    error.provider = asked.provider


def _undecodable(error: InflateError, response: Response, asked: Asked) -> ResponseDecodeError:
    return ResponseDecodeError(
        f"The answer of {asked.method} {response.url} cannot be decompressed: {error}.",
        response=response,
        provider=asked.provider,
    )
