"""Notes one exchange while it happens."""

from __future__ import annotations

import threading
from collections.abc import Callable
from time import monotonic

import attrs

from ..errors.tree import APIError, APITimeoutError
from ..ground import Secrets
from ..streaming.recording import Block, Ending, Exchange, Failure
from ..wire import Headers, Request
from .redaction import secrets_of_request

__all__ = ["Take"]

#: Times are kept to the microsecond: more would only be noise in the file.
_DIGITS = 6


class Take:
    """An exchange under way. One thread or task tells what comes; any may close it.

    Attributes:
        secrets: What must not be shown of it.
    """

    def __init__(self, request: Request, clock: Callable[[], float] = monotonic) -> None:
        """Begin with the request.

        Args:
            request: It is about to be sent.
            clock: A monotonic clock, in seconds.
        """
        self.secrets: Secrets = secrets_of_request(request)
        self._clock = clock
        self._lock = threading.Lock()
        self._since = clock()
        self._blocks: list[Block] = []
        self._is_over = False
        self._noted = Exchange(
            method=request.method,
            url=request.url,
            request_headers=request.headers,
            request_body=request.body,
            # As long as nobody has told of another end.
            ending="closed",
        )

    @property
    def exchange(self) -> Exchange:
        """What is known by now, secrets included."""
        with self._lock:
            return attrs.evolve(self._noted, blocks=tuple(self._blocks))

    def head(self, status: int, headers: Headers) -> None:
        """Learn that the head of the reply has come."""
        with self._lock:
            self._noted = attrs.evolve(
                self._noted, status=status, headers=headers, after=self._passed()
            )

    def block(self, data: bytes) -> None:
        """Learn that bytes have come."""
        with self._lock:
            if not self._is_over:
                self._blocks.append(Block(self._passed(), data))

    def complete(self) -> None:
        """Learn that the body has come to its end."""
        self._end("complete")

    def closed(self) -> None:
        """Learn that nobody wants the rest."""
        self._end("closed")

    def failed(self, error: BaseException) -> None:
        """Learn that an error has ended it; being cancelled is being closed."""
        if isinstance(error, Exception):
            self._end("failed", _failure(error))
        else:
            self._end("closed")

    def _end(self, ending: Ending, failure: Failure | None = None) -> None:
        """Keep the first end: what comes after it is its consequence."""
        with self._lock:
            if not self._is_over:
                self._is_over = True
                self._noted = attrs.evolve(
                    self._noted, ending=ending, failure=failure, ended_after=self._passed()
                )

    def _passed(self) -> float:
        """Return the seconds since the last time this was asked."""
        now = self._clock()
        before, self._since = self._since, now
        return round(now - before, _DIGITS)


def _failure(error: Exception) -> Failure:
    kind, message = type(error).__name__, str(error)
    match error:
        case APITimeoutError():
            return Failure(kind, message, error.retryable, error.limit, error.seconds)
        case APIError():
            return Failure(kind, message, error.retryable)
        case _:
            return Failure(kind, message)
