"""One way to drive both colours, so that each scenario is written once.

A scenario speaks to a `Colour`: the synchronous client as it is, the asynchronous one through an
event loop of its own. What differs between the two is here and nowhere else.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from typing import Any, Generic, TypeVar

from evoclient.aio.client import AsyncClient
from evoclient.aio.stream import AsyncStream
from evoclient.models.chat import ChatCompletion
from evoclient.models.chunks import ChatCompletionChunk
from evoclient.streaming.events import StreamEvent
from evoclient.sync.client import Client
from evoclient.sync.stream import Stream
from evoclient.transports.memory import AsyncMemoryTransport, MemoryTransport

__all__ = ["Aio", "Colour", "Sync", "sampled"]

T = TypeVar("T")
ClientT = TypeVar("ClientT")
StreamT = TypeVar("StreamT")

MESSAGES = [{"role": "user", "content": "Hello"}]


#: Whether every case of a long series is tried in each colour: ``tox -e thorough``.
THOROUGH = bool(os.environ.get("EVOCLIENT_TEST_THOROUGH"))
#: Whether it is tried in none, as another environment does.
BRIEF = bool(os.environ.get("EVOCLIENT_TEST_BRIEF"))


def sampled(colour: Colour[Any, Any], cases: Sequence[T]) -> Sequence[T]:
    """Return all cases for the synchronous colour, and every seventh for the other one.

    Both run the same flows and stages; the event loops of a long series take minutes.
    """
    is_full = THOROUGH or (colour.name == "sync" and not BRIEF)
    return cases if is_full else cases[::7]


class Colour(Generic[ClientT, StreamT]):
    """What a scenario can do, in either colour."""

    name: str
    transport: str

    def client(self, **options: Any) -> ClientT:
        """Make a client."""
        raise NotImplementedError

    def memory(self, script: Any = None) -> Any:
        """Make a memory transport."""
        raise NotImplementedError

    def run(self, asked: Any) -> Any:
        """Return what a call gives."""
        raise NotImplementedError

    def create(self, client: ClientT, **options: Any) -> ChatCompletion:
        """Ask for a whole answer."""
        raise NotImplementedError

    def stream(self, client: ClientT, **options: Any) -> StreamT:
        """Ask for a stream."""
        raise NotImplementedError

    def chunks(self, stream: StreamT) -> Iterator[ChatCompletionChunk]:
        """Iterate over the chunks."""
        raise NotImplementedError

    def first(self, stream: StreamT, count: int = 1) -> list[ChatCompletionChunk]:
        """Read the first chunks in a loop, and leave the loop."""
        raise NotImplementedError

    def text(self, stream: StreamT) -> list[str]:
        """Read the pieces of text."""
        raise NotImplementedError

    def events(self, stream: StreamT) -> list[StreamEvent]:
        """Read the events."""
        raise NotImplementedError

    def each(self, items: Any) -> Iterator[Any]:
        """Iterate over what a stream gives, one by one."""
        raise NotImplementedError

    def next(self, stream: StreamT) -> ChatCompletionChunk:
        """Read one chunk outside a loop."""
        raise NotImplementedError

    def beside(self, blocked: Callable[[], T], later: Callable[[], object], after: float) -> T:
        """Do something that waits, and something else from elsewhere after some seconds."""
        raise NotImplementedError

    def close(self, closable: Any) -> None:
        """Close a client or a stream."""
        raise NotImplementedError

    def settle(self) -> None:
        """Let what was left to the event loop happen."""

    def finish(self) -> None:
        """Clean up."""


class Sync(Colour[Client, Stream]):
    """The synchronous colour."""

    name = "sync"
    transport = "requests"

    def client(self, **options: Any) -> Client:
        return Client(**options)

    def memory(self, script: Any = None) -> MemoryTransport:
        return MemoryTransport(script)

    def run(self, asked: Any) -> Any:
        return asked

    def create(self, client: Client, **options: Any) -> ChatCompletion:
        completion: ChatCompletion = client.chat.completions.create(
            **{"messages": MESSAGES, **options}
        )
        return completion

    def stream(self, client: Client, **options: Any) -> Stream:
        options = {"messages": MESSAGES, **options}
        stream: Stream = client.chat.completions.create(**options, stream=True)
        return stream

    def chunks(self, stream: Stream) -> Iterator[ChatCompletionChunk]:
        return iter(stream)

    def first(self, stream: Stream, count: int = 1) -> list[ChatCompletionChunk]:
        seen = []
        for chunk in stream:
            seen.append(chunk)
            if len(seen) == count:
                break
        return seen

    def text(self, stream: Stream) -> list[str]:
        return list(stream.text)

    def events(self, stream: Stream) -> list[StreamEvent]:
        return list(stream.events())

    def each(self, items: Any) -> Iterator[Any]:
        return iter(items)

    def next(self, stream: Stream) -> ChatCompletionChunk:
        return next(stream)

    def beside(self, blocked: Callable[[], T], later: Callable[[], object], after: float) -> T:
        from threading import Timer

        timer = Timer(after, later)
        timer.start()
        try:
            return blocked()
        finally:
            timer.join()

    def close(self, closable: Any) -> None:
        closable.close()


class Aio(Colour[AsyncClient, AsyncStream]):
    """The asynchronous colour, in a loop of its own."""

    name = "aio"
    transport = "aiohttp"

    def __init__(self) -> None:
        """Make the loop."""
        self.loop = asyncio.new_event_loop()

    def client(self, **options: Any) -> AsyncClient:
        return AsyncClient(**options)

    def memory(self, script: Any = None) -> AsyncMemoryTransport:
        return AsyncMemoryTransport(script)

    def run(self, asked: Any) -> Any:
        return self.loop.run_until_complete(asked)

    def create(self, client: AsyncClient, **options: Any) -> ChatCompletion:
        asked = client.chat.completions.create(**{"messages": MESSAGES, **options})
        completion: ChatCompletion = self.loop.run_until_complete(asked)
        return completion

    def stream(self, client: AsyncClient, **options: Any) -> AsyncStream:
        options = {"messages": MESSAGES, **options}
        asked = client.chat.completions.create(**options, stream=True)
        stream: AsyncStream = self.loop.run_until_complete(asked)
        return stream

    def chunks(self, stream: AsyncStream) -> Iterator[ChatCompletionChunk]:
        return self._each(aiter(stream))

    def first(self, stream: AsyncStream, count: int = 1) -> list[ChatCompletionChunk]:
        async def read() -> list[ChatCompletionChunk]:
            seen = []
            async for chunk in stream:
                seen.append(chunk)
                if len(seen) == count:
                    break
            return seen

        chunks = self.loop.run_until_complete(read())
        # A loop that was left is cleaned up at the next turns of the event loop.
        self.settle()
        return chunks

    def text(self, stream: AsyncStream) -> list[str]:
        return list(self._each(stream.text))

    def events(self, stream: AsyncStream) -> list[StreamEvent]:
        return list(self._each(stream.events()))

    def each(self, items: Any) -> Iterator[Any]:
        return self._each(items)

    def next(self, stream: AsyncStream) -> ChatCompletionChunk:
        return self.loop.run_until_complete(anext(stream))

    def beside(self, blocked: Callable[[], T], later: Callable[[], object], after: float) -> T:
        self.loop.call_later(after, later)
        return blocked()

    def close(self, closable: Any) -> None:
        async def close() -> None:
            await closable.close()

        self.loop.run_until_complete(close())

    def settle(self) -> None:
        for _ in range(3):
            self.loop.run_until_complete(asyncio.sleep(0))

    def finish(self) -> None:
        self.loop.run_until_complete(self.loop.shutdown_asyncgens())
        self.loop.close()

    def _each(self, items: AsyncIterator[T]) -> Iterator[T]:
        while True:
            try:
                yield self.loop.run_until_complete(anext(items))
            except StopAsyncIteration:
                return
