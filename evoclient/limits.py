"""How much a client may ask at once, and per minute. Arithmetic only: the clock is handed in."""

from __future__ import annotations

import re
from collections import deque
from typing import Final

import attrs

from .ground import ConfigurationError
from .guard import Future, Guard, wake

__all__ = ["Limits", "Slot", "tokens_in"]

MINUTE: Final = 60.0

#: Characters that make a token, for a reservation before the server has counted.
CHARACTERS_PER_TOKEN: Final = 4

#: A server that reports more has miscounted.
MOST_TOKENS: Final = 1e9

#: The part of a minute's worth that may be missing: what floating point leaves.
TOLERANCE: Final = 1e-9

# Pictures and sound inside a body. They cost tokens, but not by the character.
_MEDIA: Final = re.compile(rb'(?:;base64,|"data":")[A-Za-z0-9+/=_-]{256,}')


def _positive(instance: object, attribute: attrs.Attribute[int | None], value: object) -> None:
    if value is None:
        return
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise ConfigurationError(
            f"limits: {attribute.name} must be a whole number above 0, or None; it is {value!r}.",
            argument="limits",
        )


class Slot:
    """A place in the queue, then the right to one request until it is given back.

    Attributes:
        turn: Done as soon as it is worth looking again.
        tokens: What is reserved, per minute.
        is_admitted: Whether the request may be sent.
    """

    __slots__ = ("is_admitted", "is_over", "tokens", "turn")

    def __init__(self, tokens: float) -> None:
        """Take a place for a number of tokens."""
        self.turn: Future[None] = Future()
        self.tokens = tokens
        self.is_admitted = False
        self.is_over = False


class _Bucket:
    """So many per minute, up to a minute's worth at once."""

    def __init__(self, per_minute: int | None) -> None:
        self._most = per_minute
        self._level = float(per_minute or 0)
        self._seen: float | None = None

    def wait(self, amount: float, now: float) -> float:
        """Return the seconds until an amount is there."""
        if self._most is None:
            return 0.0
        self._fill(self._most, now)
        # More than fits is let through when the bucket is full, and owed.
        missing = min(amount, self._most) - self._level
        return missing / self._most * MINUTE if missing > TOLERANCE * self._most else 0.0

    def take(self, amount: float, now: float) -> None:
        """Take an amount; a negative one gives back."""
        if self._most is not None:
            self._fill(self._most, now)
            self._level = min(self._level - amount, float(self._most))

    def _fill(self, most: int, now: float) -> None:
        if self._seen is not None and now > self._seen:
            self._level = min(self._level + (now - self._seen) * most / MINUTE, float(most))
        self._seen = now if self._seen is None else max(now, self._seen)


@attrs.define(eq=False)
class Limits:
    """How much is asked of a server at most, by all who share the object.

    Requests that must wait are served in the order in which they came. One object may serve
    several clients of either colour. It counts for one process: a forked child, a copy and what
    comes out of a pickle have the same limits and count on their own.

    Attributes:
        max_concurrent: Requests under way at once; a stream counts until its body is closed.
        requests_per_minute: Requests begun per minute, a minute's worth at once at most.
        tokens_per_minute: Tokens per minute: reserved before a request (its characters / 4, and
            `max_tokens`), corrected by what the server reports.

    Raises:
        ConfigurationError: A limit is not a whole number above 0.
    """

    max_concurrent: int | None = attrs.field(
        default=None, validator=_positive, on_setattr=attrs.setters.frozen
    )
    requests_per_minute: int | None = attrs.field(
        default=None, validator=_positive, kw_only=True, on_setattr=attrs.setters.frozen
    )
    tokens_per_minute: int | None = attrs.field(
        default=None, validator=_positive, kw_only=True, on_setattr=attrs.setters.frozen
    )
    _guard: Guard = attrs.field(factory=Guard, init=False, repr=False)
    _queue: deque[Slot] = attrs.field(factory=deque, init=False, repr=False)
    _running: set[Slot] = attrs.field(factory=set, init=False, repr=False)
    _forks: int = attrs.field(default=0, init=False, repr=False)
    _requests: _Bucket = attrs.field(init=False, repr=False)
    _tokens: _Bucket = attrs.field(init=False, repr=False)

    def __attrs_post_init__(self) -> None:
        """Fill the buckets."""
        self._requests = _Bucket(self.requests_per_minute)
        self._tokens = _Bucket(self.tokens_per_minute)

    @property
    def running(self) -> int:
        """How many requests are under way."""
        return len(self._running)

    @property
    def waiting(self) -> int:
        """How many requests wait for their turn."""
        return len(self._queue)

    def queue(self, tokens: float) -> Slot:
        """Take a place at the end of the queue."""
        slot = Slot(tokens)
        with self._guard:
            if self._forks != self._guard.forks:
                # Whoever waits and runs in the parent process is not here to go on.
                self._forks = self._guard.forks
                self._queue.clear()
                self._running.clear()
            self._queue.append(slot)
        return slot

    def wait(self, slot: Slot, now: float) -> float | None:
        """Admit a slot if it can be, or say when to look again.

        Args:
            slot: A place in the queue.
            now: The time on the monotonic clock.

        Returns:
            0 where it is admitted; seconds after which to look again; None where only the
            slot's `turn` tells.
        """
        # Before the look: who changes something after it finds this one to wake.
        slot.turn = Future()
        with self._guard:
            if slot.is_admitted:
                return 0.0
            if not self._queue or self._queue[0] is not slot or self._is_full():
                return None
            seconds = max(self._requests.wait(1, now), self._tokens.wait(slot.tokens, now))
            if seconds > 0:
                return seconds
            self._queue.popleft()
            self._running.add(slot)
            self._requests.take(1, now)
            self._tokens.take(slot.tokens, now)
            slot.is_admitted = True
        self._call_next()
        return 0.0

    def release(self, slot: Slot) -> None:
        """Give a slot back, or leave the queue. A second call does nothing."""
        with self._guard:
            if slot.is_over:
                return
            slot.is_over = True
            self._running.discard(slot)
            if slot in self._queue:
                self._queue.remove(slot)
        self._call_next()

    def correct(self, slot: Slot, tokens: float, now: float) -> None:
        """Put what the server counted in the place of what was reserved.

        Args:
            slot: The place of a request that was admitted.
            tokens: What the server counted; a number that makes no sense changes nothing.
            now: The time on the monotonic clock.
        """
        if not 0 <= tokens <= MOST_TOKENS:
            return
        with self._guard:
            self._tokens.take(tokens - slot.tokens, now)
            slot.tokens = tokens
        self._call_next()

    def __reduce__(self) -> tuple[object, ...]:
        """Pickle the numbers alone."""
        return _made, (self.max_concurrent, self.requests_per_minute, self.tokens_per_minute)

    def _is_full(self) -> bool:
        return self.max_concurrent is not None and len(self._running) >= self.max_concurrent

    def _call_next(self) -> None:
        """Wake the first in the queue, who looks for itself whether it is its turn."""
        with self._guard:
            turn = self._queue[0].turn if self._queue else None
        if turn is not None:
            wake(turn)


def _made(max_concurrent: int | None, requests: int | None, tokens: int | None) -> Limits:
    return Limits(max_concurrent, requests_per_minute=requests, tokens_per_minute=tokens)


def tokens_in(body: bytes | None, max_tokens: object) -> float:
    """Return how many tokens to reserve for a request: its characters, media aside, / 4.

    Args:
        body: The body as it is sent.
        max_tokens: The most tokens of the answer, or anything else where that is not said.
    """
    asked = max_tokens if isinstance(max_tokens, int) and max_tokens > 0 else 0
    text = _MEDIA.sub(b"", body or b"").decode("utf-8", "replace")
    return len(text) / CHARACTERS_PER_TOKEN + asked
