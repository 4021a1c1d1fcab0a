"""Performs the steps of a flow with the tools of threads."""

from __future__ import annotations

import inspect
import threading
import time
from collections.abc import Callable
from concurrent import futures
from concurrent.futures import Future
from typing import Any, TypeVar, cast

from ..errors.scrub import without_frames
from ..errors.tree import ClientClosedError
from ..ground import ConfigurationError, EvoClientError
from ..steps import Await, Call, Drain, Drop, Flow, Intake, Pause, Send, Settle, Spawn, Step
from ..transports.base import Transport
from ..wire import Body, Reply

__all__ = ["TransportHandle", "run"]

_T = TypeVar("_T")


class TransportHandle:
    """A client's transport, made when the first request is sent."""

    def __init__(self, make: Callable[[], Transport]) -> None:
        """Keep how the transport is made."""
        self._make = make
        self._lock = threading.Lock()
        self._transport: Transport | None = None
        self.is_closed = False

    def get(self) -> Transport:
        """Return the transport.

        Raises:
            ClientClosedError: The client has been closed.
        """
        with self._lock:
            if self.is_closed:
                raise ClientClosedError("The client has been closed: make a new one.")
            if self._transport is None:
                self._transport = self._make()
            return self._transport

    def close(self) -> None:
        """Close the transport, if there is one. A second call does nothing."""
        with self._lock:
            self.is_closed = True
            transport, self._transport = self._transport, None
        if transport is not None:
            transport.close()


def run(flow: Flow[_T]) -> _T:
    """Perform the steps of a flow and return its result.

    The flow is closed, and so is every body that it opened and that is not its result, whatever
    happens.
    """
    held: list[Reply] = []
    kept: object = None
    answer: object = None
    try:
        step = next(flow)
        while True:
            try:
                answer = _perform(step, held)
            except Exception as error:
                step = flow.throw(error)
            else:
                step = flow.send(answer)
    except StopIteration as end:
        result = cast(_T, end.value)
        kept = getattr(result, "reply", None)
        return result
    except EvoClientError as error:
        without_frames(error)
        raise
    finally:
        answer = None  # it may be a key that a function gave, and tracebacks show it
        flow.close()
        for reply in held:
            if reply is not kept:
                reply.close()


def _perform(step: Step, held: list[Reply]) -> object:
    match step:
        case Send(request, deadlines, through):
            reply = cast(TransportHandle, through).get().send(request, deadlines)
            held.append(reply)
            return reply
        case Drain(reply, intake):
            _drain(reply, intake)
        case Drop(reply):
            reply.close()
        case Pause(seconds):
            time.sleep(seconds)
        case Spawn(flow, carried):
            _spawn(flow, carried)
        case Await(future, seconds):
            _await(future, seconds)
        case Call(function):
            return _called(function)
        case Settle(awaitable):
            raise _cannot_await(awaitable)
    return None


def _drain(reply: Reply, intake: Intake) -> None:
    body = cast(Body, reply.body)
    while not intake.over:
        block = b"" if intake.pending else body.read(intake.deadline())
        if block or intake.pending:
            intake.feed(block)
        else:
            intake.finish()
            break
    reply.close()


def _spawn(flow: Flow[None], carried: Callable[[Callable[[], bool]], None]) -> None:
    thread = threading.Thread(target=run, args=(flow,), name="evoclient-flow", daemon=True)
    # Before it starts, a thread is not alive yet.
    thread.start()
    carried(thread.is_alive)


def _await(future: Future[Any], seconds: float | None) -> None:
    futures.wait([future], timeout=seconds)


def _called(function: Callable[[], object]) -> object:
    result = function()
    if inspect.isawaitable(result):
        raise _cannot_await(result)
    return result


def _cannot_await(awaitable: object) -> ConfigurationError:
    if inspect.iscoroutine(awaitable):
        awaitable.close()
    return ConfigurationError(
        "A function that must be awaited was given to a synchronous client: use AsyncClient, or "
        "give a plain function.",
    )
