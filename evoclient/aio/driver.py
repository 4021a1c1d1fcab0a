"""Performs the steps of a flow with the tools of asyncio."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeVar, cast

from ..errors.scrub import without_frames
from ..errors.tree import ClientClosedError
from ..ground import EvoClientError
from ..steps import Await, Call, Drain, Drop, Flow, Intake, Pause, Send, Settle, Spawn, Step
from ..transports.base import AsyncTransport
from ..wire import AsyncBody, Reply

__all__ = ["TransportHandle", "run"]

if TYPE_CHECKING:
    from asyncio import Task

_T = TypeVar("_T")

#: The tasks that run beside their callers.
_beside: set[Task[None]] = set()


class TransportHandle:
    """A client's transport, made when the first request is sent."""

    def __init__(self, make: Callable[[], AsyncTransport]) -> None:
        """Keep how the transport is made."""
        self._make = make
        self._transport: AsyncTransport | None = None
        self.is_closed = False

    def get(self) -> AsyncTransport:
        """Return the transport.

        Raises:
            ClientClosedError: The client has been closed.
        """
        if self.is_closed:
            raise ClientClosedError("The client has been closed: make a new one.")
        if self._transport is None:
            self._transport = self._make()
        return self._transport

    async def close(self) -> None:
        """Close the transport, if there is one. A second call does nothing."""
        self.is_closed = True
        transport, self._transport = self._transport, None
        if transport is not None:
            await transport.aclose()


async def run(flow: Flow[_T]) -> _T:
    """Perform the steps of a flow and return its result.

    The flow is closed, and so is every body that it opened and that is not its result, whatever
    happens, cancellation included.
    """
    held: list[Reply] = []
    kept: object = None
    answer: object = None
    try:
        step = next(flow)
        while True:
            try:
                answer = await _perform(step, held)
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


async def _perform(step: Step, held: list[Reply]) -> object:
    match step:
        case Send(request, deadlines, through):
            reply = await cast(TransportHandle, through).get().send(request, deadlines)
            held.append(reply)
            return reply
        case Drain(reply, intake):
            await _drain(reply, intake)
        case Drop(reply):
            reply.close()
        case Pause(seconds):
            await _slept(seconds)
        case Spawn(flow, carried):
            _spawn(flow, carried)
        case Await(future, seconds):
            await _await(future, seconds)
        case Call(function):
            return await _called(function)
        case Settle(awaitable):
            await awaitable
    return None


async def _drain(reply: Reply, intake: Intake) -> None:
    body = cast(AsyncBody, reply.body)
    while not intake.over:
        block = b"" if intake.pending else await body.read(intake.deadline())
        if block or intake.pending:
            intake.feed(block)
        else:
            intake.finish()
            break
    reply.close()


async def _slept(seconds: float) -> None:
    import asyncio  # loaded when first needed: an AsyncClient is made without it

    await asyncio.sleep(seconds)


def _spawn(flow: Flow[None], carried: Callable[[Callable[[], bool]], None]) -> None:
    from asyncio import get_running_loop  # as above

    loop = get_running_loop()
    task = loop.create_task(run(flow))
    # The loop itself keeps only weak references to its tasks.
    _beside.add(task)
    task.add_done_callback(_beside.discard)
    # A loop that stands still will not finish the work, though it may be run again one day.
    carried(loop.is_running)


async def _await(future: Future[Any], seconds: float | None) -> None:
    import asyncio  # as above

    # A future that is waited for by `wrap_future` would be cancelled with its waiter.
    done = asyncio.Event()
    loop = asyncio.get_running_loop()

    def wake(_: object) -> None:
        with suppress(RuntimeError):  # the loop of the waiter is closed
            loop.call_soon_threadsafe(done.set)

    future.add_done_callback(wake)
    try:
        await asyncio.wait_for(done.wait(), seconds)
    except TimeoutError:
        return


async def _called(function: Callable[[], object]) -> object:
    if inspect.iscoroutinefunction(function):
        return await function()
    import asyncio  # as above

    result = await asyncio.to_thread(function)
    return await result if inspect.isawaitable(result) else result
