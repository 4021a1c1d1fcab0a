"""One request: wait for a slot, send, judge the status, read the body. No retries, no auth."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import attrs

from .errors.scrub import masked_headers, scrubbed
from .errors.tree import APIError, ResponseDecodeError
from .errors.verdict import Asked, shown_url, status_error
from .flights import admitted
from .settings import Settings
from .steps import Flow, drain, drop, send
from .streaming.collect import MOST_ANSWER_BYTES, MOST_ERROR_BYTES, Collector
from .streaming.inflate import InflateError
from .streaming.timing import Patience
from .wire import Deadline, Deadlines, Limit, Reply, Request, Response, Timeouts

if TYPE_CHECKING:
    from .limits import Slot

__all__ = ["Dispatch", "Dispatched", "encoding_of"]

#: The status of an error is known before its body: no more than so many seconds are spent on it.
PATIENCE_WITH_ERRORS: Final = 5.0


@attrs.frozen(eq=False, repr=False)
class Dispatched:
    """A good reply whose body is still open.

    Attributes:
        reply: The reply.
        response: The record of it.
        asked: What the judge must know of the request.
        patience: How long each read of the body may take.
        slot: The place in the client's limits, or None where there are none.
    """

    reply: Reply
    response: Response
    asked: Asked
    patience: Patience
    slot: Slot | None

    def describe(self, error: APIError) -> None:
        """Add to an error what only the exchange knows."""
        error.response = error.response or self.response
        error.request_id = error.request_id or self.response.request_id
        error.provider = self.asked.provider

    def undecodable(self, error: InflateError) -> ResponseDecodeError:
        """Return the error for a body that cannot be decompressed."""
        scrubbed(error, self.asked.secrets)  # it quotes a header
        found = ResponseDecodeError(
            f"The answer of {self.asked.method} {self.response.url} cannot be decompressed: "
            f"{error}.",
            response=self.response,
            provider=self.asked.provider,
        )
        found.__cause__ = error
        return found


class Dispatch:
    """Sends requests for one call.

    Attributes:
        through: The client's transport handle.
    """

    def __init__(
        self, settings: Settings, through: object, timeouts: Timeouts, total: Deadline | None
    ) -> None:
        """Keep what is the same for all requests of a call.

        Args:
            settings: The client's settings.
            through: The client's transport handle.
            timeouts: How long to wait.
            total: When the whole call ends.
        """
        self._settings = settings
        self.through = through
        self._timeouts = timeouts
        self._total = total

    def reply(self, request: Request, tokens: float | None = None) -> Flow[Dispatched]:
        """Send a request and judge the status of its reply.

        Args:
            request: The request.
            tokens: What it may cost, where the client's limits apply to it; None where not.

        Raises:
            APIError: No reply could be had, or its status is an error.
        """
        settings = self._settings
        # What an auth scheme knows is masked wherever it is echoed, not only where it is sent:
        # who exchanges a secret for a token may run the API as well.
        known = getattr(settings.auth, "secrets", ())
        asked = Asked(
            method=request.method,
            url=request.url,
            provider=settings.provider.name,
            secrets=settings.secrets.find(request.headers.pairs, (*request.secrets, *known)),
            wall_clock=settings.wall_clock,
        )
        slot = None
        if settings.limits is not None and tokens is not None:
            slot = yield from admitted(settings.limits, tokens, settings.clock, self._total)
        started = settings.clock()
        reply = yield from self._sent(request, started, asked, slot)
        headers = masked_headers(reply.headers, asked.secrets)
        response = Response(
            reply.status, headers, shown_url(request.url), settings.clock() - started
        )
        if not 200 <= reply.status < 300:
            content = yield from self._error_content(reply)
            raise status_error(attrs.evolve(response, content=content), asked)
        return Dispatched(reply, response, asked, self._patience(started), slot)

    def content(self, dispatched: Dispatched, most: int = MOST_ANSWER_BYTES) -> Flow[bytes]:
        """Read the body of a good answer.

        Args:
            dispatched: The answer.
            most: The most bytes that it may have.

        Raises:
            APIError: It was cut, is too large, or cannot be decompressed.
        """
        reply = dispatched.reply
        try:
            collector = Collector(dispatched.patience, encoding_of(reply), most=most)
            yield from drain(reply, collector)
        except InflateError as error:
            yield from drop(reply)
            raise dispatched.undecodable(error) from error
        except APIError as error:
            # Now, as the next attempt may have to wait for the slot of this one.
            yield from drop(reply)
            dispatched.describe(error)
            scrubbed(error, dispatched.asked.secrets)
            raise
        if collector.over:
            raise ResponseDecodeError(
                f"The answer of {dispatched.asked.method} {dispatched.response.url} is larger "
                f"than {most} bytes.",
                response=dispatched.response,
                provider=dispatched.asked.provider,
            )
        return collector.content

    def _sent(
        self, request: Request, started: float, asked: Asked, slot: Slot | None
    ) -> Flow[Reply]:
        """Send, and see to it that the slot is given back, whatever happens."""
        limits = self._settings.limits
        try:
            reply = yield from send(request, self._deadlines(started), self.through)
        except BaseException as error:
            if limits is not None and slot is not None:
                limits.release(slot)
            if isinstance(error, APIError):
                error.provider = asked.provider
                scrubbed(error, asked.secrets)
            raise
        if limits is not None and slot is not None:
            taken, given_back = slot, limits.release
            reply.when_closed(lambda: given_back(taken))
        return reply

    def _error_content(self, reply: Reply) -> Flow[bytes]:
        """Read the beginning of the body of an error; less where it is cut or stalls."""
        patience = self._patience(self._settings.clock())
        patience.shorten(PATIENCE_WITH_ERRORS)
        encoding = encoding_of(reply)
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

    def _deadlines(self, started: float) -> Deadlines:
        limits = self._timeouts
        return Deadlines(
            connect=_deadline(started, "connect", limits.connect),
            first_chunk=_deadline(started, "first_chunk", limits.first_chunk),
            total=self._total,
        )

    def _patience(self, started: float) -> Patience:
        return Patience(
            self._timeouts, clock=self._settings.clock, started=started, total=self._total
        )


def encoding_of(reply: Reply) -> str | None:
    """Return the content encoding of a reply, or None."""
    return reply.headers.get("content-encoding")


def _deadline(started: float, limit: Limit, seconds: float | None) -> Deadline | None:
    return None if seconds is None else Deadline(started + seconds, limit, seconds)
