"""One row of the table: what a server does, what is asked of it, and what a careful user wants."""

from __future__ import annotations

from typing import Any, Literal

import attrs

from evoclient.testing.acts import Act, Fault

__all__ = ["BOTH", "KEY", "PAIR", "STREAM", "TRAP", "WHOLE", "Scenario", "does", "in_turn"]

Ask = Literal["stream", "whole"]

STREAM: tuple[Ask, ...] = ("stream",)
WHOLE: tuple[Ask, ...] = ("whole",)
BOTH: tuple[Ask, ...] = ("stream", "whole")

#: What no error may show.
KEY = "planted-key-0123456789"
PAIR = {"key_id": "planted-id-0123456789", "secret": "planted-secret-0123456789"}

#: Stands in what a server sends for the host and port of a place where nobody may go.
TRAP = b"trap.invalid:1"


def does(*acts: Act) -> Fault:
    """Return the fault that answers each request with the same acts."""
    return Fault((acts,))


def in_turn(*answers: Act | tuple[Act, ...]) -> Fault:
    """Return the fault that answers each request with the next acts; the last ones stay."""
    return Fault(tuple(acts if isinstance(acts, tuple) else (acts,) for acts in answers))


@attrs.frozen(kw_only=True)
class Scenario:
    """What a server does, and what is to come of it.

    Attributes:
        name: What happens, in a few words.
        wants: What a careful user wants then, in one sentence.
        does: What the server does; None where there is no server.
        desk: What the token endpoint does; None where a plain key is sent.
        base_url: Asked in the place of the server; “@PORT@” in it stands for the server's port.
        asks: Whether a stream, a whole answer or both are asked for.
        calls: How many calls are made, one after another, all with the same result.
        options: Further options of the client.
        call: Further options of the call.
        text: The text that comes, where it is no error.
        outcome: How the stream ends; None where that is not the point.
        error: The class of the error, exactly.
        partial: The text that the error has kept.
        status: Its `status_code`.
        retryable: Its `retryable`; None where that is not the point.
        limit: The limit that it names.
        says: Words of its message.
        retry_after: Its `retry_after`; infinity stands for longer than anybody waits.
        requests: How many requests the server sees.
        exchanges: How many requests the token endpoint sees.
        connections: How many connections the server sees; None where that is not the point.
        leaves: Whether the client has closed the connection before it is closed itself; None where
            that is not the point.
        logged: Words of a warning in the log.
        least: Seconds that the calls take at least.
        most: Seconds that they take at most.
        is_bounded: Whether the growth of the memory is measured.
        most_growth: How many bytes it may grow by.
        fails_in: The colours in which this is not yet so, with the reason.
    """

    name: str
    wants: str
    does: Fault | None
    desk: Fault | None = None
    base_url: str | None = None
    asks: tuple[Ask, ...] = STREAM
    calls: int = 1
    options: dict[str, Any] = attrs.field(factory=dict)
    call: dict[str, Any] = attrs.field(factory=dict)
    text: str | None = None
    outcome: str | None = None
    error: type[Exception] | None = None
    partial: str = ""
    status: int | None = None
    retryable: bool | None = None
    limit: str | None = None
    says: str = ""
    retry_after: float | None = None
    requests: int = 1
    exchanges: int | None = None
    connections: int | None = None
    leaves: bool | None = None
    logged: str = ""
    least: float = 0.0
    most: float = 5.0
    is_bounded: bool = False
    most_growth: int = 150_000_000
    fails_in: dict[str, str] = attrs.field(factory=dict)
