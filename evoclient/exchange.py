"""The story of one call: authorise, send, judge the answer, wait, try again.

It is told once, for both colours: everything here is a flow.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Final, TypeVar

import attrs

from ._version import __version__
from .dispatch import Dispatch, Dispatched, encoding_of
from .endpoints.base import Call, timeouts_of
from .errors.facts import error_in
from .errors.scrub import masked_document, scrubbed
from .errors.tree import APIError, APIStatusError, ResponseDecodeError
from .errors.verdict import Asked, answer_error
from .ground import elide, mask
from .limits import tokens_in
from .models.chat import ChatCompletion
from .models.codec import dumps, loads
from .retry import Course
from .settings import Settings
from .steps import Flow, drop, pause
from .streaming.collect import MOST_ERROR_BYTES
from .streaming.inflate import InflateError
from .streaming.pipeline import Pipeline, StreamTerms
from .urls import joined
from .wire import Headers, Reply, Request, Response, Timeouts

__all__ = ["Exchange", "Opened", "persistently", "standing_headers", "whole"]

_T = TypeVar("_T")

#: A token endpoint answers at once or not at all.
AUTH_TIMEOUTS: Final = Timeouts(connect=5, first_chunk=30, idle=10)


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
        self._timeouts = timeouts_of(call.options.timeout, settings.timeouts)
        self._url = joined(settings.base_url, call.path, {**settings.query, **call.options.query})
        self._body = None if call.body is None else dumps(call.body)
        self._own = _own_headers(call, settings, stream=stream)
        self.course = Course(
            settings.retry,
            settings.allowance,
            clock=settings.clock,
            dice=settings.dice,
            total=self._timeouts.total,
        )
        self._dispatch = Dispatch(settings, through, self._timeouts, self.course.total)
        self._dispatched: Dispatched | None = None

    def attempt_whole(self) -> Flow[Any]:
        """Ask once, and read the whole answer.

        Raises:
            APIError: There is no good answer.
        """
        dispatched = yield from self._authorised()
        content = yield from self._dispatch.content(dispatched)
        response, asked = dispatched.response, dispatched.asked
        if self._call.may_be_empty and not content.strip():
            return self._call.read(None, response)
        document = _document(content, response, asked)
        self.settle(_tokens_used(document))
        error = error_in(document)
        if error is None and _ends_in_error(document):
            error = "the finish reason is “error”"
        if error is not None:
            failure = answer_error(error, response, asked)
            if isinstance(document, dict) and document.get("choices"):
                shown = masked_document(document, asked.secrets)
                partial = self._call.read(shown, response)
                failure.partial = partial if isinstance(partial, ChatCompletion) else None
            raise failure
        return self._call.read(document, response)

    def attempt_stream(self) -> Flow[Opened]:
        """Ask once, and return the reply with its body still open.

        Raises:
            APIError: The status is an error, or no reply could be had.
        """
        dispatched = yield from self._authorised()
        reply = dispatched.reply
        terms = StreamTerms(
            shape=self._call.shape,
            choices=self._call.choices,
            max_event_bytes=self._settings.max_event_bytes,
            incomplete=self._call.options.incomplete,
            keepalive_counts=self._timeouts.keepalive_counts,
            secrets=dispatched.asked.secrets,
            describe=dispatched.describe,
        )
        try:
            pipeline = Pipeline(dispatched.patience, encoding_of(reply), terms)
        except InflateError as error:
            yield from drop(reply)
            raise dispatched.undecodable(error) from error
        reply.when_closed(lambda: self._count_success(pipeline))
        return Opened(reply, pipeline, dispatched.response)

    def settle(self, tokens: float | None) -> None:
        """Put what the server counted in the place of what was reserved in the limits."""
        limits, dispatched = self._settings.limits, self._dispatched
        if limits is not None and dispatched is not None and dispatched.slot and tokens is not None:
            limits.correct(dispatched.slot, tokens, self._settings.clock())

    def _count_success(self, pipeline: Pipeline) -> None:
        """Count a stream as a success once it has given something: its head promises nothing."""
        if pipeline.delivered:
            self.course.succeeded()

    def _authorised(self) -> Flow[Dispatched]:
        """Authorise and send; once more with fresh credentials where these were refused.

        Raises:
            APIError: No reply could be had, or its status is an error.
        """
        auth = self._settings.auth
        credentials = yield from self._credentials()
        try:
            return (yield from self._sent_with(credentials))
        except APIStatusError as error:
            if not auth.refused(error, credentials):
                raise
        credentials = yield from self._credentials()
        return (yield from self._sent_with(credentials))

    def _credentials(self) -> Flow[Headers]:
        """Ask the auth scheme for its headers.

        Raises:
            APIError: It could not fetch them; it has tried again already where that may help.
        """
        try:
            return (yield from self._settings.auth.authorise(self._send_plain, self.course.total))
        except APIError as error:
            error.advice = False
            raise

    def _sent_with(self, credentials: Headers) -> Flow[Dispatched]:
        call = self._call
        headers = _merged(self._own.pairs, credentials.pairs, call.options.headers.items())
        request = Request(call.method, self._url, headers, self._body)
        self._dispatched = yield from self._dispatch.reply(request, self._tokens())
        return self._dispatched

    def _tokens(self) -> float:
        limits = self._settings.limits
        if limits is None or limits.tokens_per_minute is None:
            return 0.0
        body = self._call.body or {}
        asked = body.get("max_tokens") or body.get("max_completion_tokens")
        return tokens_in(self._body, asked)

    def _send_plain(self, request: Request) -> Flow[tuple[Response, bytes]]:
        """Send a request of the auth scheme: judged and tried again, but not authorised."""
        settings = self._settings
        total = self.course.total
        left = None if total is None else total.when - settings.clock()
        course = Course(
            settings.retry,
            settings.allowance,
            clock=settings.clock,
            dice=settings.dice,
            total=left,
        )
        dispatch = Dispatch(settings, self._dispatch.through, AUTH_TIMEOUTS, total)

        def attempt() -> Flow[tuple[Response, bytes]]:
            dispatched = yield from dispatch.reply(request)
            content = yield from dispatch.content(dispatched)
            course.succeeded()
            return dispatched.response, content

        return (yield from persistently(attempt, course))


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
    exchange.course.succeeded()
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


def standing_headers(settings: Settings) -> Headers:
    """Return the headers that all requests of a client bear, without the credential."""
    ours = [
        # A compressed stream arrives late, and a small bomb fills a memory.
        ("Accept-Encoding", "identity"),
        ("User-Agent", f"evoclient/{__version__}"),
    ]
    return _merged(ours, settings.headers.items())


def _own_headers(call: Call[Any], settings: Settings, *, stream: bool) -> Headers:
    """Return the headers of one call, without the credential: the same for each attempt."""
    ours = [("Accept", "text/event-stream" if stream else "application/json")]
    if call.body is not None:
        ours.append(("Content-Type", "application/json"))
    if call.method == "POST":
        ours.append(("Idempotency-Key", settings.new_key()))
    # What the client's user says wins over what is ours.
    return _merged(ours, standing_headers(settings).pairs, settings.headers.items())


def _merged(*layers: Iterable[tuple[str, str | None]]) -> Headers:
    """Lay headers over each other: a later one replaces an earlier one, None takes it away."""
    merged: dict[str, tuple[str, str]] = {}
    for layer in layers:
        for name, value in layer:
            merged.pop(name.lower(), None)
            if value is not None:
                merged[name.lower()] = (name, value)
    return Headers(merged.values())


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
        scrubbed(error, asked.secrets)
        shown = mask(text.decode("utf-8", "replace"), asked.secrets)
        raise ResponseDecodeError(
            f"{asked.method} {response.url} answered {response.status_code}, but not with JSON "
            f"({error}): {elide(shown, 300)!r}. Check base_url: it should be the address of the "
            "API, and no login page or proxy should stand before it.",
            response=response,
            provider=asked.provider,
            body=elide(shown, MOST_ERROR_BYTES),
        ) from error


def _tokens_used(document: Any) -> float | None:
    usage = document.get("usage") if isinstance(document, dict) else None
    total = usage.get("total_tokens") if isinstance(usage, dict) else None
    return total if isinstance(total, (int, float)) else None


def _ends_in_error(document: Any) -> bool:
    choices = document.get("choices") if isinstance(document, dict) else None
    return isinstance(choices, list) and any(
        isinstance(choice, dict) and choice.get("finish_reason") == "error" for choice in choices
    )
