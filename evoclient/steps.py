"""The closed vocabulary of steps, and one typed helper for each.

A *flow* is a plain generator that says what it wants done by yielding a step, and receives what
came of it. A driver (`sync/driver.py`, `aio/driver.py`) performs the steps; it decides nothing.
A flow uses the helpers, always with ``yield from``: ``reply = yield from send(request, …)``.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Generator
from concurrent.futures import Future
from typing import Any, NamedTuple, Protocol, TypeAlias, TypeVar, cast

from .wire import Deadline, Deadlines, Reply, Request

__all__ = [
    "Await",
    "Call",
    "Drain",
    "Drop",
    "Flow",
    "Intake",
    "Pause",
    "Send",
    "Settle",
    "Spawn",
    "Step",
    "call",
    "drain",
    "drop",
    "pause",
    "send",
    "settle",
    "spawn",
    "wait",
]

_T = TypeVar("_T")


class Intake(Protocol):
    """Where the blocks of a body go.

    A front (or a driver, for `Drain`) goes round this loop until `over`: if there is something
    `pending`, feed ``b""``; else read a block within `deadline` and feed it; at the end of the
    body, call `finish`; when reading fails, call `fail`.
    """

    @property
    def over(self) -> bool:
        """Whether nothing more is wanted."""
        ...

    @property
    def pending(self) -> bool:
        """Whether bytes already taken are still to be worked on."""
        ...

    def deadline(self) -> Deadline | None:
        """Return how long the next read may take; asked right before it."""
        ...

    def feed(self, block: bytes) -> object:
        """Take the bytes that were read."""
        ...

    def finish(self) -> object:
        """Learn that the body has ended."""
        ...


class Send(NamedTuple):
    """Send a request and get its reply, the body still open.

    `through` is the transport handle of the client that made the flow: one driver serves the
    members of a fallback. What it is, only the driver's colour knows.
    """

    request: Request
    deadlines: Deadlines
    through: object


class Drain(NamedTuple):
    """Read a body into an intake until it is over, then close the body."""

    reply: Reply
    intake: Intake


class Drop(NamedTuple):
    """Close a body unread."""

    reply: Reply


class Pause(NamedTuple):
    """Wait for some seconds."""

    seconds: float


class Spawn(NamedTuple):
    """Run a flow beside this one, and go on at once.

    `carried` is told how to see whether the thread or the event loop that runs it is still there.
    """

    flow: Generator[Any, Any, None]
    carried: Callable[[Callable[[], bool]], None]


class Await(NamedTuple):
    """Wait until a future is done, at most so many seconds (None: however long)."""

    future: Future[Any]
    seconds: float | None


class Call(NamedTuple):
    """Call a function of the user's that may block.

    The async driver runs it in a thread, and awaits what it returns if that can be awaited.
    """

    function: Callable[[], object]


class Settle(NamedTuple):
    """Wait for what a function of the user's returned, which must be awaited."""

    awaitable: Awaitable[object]


Step: TypeAlias = Send | Drain | Drop | Pause | Spawn | Await | Call | Settle
Flow: TypeAlias = Generator[Step, Any, _T]


def send(request: Request, deadlines: Deadlines, through: object) -> Flow[Reply]:
    """Send a request and return its reply.

    Raises:
        APIConnectionError: No reply could be had; `APITimeoutError` when too late.
    """
    return cast(Reply, (yield Send(request, deadlines, through)))


def drain(reply: Reply, intake: Intake) -> Flow[None]:
    """Read the body of a reply into an intake.

    Raises:
        APIConnectionError: The body was cut; `APITimeoutError` when too late.
    """
    yield Drain(reply, intake)


def drop(reply: Reply) -> Flow[None]:
    """Close the body of a reply unread."""
    yield Drop(reply)


def pause(seconds: float) -> Flow[None]:
    """Wait for some seconds."""
    yield Pause(seconds)


def spawn(flow: Flow[None], carried: Callable[[Callable[[], bool]], None]) -> Flow[None]:
    """Run a flow beside this one, and go on at once."""
    yield Spawn(flow, carried)


def wait(future: Future[Any], seconds: float | None) -> Flow[None]:
    """Wait until a future is done or the time is up; the future tells which."""
    yield Await(future, seconds)


def call(function: Callable[[], object]) -> Flow[object]:
    """Call a function that may block and return its result, awaited if need be."""
    return cast(object, (yield Call(function)))


def settle(awaitable: Awaitable[object]) -> Flow[None]:
    """Wait for what a function returned, which must be awaited."""
    yield Settle(awaitable)
