"""Recorded exchanges as replies of the memory transport, at any speed and with any cut."""

from __future__ import annotations

import threading
from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence
from itertools import accumulate
from typing import TypeAlias, cast
from urllib.parse import urlsplit

from ..errors.tree import APIConnectionError, APITimeoutError
from ..ground import ConfigurationError
from ..streaming.recording import Exchange, Failure
from ..transports.memory import MemoryReply
from ..wire import Request
from .redaction import is_sign_in, shown_path

__all__ = ["Cut", "Playing", "check_cut", "check_speed", "reply_of"]

#: How a body is cut: None as it was recorded, a number for pieces of so many bytes, or a function
#: that is given the whole body and returns its pieces.
Cut: TypeAlias = int | Callable[[bytes], Iterable[bytes]] | None


def check_speed(speed: object) -> None:
    """Refuse a speed that means nothing.

    Raises:
        ConfigurationError: It is neither a number above 0 nor None.
    """
    is_number = isinstance(speed, int | float) and not isinstance(speed, bool)
    if speed is None or (is_number and 0 < cast("float", speed) < float("inf")):
        return
    raise ConfigurationError(
        f"speed must be a number above 0 (2.0 plays in half the time), or None for no waiting; it "
        f"is {speed!r}.",
        argument="speed",
    )


def check_cut(cut: object) -> None:
    """Refuse a cut that means nothing.

    Raises:
        ConfigurationError: It is no number of at least 1, no function, and not None.
    """
    is_size = isinstance(cut, int) and not isinstance(cut, bool) and cut >= 1
    if not (cut is None or is_size or callable(cut)):
        raise ConfigurationError(
            f"cut must be a number of bytes of at least 1, a function from the body to its pieces, "
            f"or None for the pieces that were recorded; it is {cut!r}.",
            argument="cut",
        )


def reply_of(exchange: Exchange, *, speed: float | None, cut: Cut) -> MemoryReply:
    """Return the reply of an exchange as the memory transport takes it.

    Args:
        exchange: What was recorded.
        speed: 1.0 takes as long as it took, 2.0 half of that; None waits for nothing.
        cut: How the body is cut.

    Raises:
        ConfigurationError: The pieces that `cut` returns are not the body.
    """
    pace = 0.0 if speed is None else 1 / speed
    error = _error_of(exchange)
    if exchange.status is None:
        return MemoryReply(error=error, pause_before=pace * (exchange.after + exchange.ended_after))
    pieces, pauses = _pieces(exchange, cut)
    if exchange.ended_after:
        # An empty piece is not handed on, but the pause before it passes.
        pieces, pauses = [*pieces, b""], [*pauses, exchange.ended_after]
    return MemoryReply(
        status=exchange.status,
        headers=exchange.headers,
        pieces=pieces,
        pause_before=pace * exchange.after,
        pauses=[pace * pause for pause in pauses],
        error=error,
        error_after=None if error is None else len(pieces),
    )


def _pieces(exchange: Exchange, cut: Cut) -> tuple[list[bytes], list[float]]:
    """Return the pieces of a body, and the seconds before each."""
    blocks = exchange.blocks
    if cut is None:
        return [block.data for block in blocks], [block.after for block in blocks]
    body = exchange.body
    pieces = _cut(body, cut)
    # A piece can be handed on when its last byte has come.
    ends = list(accumulate(len(block.data) for block in blocks))
    times = list(accumulate(block.after for block in blocks))
    pauses, end, before = [], 0, 0.0
    for piece in pieces:
        end += len(piece)
        now = times[bisect_left(ends, end)] if piece else before
        pauses.append(now - before)
        before = now
    return pieces, pauses


def _cut(body: bytes, cut: int | Callable[[bytes], Iterable[bytes]]) -> list[bytes]:
    if isinstance(cut, int):
        return [body[start : start + cut] for start in range(0, len(body), cut)]
    pieces = list(cut(body))
    if b"".join(pieces) != body:
        raise ConfigurationError(
            "cut: the pieces that the function returns are not the body: together they must hold "
            "each of its bytes, in order.",
            argument="cut",
        )
    return pieces


def _error_of(exchange: Exchange) -> APIConnectionError | None:
    if exchange.failure is not None:
        return _error(exchange.failure)
    if exchange.ending == "complete":
        return None
    return APIConnectionError(
        f"The recording of {exchange.method} {exchange.url} ends here, because its reader closed "
        "the body, and this one reads on. Record the cassette anew with a reader that goes as far.",
        retryable=False,
    )


def _error(failure: Failure) -> APIConnectionError:
    if failure.limit is not None and failure.seconds is not None:
        return APITimeoutError(failure.message, limit=failure.limit, seconds=failure.seconds)
    is_ours = failure.kind == APIConnectionError.__name__
    message = failure.message if is_ours else f"{failure.kind}: {failure.message}"
    return APIConnectionError(message, retryable=failure.retryable)


class Playing:
    """Gives the replies of a cassette in order, to requests like those recorded.

    A request for a token that was recorded is passed over where none is made: who plays a
    cassette needs no credentials.
    """

    def __init__(self, exchanges: Sequence[Exchange], replies: Sequence[MemoryReply]) -> None:
        """Begin at the first exchange; each has its reply."""
        self._exchanges = exchanges
        self._replies = replies
        self._next = 0
        self._lock = threading.Lock()

    def __call__(self, request: Request) -> MemoryReply:
        """Return the reply to a request.

        Raises:
            APIConnectionError: Another request was recorded here, or none.
        """
        with self._lock:
            number = self._next
            while number < len(self._exchanges):
                if _is_like(request, self._exchanges[number]):
                    self._next = number + 1
                    return self._replies[number]
                if not is_sign_in(self._exchanges[number]):
                    raise _another(request, self._exchanges[number], number)
                number += 1
        raise APIConnectionError(
            f"The cassette has {len(self._exchanges)} exchanges, and there is none left for "
            f"{request.method} {shown_path(request)}. Record the cassette anew, or look why there "
            "are more requests than before.",
            retryable=False,
        )


def _is_like(request: Request, exchange: Exchange) -> bool:
    """Whether a request has the method and the path of a recorded one.

    Where one path is longer at its beginning, it is that of another base URL.
    """
    one, other = shown_path(request), urlsplit(exchange.url).path
    return request.method == exchange.method and (one.endswith(other) or other.endswith(one))


def _another(request: Request, exchange: Exchange, number: int) -> APIConnectionError:
    recorded = f"{exchange.method} {urlsplit(exchange.url).path}"
    return APIConnectionError(
        f"Exchange {number + 1} of the cassette is {recorded}, and the request is "
        f"{request.method} {shown_path(request)}. Make the requests in the order in which they "
        "were recorded, give the client the base_url that it was recorded with, or record the "
        "cassette anew.",
        retryable=False,
    )
