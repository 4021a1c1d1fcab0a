"""Performs the steps of a flow with the tools of asyncio."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import TypeVar, cast

from ..errors.tree import ClientClosedError
from ..steps import Call, Drain, Drop, Flow, Intake, Pause, Send, Step
from ..transports.base import AsyncTransport
from ..wire import AsyncBody, Reply

__all__ = ["TransportHandle", "run"]

_T = TypeVar("_T")


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
    finally:
        flow.close()
        for reply in held:
            if reply is not kept:
                reply.body.close()


async def _perform(step: Step, held: list[Reply]) -> object:
    match step:
        case Send(request, deadlines, through):
            reply = await cast(TransportHandle, through).get().send(request, deadlines)
            held.append(reply)
            return reply
        case Drain(reply, intake):
            await _drain(cast(AsyncBody, reply.body), intake)
        case Drop(reply):
            reply.body.close()
        case Pause(seconds):
            await _slept(seconds)
        case Call(function):
            return await _called(function)
    return None


async def _drain(body: AsyncBody, intake: Intake) -> None:
    while not intake.over:
        block = b"" if intake.pending else await body.read(intake.deadline())
        if block or intake.pending:
            intake.feed(block)
        else:
            intake.finish()
            break
    body.close()


async def _slept(seconds: float) -> None:
    import asyncio  # loaded when first needed: an AsyncClient is made without it

    await asyncio.sleep(seconds)


async def _called(function: Callable[[], object]) -> object:
    if inspect.iscoroutinefunction(function):
        return await function()
    import asyncio  # as above

    result = await asyncio.to_thread(function)
    return await result if inspect.isawaitable(result) else result
