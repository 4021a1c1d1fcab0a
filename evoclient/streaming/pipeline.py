"""The stages in a row: blocks of a body in, chunks out, and the judgement at the end.

A front pulls blocks and feeds them, and hands out what comes back; nothing here waits.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, Final

import attrs

from ..errors.scrub import scrubbed, without_frames
from ..errors.tree import APIError, StreamDecodeError, StreamInterruptedError
from ..ground import Secrets
from ..log import logger
from ..models.chunks import ChatCompletionChunk, read_chunk
from .documents import DONE, document_of, no_completion, provider_error, says_error
from .ending import End, Incomplete, Outcome, interrupted
from .inflate import InflateError
from .intake import BodyIntake
from .metrics import StreamMetrics
from .opening import Opening
from .passage import Item, Passage
from .sse import MOST_EVENT_BYTES, KeepAlive, ServerEvent, Wire
from .stages import StageOptions, Stages
from .surrogates import Surrogates, may_hold_surrogates
from .template import Alike, new_templates
from .timing import Patience
from .whole import chunk_document

__all__ = ["Item", "Pipeline", "StreamTerms"]

#: After [DONE], or a finish reason and usage, so many seconds are spent on the end of the body,
#: because a connection whose body was read to its end can be used again.
SETTLING: Final = 0.1

#: After the last finish reason, so many seconds are spent on a usage chunk.
WAIT_FOR_USAGE: Final = 2.0

#: The most bytes that are read after [DONE].
MOST_AFTER_DONE: Final = 64 * 1024

_LINE_FEED: Final = ord("\n")
_CARRIAGE_RETURN: Final = ord("\r")


def _say_nothing(error: APIError) -> None:
    """Add nothing to an error."""


def _plain_stages() -> Stages:
    return StageOptions().begin()


def _own_metrics() -> StreamMetrics:
    return StreamMetrics(clock=time.monotonic)


@attrs.frozen(kw_only=True)
class StreamTerms:
    """What a stream is to be held to.

    Attributes:
        choices: How many choices were asked for (`n`).
        max_event_bytes: The most bytes of one event.
        incomplete: What to do with an end without a finish reason.
        keepalive_counts: Whether comments count as activity.
        secrets: What must not be shown.
        describe: Adds to an error what the pipeline cannot know: the reply, the provider.
        stages: What the chunks pass.
        metrics: What measures the stream.
    """

    choices: int = 1
    max_event_bytes: int = MOST_EVENT_BYTES
    incomplete: Incomplete = "raise"
    keepalive_counts: bool = True
    secrets: Secrets = attrs.field(factory=Secrets)
    describe: Callable[[APIError], None] = _say_nothing
    stages: Stages = attrs.field(factory=_plain_stages)
    metrics: StreamMetrics = attrs.field(factory=_own_metrics)


class Pipeline(BodyIntake):
    """An intake that turns a body into chunks.

    Attributes:
        end: How the stream ended; None while it goes on.
        passage: The way of the chunks to the reader.
    """

    def __init__(self, patience: Patience, encoding: str | None, terms: StreamTerms) -> None:
        """Start with the head of the reply at hand.

        Args:
            patience: How long each read may take.
            encoding: The value of Content-Encoding, or None.
            terms: What the stream is held to.

        Raises:
            InflateError: The encoding is not known.
        """
        super().__init__(patience, encoding)
        self.end: End | None = None
        self._terms = terms
        self._shape = terms.stages.options.shape
        self._metrics = terms.metrics
        self.passage = Passage(terms.stages, terms.metrics)
        self._opening = Opening(terms.max_event_bytes, terms.secrets)
        self._surrogates = Surrogates()
        self._templates = new_templates() if self._shape.read is read_chunk else None
        self._is_done = False
        self._after_done = 0
        self._is_settling = False
        self._awaits_usage = False
        self._stopped = 0  # how many choices a stop sequence has ended here

    @property
    def stages(self) -> Stages:
        """What the chunks pass; others where the reply turned out to be another answer."""
        return self.passage.stages

    @property
    def delivered(self) -> int:
        """How many chunks have been given out."""
        return self.passage.delivered

    @property
    def over(self) -> bool:
        """Whether the stream has ended."""
        return self.end is not None

    def feed(self, block: bytes) -> list[Item]:
        """Take a block and return what it completes. It raises nothing: an error is an `end`."""
        items: list[Item] = []
        try:
            self._read(block, items)
        except InflateError as error:
            if self._is_done:  # rubbish behind the end takes nothing from the answer
                self._judge(None)
            else:
                self._fail(_undecodable(error))
        except APIError as error:
            self._fail(error)
        return items

    def finish(self, error: APIError | None = None) -> list[Item]:
        """Learn that the body has ended, or that reading failed; return what was left.

        Args:
            error: Why reading failed; None for an end of the body.
        """
        items: list[Item] = []
        if self.end is None:
            self._metrics.block(0, self._patience.waiting_since)
            try:
                if error is None and self._inflate is not None:
                    self._inflate.finish()
                if not self._is_done:
                    self._take(self._opening.finish(), items)
            except InflateError as cause:
                message = f"The stream was cut: {cause}."
                error = error or StreamInterruptedError(message, retryable=True)
            except StreamDecodeError as cause:
                # What a cut leaves of an event is no error of its own.
                error = error or (cause if self._opening.is_whole else None)
            except APIError as cause:
                error = cause
                self._fail(cause)
            if self.end is None:
                self._judge(error)
        return items

    def cancel(self) -> None:
        """Learn that nobody wants the rest."""
        if self.end is None:
            self.end = End(Outcome.cancelled)
        self._metrics.finished(self.passage.assembly.usage)

    def let_out(self) -> list[Item]:
        """Return what the stages still hold, now that the reader gets nothing more.

        It raises nothing: where that is not the answer that was handed out, `end` says so.
        """
        items: list[Item] = []
        error = None if self.end is None else self.end.error
        try:
            self.passage.let_out(items, is_broken=error is not None or self._is_cut_short())
        except APIError as departure:
            self._fail(departure)
        if items and error is not None:
            error.partial = self.stages.partial()
        return items

    def _is_cut_short(self) -> bool:
        """Whether a stream that is no failure ended before its answer did."""
        return self.end is not None and self.end.outcome in (Outcome.cancelled, Outcome.truncated)

    def _read(self, block: bytes, items: list[Item]) -> None:
        piece = self._plain(block)
        if block:
            self._metrics.block(len(block), self._patience.waiting_since)
        if self._is_done:
            self._patience.waited(line_completed=False)
            self._after_done += len(piece)
            if self._after_done > MOST_AFTER_DONE:
                self._judge(None)
            return
        wires = self._opening.feed(piece)
        if block:
            self._patience.waited(line_completed=self._shows_life(piece, wires))
        self._take(wires, items)
        if items:
            self._opening.forget()

    def _shows_life(self, piece: bytes, wires: list[Wire]) -> bool:
        if self._terms.keepalive_counts:
            return _LINE_FEED in piece or _CARRIAGE_RETURN in piece
        return any(not isinstance(wire, KeepAlive) for wire in wires)

    def _take(self, wires: list[Wire], items: list[Item]) -> None:
        secrets = self._terms.secrets
        start = 0
        while start < len(wires):
            alike = self._alike(wires, start)
            if alike is not None:
                start += len(alike.texts)
                self._take_alike(alike, items)
                if self.end is not None:  # by a stop sequence
                    self._look_for_usage(wires[start:])
                    return
                continue
            wire = wires[start]
            start += 1
            if isinstance(wire, KeepAlive):
                if self.passage.tells_all:
                    items.append(wire)
                continue
            document = document_of(wire, secrets)
            if document == DONE:
                self._settle_after_done()
                return
            if document is not None:
                self._take_document(document, wire, items)
                if self.end is not None:  # by a stop sequence
                    self._look_for_usage(wires[start:])
                    return

    def _alike(self, wires: list[Wire], start: int) -> Alike | None:
        """Return the chunks of the events from one on that a template knows, or None."""
        # What comes behind half of a character, or a finish reason, is looked at one by one.
        if self._templates is None or self._surrogates or self.passage.assembly.finish_reasons:
            return None
        return self._templates.read(wires, start)

    def _take_alike(self, alike: Alike, items: list[Item]) -> None:
        if self.passage.take_alike(alike, items):
            return
        for chunk in alike.chunks:
            self.passage.take(chunk, items)
            if self.passage.assembly.finish_reasons and not self._is_settling:
                self._notice_finish()
                if self.end is not None:
                    return

    def _look_for_usage(self, wires: list[Wire]) -> None:
        """Take the usage out of events that had come already when the answer was stopped."""
        for wire in wires:
            try:
                document = None if isinstance(wire, KeepAlive) else document_of(wire, Secrets())
            except APIError:
                return  # what is behind the stop takes nothing from the answer
            if isinstance(document, dict):
                chunk = self._shape.read(document)
                chunk.choices = []
                if chunk.usage is not None:
                    self.passage.assembly.feed(chunk)

    def _take_document(
        self, document: dict[str, Any], wire: bytes | ServerEvent, items: list[Item]
    ) -> None:
        payload = wire if isinstance(wire, bytes) else wire.data
        secrets = self._terms.secrets
        error = provider_error(document, secrets) if says_error(payload) else None
        if self._opening.is_whole:
            is_odd = self._shape.has_choices and not isinstance(document.get("choices"), list)
            if error is None and is_odd:
                raise no_completion(payload, secrets)
            document = chunk_document(document)
            # A whole answer that could be parsed was not cut.
            self._is_done = True
        chunk = self._shape.read(document)
        if self._surrogates or may_hold_surrogates(payload):
            self._surrogates.mend(chunk)
        is_said = error is None or _has_content(chunk)
        self.passage.take(chunk, items, is_handed_out=is_said)
        if error is not None:
            raise error
        if self.passage.assembly.finish_reasons:
            if not self._is_settling:
                self._notice_finish()
        elif self._templates is not None and isinstance(wire, bytes) and not self._is_done:
            self._templates.learn(wire, document)

    def _notice_finish(self) -> None:
        """Once every choice has finished, wait only for usage, and then only for the end."""
        is_stopped_now = self._is_stopped_now()
        if not self._is_finished() or len(self.passage.assembly.seen) < self._terms.choices:
            return
        if is_stopped_now:
            self.end = End(Outcome.stopped)
        elif self.passage.assembly.usage is not None:
            self._settle()
        elif not self._awaits_usage:
            self._awaits_usage = True
            self._patience.shorten(WAIT_FOR_USAGE)

    def _is_stopped_now(self) -> bool:
        """Return whether a stop sequence has ended a choice since this was asked before."""
        stops, before = self.stages.stops, self._stopped
        self._stopped = 0 if stops is None else len(stops.fired)
        return self._stopped > before

    def _settle_after_done(self) -> None:
        self._is_done = True
        self._settle()

    def _settle(self) -> None:
        self._is_settling = True
        self._patience.shorten(SETTLING)

    def _is_finished(self) -> bool:
        """Whether every choice seen has a finish reason."""
        seen = self.passage.assembly.seen
        return bool(seen) and len(self.passage.assembly.finish_reasons) >= len(seen)

    def _is_whole_without_choices(self, error: APIError | None) -> bool:
        """Whether a stream that has no choices came to its end as it should."""
        has_none = not self._shape.has_choices and not self.passage.assembly.seen
        return has_none and self.delivered > 0 and (self._is_done or error is None)

    def _judge(self, error: APIError | None) -> None:
        """Decide how the stream ended, now that nothing more comes."""
        if self._is_finished() or self._is_whole_without_choices(error):
            self.end = End(Outcome.stopped if self._stopped else Outcome.complete)
        elif self._is_done and self._has_begun:
            self._end_unconfirmed()
        else:
            # Behind [DONE] it is of no matter how the body ended.
            cause = None if self._is_done else error
            self._fail(interrupted(cause, self._has_begun, self._opening.beginning))

    @property
    def _has_begun(self) -> bool:
        """Whether there was a chunk. One that repeats what the reader has is not given out."""
        return bool(self.delivered or self.passage.assembly.seen)

    def _end_unconfirmed(self) -> None:
        self.end = End(Outcome.unconfirmed)
        if self._terms.incomplete == "strict":
            message = "The stream ended with [DONE], but without a finish reason for every choice."
            self._fail(StreamInterruptedError(message, retryable=True), Outcome.unconfirmed)
        else:
            logger.warning("a stream ended with [DONE], but not every choice has a finish reason")

    def _fail(self, error: APIError, outcome: Outcome | None = None) -> None:
        is_cut = isinstance(error, StreamInterruptedError) and error.departed is None
        outcome = outcome or (Outcome.truncated if is_cut else Outcome.failed)
        if is_cut and self._terms.incomplete == "accept" and self.delivered:
            scrubbed(error, self._terms.secrets)
            logger.warning("a truncated stream is accepted as asked: %s", error)
            self.end = End(outcome)
            return
        error.partial = error.partial or self.stages.partial()
        self._terms.describe(error)
        # The frames that it was raised in hold what was fed.
        self.end = End(outcome, without_frames(scrubbed(error, self._terms.secrets)))


def _has_content(chunk: ChatCompletionChunk) -> bool:
    """Return whether a chunk that reports an error brings a piece of the answer as well."""
    return any(choice.delta.content or choice.delta.tool_calls for choice in chunk.choices)


def _undecodable(error: InflateError) -> APIError:
    found = StreamDecodeError(f"The body of the stream cannot be decompressed: {error}.")
    found.__cause__ = error
    return found
