"""Both colours behind one blocking face, so that a scenario is written once."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Coroutine
from typing import Any, Literal, TypeVar, cast

import attrs

from evoclient.transports.memory import AsyncMemoryTransport, MemoryTransport
from evoclient.transports.with_aiohttp import AiohttpTransport
from evoclient.transports.with_requests import RequestsTransport
from evoclient.wire import AsyncBody, Body, Deadline, Deadlines, Headers, Limit, Reply, Request

Colour = Literal["sync", "async"]
COLOURS: tuple[Colour, ...] = ("sync", "async")
KEY = "Bearer sk-verysecret-0123456789"

_Result = TypeVar("_Result")


def deadline(seconds: float, limit: Limit = "total") -> Deadline:
    """Return a deadline that many seconds from now."""
    return Deadline(time.monotonic() + seconds, limit, seconds)


def a_request(url: str, body: bytes | None = b"{}", method: str = "POST") -> Request:
    """Return a request with a key in it."""
    pairs = (("Authorization", KEY), ("Accept-Encoding", "identity"))
    return Request(method, url, Headers(pairs), body)


def async_body(reply: Reply) -> AsyncBody:
    """Return the body of an asynchronous reply."""
    return cast("AsyncBody", reply.body)


def sync_body(reply: Reply) -> Body:
    """Return the body of a synchronous reply."""
    return cast("Body", reply.body)


@attrs.frozen
class Answer:
    """A reply whose body is read by blocking calls."""

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
        self.transport = transport

    def send(self, request: Request | str, deadlines: Deadlines | None = None) -> Answer:
        """Send and wait for the reply."""
        if isinstance(request, str):
            request = a_request(request)
        limits = deadlines or Deadlines(total=deadline(10))
        reply = self.run(self.transport.send, request, limits)
        return Answer(reply.status, reply.headers, reply.body, self)

    def run(self, function: Any, *arguments: Any) -> Any:
        """Call something of the transport."""
        return function(*arguments)

    def close(self) -> None:
        """Close the transport."""
        self.transport.close()


class AsyncCaller(Caller):
    """Calls an asynchronous transport in a loop that runs in a thread of its own."""

    def __init__(self, transport: Any) -> None:
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

    def close(self) -> None:
        """Close the transport, and the loop as `asyncio.run` does."""
        if not self.loop.is_closed():
            self.run(self.transport.aclose)
            self.wait(self.loop.shutdown_asyncgens())
            self.loop.call_soon_threadsafe(self.loop.stop)
            self._thread.join(10)
            self.loop.close()


def over_http(colour: Colour, **options: Any) -> Caller:
    """Return a caller of the transport that uses sockets."""
    if colour == "sync":
        return Caller(RequestsTransport(**options))
    return AsyncCaller(AiohttpTransport(**options))


def over_memory(colour: Colour, script: Any = None) -> Caller:
    """Return a caller of the memory transport."""
    if colour == "sync":
        return Caller(MemoryTransport(script))
    return AsyncCaller(AsyncMemoryTransport(script))
