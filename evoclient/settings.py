"""What a client has decided, for all its calls."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from random import random
from typing import TYPE_CHECKING

import attrs

from .auth.base import Auth
from .ground import SecretsFinder
from .headers import Fields, standing_headers
from .providers.base import Provider
from .retry import Allowance, Retry
from .streaming.callbacks import Callbacks
from .streaming.sse import MOST_EVENT_BYTES
from .wire import Timeouts

if TYPE_CHECKING:
    from .limits import Limits

__all__ = ["Settings"]


@attrs.frozen(kw_only=True, eq=False, repr=False)
class Settings:
    """What a client has decided, for all its calls.

    Attributes:
        provider: The preset.
        base_url: Where requests go; a normal base URL.
        auth: Who we are.
        model: The model where a call names none.
        retry: When to try again.
        allowance: How many retries all calls together may still make.
        limits: How much may be asked at once and per minute, or None.
        timeouts: How long to wait.
        headers: Headers of every request; a value of None takes one of ours away.
        query: Query parameters of every request.
        max_event_bytes: The most bytes of one event of a stream.
        callbacks: Who hears of the calls.
        standing: The headers of every request, those of ours included, without the credential.
        secrets: Finds what must not be shown of a request.
        slow_after: Seconds after which an answer that is over is logged as slow, or None.
        is_async: Whether functions of the user's may be coroutine functions.
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
    allowance: Allowance = attrs.field(factory=Allowance, repr=False)
    limits: Limits | None = None
    timeouts: Timeouts = attrs.field(factory=Timeouts)
    headers: Mapping[str, str | None] = attrs.field(factory=dict, repr=False)
    query: Mapping[str, str] = attrs.field(factory=dict, repr=False)
    max_event_bytes: int = MOST_EVENT_BYTES
    callbacks: Callbacks = attrs.field(factory=Callbacks)
    slow_after: float | None = None
    is_async: bool = False
    clock: Callable[[], float] = attrs.field(default=time.monotonic, repr=False)
    wall_clock: Callable[[], float] = attrs.field(default=time.time, repr=False)
    dice: Callable[[], float] = attrs.field(default=random, repr=False)
    new_key: Callable[[], str] = attrs.field(repr=False)
    secrets: SecretsFinder = attrs.field(factory=SecretsFinder, repr=False)
    standing: Fields = attrs.field(init=False, repr=False)

    @standing.default
    def _standing(self) -> Fields:
        return standing_headers(self.headers)
