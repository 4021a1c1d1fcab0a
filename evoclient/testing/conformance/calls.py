"""Transports of both colours behind one blocking face, so that a scenario is written once."""

from __future__ import annotations

import asyncio
import inspect
import threading
import time
from collections.abc import Coroutine
from typing import Any, Final, TypeVar

import attrs

from ...wire import Deadline, Deadlines, Headers, Limit, Reply, Request

__all__ = ["KEY", "Answer", "AsyncCaller", "Caller", "a_request", "calling", "deadline"]

#: A key in the requests of the suite, which must be found in no error.
KEY: Final = "Bearer sk-verysecret-0123456789"

_Result = TypeVar("_Result")


def deadline(seconds: float, limit: Limit = "total") -> Deadline:
    """Return a deadline that many seconds from now."""
    return Deadline(time.monotonic() + seconds, limit, seconds)


def a_request(url: str, body: bytes | None = b"{}", method: str = "POST") -> Request:
    """Return a request with a key in it."""
    pairs = (("Authorization", KEY), ("Accept-Encoding", "identity"))
    return Request(method, url, Headers(pairs), body)


@attrs.frozen
class Answer:
    """A reply whose body is read by blocking calls.

    Attributes:
        status: The status of the reply.
        headers: Its headers.
        body: Its body, of the transport's colour.
        caller: What runs the calls.
    """

    status: int
    headers: Headers
    body: Any
    caller: Caller

    def read(self, until: Deadline | None = None) -> bytes:
        """Read a piece, at the latest within ten seconds."""
        piece: bytes = self.caller.run(self.body.read, until or deadline(10))
        return piece

    def read_all(self) -> bytes:
        """Read to the end."""
        pieces = []
        while piece := self.read():
            pieces.append(piece)
        return b"".join(pieces)

    def close(self) -> None:
        """Close the body from wherever this is called."""
        self.caller.run(self.body.close)


class Caller:
    """Calls a transport of either colour."""

    def __init__(self, transport: Any) -> None:
        """Call a transport for threads."""
        self.transport = transport

    def send(self, request: Request | str, deadlines: Deadlines | None = None) -> Answer:
        """Send and wait for the reply, ten seconds unless other deadlines are given."""
        if isinstance(request, str):
            request = a_request(request)
        limits = deadlines or Deadlines(total=deadline(10))
        reply: Reply = self.run(self.transport.send, request, limits)
        return Answer(reply.status, reply.headers, reply.body, self)

    def run(self, function: Any, *arguments: Any) -> Any:
        """Call something of the transport."""
        return function(*arguments)

    def close_transport(self) -> None:
        """Close the transport."""
        self.transport.close()

    def close(self) -> None:
        """Close the transport, and what calls it."""
        self.close_transport()


class AsyncCaller(Caller):
    """Calls an asynchronous transport in a loop that runs in a thread of its own."""

    def __init__(self, transport: Any) -> None:
        """Start the loop."""
        super().__init__(transport)
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self._thread.start()

    def run(self, function: Any, *arguments: Any) -> Any:
        """Call something of the transport in its loop."""

        async def call() -> Any:
            result = function(*arguments)
            return await result if asyncio.iscoroutine(result) else result

        return self.wait(call())

    def wait(self, work: Coroutine[Any, Any, _Result]) -> _Result:
        """Wait for a coroutine."""
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(20)

    def close_transport(self) -> None:
        """Close the transport."""
        self.run(self.transport.aclose)

    def close(self) -> None:
        """Close the transport, and the loop as `asyncio.run` does."""
        if not self.loop.is_closed():
            self.close_transport()
            self.wait(_tasks_done())
            self.wait(self.loop.shutdown_asyncgens())
            self.wait(self.loop.shutdown_default_executor())
            self.loop.call_soon_threadsafe(self.loop.stop)
            self._thread.join(10)
            self.loop.close()


async def _tasks_done() -> None:
    """Cancel what still runs in the loop, and wait for it."""
    left = asyncio.all_tasks() - {asyncio.current_task()}
    for task in left:
        task.cancel()
    await asyncio.gather(*left, return_exceptions=True)


def calling(transport: Any) -> Caller:
    """Return a caller for a transport; its `send` tells the colour."""
    is_async = inspect.iscoroutinefunction(transport.send)
    return AsyncCaller(transport) if is_async else Caller(transport)
