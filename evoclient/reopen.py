"""What comes after the end of a stream.

A stream asks at every end, good or bad, whether and how it goes on. A failure before the first
chunk was handed out is tried again, like any other failure before an answer. One after that is
recovered from where the call says how.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeAlias

import attrs

from .endpoints.base import Call
from .errors.tree import APIError, APIStatusError, AuthenticationError, ClientClosedError
from .exchange import Exchange, Opened, completion_of
from .flights import persistently, settled
from .guard import Future, wake
from .settings import Settings
from .steps import Flow, wait
from .streaming.announcing import Announcer
from .streaming.ending import End, Outcome
from .streaming.metrics import StreamMetrics
from .streaming.passage import Item
from .streaming.pipeline import Pipeline
from .wire import Reply

if TYPE_CHECKING:
    from .recovery import Question
    from .streaming.events import RetryEvent

__all__ = ["Onward", "OpenedStream", "Reopen", "stream", "untold"]


@attrs.frozen(eq=False, repr=False)
class Onward:
    """What a stream does at an end.

    Attributes:
        items: What is still to be handed out.
        flow: What is to be done then: it opens what comes next, returns None where nothing does,
            and raises the error of the end where nothing can. None: the stream is over.
    """

    items: list[Item]
    flow: Flow[Opened | None] | None


#: Asked at each end.
Reopen: TypeAlias = Callable[[Opened], Onward]


@attrs.frozen(eq=False, repr=False)
class OpenedStream:
    """A stream that may be read, and what comes after it.

    Attributes:
        opened: The reply and its pipeline.
        reopen: Asked at the end.
        give_up: Called by a reader who wants nothing more: no further attempt is made.
        metrics: What measures the stream.
        announcer: The callbacks of the call.
        retries: What was tried before, until somebody is told.
    """

    opened: Opened
    reopen: Reopen
    give_up: Callable[[], None]
    metrics: StreamMetrics
    announcer: Announcer
    retries: list[RetryEvent]

    @property
    def reply(self) -> Reply:
        """The reply, whose body the driver must leave open."""
        return self.opened.reply


def stream(call: Call[Any], settings: Settings, through: object) -> Flow[OpenedStream]:
    """Ask for a stream, and try again where that may help.

    Args:
        call: What to ask.
        settings: The client's settings.
        through: The client's transport handle.

    Raises:
        APIError: No stream could be had; earlier failures are in its `attempts`.
        ConfigurationError: The call cannot be made.
    """
    exchange = Exchange(call, settings, through, stream=True)
    yield from exchange.announce_start()
    try:
        opened = yield from persistently(exchange.attempt_stream, exchange.course, exchange.wait)
    except Exception as error:  # of the user's key function, for one
        exchange.end(None)
        yield from exchange.announce_error(error)
        raise
    onward = _Onward(exchange)
    return OpenedStream(
        opened,
        onward.after,
        onward.give_up,
        exchange.metrics,
        exchange.announcer,
        exchange.retries,
    )


class _Onward:
    """Decides at the ends of one stream."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self._has_handed_out = False
        self._is_over = False
        recover = exchange.call.reading.recover
        self._recover = recover
        self._models = list(recover) if isinstance(recover, tuple) else []
        self._is_given_up = False
        self._given_up: Future[None] | None = None  # ends the waits between attempts
        self._broken: Pipeline | None = None  # what another attempt is to follow
        self._refusal: APIError | None = None  # why none could be made

    def give_up(self) -> None:
        """Make no further attempt, and wait for none. Any thread may call it."""
        self._is_given_up = True
        if self._given_up is not None:
            wake(self._given_up)
        broken, self._broken = self._broken, None
        if broken is not None:
            broken.end = End(Outcome.cancelled)
            self._end(broken)
        elif not self._is_over:
            self._exchange.end(None)

    def after(self, opened: Opened) -> Onward:
        """Return what is done after an end."""
        pipeline = opened.pipeline
        error = None if pipeline.end is None else pipeline.end.error
        if self._is_over:  # somebody begins to read a stream that was read to its end
            return Onward([], None if error is None else _raised(error))
        self._has_handed_out = self._has_handed_out or pipeline.delivered > 0
        if error is not None and error is self._refusal:
            return Onward(pipeline.let_out(), self._failed(pipeline, error))
        self._exchange.settle_usage(pipeline)
        if error is None:
            return self._over(opened)
        self._broken = pipeline
        try:
            seconds = self._wait_after(error)
        except APIError:
            self._broken = None
            return Onward(pipeline.let_out(), self._failed(pipeline, error))
        items = untold(self._exchange.retries, pipeline)
        if not self._has_handed_out:
            self._exchange.stages = pipeline.stages.options.begin()
        elif self._ask_next(pipeline).begins_anew and pipeline.passage.tells_all:
            from .recovery import kept  # as above

            items += kept(pipeline.stages)
        return Onward(items, self._again(opened, seconds))

    def _over(self, opened: Opened) -> Onward:
        items = opened.pipeline.let_out()
        end = opened.pipeline.end
        if end is not None and end.error is not None:  # what was let out departs
            return Onward(items, self._failed(opened.pipeline, end.error))
        self._end(opened.pipeline)
        if end is None or end.outcome is Outcome.cancelled or not self._exchange.announcer:
            return Onward(items, None)
        return Onward(items, self._finished(opened))

    def _finished(self, opened: Opened) -> Flow[None]:
        yield from self._exchange.announce_finish(completion_of(opened, self._exchange.metrics))

    def _end(self, pipeline: Pipeline) -> None:
        self._is_over = True
        self._exchange.end(pipeline.stages.assembly.usage)

    def _wait_after(self, error: APIError) -> float:
        """Return how long to wait before going on.

        Raises:
            APIError: The error, where the stream is over.
        """
        from .recovery import is_recoverable  # loaded when a stream has broken

        course = self._exchange.course
        if not self._has_handed_out:
            return course.wait_after(error)
        is_spent = isinstance(self._recover, tuple) and not self._models
        if self._recover == "raise" or is_spent or not is_recoverable(error):
            raise course.given_up(error)
        return course.wait_after(error)

    def _wait_after_refusal(self, error: APIError) -> float:
        """Return how long to wait after an attempt that got no stream.

        Raises:
            APIError: The error, where there is to be no other attempt.
        """
        is_judged = isinstance(error, APIStatusError) and not isinstance(error, AuthenticationError)
        if self._has_handed_out and self._models and is_judged:
            error.advice = True  # another model may do what this one did not
        return self._exchange.course.wait_after(error)

    def _ask_next(self, pipeline: Pipeline) -> Question:
        """Ask what follows a break from now on; the next model, where there is one."""
        from .recovery import next_question  # as above

        exchange = self._exchange
        model = self._models.pop(0) if self._models else None
        provider = exchange.settings.provider
        question = next_question(
            exchange.call,
            pipeline.stages,
            provider,
            model,
            is_thinking=pipeline.passage.is_thinking,
        )
        exchange.ask(question.body, question.stages)
        return question

    def _again(self, opened: Opened, seconds: float) -> Flow[Opened | None]:
        """Ask once more, and again where that may help.

        Args:
            opened: The reply that broke.
            seconds: How long to wait before.

        Returns:
            What is read next. That is the reply that broke where nothing else could be had, with
            the reason as the error of its end; None where the reader has given up.
        """
        exchange, broken = self._exchange, opened.pipeline
        given_up = self._given_up = Future()
        if self._is_given_up:  # when there was nothing yet to be woken
            wake(given_up)
        while True:
            yield from settled(exchange.announcer)
            yield from wait(given_up, seconds)
            if given_up.done():
                self.give_up()  # once more: it may have been before this attempt was decided on
                return None
            try:
                found = yield from exchange.attempt_stream()
            except APIError as error:
                if given_up.done():
                    return None
                try:
                    seconds = self._wait_after_refusal(error)
                except APIError:
                    self._broken = None
                    self._refuse(broken, error)
                    return opened
                if self._has_handed_out and self._models:
                    self._ask_next(broken)
            except Exception as error:
                if given_up.done() and isinstance(error, ClientClosedError):
                    return None  # the stream was closed with its client
                self._broken = None
                self._end(broken)
                yield from exchange.announce_error(error)
                raise
            else:
                self._broken = None
                return found

    def _refuse(self, broken: Pipeline, error: APIError) -> None:
        """End a stream with the error of an attempt to go on with it."""
        if self._has_handed_out:
            error.partial = broken.stages.partial()
        assert broken.end is not None
        broken.end = End(broken.end.outcome, error)
        self._refusal = error

    def _failed(self, pipeline: Pipeline, error: APIError) -> Flow[None]:
        """Tell the callbacks, and raise.

        Raises:
            APIError: The error.
        """
        self._end(pipeline)
        try:
            raise error
        except APIError:
            yield from self._exchange.announce_error(error)
            raise


def untold(retries: list[RetryEvent], pipeline: Pipeline) -> list[Item]:
    """Return the retries that the reader has not been told of, where it wants to know.

    Args:
        retries: Those of the call that nobody has been told of; emptied where the reader is.
        pipeline: What the reader reads.
    """
    if not pipeline.passage.tells_all:
        return []
    told: list[Item] = [*retries]
    retries.clear()
    return told


def _raised(error: APIError) -> Flow[None]:
    """Raise an error that was raised before.

    Raises:
        APIError: The error.
    """
    yield from ()
    raise error
