"""Performs the steps of a flow with the tools of threads."""

from __future__ import annotations

import inspect
import threading
import time
import weakref
from collections.abc import Callable
from concurrent import futures
from concurrent.futures import Future
from typing import Any, TypeVar, cast

from ..errors.scrub import without_frames
from ..errors.tree import APIError
from ..ground import ConfigurationError, EvoClientError
from ..guard import Guard
from ..steps import Await, Call, Drain, Drop, Flow, Intake, Pause, Send, Settle, Spawn, Step
from ..transports.base import Transport, closed
from ..wire import Body, Deadlines, Reply, Request

__all__ = ["OpenReplies", "TransportHandle", "run"]

_T = TypeVar("_T")


class OpenReplies:
    """The replies that somebody reads. They are closed with the client that asked for them."""

    def __init__(self) -> None:
        """Begin with none."""
        self._guard = Guard()
        self._replies: weakref.WeakSet[Reply] = weakref.WeakSet()
        self.is_over = False

    def add(self, reply: Reply) -> None:
        """Have a reply closed with the client.

        Raises:
            ClientClosedError: The client was closed meanwhile, and so is the reply now.
        """
        with self._guard:
            if not self.is_over:
                self._replies.add(reply)
                return
        reply.close()
        raise closed()

    def close(self) -> None:
        """Close them; who waits for one of them is freed."""
        with self._guard:
            self.is_over = True
            left = list(self._replies)
        for reply in left:
            reply.close()


class TransportHandle:
    """A client's transport, made when the first request is sent."""

    def __init__(self, make: Callable[[], Transport]) -> None:
        """Keep how the transport is made."""
        self._make = make
        self._guard = Guard()
        self._transport: Transport | None = None
        self._replies = OpenReplies()

    @property
    def is_closed(self) -> bool:
        """Whether it was closed."""
        return self._replies.is_over

    def get(self) -> Transport:
        """Return the transport.

        Raises:
            ClientClosedError: The client has been closed.
        """
        with self._guard:
            if self.is_closed:
                raise closed()
            if self._transport is None:
                self._transport = self._make()
            return self._transport

    def watch(self, reply: Reply) -> None:
        """Have a reply closed with the client.

        Raises:
            ClientClosedError: The client was closed meanwhile.
        """
        self._replies.add(reply)

    def close(self) -> None:
        """Close open replies and the transport, if there is one. A second call does nothing."""
        self._replies.close()
        with self._guard:
            transport, self._transport = self._transport, None
        if transport is not None:
            transport.close()


def run(flow: Flow[_T]) -> _T:
    """Perform the steps of a flow and return its result.

    The flow is closed, and so is every body that it opened and that is not its result, whatever
    happens.
    """
    held: dict[Reply, TransportHandle] = {}
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


def _perform(step: Step, held: dict[Reply, TransportHandle]) -> object:
    match step:
        case Send(request, deadlines, through):
            handle = cast(TransportHandle, through)
            reply = _sent(request, deadlines, handle)
            held[reply] = handle
            handle.watch(reply)
            return reply
        case Drain(reply, intake):
            _drain(reply, intake, held[reply])
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


def _sent(request: Request, deadlines: Deadlines, handle: TransportHandle) -> Reply:
    """Send a request. One whose client was closed meanwhile has not failed."""
    try:
        return handle.get().send(request, deadlines)
    except APIError:
        if handle.is_closed:
            raise closed() from None
        raise


def _drain(reply: Reply, intake: Intake, handle: TransportHandle) -> None:
    while not intake.over:
        block = b"" if intake.pending else _read(reply, intake, handle)
        if block or intake.pending:
            intake.feed(block)
        else:
            intake.finish()
            break
    reply.close()


def _read(reply: Reply, intake: Intake, handle: TransportHandle) -> bytes:
    """Read a block. A body that was closed with its client has not come to its end."""
    try:
        block = cast(Body, reply.body).read(intake.deadline())
    except APIError:
        if handle.is_closed:
            raise closed() from None
        raise
    if not block and handle.is_closed:
        raise closed()
    return block


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
