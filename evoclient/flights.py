"""Waiting, as flows: for work that one does for many, a slot, callbacks, the next attempt."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import TYPE_CHECKING, Final, TypeVar

from .errors.tree import APIError, APITimeoutError, ClientClosedError
from .ground import EvoClientError
from .guard import Abandoned, Flight, SingleFlight
from .retry import Course
from .steps import Flow, settle, spawn, wait
from .streaming.announcing import Announcer
from .wire import Deadline

if TYPE_CHECKING:
    from .limits import Limits, Slot

__all__ = ["Work", "admitted", "begun", "landed", "persistently", "settled", "shared"]

_T = TypeVar("_T")

#: A flow whose result goes to all who wait.
Work = Callable[[], Flow[_T]]

#: Seconds between two looks at whether the one who does the work is still there.
LOOK_AGAIN: Final = 0.25

#: How often work that was abandoned is begun anew by one caller before it gives up.
MOST_BEGINNINGS: Final = 5


def shared(
    single: SingleFlight[_T], work: Work[_T], clock: Callable[[], float], until: Deadline | None
) -> Flow[_T]:
    """Return the result of work that is under way, or begin it.

    The work runs beside its callers: one that is cancelled takes nothing from the others.

    Args:
        single: Knows what is under way.
        work: What to do if nothing is.
        clock: The monotonic clock.
        until: When the caller stops waiting; the work goes on.

    Raises:
        APITimeoutError: The caller's time is up.
        ClientClosedError: The caller began the work, and its client was closed.
        Exception: What the work raised, a copy for each caller.
    """
    beginnings = 0  # those of others do not count: each of them may have to leave after one
    while beginnings < MOST_BEGINNINGS:
        flight, is_ours = yield from _joined(single, work)
        beginnings += is_ours
        try:
            return (yield from landed(flight, clock, until))
        except Abandoned as abandoned:
            if is_ours and abandoned.reason is not None:
                raise copy.copy(abandoned.reason) from None
    raise EvoClientError(
        "Work that several callers share was abandoned again and again: those who did it were "
        "cancelled, or their event loop or client was closed.",
        retryable=True,
    )


def begun(single: SingleFlight[_T], work: Work[_T]) -> Flow[Flight[_T]]:
    """Return the flight under way; begin one beside the caller if there is none."""
    flight, _ = yield from _joined(single, work)
    return flight


def _joined(single: SingleFlight[_T], work: Work[_T]) -> Flow[tuple[Flight[_T], bool]]:
    """Do as `begun`, and tell whether it was begun here."""
    flight, is_ours = single.join()
    if is_ours:
        try:
            yield from spawn(_carried(flight, work), flight.carried_by)
        except BaseException:
            flight.fail(Abandoned())
            raise
    return flight, is_ours


def landed(flight: Flight[_T], clock: Callable[[], float], until: Deadline | None) -> Flow[_T]:
    """Wait for the result of a flight.

    Raises:
        Abandoned: Nobody is left who could finish it.
        APITimeoutError: The caller's time is up.
    """
    while not flight.future.done():
        if flight.is_lost:
            raise Abandoned
        left = LOOK_AGAIN if until is None else min(LOOK_AGAIN, until.when - clock())
        if left <= 0:
            raise _too_late(until, "work that it shares with other calls")
        yield from wait(flight.future, left)
    error = flight.future.exception()
    if isinstance(error, APITimeoutError) and error.limit == "total" and not _is_over(until, clock):
        # The time of the one who began it was up, and the time of this caller is not.
        raise Abandoned
    if isinstance(error, EvoClientError):
        # Raising changes an exception, and many may raise this one at once.
        raise copy.copy(error)
    return flight.future.result()


def admitted(
    limits: Limits, tokens: float, clock: Callable[[], float], until: Deadline | None
) -> Flow[Slot]:
    """Wait for a slot of the limits; a waiter that is cancelled leaves the queue.

    Raises:
        APITimeoutError: The caller's time is up.
    """
    slot = limits.queue(tokens)
    try:
        while (seconds := limits.wait(slot, clock())) != 0:
            left = None if until is None else until.when - clock()
            if left is not None and left <= 0:
                raise _too_late(until, "a slot of its limits")
            seconds = left if seconds is None else min(seconds, seconds if left is None else left)
            yield from wait(slot.turn, seconds)
    except BaseException:
        limits.release(slot)
        raise
    return slot


def _is_over(until: Deadline | None, clock: Callable[[], float]) -> bool:
    return until is not None and clock() >= until.when


def _too_late(until: Deadline | None, awaited: str) -> APITimeoutError:
    assert until is not None
    return APITimeoutError(
        f"The call was not finished within {until.seconds:g} s (Timeouts.{until.limit}): it was "
        f"waiting for {awaited}.",
        limit=until.limit,
        seconds=until.seconds,
    )


def _carried(flight: Flight[_T], work: Work[_T]) -> Flow[None]:
    """Do the work, and hand its result or error to the flight, whatever happens."""
    try:
        result = yield from work()
    except ClientClosedError as error:
        # The client that began the work is closed; others may still want its result.
        flight.fail(Abandoned(error))
    except Exception as error:  # all who wait for the work get what it raised
        flight.fail(error)
    else:
        flight.land(result)
    finally:
        if not flight.future.done():
            # The thread, task or loop that did the work was taken away.
            flight.fail(Abandoned())


def settled(announcer: Announcer) -> Flow[None]:
    """Wait for the callbacks that must be awaited, one after the other.

    Raises:
        Exception: What a callback raised that stops the call.
    """
    while announcer.pending:
        yield from settle(announcer.pending.pop(0))


def persistently(
    attempt: Callable[[], Flow[_T]], course: Course, wait: Callable[[float], Flow[None]]
) -> Flow[_T]:
    """Run an attempt until it succeeds or its course says that it is over.

    Args:
        attempt: What to do.
        course: Says whether to try again, and when.
        wait: Waits for so many seconds.

    Raises:
        APIError: The last failure, with the earlier ones in `attempts`.
    """
    while True:
        try:
            return (yield from attempt())
        except APIError as error:
            seconds = course.wait_after(error)
        yield from wait(seconds)
