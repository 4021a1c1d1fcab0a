"""Text in few updates: pulled from a stream and pushed to a function, in both colours."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from functools import partial
from typing import Any

import pytest

from evoclient.aio import buffer as aio
from evoclient.errors.tree import ClientClosedError, StreamInterruptedError
from evoclient.ground import ConfigurationError
from evoclient.streaming import buffering
from evoclient.sync import buffer as sync
from evoclient.transports.memory import MemoryReply
from tests.colours import Colour
from tests.twins.scripts import chunk, cut, streamed

AnyColour = Colour[Any, Any]
NAME = "evoclient-buffer"


def opened(colour: AnyColour, *script: MemoryReply) -> tuple[Any, Any]:
    """Return a transport that plays a script, and the stream opened through it."""
    transport = colour.memory(script)
    client = colour.client(transport=transport, model="m", max_retries=0)
    return transport, colour.stream(client)


def updates(colour: AnyColour, stream: Any, **options: Any) -> Any:
    """Return the generator of a colour, as an iterator that can be closed."""
    if colour.name == "sync":
        return sync.buffered(stream, **options)
    return _Each(colour, aio.buffered(stream, **options))


class _Each:
    """An async generator whose items are fetched one by one."""

    def __init__(self, colour: Any, items: Any) -> None:
        self._loop, self._items = colour.loop, items

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        try:
            item: str = self._loop.run_until_complete(anext(self._items))
        except StopAsyncIteration:
            raise StopIteration from None
        return item

    def close(self) -> None:
        self._loop.run_until_complete(self._items.aclose())


def at_work(colour: Any) -> list[object]:
    """Return the threads and tasks of buffers that have not ended."""
    tasks = [] if colour.name == "sync" else asyncio.all_tasks(colour.loop)
    running: list[Any] = [*threading.enumerate(), *tasks]
    return [each for each in running if NAME in (getattr(each, "name", ""), _name_of(each))]


def _name_of(each: Any) -> str:
    """Return the name of a task."""
    return each.get_name() if isinstance(each, asyncio.Task) else ""


def until(colour: Any, condition: Callable[[], object], limit: float = 5) -> None:
    """Let threads and tasks go on until something holds; fail after some seconds."""
    end = time.monotonic() + limit
    while not condition():
        assert time.monotonic() < end
        if colour.name == "sync":
            time.sleep(0.005)
        else:
            colour.run(asyncio.sleep(0.005))


@pytest.fixture(autouse=True)
def nothing_is_left(colour: AnyColour) -> Iterator[None]:
    """No test leaves a thread or a task behind."""
    yield
    until(colour, lambda: not at_work(colour))


def test_nothing_is_lost(colour: AnyColour) -> None:
    """The updates together are the text, the rest included."""
    transport, stream = opened(colour, streamed("Hel", "lo ", "wor", "", "ld"))
    assert "".join(updates(colour, stream)) == "Hello world"
    assert (stream.outcome, transport.open_bodies) == ("complete", 0)


def test_few_updates(colour: AnyColour) -> None:
    """There is at most one update per interval, the rest at the end excepted."""
    texts = [f"{number} " for number in range(60)]
    reply = MemoryReply.stream(*map(chunk, texts), chunk(None, "stop"), pauses=0.01)
    _, stream = opened(colour, reply)
    began = time.monotonic()
    seen = list(updates(colour, stream, interval=0.2))
    assert "".join(seen) == "".join(texts)
    assert 2 <= len(seen) <= (time.monotonic() - began) / 0.2 + 2


def test_an_update_comes_without_a_chunk(colour: AnyColour) -> None:
    """What is due is given when the interval has passed, though the server is silent."""
    reply = MemoryReply.stream(chunk("ab"), chunk("cd"), chunk("e"), pauses=[0, 0.05, 30])
    _, stream = opened(colour, reply)
    began = time.monotonic()
    pulled, seen = updates(colour, stream, interval=0.3), ""
    while seen != "abc":
        seen += next(pulled)
    assert time.monotonic() - began < 5
    pulled.close()


def test_by_sentence(colour: AnyColour) -> None:
    """Only whole sentences are given, and what is no whole one at the end."""
    texts = ["One. Tw", "o! Thr", "ee. Fo", "ur"]
    _, stream = opened(colour, MemoryReply.stream(*map(chunk, texts), done=False, pauses=0.05))
    seen: list[str] = []
    with pytest.raises(StreamInterruptedError):
        seen.extend(updates(colour, stream, interval=0, by="sentence"))
    assert "".join(seen) == "".join(texts)
    assert len(seen) > 1
    assert all(text.endswith((". ", "! ")) for text in seen[:-1])


def test_the_rest_comes_before_the_error(colour: AnyColour) -> None:
    """What came before a stream broke is given, then the error is raised."""
    _, stream = opened(colour, cut("Hello ", "wor", "ld"))
    seen: list[str] = []
    with pytest.raises(StreamInterruptedError) as caught:
        seen.extend(updates(colour, stream, interval=60))
    assert "".join(seen) == caught.value.partial_text == "Hello world"


def test_leaving_early(colour: AnyColour) -> None:
    """Leaving the loop closes the stream and ends whoever reads it, though the server is silent."""
    reply = MemoryReply.stream(chunk("ab"), chunk("cd"), pauses=[0, 30])
    transport, stream = opened(colour, reply)
    pulled = updates(colour, stream)
    assert next(pulled) == "a"
    assert len(at_work(colour)) == 1
    pulled.close()
    assert at_work(colour) == []
    assert (stream.outcome, transport.open_bodies) == ("cancelled", 0)
    assert list(pulled) == []


def test_closing_the_stream_elsewhere(colour: AnyColour) -> None:
    """A stream that is closed ends the loop with what has come."""
    reply = MemoryReply.stream(chunk("ab"), chunk("cd"), pauses=[0, 30])
    _, stream = opened(colour, reply)
    pulled = updates(colour, stream)
    assert next(pulled) == "a"
    assert colour.beside(lambda: list(pulled), stream.close, after=0.05) == ["b"]


def test_nothing_starts_before_the_first_next(colour: AnyColour) -> None:
    """Making the generator reads nothing; wrong options are refused there."""
    _, stream = opened(colour, streamed("ab"))
    pulled = updates(colour, stream)
    assert at_work(colour) == []
    for option in ({"interval": -1}, {"min_chars": 0}, {"by": "letter"}):
        with pytest.raises(ConfigurationError) as caught:
            updates(colour, stream, **option)
        assert [caught.value.argument] == list(option)
    assert "".join(pulled) == "ab"


def test_a_slow_consumer(colour: AnyColour) -> None:
    """Text that comes while the consumer is busy is joined into one update."""
    events = [*map(chunk, "abcdefgh"), chunk(None, "stop")]
    _, stream = opened(colour, MemoryReply.stream(*events, pauses=[0, 0, 0.05, *[0.01] * 7]))
    pulled = updates(colour, stream, interval=0)
    first = next(pulled)
    until(colour, lambda: not at_work(colour))
    rest = list(pulled)
    assert first + "".join(rest) == "abcdefgh"
    assert len(rest) <= 1


class Source:
    """A stream that counts how much of its text has been read."""

    def __init__(self) -> None:
        self.produced = 0
        self.is_closed = False

    @property
    def text(self) -> Iterator[str]:
        for _ in range(200):
            self.produced += 10
            yield "x" * 10

    def has_produced(self, count: int) -> bool:
        return self.produced >= count

    def close(self) -> None:
        self.is_closed = True


class AsyncSource(Source):
    """Its twin."""

    @property
    async def text(self) -> AsyncIterator[str]:  # type: ignore[override]  # the other colour
        for piece in Source.text.fget(self):  # type: ignore[attr-defined]  # a property has it
            await asyncio.sleep(0)
            yield piece


def test_the_reader_waits(colour: AnyColour, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the consumer does not come back, only so much is read ahead."""
    monkeypatch.setattr(buffering, "MOST_WAITING", 100)
    source = Source() if colour.name == "sync" else AsyncSource()
    total, ahead = 0, []
    for text in updates(colour, source, interval=0):
        total += len(text)
        # What has been read ahead when this consumer comes back, and cannot grow meanwhile.
        until(colour, partial(source.has_produced, min(total + 101, 2000)))
        ahead.append(source.produced - total)
    assert total == 2000
    # More than fits by what is held back, and by the piece with which it was full.
    assert 100 < max(ahead) <= 100 + 1 + 10


def test_leaving_a_full_buffer(colour: AnyColour, monkeypatch: pytest.MonkeyPatch) -> None:
    """A reader that waits for the consumer ends when the consumer leaves."""
    monkeypatch.setattr(buffering, "MOST_WAITING", 100)
    source = Source() if colour.name == "sync" else AsyncSource()
    pulled = updates(colour, source, interval=0)
    next(pulled)
    until(colour, lambda: source.produced > 100)
    pulled.close()
    assert source.is_closed
    assert at_work(colour) == []


def test_cancelling_the_consumer() -> None:
    """A task that is cancelled while it waits for an update takes the reader's task with it."""

    async def scenario() -> None:
        from evoclient.aio.client import AsyncClient
        from evoclient.transports.memory import AsyncMemoryTransport

        transport = AsyncMemoryTransport([MemoryReply.stream(chunk("ab"), pauses=[0, 30])])
        client = AsyncClient(transport=transport, model="m")
        stream = await client.chat.completions.create(
            messages=[{"role": "user", "content": "Hi"}], stream=True
        )
        first = asyncio.Event()

        async def consume() -> None:
            async for _ in aio.buffered(stream):
                first.set()

        task = asyncio.create_task(consume())
        await first.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert [each.get_name() for each in asyncio.all_tasks() if each.get_name() == NAME] == []
        assert (transport.open_bodies, stream.outcome) == (0, "cancelled")

    asyncio.run(scenario())


class Push:
    """A push buffer of either colour, and what its function was given."""

    def __init__(self, colour: Any, delay: float, react: Callable[[Push], object] = id) -> None:
        self.colour, self.react = colour, react
        self.given: list[str] = []
        kind = sync.StreamBuffer if colour.name == "sync" else aio.AsyncStreamBuffer
        self.buffer: Any = kind(self.update, buffer_delay=delay)

    def update(self, text: str) -> None:
        self.given.append(text)
        self.react(self)

    def add(self, *texts: str) -> None:
        """Add texts without letting the event loop, if there is one, run between them."""

        async def add() -> None:
            for text in texts:
                self.buffer.add_content(text)

        if self.colour.name == "aio":
            self.colour.run(add())
        else:
            for text in texts:
                self.buffer.add_content(text)

    def flush(self) -> None:
        self.colour.run(self.buffer.flush())

    def close(self) -> None:
        self.colour.run(self.buffer.close())

    @property
    def text(self) -> str:
        return "".join(self.given)


def test_push(colour: AnyColour) -> None:
    """The first text is handed over at once, the next by a timer as one, the rest by a flush."""
    push = Push(colour, 0.3)
    push.add("ab", "cd", "e\u0301")
    assert push.given == ["a"]
    until(colour, lambda: len(push.given) == 2)
    push.flush()
    assert push.given == ["a", "bcd", "e\u0301"]
    push.flush()
    assert push.text == "abcde\u0301"


@pytest.mark.parametrize("content", [b"x", None, 1])
def test_push_of_no_text(content: Any, colour: AnyColour) -> None:
    """What is no string is refused by name, and what was added before is not lost."""
    push = Push(colour, 0.3)
    push.add("ab")
    with pytest.raises(ConfigurationError, match="content is a string") as caught:
        push.add(content)
    assert caught.value.argument == "content"
    push.add("c")
    push.close()
    assert push.text == "abc"


def test_push_few_updates(colour: AnyColour) -> None:
    """Between two updates lies at least the delay."""
    times: list[float] = []
    push = Push(colour, 0.1, lambda _: times.append(time.monotonic()))
    began = time.monotonic()
    while time.monotonic() < began + 0.6:
        push.add("x")
        until(colour, lambda: True)
    assert len(times) > 2
    assert len(times) <= (times[-1] - began) / 0.1 + 1
    push.close()


def test_push_without_delay(colour: AnyColour) -> None:
    """With a delay of zero each addition is an update."""
    push = Push(colour, 0)
    push.add("ab", "cd", "ef")
    assert push.given == ["a", "bc", "de"]
    push.close()
    assert push.given[-1] == "f"


def test_push_from_within(colour: AnyColour) -> None:
    """A function that adds text and flushes is not called by itself, and all comes in order."""
    depth: list[int] = []

    def react(push: Push) -> None:
        depth.append(1)
        assert len(depth) == 1
        if len(push.given) == 1:
            if colour.name == "sync":
                push.buffer.add_content("cd")
                push.buffer.flush()
            else:
                push.buffer.add_content("cd")
                with pytest.raises(StopIteration):
                    push.buffer.flush().send(None)
        depth.pop()

    push = Push(colour, 60, react)
    push.add("ab")
    assert push.given == ["a", "bcd"]
    push.close()


def test_push_function_that_raises(colour: AnyColour) -> None:
    """An error is raised where text was added; that text counts as given, and no other is lost."""

    def react(push: Push) -> None:
        if push.given == ["a"]:
            raise KeyError("broken")

    push = Push(colour, 0, react)
    with pytest.raises(KeyError, match="broken"):
        push.add("ab")
    push.add("cd")
    push.close()
    assert push.given == ["a", "bc", "d"]


def test_push_function_that_raises_by_timer(
    colour: AnyColour, caplog: pytest.LogCaptureFixture
) -> None:
    """An error that nobody sees is logged, and raised once by whoever adds text next."""

    def react(push: Push) -> None:
        if len(push.given) == 2:
            raise KeyError("broken")

    push = Push(colour, 0.05, react)
    with caplog.at_level(logging.ERROR, logger="evoclient"):
        push.add("ab", "cd")
        until(colour, lambda: caplog.records)
    assert caplog.records[0].exc_info is not None
    with pytest.raises(KeyError, match="broken"):
        push.add("ef")
    push.flush()
    assert push.text == "abcdef"


def test_push_context(colour: AnyColour) -> None:
    """A buffer is a context; after it nothing can be added, and closing again does nothing."""
    push = Push(colour, 60)

    async def entered() -> None:
        async with push.buffer as buffer:
            buffer.add_content("ab")

    if colour.name == "sync":
        with push.buffer as buffer:
            buffer.add_content("ab")
    else:
        colour.run(entered())
    assert push.given == ["a", "b"]
    with pytest.raises(ClientClosedError):
        push.add("c")
    push.close()
    assert push.given == ["a", "b"]


def test_push_close_stops_the_timer(colour: AnyColour) -> None:
    """Closing hands over what waits without waiting for the timer, and ends it."""
    push = Push(colour, 60)
    push.add("ab", "cd")
    push.close()
    assert push.given == ["a", "bcd"]
    assert at_work(colour) == []


def test_push_by_many_threads() -> None:
    """Threads that add at once lose nothing, keep their order, and never meet in the function."""
    inside = threading.Lock()
    given: list[str] = []

    def update(text: str) -> None:
        assert inside.acquire(blocking=False)
        given.append(text)
        inside.release()

    buffer = sync.StreamBuffer(update, buffer_delay=0.001)
    start = threading.Barrier(8)

    def add(letter: str) -> None:
        start.wait()
        for number in range(500):
            buffer.add_content(f"{letter}{number};")
            if number % 100 == 0:
                buffer.flush()

    threads = [threading.Thread(target=add, args=(letter,)) for letter in "abcdefgh"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    buffer.close()
    tokens = "".join(given).split(";")[:-1]
    for letter in "abcdefgh":
        mine = [token for token in tokens if token.startswith(letter)]
        assert mine == [f"{letter}{number}" for number in range(500)]
    assert len(tokens) == 8 * 500
    assert all(thread.name != NAME for thread in threading.enumerate())


def test_push_by_another_thread_meanwhile() -> None:
    """Text added while the function runs in another thread waits, and its thread does not."""
    entered, leave = threading.Event(), threading.Event()
    given: list[str] = []

    def update(text: str) -> None:
        given.append(text)
        entered.set()
        assert leave.wait(10)

    buffer = sync.StreamBuffer(update, buffer_delay=0)
    thread = threading.Thread(target=buffer.add_content, args=("ab",))
    thread.start()
    assert entered.wait(10)
    buffer.add_content("cd")
    assert given == ["a"]
    leave.set()
    thread.join()
    buffer.close()
    assert given == ["a", "bc", "d"]


def test_push_from_within_many_threads() -> None:
    """A function may add text while other threads add and flush, and nobody waits for ever."""
    given: list[str] = []

    def update(text: str) -> None:
        given.append(text)
        if "!" not in text:
            buffer.add_content("!")

    buffer = sync.StreamBuffer(update, buffer_delay=0)

    def add() -> None:
        buffer.add_content("xy")
        buffer.flush()

    threads = [threading.Thread(target=add) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
        assert not thread.is_alive()
    buffer.close()
    assert "".join(given).replace("!", "") == "xy" * 20


async def test_push_to_a_coroutine_function() -> None:
    """Updates of a coroutine function follow one another, and a flush waits for the last."""
    given: list[str] = []
    inside: list[str] = []

    async def update(text: str) -> None:
        assert not inside
        inside.append(text)
        await asyncio.sleep(0.01)
        if not given:
            buffer.add_content("!")
            await buffer.flush()
        inside.pop()
        given.append(text)

    buffer = aio.AsyncStreamBuffer(update, buffer_delay=0)
    for piece in ("ab", "cd", "ef"):
        buffer.add_content(piece)
    await buffer.flush()
    assert (given[0], "".join(given)) == ("a", "abcdef!")
    async with asyncio.timeout(5):
        buffer.add_content("gh")
        await buffer.close()
    assert "".join(given) == "abcdef!gh"
    assert [each for each in asyncio.all_tasks() if each.get_name() == NAME] == []


async def test_flush_waits_for_its_own_update() -> None:
    """A flush returns when the coroutine function has ended, also where none ran before."""
    given: list[str] = []

    async def update(text: str) -> None:
        await asyncio.sleep(0)
        given.append(text)

    buffer = aio.AsyncStreamBuffer(update)
    buffer.add_content("a")
    await buffer.flush()
    assert given == ["a"]


@pytest.mark.parametrize("starts_a_task", [False, True], ids=["coroutine", "task"])
async def test_flush_by_tasks_of_the_callback(starts_a_task: bool) -> None:
    """The callback may wait for tasks that flush, also those of another buffer's callback."""
    given: list[str] = []

    async def update(text: str) -> None:
        given.append(text)
        if len(given) == 1:
            buffer.add_content("c")
            other.add_content("xy")
            await asyncio.gather(buffer.flush(), other.flush())

    async def pass_on(text: str) -> None:
        await asyncio.gather(buffer.flush())

    def start(text: str) -> Any:
        return asyncio.ensure_future(update(text)) if starts_a_task else update(text)

    buffer = aio.AsyncStreamBuffer(start, buffer_delay=60)
    other = aio.AsyncStreamBuffer(pass_on, buffer_delay=60)
    async with asyncio.timeout(5):
        buffer.add_content("ab")
        await buffer.flush()
        await buffer.close()
        await other.close()
    assert given == ["a", "bc"]


async def test_flush_by_a_task_that_outlives_its_run() -> None:
    """A task that a callback started waits, when it flushes later, for the run of that time."""
    ended: list[str] = []
    begun = asyncio.Event()
    late: list[asyncio.Task[None]] = []

    async def flush_later() -> None:
        await begun.wait()
        await buffer.flush()
        assert ended == ["a", "bc"]

    async def update(text: str) -> None:
        if late:
            begun.set()
            await asyncio.sleep(0.01)
        else:
            late.append(asyncio.create_task(flush_later()))
        ended.append(text)

    buffer = aio.AsyncStreamBuffer(update, buffer_delay=60)
    async with asyncio.timeout(5):
        buffer.add_content("ab")
        buffer.add_content("c")
        await buffer.flush()
        await late[0]
    await buffer.close()


async def test_runs_do_not_pile_up() -> None:
    """However many runs follow one another, a task knows of those alone that go on."""
    known: list[int] = []

    async def update(text: str) -> None:
        known.append(len(aio._RUNS.get()))

    buffer = aio.AsyncStreamBuffer(update, buffer_delay=0)
    for _ in range(20):
        buffer.add_content("ab")
        await buffer.flush()
    assert len(known) >= 20
    assert set(known) == {1}
    assert aio._RUNS.get() == ()


async def test_push_to_a_coroutine_function_that_raises() -> None:
    """What a coroutine function raises is raised by the flush, and the rest has been given."""
    given: list[str] = []

    async def update(text: str) -> None:
        given.append(text)
        if len(given) == 1:
            raise KeyError("broken")

    buffer = aio.AsyncStreamBuffer(update, buffer_delay=60)
    buffer.add_content("ab")
    with pytest.raises(KeyError, match="broken"):
        await buffer.flush()
    assert given == ["a", "b"]
    await buffer.close()


def test_push_without_a_loop() -> None:
    """Text cannot be added where no event loop runs, and is not."""
    given: list[str] = []
    buffer = aio.AsyncStreamBuffer(given.append)
    with pytest.raises(RuntimeError, match="no running event loop"):
        buffer.add_content("ab")
    asyncio.run(buffer.close())
    assert given == []
