"""What a transport is: two small protocols, one per colour, and the contract in words.

A transport sends one request and returns one reply. It does not retry, does not follow
redirects, keeps no cookies, reads no netrc file, and undoes no content encoding. There is one
exception, which is no retry: a kept-alive connection that turns out to be dead before a byte of
the answer came is replaced at once.

What a transport owes, and the conformance suite checks:

* pieces of a body are handed on as they arrive;
* the deadlines of a request are kept, whatever trickles in;
* a library's exceptions become `APIConnectionError` or `APITimeoutError`, with the library's
  exception as the cause; programming mistakes are not wrapped;
* interim answers (1xx) are skipped, at most 20; the head of a reply is bounded (64 KiB);
* closing a body early closes its connection; reading it to the end gives the connection back.
"""

from __future__ import annotations

from typing import Final, Protocol, TypeVar, cast

from ..errors.scrub import without_frames
from ..errors.tree import APITimeoutError, ClientClosedError
from ..ground import ConfigurationError
from ..wire import Deadline, Deadlines, Reply, Request

__all__ = [
    "KEEP_ALIVE",
    "POOL_SIZE",
    "AsyncTransport",
    "Transport",
    "caused",
    "check_own_settings",
    "check_pool",
    "closed",
    "timed_out",
]

#: The most interim answers (100, 102, 103) before the final one; more is an attack or a fault.
MOST_INTERIM_ANSWERS: Final = 20

#: The most bytes in the head of a reply, and in its trailers.
MOST_HEAD_BYTES: Final = 64 * 1024

#: How many idle connections are kept, and how long (seconds), unless something else is said.
POOL_SIZE: Final = 100
KEEP_ALIVE: Final = 60.0

_Error = TypeVar("_Error", bound=BaseException)


class Transport(Protocol):
    """Sends requests for threads. One instance serves many threads at once."""

    def send(self, request: Request, deadlines: Deadlines) -> Reply:
        """Send a request and return its reply, whose body is a `Body` that is still open.

        Raises:
            APITimeoutError: A deadline has passed; it names the limit.
            APIConnectionError: No reply could be had.
            ClientClosedError: The transport has been closed.
        """
        ...

    def close(self) -> None:
        """Close idle connections and refuse further requests. A second call does nothing."""
        ...


class AsyncTransport(Protocol):
    """Sends requests for asyncio. One instance serves many tasks at once."""

    async def send(self, request: Request, deadlines: Deadlines) -> Reply:
        """Do as `Transport.send`; the body is an `AsyncBody`."""
        ...

    async def aclose(self) -> None:
        """Do as `Transport.close`."""
        ...


def check_pool(pool_size: object, keep_alive: object) -> None:
    """Refuse settings of a pool that mean nothing.

    Args:
        pool_size: A whole number of at least 1.
        keep_alive: A number of seconds of at least 0.

    Raises:
        ConfigurationError: One of them is something else.
    """
    if not isinstance(pool_size, int) or isinstance(pool_size, bool) or pool_size < 1:
        raise ConfigurationError(
            f"pool_size must be a whole number of at least 1; it is {pool_size!r}. To keep no "
            "connection open, pass keep_alive=0.",
            argument="pool_size",
        )
    is_number = isinstance(keep_alive, int | float) and not isinstance(keep_alive, bool)
    if not is_number or not 0 <= cast("float", keep_alive) < float("inf"):
        raise ConfigurationError(
            f"keep_alive must be a number of seconds of at least 0; it is {keep_alive!r}.",
            argument="keep_alive",
        )


def check_own_settings(session: object, kind: type[object], **given: bool) -> None:
    """Refuse arguments that a session of the user's settles itself.

    Args:
        session: What was given for a session.
        kind: What it must be.
        given: For each argument whether it was given too.

    Raises:
        ConfigurationError: It is no session, or an argument stands beside it.
    """
    if not isinstance(session, kind):
        raise ConfigurationError(
            f"session must be of type {kind.__module__.partition('.')[0]}.{kind.__name__}; it is "
            f"of type {type(session).__name__}.",
            argument="session",
        )
    for argument, is_given in given.items():
        if is_given:
            raise ConfigurationError(
                f"{argument} is for connections of our own; with session=, set it on the session.",
                argument=argument,
            )


def closed() -> ClientClosedError:
    """Return the error for a request after `close`."""
    return ClientClosedError("The client has been closed; make a new one for further requests.")


_PHASES: Final = {
    "connect": "No connection within {seconds:g} s (Timeouts.connect)",
    "first_chunk": "No first line of an answer within {seconds:g} s (Timeouts.first_chunk)",
    "idle": "Nothing arrived for {seconds:g} s in the middle of an answer (Timeouts.idle)",
    "total": "The call was not finished within {seconds:g} s (Timeouts.total)",
}


def timed_out(deadline: Deadline, url: str) -> APITimeoutError:
    """Return the error for a deadline that has passed.

    Args:
        deadline: Which one.
        url: The URL asked, for the message.
    """
    what = _PHASES[deadline.limit].format(seconds=deadline.seconds)
    return APITimeoutError(
        f"{what}, asking {url}. Raise that limit with timeout=Timeouts({deadline.limit}=…), or "
        "look whether the server is up.",
        limit=deadline.limit,
        seconds=deadline.seconds,
    )


def caused(error: _Error, cause: BaseException) -> _Error:
    """Return the error with a library's exception as its cause.

    The frames of a library hold headers, and with them keys, so the traceback of the cause is
    cut, and so are those of the exceptions behind it. ``EVOCLIENT_TRACE=1`` keeps them.
    """
    without_frames(cause)
    error.__cause__ = cause
    return error
