"""The memory transport: scripts, mock mode, pauses and what it records."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from evoclient.errors.tree import APIConnectionError, APITimeoutError, ClientClosedError
from evoclient.ground import ConfigurationError
from evoclient.transports.memory import (
    AsyncMemoryTransport,
    MemoryReply,
    MemoryTransport,
    Script,
)
from evoclient.wire import Deadlines, Headers, Request

from .callers import Caller, Colour, a_request, deadline, over_memory

URL = "http://memory.invalid/v1/chat/completions"
SOON = 0.1

Make = Callable[..., Caller]


@pytest.fixture
def make(colour: Colour) -> Iterator[Make]:
    """Make callers of a script, and close them."""
    made: list[Caller] = []

    def one(script: Any = None) -> Caller:
        made.append(over_memory(colour, script))
        return made[-1]

    yield one
    for caller in made:
        caller.close()


def chat(stream: bool = False, **fields: object) -> Request:
    """Return a chat request."""
    return a_request(
        URL, json.dumps({"model": "m", "messages": [], "stream": stream, **fields}).encode()
    )


def chunks_of(body: bytes) -> list[dict[str, Any]]:
    """Return the chunks of a stream."""
    *lines, end = [line for line in body.decode().split("\n\n") if line]
    assert end == "data: [DONE]"
    return [json.loads(line.removeprefix("data: ")) for line in lines]


def test_without_a_script_a_chat_is_answered(make: Make) -> None:
    """Mock mode answers whole and streamed with the same text, under the model asked for."""
    caller = make()
    whole = json.loads(caller.send(chat()).read_all())
    assert whole["model"] == "m"
    text = whole["choices"][0]["message"]["content"]
    assert "memory transport" in text
    answer = caller.send(chat(stream=True))
    assert answer.headers["content-type"] == "text/event-stream"
    chunks = chunks_of(answer.read_all())
    deltas = [chunk["choices"][0]["delta"].get("content", "") for chunk in chunks]
    assert "".join(deltas) == text
    assert len(deltas) > 10
    assert chunks[-1]["choices"][0]["finish_reason"] == "stop"


def test_usage_is_streamed_when_asked_for(make: Make) -> None:
    """The last chunk holds the usage and no choice, as OpenAI's does."""
    request = chat(stream=True, stream_options={"include_usage": True})
    last = chunks_of(make().send(request).read_all())[-1]
    assert last["choices"] == []
    assert last["usage"]["total_tokens"] > 0


def test_without_a_script_there_is_one_model(make: Make) -> None:
    """The list of models can be asked for, and what is not known is a 404 with a reason."""
    caller = make([])
    models = caller.send(Request("GET", "http://memory.invalid/v1/models", Headers()))
    assert [model["id"] for model in json.loads(models.read_all())["data"]] == ["mock"]
    other = caller.send(Request("POST", "http://memory.invalid/v1/audio", Headers(), b"\xff"))
    assert other.status == 404
    assert b"no script" in other.read_all()


def test_replies_come_in_order_and_are_recorded(make: Make) -> None:
    """Each request takes the next reply, piece by piece."""
    caller = make(
        [
            MemoryReply(status=503, headers={"Retry-After": "1"}, pieces=[b"no"]),
            MemoryReply.json({"a": 1}),
            MemoryReply.stream({"b": 2}, ": comment\n\n", done=False),
            MemoryReply.text("two  words\n"),
        ]
    )
    first = caller.send(chat())
    assert (first.status, first.headers["retry-after"], first.read_all()) == (503, "1", b"no")
    assert json.loads(caller.send(chat()).read_all()) == {"a": 1}
    third = caller.send(chat())
    assert [third.read(), third.read(), third.read()] == [
        b'data: {"b": 2}\n\n',
        b": comment\n\n",
        b"",
    ]
    fourth = json.loads(caller.send(chat()).read_all())
    assert fourth["choices"][0]["message"]["content"] == "two  words\n"
    assert caller.transport.requests == [chat()] * 4


def test_the_end_of_a_script_is_an_error(make: Make) -> None:
    """One request too many is not worth a retry, and the error counts them."""
    caller = make([MemoryReply.json({})])
    caller.send(chat())
    with pytest.raises(APIConnectionError, match=r"1 reply, .* number 2") as caught:
        caller.send(chat())
    assert not caught.value.retryable


def test_a_function_may_choose_the_reply(make: Make) -> None:
    """A script may look at the request."""
    caller = make(lambda request: MemoryReply.text(f"You asked {request.method}."))
    assert b"You asked POST." in caller.send(chat()).read_all()


def test_both_colours_may_share_a_script() -> None:
    """One script instance is consumed by whoever asks."""
    script = Script([MemoryReply.json(1), MemoryReply.json(2)])
    sync = over_memory("sync", script)
    other = over_memory("async", script)
    assert (sync.send(chat()).read_all(), other.send(chat()).read_all()) == (b"1", b"2")
    other.close()


@pytest.mark.parametrize(
    ("error_after", "wanted"), [(None, []), (0, []), (1, [b"a"]), (2, [b"a", b"b"])]
)
def test_an_error_comes_after_its_pieces(
    make: Make, error_after: int | None, wanted: list[bytes]
) -> None:
    """The error of a reply is raised instead of it, between its pieces, or instead of its end."""
    error = APIConnectionError("cut")
    reply = MemoryReply(pieces=[b"a", b"b"], error=error, error_after=error_after)
    caller = make([reply, reply])
    for _ in range(2):
        got: list[bytes] = []
        with pytest.raises(APIConnectionError, match="cut") as caught:
            got.extend(iter(caller.send(chat()).read, b""))
        assert got == wanted
        assert caught.value is not error
        assert caller.transport.open_bodies == 0


def test_pauses_take_their_time(make: Make) -> None:
    """The head and each piece may come late."""
    caller = make([MemoryReply(pieces=[b"a", b"b"], pause_before=SOON, pauses=[0, SOON])])
    began = time.monotonic()
    answer = caller.send(chat())
    assert time.monotonic() - began >= SOON
    assert answer.read() == b"a"
    assert answer.read() == b"b"
    assert time.monotonic() - began >= 2 * SOON


def test_pauses_end_at_the_deadline(make: Make) -> None:
    """A pause that is longer than the time left ends as a silent server's does."""
    caller = make([MemoryReply(pause_before=30), MemoryReply(pieces=[b"a"], pauses=30)])
    began = time.monotonic()
    with pytest.raises(APITimeoutError) as caught:
        caller.send(chat(), Deadlines(first_chunk=deadline(SOON, "first_chunk")))
    assert caught.value.limit == "first_chunk"
    answer = caller.send(chat())
    with pytest.raises(APITimeoutError) as caught:
        answer.read(deadline(SOON, "idle"))
    assert caught.value.limit == "idle"
    assert 2 * SOON <= time.monotonic() - began < 2
    assert caller.transport.open_bodies == 0


def test_closing_frees_a_reader_in_a_pause(make: Make) -> None:
    """A body that is closed from elsewhere ends at once."""
    caller = make([MemoryReply(pieces=[b"a"], pauses=30)])
    answer = caller.send(chat())
    got: list[bytes] = []
    reader = threading.Thread(target=lambda: got.append(answer.read(deadline(60))))
    reader.start()
    reader.join(0.05)
    answer.close()
    reader.join(5)
    assert got == [b""]
    assert answer.read() == b""


def test_open_bodies_are_counted(make: Make) -> None:
    """A body counts as open until it is closed or read to its end."""
    caller = make([MemoryReply(pieces=[b"a"])] * 2)
    first, second = caller.send(chat()), caller.send(chat())
    assert caller.transport.open_bodies == 2
    first.close()
    first.close()
    assert caller.transport.open_bodies == 1
    second.read_all()
    second.close()
    assert caller.transport.open_bodies == 0


def test_a_closed_transport_refuses_requests() -> None:
    """Both colours say that they are closed, and count how often they were."""
    sync, other = MemoryTransport(), AsyncMemoryTransport()
    sync.close()
    sync.close()
    assert sync.closes == 2
    with pytest.raises(ClientClosedError):
        sync.send(chat(), Deadlines())

    async def closed() -> None:
        await other.aclose()
        with pytest.raises(ClientClosedError):
            await other.send(chat(), Deadlines())

    asyncio.run(closed())
    assert other.closes == 1


@pytest.mark.parametrize("kind", [MemoryTransport, AsyncMemoryTransport, Script])
@pytest.mark.parametrize(
    ("script", "problem"),
    [
        (["hello"], "number 1 of the list is 'hello'"),
        ([MemoryReply.text("x"), None], "number 2 of the list is None"),
        (MemoryReply.text("x"), "it is one reply, not a list"),
        ("hello", "it is 'hello'"),
        ({"a": 1}, "it is {'a': 1}"),
        (7, "it is 7"),
    ],
)
def test_what_is_no_script(kind: Any, script: Any, problem: str) -> None:
    """What is neither a list of replies nor a function is refused when it is given."""
    with pytest.raises(ConfigurationError, match="is a list of replies") as caught:
        kind(script)
    assert problem in caught.value.message
    assert caught.value.argument == "script"


@pytest.mark.parametrize(("count", "named"), [(1, "has 1 reply,"), (2, "has 2 replies,")])
def test_the_end_of_a_script(make: Make, count: int, named: str) -> None:
    """A script that has come to its end says how many replies it had."""
    caller = make([MemoryReply.json(1)] * count)
    for _ in range(count):
        caller.send(chat()).close()
    with pytest.raises(APIConnectionError, match=named):
        caller.send(chat())
