"""Performs the steps of a flow with the tools of asyncio."""

from __future__ import annotations

import inspect
import weakref
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeVar, cast

from ..errors.scrub import without_frames
from ..errors.tree import APIError
from ..ground import EvoClientError
from ..guard import Guard
from ..steps import Await, Call, Drain, Drop, Flow, Intake, Pause, Send, Settle, Spawn, Step
from ..transports.base import AsyncTransport, closed
from ..wire import AsyncBody, Deadlines, Reply, Request

__all__ = ["OpenReplies", "TransportHandle", "run"]

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop, Task

_T = TypeVar("_T")

#: The tasks that run beside their callers.
_beside: set[Task[None]] = set()


class OpenReplies:
    """The replies that somebody reads. They are closed with the client that asked for them."""

    def __init__(self) -> None:
        """Begin with none."""
        self._guard = Guard()
        self._replies: weakref.WeakKeyDictionary[Reply, AbstractEventLoop]
        self._replies = weakref.WeakKeyDictionary()
        self.is_over = False

    def add(self, reply: Reply) -> None:
        """Have a reply closed with the client.

        Raises:
            ClientClosedError: The client was closed meanwhile, and so is the reply now.
        """
        from asyncio import get_running_loop  # loaded when first needed

        with self._guard:
            if not self.is_over:
                self._replies[reply] = get_running_loop()
                return
        reply.close()
        raise closed()

    def close(self) -> None:
        """Close them, each in the thread of its loop."""
        from asyncio import get_running_loop

        with self._guard:
            self.is_over = True
            left = list(self._replies.items())
        for reply, loop in left:
            if loop is get_running_loop() or loop.is_closed():
                reply.close()
            else:
                with suppress(RuntimeError):  # the loop has been closed meanwhile
                    loop.call_soon_threadsafe(reply.close)


class TransportHandle:
    """A client's transport, made when the first request is sent."""

    def __init__(self, make: Callable[[], AsyncTransport]) -> None:
        """Keep how the transport is made."""
        self._make = make
        self._guard = Guard()  # loops live in several threads
        self._transport: AsyncTransport | None = None
        self._replies = OpenReplies()

    @property
    def is_closed(self) -> bool:
        """Whether it was closed."""
        return self._replies.is_over

    def get(self) -> AsyncTransport:
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

    async def close(self) -> None:
        """Close open replies and the transport, if there is one. A second call does nothing."""
        self._replies.close()
        with self._guard:
            transport, self._transport = self._transport, None
        if transport is not None:
            await transport.aclose()


async def run(flow: Flow[_T]) -> _T:
    """Perform the steps of a flow and return its result.

    The flow is closed, and so is every body that it opened and that is not its result, whatever
    happens, cancellation included.
    """
    held: dict[Reply, TransportHandle] = {}
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


async def _perform(step: Step, held: dict[Reply, TransportHandle]) -> object:
    match step:
        case Send(request, deadlines, through):
            handle = cast(TransportHandle, through)
            reply = await _sent(request, deadlines, handle)
            held[reply] = handle
            handle.watch(reply)
            return reply
        case Drain(reply, intake):
            await _drain(reply, intake, held[reply])
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


async def _sent(request: Request, deadlines: Deadlines, handle: TransportHandle) -> Reply:
    """Send a request. One whose client was closed meanwhile has not failed."""
    try:
        return await handle.get().send(request, deadlines)
    except APIError:
        if handle.is_closed:
            raise closed() from None
        raise


async def _drain(reply: Reply, intake: Intake, handle: TransportHandle) -> None:
    while not intake.over:
        block = b"" if intake.pending else await _read(reply, intake, handle)
        if block or intake.pending:
            intake.feed(block)
        else:
            intake.finish()
            break
    reply.close()


async def _read(reply: Reply, intake: Intake, handle: TransportHandle) -> bytes:
    """Read a block. A body that was closed with its client has not come to its end."""
    try:
        block = await cast(AsyncBody, reply.body).read(intake.deadline())
    except APIError:
        if handle.is_closed:
            raise closed() from None
        raise
    if not block and handle.is_closed:
        raise closed()
    return block


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
