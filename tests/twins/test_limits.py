"""Limits through both clients: who holds a slot, for how long, and who is next."""

from __future__ import annotations

import asyncio
import gc
import json
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import attrs
import pytest

from evoclient.aio.client import AsyncClient
from evoclient.auth.key_pair import KeyPair
from evoclient.errors.tree import (
    APIConnectionError,
    APIError,
    APIStatusError,
    APITimeoutError,
    ClientClosedError,
    RateLimitError,
    ResponseDecodeError,
)
from evoclient.limits import MINUTE, Limits
from evoclient.sync.client import Client
from evoclient.transports.memory import (
    AsyncMemoryTransport,
    MemoryReply,
    MemoryTransport,
    Script,
)
from evoclient.wire import Request, Timeouts
from tests.colours import Colour
from tests.twins.scripts import chunk, cut, failing, refusing, streamed, timing_out, whole

AnyColour = Colour[Any, Any]

# Long enough that a slot which is never given back is an error and not a hang.
PATIENT = Timeouts(total=5)


def client_of(colour: AnyColour, script: Any, limits: Limits, **options: Any) -> Any:
    """Return a client with limits that plays a script."""
    options = {"timeout": PATIENT, "retry_delay": 0, "model": "m", **options}
    return colour.client(transport=colour.memory(script), limits=limits, **options)


def cut_whole() -> MemoryReply:
    """Return a whole answer whose connection breaks in the middle."""
    return MemoryReply(pieces=[b'{"id"'], error=APIConnectionError("reset"), error_after=1)


def odd(stream: bool = False) -> MemoryReply:
    """Return an answer in an encoding that nobody knows."""
    kind = "text/event-stream" if stream else "application/json"
    return MemoryReply(headers={"Content-Encoding": "odd", "Content-Type": kind}, pieces=[b"x"])


WHOLE: dict[str, tuple[list[MemoryReply], type[Exception] | None]] = {
    "an answer": ([whole()], None),
    "an error status": ([refusing(400)], APIStatusError),
    "an error status, then an answer": ([refusing(503), whole()], None),
    "no connection, then an answer": ([failing(), whole()], None),
    "no connection to the end": ([failing()] * 3, APIConnectionError),
    "a limit passes": ([timing_out(), whole()], None),
    "cut, then an answer": ([cut_whole(), whole()], None),
    "cut to the end": ([cut_whole()] * 3, APIConnectionError),
    "no JSON": ([MemoryReply(pieces=[b"<html>"])], ResponseDecodeError),
    "empty, then an answer": ([MemoryReply(), whole()], None),
    "an unknown encoding": ([odd()], ResponseDecodeError),
    "an error whose body is cut": (
        [attrs.evolve(cut_whole(), status=503), whole()],
        None,
    ),
    "an error in an unknown encoding": ([attrs.evolve(odd(), status=503), whole()], None),
}


@pytest.mark.parametrize("case", WHOLE)
def test_whole_answers_give_their_slot_back(colour: AnyColour, case: str) -> None:
    """However an answer ends, an attempt holds one slot, and none is held after it."""
    script, error = WHOLE[case]
    limits = Limits(1)
    client = client_of(colour, [*script, whole("Next")], limits)
    if error is None:
        assert colour.create(client).text == "Hello"
    else:
        with pytest.raises(error):
            colour.create(client)
    assert (limits.running, limits.waiting) == (0, 0)
    assert colour.create(client).text == "Next"


STREAMS: dict[str, tuple[list[MemoryReply], type[Exception] | None]] = {
    "a stream": ([streamed("Hello")], None),
    "an error status, then a stream": ([refusing(503), streamed("Hello")], None),
    "an error status": ([refusing(400)], APIStatusError),
    "cut before the first chunk, then a stream": ([cut(), streamed("Hello")], None),
    "cut before the first chunk, to the end": ([cut()] * 3, APIError),
    "cut later": ([cut("Hello")], APIError),
    "an unknown encoding": ([odd(stream=True)], ResponseDecodeError),
}


@pytest.mark.parametrize("case", STREAMS)
def test_streams_give_their_slot_back(colour: AnyColour, case: str) -> None:
    """However a stream ends, it holds one slot while it goes on, and none is held after it."""
    script, error = STREAMS[case]
    limits = Limits(1)
    client = client_of(colour, [*script, whole("Next")], limits)
    if error is None:
        stream = colour.stream(client)
        assert limits.running == 1
        assert colour.text(stream) == ["Hello"]
    else:
        with pytest.raises(error):
            colour.text(colour.stream(client))
    assert (limits.running, limits.waiting) == (0, 0)
    assert colour.create(client).text == "Next"


def test_a_stream_holds_its_slot_until_it_is_closed(colour: AnyColour) -> None:
    """A second request waits while a stream is open, though nobody reads it."""
    limits = Limits(1)
    client = client_of(colour, [streamed("a", "b"), whole("Next")], limits)
    stream = colour.stream(client)
    assert colour.next(stream).text == "a"
    with pytest.raises(APITimeoutError, match="a slot of its limits") as caught:
        colour.create(client, timeout=Timeouts(total=0.1))
    assert caught.value.limit == "total"
    assert (limits.running, limits.waiting) == (1, 0)
    colour.close(stream)
    assert limits.running == 0
    assert colour.create(client).text == "Next"


def test_leaving_the_loop_gives_the_slot_back(colour: AnyColour) -> None:
    """A reader that breaks off keeps no slot."""
    limits = Limits(1)
    client = client_of(colour, [streamed("a", "b", "c")], limits)
    colour.first(colour.stream(client))
    assert limits.running == 0


def test_a_dropped_stream_gives_its_slot_back(colour: AnyColour) -> None:
    """A stream that nobody read or closed keeps no slot once it is garbage."""
    limits = Limits(1)
    client = client_of(colour, [streamed("a")], limits)
    streams = [colour.stream(client)]
    assert limits.running == 1
    with pytest.warns(ResourceWarning, match="unclosed"):
        streams.clear()
    gc.collect()
    colour.settle()
    assert limits.running == 0


def test_closing_the_client_gives_its_slots_back(colour: AnyColour) -> None:
    """The open streams of a client that is closed count no longer."""
    limits = Limits(2)
    client = client_of(colour, [streamed("a"), streamed("b")], limits)
    streams = [colour.stream(client) for _ in range(2)]
    assert limits.running == 2
    colour.close(client)
    assert limits.running == 0
    assert [stream.outcome for stream in streams] == ["cancelled", "cancelled"]
    with pytest.raises(ClientClosedError):
        colour.create(client)
    assert (limits.running, limits.waiting) == (0, 0)


def test_a_stream_closed_elsewhere_lets_the_waiter_in(colour: AnyColour) -> None:
    """A request that waits goes on as soon as the stream is closed from elsewhere."""
    limits = Limits(1)
    client = client_of(colour, [streamed("a", "b"), whole("Next")], limits)
    stream = colour.stream(client)
    began = time.monotonic()
    answer = colour.beside(lambda: colour.create(client), stream.close, after=0.1)
    assert answer.text == "Next"
    assert time.monotonic() - began < 2
    assert limits.running == 0


def test_a_waiter_sleeps(colour: AnyColour, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who waits looks when something has changed, and not over and over."""
    limits = Limits(1)
    looks: list[float | None] = []
    wait = Limits.wait

    def counted(self: Limits, *arguments: Any) -> float | None:
        looks.append(wait(self, *arguments))
        return looks[-1]

    client = client_of(colour, [streamed("a"), whole("Next")], limits)
    stream = colour.stream(client)
    monkeypatch.setattr(Limits, "wait", counted)
    colour.beside(lambda: colour.create(client), stream.close, after=0.2)
    assert looks == [None, 0]


def test_waiting_for_a_rate(colour: AnyColour) -> None:
    """A request waits until the rate lets it go, and no longer."""
    limits = Limits(requests_per_minute=200)
    client = client_of(colour, lambda request: whole(), limits)
    for _ in range(200):
        slot = limits.queue(0)
        limits.wait(slot, time.monotonic())
        limits.release(slot)
    began = time.monotonic()
    colour.create(client)
    assert 0.2 < time.monotonic() - began < 0.8


def test_each_attempt_counts(colour: AnyColour) -> None:
    """A retry is a request like any other: it takes its own place."""
    limits = Limits(requests_per_minute=3)
    client = client_of(colour, [refusing(503), failing(), whole(), whole()], limits)
    colour.create(client)
    with pytest.raises(APITimeoutError):
        colour.create(client, timeout=Timeouts(total=0.1))


def test_a_token_exchange_needs_no_slot(colour: AnyColour) -> None:
    """An exchange in the middle of a call neither waits for a slot nor keeps one."""
    refused: list[Request] = []

    def script(request: Request) -> MemoryReply:
        if request.url == "https://iam.test/token":
            return MemoryReply.json({"access_token": "token", "expires_in": 3600})
        refused.append(request)
        return refusing(401) if len(refused) == 1 else whole()

    limits = Limits(1, requests_per_minute=2)
    auth = KeyPair("planted-id-01", "planted-secret-01", token_url="https://iam.test/token")
    client = client_of(colour, script, limits, auth=auth)
    assert colour.create(client).text == "Hello"
    assert (len(refused), limits.running) == (2, 0)


@attrs.define
class Still:
    """A clock that stands still."""

    now: float = attrs.field(factory=time.monotonic)

    def __call__(self) -> float:
        """Return the moment."""
        return self.now


@pytest.fixture
def clock() -> Still:
    """Give a clock that stands still."""
    return Still()


def frozen(client: Any, clock: Still) -> Any:
    """Return a client whose clock is another one."""
    client._caller.settings = attrs.evolve(client._caller.settings, clock=clock)
    return client


def left(limits: Limits, clock: Still) -> int:
    """Return how many tokens could be had at once; nothing is taken where some are missing."""
    most = limits.tokens_per_minute
    assert most is not None
    slot = limits.queue(most)
    seconds = limits.wait(slot, clock())
    limits.release(slot)
    assert seconds is not None
    return round(most - seconds * most / MINUTE)


USAGE = {"prompt_tokens": 10, "completion_tokens": 32, "total_tokens": 42}
LONG = {"messages": [{"role": "user", "content": "ж" * 4000}]}


def test_the_reservation(colour: AnyColour, clock: Still) -> None:
    """Characters / 4 and `max_tokens` are reserved before a request is sent."""
    limits = Limits(tokens_per_minute=100_000)
    seen: list[tuple[int, bytes]] = []

    def script(request: Request) -> MemoryReply:
        assert request.body is not None
        seen.append((left(limits, clock), request.body))
        return whole()

    client = frozen(client_of(colour, script, limits), clock)
    colour.create(client, **LONG, max_tokens=5000)
    ((remaining, body),) = seen
    assert 100_000 - remaining == pytest.approx(len(body.decode()) / 4 + 5000, abs=1)
    assert 6000 < 100_000 - remaining < 6050


def test_a_whole_answer_corrects_the_reservation(colour: AnyColour, clock: Still) -> None:
    """What the server counted is what counts."""
    limits = Limits(tokens_per_minute=100_000)
    client = frozen(client_of(colour, [whole(usage=USAGE)], limits), clock)
    colour.create(client, **LONG, max_completion_tokens=5000)
    assert left(limits, clock) == 100_000 - 42


def test_an_answer_without_usage_keeps_the_reservation(colour: AnyColour, clock: Still) -> None:
    """Where the server does not count, the reservation stands, and so for failures."""
    limits = Limits(tokens_per_minute=100_000)
    client = frozen(client_of(colour, [refusing(500), whole()], limits), clock)
    colour.create(client, max_tokens=5000)
    assert 2 * 5000 < 100_000 - left(limits, clock) < 2 * 5050


def test_a_stream_corrects_the_reservation(colour: AnyColour, clock: Still) -> None:
    """The usage chunk of a stream counts as that of a whole answer does."""
    limits = Limits(tokens_per_minute=100_000)
    reply = MemoryReply.stream(chunk("a"), chunk(None, "stop"), {"choices": [], "usage": USAGE})
    client = frozen(client_of(colour, [reply], limits), clock)
    stream = colour.stream(client, max_tokens=5000, usage=True)
    assert left(limits, clock) < 95_000
    assert colour.text(stream) == ["a"]
    assert left(limits, clock) == 100_000 - 42


def test_a_cancelled_stream_keeps_the_reservation(colour: AnyColour, clock: Still) -> None:
    """Nobody has counted the tokens of a stream that was left, so what was reserved stands."""
    limits = Limits(tokens_per_minute=100_000)
    client = frozen(client_of(colour, [streamed("a", "b", "c")], limits), clock)
    colour.first(colour.stream(client, max_tokens=5000))
    assert limits.running == 0
    assert left(limits, clock) < 95_000


def test_more_than_a_minutes_worth(colour: AnyColour) -> None:
    """A request that reserves more than the limit is sent when nothing else is owed."""
    client = client_of(colour, [whole()], Limits(tokens_per_minute=10))
    assert colour.create(client, max_tokens=5000).text == "Hello"


RATES = {"x-ratelimit-remaining-requests": "7", "x-ratelimit-reset-tokens": "6m0s"}


def test_rate_limit_headers_are_readable(colour: AnyColour) -> None:
    """An answer, a stream and an error have the headers, in any case."""
    answers = [
        attrs.evolve(whole(), headers=RATES),
        attrs.evolve(streamed("a"), headers=RATES),
        refusing(429, headers=RATES),
    ]
    client = client_of(colour, answers, Limits(1), max_retries=0)
    completion = colour.create(client)
    stream = colour.stream(client)
    colour.text(stream)
    with pytest.raises(RateLimitError) as caught:
        colour.create(client)
    results: list[Any] = [completion, stream, stream.completion, caught.value]
    for result in results:
        assert result.response.headers["X-RateLimit-Remaining-Requests"] == "7"
        assert result.response.headers["x-ratelimit-reset-tokens"] == "6m0s"


class Both:
    """A sync and an async client that share limits and a script; requests are named."""

    def __init__(self, limits: Limits, answer: Callable[[], MemoryReply] = whole) -> None:
        """Make the clients."""
        self.limits = limits
        self.order: list[str] = []
        self.most = 0
        self._answer = answer
        script = Script(self._reply)
        self.sync = Client(transport=MemoryTransport(script), model="m", limits=limits)
        self.aio = AsyncClient(transport=AsyncMemoryTransport(script), model="m", limits=limits)

    def _reply(self, request: Request) -> MemoryReply:
        assert request.body is not None
        self.order.append(json.loads(request.body)["messages"][0]["content"])
        self.most = max(self.most, self.limits.running)
        return self._answer()

    def ask(self, name: str) -> str:
        """Ask from a thread."""
        messages = [{"role": "user", "content": name}]
        text: str = self.sync.chat.completions.create(messages=messages, timeout=PATIENT).text
        return text

    async def aask(self, name: str) -> str:
        """Ask from a task."""
        messages = [{"role": "user", "content": name}]
        asked = await self.aio.chat.completions.create(messages=messages, timeout=PATIENT)
        text: str = asked.text
        return text


async def until_waiting(limits: Limits, count: int) -> None:
    """Wait until so many are in the queue."""
    for _ in range(1000):
        if limits.waiting == count:
            return
        await asyncio.sleep(0.002)
    raise AssertionError(f"{limits.waiting} wait, not {count}")


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    """Give threads."""
    with ThreadPoolExecutor(20) as pool:
        yield pool


async def test_threads_and_tasks_stand_in_one_queue(pool: ThreadPoolExecutor) -> None:
    """Requests of both colours are served in the order in which they came."""
    limits = Limits(1)
    both = Both(limits)
    slot = limits.queue(0)
    assert limits.wait(slot, time.monotonic()) == 0
    loop = asyncio.get_running_loop()
    asked: list[asyncio.Future[str]] = []
    names = [f"{kind} {number}" for number in range(5) for kind in ("thread", "task")]
    for name in names:
        asked.append(
            loop.run_in_executor(pool, both.ask, name)
            if name.startswith("thread")
            else asyncio.ensure_future(both.aask(name))
        )
        await until_waiting(limits, len(asked))
    limits.release(slot)
    assert await asyncio.gather(*asked) == ["Hello"] * 10
    assert both.order == names
    assert both.most == 1


async def test_cancelled_tasks_leave_the_queue(pool: ThreadPoolExecutor) -> None:
    """The first in the queue is cancelled; the next one, a thread, goes on in its place."""
    limits = Limits(1)
    both = Both(limits)
    slot = limits.queue(0)
    limits.wait(slot, time.monotonic())
    task = asyncio.create_task(both.aask("task"))
    await until_waiting(limits, 1)
    thread = asyncio.get_running_loop().run_in_executor(pool, both.ask, "thread")
    await until_waiting(limits, 2)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert limits.waiting == 1
    limits.release(slot)
    assert await thread == "Hello"
    assert (both.order, limits.running, limits.waiting) == (["thread"], 0, 0)


@pytest.mark.parametrize("when", ["in the queue", "while the head is awaited", "in the body"])
async def test_a_cancelled_task_keeps_no_slot(when: str) -> None:
    """Wherever a task is cancelled, nothing of it is left in the limits."""
    limits = Limits(1)
    pauses: dict[str, dict[str, Any]] = {
        "while the head is awaited": {"pause_before": 30.0},
        "in the body": {"pauses": 30.0},
    }
    both = Both(limits, lambda: attrs.evolve(whole(), **pauses.get(when, {})))
    slot = limits.queue(0)
    limits.wait(slot, time.monotonic())
    if when != "in the queue":
        limits.release(slot)
    task = asyncio.create_task(both.aask("x"))
    for _ in range(5):
        await asyncio.sleep(0)
    assert (limits.running, limits.waiting) == (1, when == "in the queue")
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    limits.release(slot)
    assert (limits.running, limits.waiting) == (0, 0)


async def test_never_more_than_so_many(pool: ThreadPoolExecutor) -> None:
    """Sixty requests of both colours at once, and at no time more than three are under way."""
    both = Both(Limits(3), lambda: attrs.evolve(whole(), pause_before=0.002))
    loop = asyncio.get_running_loop()
    threads = [loop.run_in_executor(pool, both.ask, "thread") for _ in range(30)]
    tasks = [both.aask("task") for _ in range(30)]
    assert await asyncio.gather(*threads, *tasks) == ["Hello"] * 60
    assert both.most == 3
    assert (both.limits.running, both.limits.waiting) == (0, 0)


def test_a_client_closed_while_its_requests_wait() -> None:
    """They end as soon as the client's own streams have given their slots back."""
    limits = Limits(1)
    client = Client(
        transport=MemoryTransport([streamed("a")]), model="m", limits=limits, timeout=PATIENT
    )
    stream = client.chat.completions.create(messages=LONG["messages"], stream=True)
    failures: list[BaseException] = []

    def ask() -> None:
        try:
            client.chat.completions.create(messages=LONG["messages"])
        except ClientClosedError as error:
            failures.append(error)

    threads = [threading.Thread(target=ask) for _ in range(3)]
    for number, thread in enumerate(threads, 1):
        thread.start()
        while limits.waiting < number:
            time.sleep(0.002)
    client.close()
    for thread in threads:
        thread.join(3)
    assert len(failures) == 3
    assert stream.outcome == "cancelled"
    assert (limits.running, limits.waiting) == (0, 0)
