"""Recorded exchanges as replies of the memory transport, at any speed and with any cut."""

from __future__ import annotations

import threading
from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence
from itertools import accumulate
from typing import Final, TypeAlias, cast
from urllib.parse import urlsplit

from ..errors.tree import APIConnectionError, APITimeoutError
from ..ground import ConfigurationError
from ..streaming.recording import Exchange, Failure
from ..transports.memory import MemoryReply
from ..wire import Request
from .matching import Difference, Match, check_match, difference, is_same_path
from .redaction import is_sign_in, shown_path

__all__ = ["ANEW", "Cut", "Playing"]

#: What to do about a cassette that does not fit any more.
ANEW: Final = "Record the cassette anew"

#: How a body is cut: None as it was recorded, a number for pieces of so many bytes, or a function
#: that is given the whole body and returns its pieces.
Cut: TypeAlias = int | Callable[[bytes], Iterable[bytes]] | None


def _check_speed(speed: object) -> None:
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


def _check_cut(cut: object) -> None:
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


def _reply_of(exchange: Exchange, *, speed: float | None, cut: Cut) -> MemoryReply:
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
    """Gives the replies of a cassette, each once, to requests like those recorded.

    Requests that are alike get their replies in the order in which they were recorded. A request
    for a token that was recorded is passed over where none is made: who plays a cassette needs no
    credentials. Any number of threads and tasks may ask at once.
    """

    def __init__(
        self,
        exchanges: Sequence[Exchange],
        *,
        speed: float | None,
        cut: Cut = None,
        match: Match = "body",
        anew: str = ANEW,
    ) -> None:
        """Begin with all exchanges; the arguments are those of `Cassette.script`.

        Args:
            exchanges: What was recorded.
            speed: How fast to play.
            cut: How bodies are cut.
            match: What of a request must be as recorded.
            anew: What to do about a cassette that does not fit any more, for errors.

        Raises:
            ConfigurationError: `speed`, `cut` or `match` means nothing, or the pieces are not the
                body.
        """
        _check_speed(speed)
        _check_cut(cut)
        self.match = match
        self._anew = anew
        self._exchanges = exchanges
        self._replies = [_reply_of(exchange, speed=speed, cut=cut) for exchange in exchanges]
        self._waiting = list(range(len(exchanges)))
        self._lock = threading.Lock()

    @property
    def match(self) -> Match:
        """What of a request must be as recorded: "body" or "path"."""
        return self._match

    @match.setter
    def match(self, match: Match) -> None:
        check_match(match)
        self._match: Match = match

    @property
    def left(self) -> list[Exchange]:
        """What nobody has asked for yet; requests for tokens are not counted."""
        with self._lock:
            left = [self._exchanges[number] for number in self._waiting]
        return [exchange for exchange in left if not is_sign_in(exchange)]

    def __call__(self, request: Request) -> MemoryReply:
        """Return the reply to a request.

        Raises:
            APIConnectionError: Other requests were recorded, or none is left.
        """
        with self._lock:
            number = self._number_for(request)
            self._waiting.remove(number)
        return self._replies[number]

    def _number_for(self, request: Request) -> int:
        if self._match == "path":
            return self._next_by_path(request)
        nearest: tuple[int, Difference] | None = None
        for number in self._waiting:
            if is_same_path(request, self._exchanges[number]):
                found = difference(request, self._exchanges[number])
                if found is None:
                    return number
                if nearest is None and not is_sign_in(self._exchanges[number]):
                    nearest = number, found
        raise self._unfit(request) if nearest is None else self._otherwise(*nearest)

    def _next_by_path(self, request: Request) -> int:
        """Return the next exchange, whatever is asked there."""
        for number in self._waiting:
            if is_same_path(request, self._exchanges[number]):
                return number
            if not is_sign_in(self._exchanges[number]):
                break
        raise self._unfit(request)

    def _unfit(self, request: Request) -> APIConnectionError:
        asked = f"{request.method} {shown_path(request)}"
        for number in self._waiting:
            exchange = self._exchanges[number]
            if not is_sign_in(exchange):
                recorded = f"{exchange.method} {urlsplit(exchange.url).path}"
                return _refusal(
                    f"Exchange {number + 1} of the cassette is {recorded}, and the request is "
                    f"{asked}. Make the requests that were recorded, give the client the base_url "
                    f"that it was recorded with, or start afresh: {self._anew}."
                )
        count = len(self._exchanges)
        return _refusal(
            f"The cassette has {count} exchange{'' if count == 1 else 's'}, and there is none left "
            f"for {asked}. {self._anew}, or look why there are more requests than before."
        )

    def _otherwise(self, number: int, found: Difference) -> APIConnectionError:
        where = found.path or "the body"
        return _refusal(
            f"The request is not the one that was recorded as exchange {number + 1} of the "
            f"cassette: {where} was {found.recorded} and is {found.asked} now. The recorded answer "
            f'is one to another question. {self._anew}, or play it with match="path", which '
            "compares method and path alone."
        )


def _refusal(message: str) -> APIConnectionError:
    return APIConnectionError(message, retryable=False)
