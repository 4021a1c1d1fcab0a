"""Groups of streams whose reader goes away, and what each colour alone can do."""

from __future__ import annotations

import _thread
import asyncio
import contextvars
import threading
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from evoclient.aio.client import AsyncClient
from evoclient.aio.many import AsyncStreamGroup
from evoclient.aio.stream import AsyncStream
from evoclient.errors.tree import StreamInterruptedError
from evoclient.ground import ConfigurationError
from evoclient.sync.client import Client
from evoclient.sync.many import StreamGroup
from evoclient.sync.stream import Stream
from evoclient.testing.server import DemoServer
from evoclient.transports.memory import AsyncMemoryTransport, MemoryReply, MemoryTransport
from tests.life.scripts import run_script
from tests.twins.scripts import chunk, streamed

ASKED: dict[str, Any] = {"messages": [{"role": "user", "content": "repeat: one two three four"}]}
HANGING = MemoryReply.stream(chunk("a"), chunk("b"), pauses=[0, 100, 0])


def endless_threads() -> list[str]:
    """Return the threads of groups that do not end."""
    ours = [each for each in threading.enumerate() if each.name == "evoclient-gather"]
    for each in ours:
        each.join(5)
    return [each.name for each in ours if each.is_alive()]


def gather_tasks() -> set[asyncio.Task[Any]]:
    """Return the tasks of groups."""
    return {task for task in asyncio.all_tasks() if task.get_name() == "evoclient-gather"}


async def until(condition: Callable[[], bool]) -> None:
    """Let the loop turn until something is so."""
    for _ in range(100_000):
        if condition():
            return
        await asyncio.sleep(0)
    raise TimeoutError


@pytest.mark.parametrize("as_chunks", [True, False])
async def test_a_cancelled_consumer(as_chunks: bool) -> None:
    """Cancelling the task that reads a group closes all of its streams before the task ends."""
    transport = AsyncMemoryTransport(lambda _: HANGING)
    client = AsyncClient(transport=transport, model="m")
    group = AsyncStreamGroup([ASKED] * 3, create=client.chat.completions.create)

    async def read() -> None:
        if as_chunks:
            async for _ in group.as_chunks():
                pass
        else:
            await group.results()

    task = asyncio.create_task(read())
    await until(lambda: transport.open_bodies == 3)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert transport.open_bodies == 0
    assert gather_tasks() == set()
    assert all(isinstance(each, StreamInterruptedError) for each in group.completions)


async def test_coroutines() -> None:
    """A request may be a coroutine, a future or a coroutine function."""
    client = AsyncClient(transport=AsyncMemoryTransport(lambda _: streamed("a")), model="m")

    async def function() -> AsyncStream:
        stream: AsyncStream = await client.chat.completions.create(**ASKED, stream=True)
        return stream

    requests: list[Callable[[], Awaitable[AsyncStream]] | Awaitable[AsyncStream]]
    requests = [function, function(), asyncio.create_task(function())]
    results = await AsyncStreamGroup(requests).results()
    assert [result.text for result in results] == ["a"] * 3


async def test_requests_that_never_begin_are_dropped() -> None:
    """What had no turn is let go: a coroutine is closed, a task is cancelled."""

    async def function() -> AsyncStream:
        raise AssertionError

    task = asyncio.create_task(asyncio.sleep(100))
    requests: list[Any] = [function(), task]
    async with AsyncStreamGroup(requests):
        pass
    await until(task.cancelled)
    assert task.cancelled()


async def test_a_function_that_is_cancelled() -> None:
    """A cancellation that comes out of a request's function ends this stream, not the group."""
    client = AsyncClient(transport=AsyncMemoryTransport(lambda _: streamed("a")), model="m")

    async def function() -> AsyncStream:
        raise asyncio.CancelledError

    group = AsyncStreamGroup(
        [function, ASKED], max_concurrency=1, create=client.chat.completions.create
    )
    cancelled, whole = await group.results(return_exceptions=True)
    assert isinstance(cancelled, StreamInterruptedError)
    assert not isinstance(whole, Exception)
    assert whole.text == "a"


async def test_a_worker_that_is_cancelled() -> None:
    """Whoever cancels the tasks of a group, as a closing loop does, ends it; nobody waits on."""
    transport = AsyncMemoryTransport(lambda _: HANGING)
    client = AsyncClient(transport=transport, model="m")
    group = AsyncStreamGroup([ASKED] * 3, create=client.chat.completions.create, max_concurrency=2)
    reading = asyncio.create_task(group.results())
    await until(lambda: transport.open_bodies == 2)
    gather_tasks().pop().cancel()
    with pytest.raises(StreamInterruptedError):
        await reading
    assert len(transport.requests) == 2
    assert transport.open_bodies == 0


def test_an_interrupted_reader() -> None:
    """KeyboardInterrupt in the thread that reads closes all streams."""
    transport = MemoryTransport(lambda _: HANGING)
    client = Client(transport=transport, model="m")

    def interrupting() -> Stream:
        _thread.interrupt_main()
        stream: Stream = client.chat.completions.create(**ASKED, stream=True)
        return stream

    group = StreamGroup([ASKED, interrupting, ASKED], create=client.chat.completions.create)
    with pytest.raises(KeyboardInterrupt):
        group.results()
    assert endless_threads() == []
    assert transport.open_bodies == 0


def test_what_ends_a_program() -> None:
    """SystemExit out of a request's function reaches the reader, although errors are values."""

    def leaving() -> Stream:
        raise SystemExit(3)

    client = Client(transport=MemoryTransport(lambda _: HANGING), model="m")
    group = StreamGroup([ASKED, leaving], create=client.chat.completions.create)
    with pytest.raises(SystemExit):
        list(group.as_chunks(return_exceptions=True))
    assert endless_threads() == []


def test_context_variables() -> None:
    """The function of a request sees the context variables of the group's reader."""
    seen: list[str] = []
    variable = contextvars.ContextVar("variable", default="of nobody")
    client = Client(transport=MemoryTransport(lambda _: streamed("a")), model="m")

    def looking() -> Stream:
        seen.append(variable.get())
        stream: Stream = client.chat.completions.create(**ASKED, stream=True)
        return stream

    variable.set("of the reader")
    StreamGroup([looking]).results()
    assert seen == ["of the reader"]


def test_a_stream_that_opens_late() -> None:
    """Leaving does not wait for a function that hangs; its stream is closed when it comes."""
    may_return, was_called = threading.Event(), threading.Event()
    transport = MemoryTransport(lambda _: HANGING)
    client = Client(transport=transport, model="m")
    opened: list[Stream] = []

    def late() -> Stream:
        was_called.set()
        assert may_return.wait(5)
        opened.append(client.chat.completions.create(**ASKED, stream=True))
        return opened[0]

    group = StreamGroup([ASKED, late], create=client.chat.completions.create)
    for labelled in group.as_chunks():
        assert labelled.index == 0
        assert was_called.wait(5)
        break
    assert None not in group.completions
    may_return.set()
    assert endless_threads() == []
    assert opened[0].outcome == "cancelled"
    assert transport.open_bodies == 0


def test_cancelling_what_hangs() -> None:
    """Cancelling frees a reader although the functions of all requests hang."""
    may_return = threading.Event()

    def late() -> Stream:
        threading.Thread(target=group.cancel).start()
        assert may_return.wait(5)
        raise AssertionError

    group = StreamGroup([late])
    with pytest.raises(StreamInterruptedError, match="before it was opened"):
        group.results()
    may_return.set()
    assert endless_threads() == []


def test_a_coroutine_in_the_other_colour() -> None:
    """A synchronous group takes no coroutines."""

    async def function() -> None: ...

    coroutine: Any = function()
    with pytest.raises(ConfigurationError, match=r"requests\[0\] is of the type coroutine"):
        StreamGroup([coroutine])
    coroutine.close()


@pytest.mark.loopback
def test_threads_on_sockets() -> None:
    """Leaving the loop closes the connections of streams whose server is silent."""
    with DemoServer(pace=0.2) as server, Client(base_url=server.base_url, model="demo") as client:
        group = StreamGroup([ASKED] * 20, create=client.chat.completions.create)
        for _ in group.as_chunks():
            break
        assert server.wait_until(lambda: server.open_streams == 0)
        assert len(server.requests) <= 8
        assert endless_threads() == []


@pytest.mark.loopback
async def test_tasks_on_sockets() -> None:
    """Leaving the context closes the connections of streams whose server is silent."""
    with DemoServer(pace=0.2) as server:
        async with AsyncClient(base_url=server.base_url, model="demo") as client:
            group = AsyncStreamGroup([ASKED] * 20, create=client.chat.completions.create)
            async with group:
                await anext(aiter(group.as_chunks()))
            assert gather_tasks() == set()
            assert await asyncio.to_thread(server.wait_until, lambda: server.open_streams == 0)
            assert len(server.requests) <= 8


@pytest.mark.loopback
def test_programs_end(server: DemoServer) -> None:
    """A program that leaves its groups in the middle ends at once, and nothing complains."""
    text = """
    from evoclient.sync.many import StreamGroup
    from evoclient.aio.many import AsyncStreamGroup

    with Client(**OPTIONS) as client:
        group = StreamGroup([ASKED] * 5, create=client.chat.completions.create)
        chunks = group.as_chunks()
        print(next(chunks).error)

    async def main():
        async with AsyncClient(**OPTIONS) as client:
            group = AsyncStreamGroup([ASKED] * 5, create=client.chat.completions.create)
            async for labelled in group.as_chunks():
                print(labelled.error)
                break

    asyncio.run(main())
    """
    assert run_script(server, text) == "None\nNone\n"
