"""The story of one call: authorise, send, judge the answer, wait, try again.

It is told once, for both colours: everything here is a flow.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, TypeVar

import attrs

from .answers import document_of, error_of, tokens_used
from .dispatch import Dispatch, Dispatched, encoding_of
from .endpoints.base import Call, timeouts_of
from .errors.scrub import masked_document
from .errors.tree import APIError, APIStatusError
from .errors.verdict import answer_error
from .flights import persistently, settled
from .headers import Fields, laid_over, own_headers
from .log import logger
from .models.chat import ChatCompletion
from .models.codec import dumps
from .models.usage import Usage
from .retry import Course, RetryState
from .settings import Settings
from .steps import Flow, drop, pause
from .streaming.announcing import Announcer
from .streaming.inflate import InflateError
from .streaming.metrics import StreamMetrics
from .streaming.pipeline import Pipeline, StreamTerms
from .streaming.stages import StageOptions, Stages
from .urls import joined
from .wire import Headers, Reply, Request, Response, Timeouts, check_header

if TYPE_CHECKING:
    from .streaming.events import RetryEvent

__all__ = [
    "Exchange",
    "Opened",
    "completion_of",
    "whole",
]

_T = TypeVar("_T")

#: A token endpoint answers at once or not at all.
AUTH_TIMEOUTS: Final = Timeouts(connect=5, first_chunk=30, idle=10)
#: The most bytes of its answer: tokens have some kilobytes.
MOST_AUTH_BYTES: Final = 2**20


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
        call: What was asked at first.
        settings: The client's settings.
        course: The attempts so far.
        announcer: The callbacks of the call.
        metrics: What measures the call.
        retries: The retries that no reader of events has been told of.
        stages: What the chunks of the next reply pass.
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
        self.call = self._asked = call  # what is asked at first, and what is asked now
        self.settings = settings
        self._is_stream = stream
        self._is_over = False
        self._timeouts = timeouts_of(call.options.timeout, settings.timeouts)
        self._url = joined(settings.base_url, call.path, {**settings.query, **call.options.query})
        self._body = None if call.body is None else dumps(call.body)
        self._own = self._headers()
        reading = call.reading
        heard = (settings.callbacks, *reading.callbacks) if call.is_announced else ()
        self.announcer = Announcer(heard, is_async=settings.is_async)
        self.metrics = StreamMetrics(clock=settings.clock)
        self.retries: list[RetryEvent] = []
        self.course = Course(
            settings.retry,
            settings.allowance,
            clock=settings.clock,
            dice=settings.dice,
            total=self._timeouts.total,
            tell=_retry_teller(self.metrics, self.retries, self.announcer),
        )
        self.stages: Stages = StageOptions(
            shape=call.shape,
            stops=reading.stops,
            split_think=reading.split_think,
            accumulate=reading.accumulate,
        ).begin()
        self._dispatch = Dispatch(settings, through, self._timeouts, self.course.total)
        self._dispatched: Dispatched | None = None

    def ask(self, body: dict[str, Any], stages: Stages) -> None:
        """Ask something else from now on.

        Args:
            body: The body of the requests.
            stages: What the chunks of the next reply pass.
        """
        self._asked = attrs.evolve(self._asked, body=body)
        self._body = dumps(body)
        self.stages = stages
        # Another question under the same key would get the answer to the first one.
        self._own = self._headers()

    def wait(self, seconds: float) -> Flow[None]:
        """Wait before another attempt, of which the callbacks have been told."""
        yield from settled(self.announcer)
        yield from pause(seconds)

    def announce_start(self) -> Flow[None]:
        """Tell the callbacks that the call begins."""
        if self.announcer:
            body = self.call.body or {}
            self.announcer.start(body.get("model"), body.get("messages", body.get("prompt")))
            yield from settled(self.announcer)

    def end(self, usage: Usage | None) -> None:
        """Learn that the call is over, well or not; say so in the log where it was slow, once."""
        if self._is_over:
            return
        self._is_over = True
        metrics, limit = self.metrics, self.settings.slow_after
        metrics.finished(usage)
        seconds = metrics.waited if self._is_stream else metrics.duration
        if limit is not None and seconds > limit:
            body = self._asked.body or {}
            logger.warning(
                "a slow answer: %s was waited for %.2f s (requests: %d), longer than slow_after=%g",
                body.get("model"),
                seconds,
                metrics.attempts,
                limit,
            )

    def announce_finish(self, completion: ChatCompletion) -> Flow[None]:
        """Tell the callbacks what the call came to."""
        if self.announcer:
            self.announcer.finish(completion)
            yield from settled(self.announcer)

    def announce_error(self, error: Exception) -> Flow[None]:
        """Tell the callbacks that the call has failed."""
        if self.announcer:
            self.announcer.error(error)
            yield from settled(self.announcer)

    def attempt_whole(self) -> Flow[Any]:
        """Ask once, and read the whole answer.

        Raises:
            APIError: There is no good answer.
        """
        dispatched = yield from self._authorised()
        content = yield from self._dispatch.content(dispatched)
        response, asked = dispatched.response, dispatched.asked
        if self._asked.may_be_empty and not content.strip():
            return self._asked.read(None, response)
        document = document_of(content, response, asked)
        self.settle(tokens_used(document))
        error = error_of(document)
        if error is not None:
            failure = answer_error(error, response, asked)
            choices = document.get("choices") if isinstance(document, dict) else None
            if choices and isinstance(choices, list):
                shown = masked_document(document, asked.secrets)
                partial = self._edited(self._asked.read(shown, response))
                failure.partial = partial if isinstance(partial, ChatCompletion) else None
            raise failure
        return self._edited(self._asked.read(document, response))

    def _edited(self, result: Any) -> Any:
        """Do to a whole answer what the stages do to a stream."""
        reading = self._asked.reading
        # Loaded when asked for, as the stages of a stream are.
        if reading.split_think:
            from .streaming.thinking import split_completion

            split_completion(result)
        if reading.stops:
            from .streaming.stops import cut_completion

            cut_completion(result, reading.stops)
        return result

    def attempt_stream(self) -> Flow[Opened]:
        """Ask once, and return the reply with its body still open.

        Raises:
            APIError: The status is an error, or no reply could be had.
        """
        dispatched = yield from self._authorised()
        reply = dispatched.reply
        terms = StreamTerms(
            choices=self._asked.choices,
            max_event_bytes=self.settings.max_event_bytes,
            incomplete=self._asked.options.incomplete,
            keepalive_counts=self._timeouts.keepalive_counts,
            secrets=dispatched.asked.secrets,
            describe=dispatched.describe,
            stages=self.stages,
            metrics=self.metrics,
        )
        try:
            pipeline = Pipeline(dispatched.patience, encoding_of(reply), terms)
        except InflateError as error:
            yield from drop(reply)
            raise dispatched.undecodable(error) from error
        reply.when_closed(lambda: self._count_success(pipeline))
        return Opened(reply, pipeline, dispatched.response)

    def settle_usage(self, pipeline: Pipeline) -> None:
        """Do as `settle`, with what a stream has told by its end."""
        usage = pipeline.stages.assembly.usage
        self.settle(None if usage is None else usage.total_tokens)

    def settle(self, tokens: float | None) -> None:
        """Put what the server counted in the place of what was reserved in the limits."""
        limits, dispatched = self.settings.limits, self._dispatched
        if limits is not None and dispatched is not None and dispatched.slot and tokens is not None:
            limits.correct(dispatched.slot, tokens, self.settings.clock())

    def _count_success(self, pipeline: Pipeline) -> None:
        """Count a stream as a success once it has given something: its head promises nothing.

        One that is recovered from pays for the retry.
        """
        has_failed = pipeline.end is not None and pipeline.end.error is not None
        if pipeline.delivered and not (has_failed and self.call.reading.recover != "raise"):
            self.course.succeeded()

    def _authorised(self) -> Flow[Dispatched]:
        """Authorise and send; once more with fresh credentials where these were refused.

        Raises:
            APIError: No reply could be had, or its status is an error.
        """
        auth = self.settings.auth
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
            ConfigurationError: They may not be sent.
        """
        try:
            found = yield from self.settings.auth.authorise(self._send_plain, self.course.total)
        except APIError as error:
            error.advice = False
            raise
        for name, value in found.pairs:
            check_header(name, value, "auth")
        return found

    def _headers(self) -> Fields:
        """Return the headers that all attempts bear."""
        settings = self.settings
        return own_headers(
            settings.standing,
            settings.headers,
            accept="text/event-stream" if self._is_stream else "application/json",
            has_body=self._body is not None,
            key=settings.new_key() if self._asked.method == "POST" else None,
        )

    def _sent_with(self, credentials: Headers) -> Flow[Dispatched]:
        call = self._asked
        headers = laid_over(self._own, credentials.pairs, call.options.headers.items())
        request = Request(call.method, self._url, headers, self._body)
        self._dispatched = yield from self._dispatch.reply(request, self._tokens())
        self.metrics.opened()
        return self._dispatched

    def _tokens(self) -> float:
        limits = self.settings.limits
        if limits is None or limits.tokens_per_minute is None:
            return 0.0
        from .limits import tokens_in  # loaded with the limits that count tokens

        body = self._asked.body or {}
        asked = body.get("max_tokens") or body.get("max_completion_tokens")
        return tokens_in(self._body, asked)

    def _send_plain(self, request: Request) -> Flow[tuple[Response, bytes]]:
        """Send a request of the auth scheme: judged and tried again, but not authorised."""
        settings = self.settings
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
            content = yield from dispatch.content(dispatched, MOST_AUTH_BYTES)
            course.succeeded()
            return dispatched.response, content

        return (yield from persistently(attempt, course, pause))


def _retry_teller(
    metrics: StreamMetrics, retries: list[RetryEvent], announcer: Announcer
) -> Callable[[RetryState], None]:
    """Return what tells of each retry; it does not hold the exchange, whose course holds it."""

    def tell(state: RetryState) -> None:
        from .streaming.events import RetryEvent  # loaded with the first retry

        metrics.retried(state.wait, state.error)
        retries.append(RetryEvent(attempt=state.attempt, wait=state.wait, error=state.error))
        announcer.retry(state)

    return tell


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
    yield from exchange.announce_start()
    try:
        result: _T = yield from persistently(exchange.attempt_whole, exchange.course, exchange.wait)
    except Exception as error:  # of the user's key function, for one
        exchange.end(None)
        yield from exchange.announce_error(error)
        raise
    exchange.course.succeeded()
    if not call.is_announced:
        exchange.end(None)
    elif isinstance(result, ChatCompletion):
        exchange.end(result.usage)
        result.response_time = exchange.metrics.duration
        yield from exchange.announce_finish(result)
    return result


def completion_of(opened: Opened, metrics: StreamMetrics) -> ChatCompletion:
    """Return the completion that a stream has come to so far, with what is known around it."""
    completion = opened.pipeline.stages.partial()
    completion.response = opened.response
    completion.response_time = metrics.duration
    return completion
