"""Many streams at once, in both colours."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any, cast

import attrs
import pytest

from evoclient.aio.many import AsyncStreamGroup
from evoclient.errors.tree import (
    APIConnectionError,
    APIStatusError,
    ClientClosedError,
    StreamInterruptedError,
)
from evoclient.ground import ConfigurationError
from evoclient.streaming.gathering import MOST_AHEAD, LabelledChunk
from evoclient.sync.many import StreamGroup
from evoclient.transports.memory import MemoryReply
from evoclient.wire import Request
from tests.colours import Colour
from tests.twins.scripts import chunk, cut, refusing, streamed

AnyColour = Colour[Any, Any]

#: Longer than any test: who is closed must not wait for it.
FOREVER = 100.0


@attrs.frozen(kw_only=True)
class Watched(MemoryReply):
    """A reply that tells when a piece of it is pulled."""

    pulled: Callable[[int], object]

    def pause(self, number: int) -> float:
        self.pulled(number)
        return super().pause(number)


def saying(*texts: str, pulled: Callable[[int], object], **fields: Any) -> MemoryReply:
    """Return a watched stream of texts."""
    events = [*(chunk(text) for text in texts), chunk(None, "stop")]
    return Watched.stream(*events, pulled=pulled, **fields)


def hanging(*texts: str, pulled: Callable[[int], object] = print) -> MemoryReply:
    """Return a stream that says nothing more after some texts, and does not end."""
    pauses = [*(0.0 for _ in texts), FOREVER]
    return saying(*texts, pulled=pulled, pauses=pauses)


class Scene:
    """A client whose request number i gets reply number i, and a group that asks them all."""

    def __init__(
        self,
        colour: AnyColour,
        replies: Sequence[MemoryReply],
        *,
        on_request: Callable[[int], object] = bool,
        requests: Sequence[Any] | None = None,
        **options: Any,
    ) -> None:
        self.colour = colour
        self.asked: list[int] = []

        def choose(request: Request) -> MemoryReply:
            assert request.body is not None
            number = int(json.loads(request.body)["messages"][0]["content"])
            self.asked.append(number)
            on_request(number)
            return replies[number]

        self.transport = colour.memory(choose)
        self.client = colour.client(transport=self.transport, model="m", max_retries=0)
        asked = [self.asking(number) for number in range(len(replies))]
        self.group: Any = (StreamGroup if colour.name == "sync" else AsyncStreamGroup)(
            asked if requests is None else requests,
            create=self.client.chat.completions.create,
            **options,
        )

    @staticmethod
    def asking(number: int) -> dict[str, Any]:
        """Return the keywords that ask for a reply."""
        return {"messages": [{"role": "user", "content": str(number)}]}

    def results(self, **options: Any) -> Any:
        """Read the results, and see that nothing is left behind."""
        try:
            return self.colour.run(self.group.results(**options))
        finally:
            self.leave_nothing()

    def labelled(self, **options: Any) -> Iterator[LabelledChunk]:
        """Iterate over the chunks."""
        chunks: Any = self.colour.chunks(self.group.as_chunks(**options))
        return cast(Iterator[LabelledChunk], chunks)

    def until(self, event: threading.Event) -> None:
        """Let threads and tasks go on until something has happened."""
        deadline = time.monotonic() + 5
        while not event.wait(0.001):
            assert time.monotonic() < deadline
            self.colour.settle()

    def leave_nothing(self) -> None:
        """See that no body is open, and that threads and tasks end."""
        if self.colour.name == "sync":
            for thread in threading.enumerate():
                if thread.name == "evoclient-gather":
                    thread.join(5)
                    assert not thread.is_alive()
        else:
            loop = self.colour.loop  # type: ignore[attr-defined]  # of the one colour
            deadline = time.monotonic() + 5
            while asyncio.all_tasks(loop):
                assert time.monotonic() < deadline
                self.colour.settle()
        assert self.transport.open_bodies == 0


def texts(results: Sequence[Any]) -> list[str]:
    """Return the texts of completions."""
    return [completion.text for completion in results]


def test_results_in_order(colour: AnyColour) -> None:
    """The completions stand in the order of the requests, whichever ends first."""
    replies = [
        saying(f"text {number}", pulled=bool, pauses=0.1 if number == 0 else 0.0)
        for number in range(4)
    ]
    scene = Scene(colour, replies)
    assert texts(scene.results()) == ["text 0", "text 1", "text 2", "text 3"]
    assert texts(scene.group.completions) == ["text 0", "text 1", "text 2", "text 3"]


def test_nothing_to_do(colour: AnyColour) -> None:
    """A group of no requests has no results, and no chunks."""
    assert Scene(colour, []).results() == []
    assert list(Scene(colour, []).labelled()) == []


def test_nothing_begins_early(colour: AnyColour) -> None:
    """Nothing is asked before the group is read."""
    scene = Scene(colour, [streamed("a")])
    scene.group.as_chunks()
    assert scene.asked == []


@pytest.mark.parametrize("as_chunks", [True, False])
def test_concurrency(colour: AnyColour, as_chunks: bool) -> None:
    """Never are more streams open than were asked for, and each request is asked once."""
    open_bodies: list[int] = []
    replies = [saying("a", "b", pulled=bool, pauses=0.01) for _ in range(9)]
    scene = Scene(
        colour,
        replies,
        on_request=lambda _: open_bodies.append(scene.transport.open_bodies),
        max_concurrency=3,
    )
    if as_chunks:
        assert len(list(scene.labelled())) == 27
    else:
        assert len(scene.results()) == 9
    # Each is counted before it is open itself.
    assert max(open_bodies) <= 2
    assert sorted(scene.asked) == list(range(9))


def test_one_after_another(colour: AnyColour) -> None:
    """Streams begin in the order of the requests."""
    scene = Scene(colour, [streamed("a")] * 5, max_concurrency=1)
    scene.results()
    assert scene.asked == [0, 1, 2, 3, 4]


@pytest.mark.parametrize(("most", "together"), [(None, 20), (3, 3), (30, 20)])
def test_open_together(colour: AnyColour, most: int | None, together: int) -> None:
    """As many streams are open together as may be; without a limit, all."""
    seen: list[int] = []

    def pulled(piece: int) -> None:
        seen.append(now := scene.transport.open_bodies)
        if now == together:
            scene.group.cancel()

    scene = Scene(colour, [hanging("a", pulled=pulled)] * 20, max_concurrency=most)
    scene.results(return_exceptions=True)
    assert max(seen) == together


def test_chunks_are_labelled(colour: AnyColour) -> None:
    """Each chunk says which stream it is of, and keeps its place in it."""
    scene = Scene(colour, [streamed("a", "b"), streamed("c", "d", "e")])
    found: dict[int, list[str]] = {0: [], 1: []}
    for labelled in scene.labelled():
        assert labelled.error is None
        found[labelled.index].append(labelled.chunk.text)
    assert found == {0: ["a", "b", ""], 1: ["c", "d", "e", ""]}
    assert texts(scene.group.completions) == ["ab", "cde"]
    scene.leave_nothing()


def test_a_fast_stream_starves_none(colour: AnyColour) -> None:
    """Beside a fast stream, whose buffer is full, every other chunk is of a slow one."""
    is_full, is_there = threading.Event(), threading.Event()

    def pulled(piece: int) -> None:
        # A piece is pulled when the chunk before it has been put in.
        if piece == 10:
            is_there.set()

    fast = saying(*["x"] * 1000, pulled=lambda piece: is_full.set() if piece > 14 else None)
    slow = saying(*["s"] * 10, pulled=pulled, pauses=0.002)
    scene = Scene(colour, [fast, slow])
    chunks = scene.labelled()
    found = [next(chunks).index]
    scene.until(is_full)
    scene.until(is_there)
    found += [next(chunks).index for _ in range(20)]
    assert sum(found) >= 10
    assert len(found) + len(list(chunks)) == 1012
    scene.leave_nothing()


def test_a_slow_reader_holds_back(colour: AnyColour) -> None:
    """A reader that takes nothing stops what is read, at the size of the buffer."""
    taken = 0
    ahead = [0]
    is_full = threading.Event()

    def pulled(piece: int) -> None:
        ahead.append(piece + 1 - taken)
        if piece + 1 >= MOST_AHEAD:
            is_full.set()

    scene = Scene(colour, [saying(*["x"] * 500, pulled=pulled)])
    for labelled in scene.labelled():
        assert labelled.index == 0
        taken += 1
        if taken == 1:
            scene.until(is_full)
    assert taken == 501
    # One more is in the hands of the reader, who counts it afterwards; [DONE] is no chunk.
    assert MOST_AHEAD - 1 <= max(ahead) <= MOST_AHEAD + 2


def test_a_slow_reader_holds_back_short_streams(colour: AnyColour) -> None:
    """No further streams begin while so many as may be open wait to be taken."""
    taken: dict[int, int] = {}
    undrained: list[int] = []

    def on_request(number: int) -> None:
        undrained.append(sum(count < 2 for count in list(taken.values())))
        taken[number] = 0

    replies = [streamed("a") for _ in range(40)]
    scene = Scene(colour, replies, on_request=on_request, max_concurrency=2)
    for labelled in scene.labelled():
        taken[labelled.index] += 1
        colour.settle()
    # Its own place aside; one more may have been handed out and not been counted yet.
    assert max(undrained) <= 2
    assert len(undrained) == 40


def test_an_error_is_raised(colour: AnyColour) -> None:
    """The first failure is raised, says which stream it is of, and the rest is closed."""
    scene = Scene(colour, [hanging("a"), refusing(400, "not so"), hanging("b")])
    with pytest.raises(APIStatusError, match="not so") as caught:
        scene.results()
    assert caught.value.details["index"] == 1
    others = [scene.group.completions[number] for number in (0, 2)]
    assert [type(other) for other in others] == [StreamInterruptedError] * 2
    assert scene.group.completions[1] is caught.value


def test_errors_as_values(colour: AnyColour) -> None:
    """Failures stand in the list where they are values, and the others are whole."""
    scene = Scene(colour, [streamed("a"), refusing(400), cut("half"), streamed("b")])
    first, refused, half, last = scene.results(return_exceptions=True)
    assert texts([first, last]) == ["a", "b"]
    assert isinstance(refused, APIStatusError)
    assert isinstance(half, StreamInterruptedError)
    assert half.partial_text == "half"


def test_an_error_among_chunks(colour: AnyColour) -> None:
    """A failure is raised out of the loop after the chunks before it, and the rest is closed."""
    scene = Scene(colour, [hanging("a"), cut("x", "y")])
    found: list[LabelledChunk] = []
    with pytest.raises(StreamInterruptedError) as caught:
        found.extend(scene.labelled())  # what came before the error stays in the list
    assert [labelled.chunk.text for labelled in found if labelled.index == 1] == ["x", "y"]
    assert caught.value.details["index"] == 1
    scene.leave_nothing()
    assert isinstance(scene.group.completions[0], StreamInterruptedError)


def test_errors_among_chunks_as_values(colour: AnyColour) -> None:
    """A failure that is a value is the last of its stream, and the others go on."""
    scene = Scene(colour, [cut("x"), saying("a", "b", pulled=bool, pauses=0.01)])
    found = list(scene.labelled(return_exceptions=True))
    broken = [labelled for labelled in found if labelled.index == 0]
    assert [labelled.chunk.text for labelled in broken] == ["x", ""]
    assert isinstance(broken[1].error, StreamInterruptedError)
    assert [labelled.chunk.text for labelled in found if labelled.index == 1] == ["a", "b", ""]
    assert scene.group.completions[0] is broken[1].error
    scene.leave_nothing()


def from_another_thread(function: Callable[[], object]) -> None:
    """Call a function in a thread of its own."""
    threading.Thread(target=function).start()


@pytest.mark.parametrize("call", [from_another_thread, lambda function: function()])
def test_cancelling_results(
    colour: AnyColour, call: Callable[[Callable[[], object]], object]
) -> None:
    """Cancelling closes all: what had not ended is a failure that has what came."""

    def pulled(piece: int) -> None:
        if piece == 1:
            call(scene.group.cancel)

    scene = Scene(
        colour,
        [streamed("whole"), hanging("half", pulled=pulled), streamed("never")],
        max_concurrency=1,
    )
    with pytest.raises(StreamInterruptedError):
        scene.results()
    assert scene.asked == [0, 1]
    whole, half, never = scene.group.completions
    assert whole.text == "whole"
    assert half.partial_text == "half"
    assert isinstance(never, StreamInterruptedError)
    assert never.partial is None


def test_cancelling_chunks(colour: AnyColour) -> None:
    """After cancelling, the loop over the chunks ends without an error."""

    def pulled(piece: int) -> None:
        if piece == 1:
            from_another_thread(scene.group.cancel)

    scene = Scene(colour, [hanging("a", pulled=pulled), hanging("b")])
    assert len(list(scene.labelled())) <= 2
    scene.leave_nothing()
    assert None not in scene.group.completions


def test_leaving_early(colour: AnyColour) -> None:
    """A loop that is left closes all streams and begins no more."""
    scene = Scene(colour, [hanging("a"), hanging("b"), streamed("c")], max_concurrency=2)
    assert colour.first(scene.group.as_chunks())[0].index in (0, 1)
    scene.leave_nothing()
    assert 2 not in scene.asked
    assert [type(result) for result in scene.group.completions] == [StreamInterruptedError] * 3


def test_leaving_the_context(colour: AnyColour) -> None:
    """Leaving the context closes what is still open, unread streams that were given included."""
    scene = Scene(colour, [hanging("a")])
    given = colour.stream(scene.client, **scene.asking(0))
    group = type(scene.group)([given])
    if colour.name == "sync":
        with group:
            pass
    else:

        async def leave() -> None:
            async with group:
                pass

        colour.run(leave())
    assert given.outcome == "cancelled"
    scene.leave_nothing()


def test_a_loop_left_within_the_context(colour: AnyColour) -> None:
    """Behind the context nothing is open, where the loop inside was left early."""
    scene = Scene(colour, [hanging("a"), hanging("b")])
    seen = []
    if colour.name == "sync":
        with scene.group as group:
            chunks = group.as_chunks()
            seen.append(next(chunks))
        assert scene.transport.open_bodies == 0
    else:

        async def leave() -> None:
            async with scene.group as group:
                chunks = group.as_chunks()
                seen.append(await anext(chunks))
            assert scene.transport.open_bodies == 0

        colour.run(leave())
    assert seen[0].chunk.text in ("a", "b")
    scene.leave_nothing()


def test_functions_and_streams(colour: AnyColour) -> None:
    """A request may be a function that returns a stream, or a stream that is open."""
    scene = Scene(colour, [streamed("a"), streamed("b"), streamed("c")])
    given = colour.stream(scene.client, **scene.asking(0))

    def function() -> Any:
        return scene.client.chat.completions.create(**scene.asking(1), stream=True)

    scene.group = type(scene.group)([given, function])
    assert texts(scene.results()) == ["a", "b"]


def test_the_function_raises(colour: AnyColour) -> None:
    """What the function of a request raises is treated as any failure."""

    def function() -> Any:
        raise KeyError("of the user")

    for as_value in (True, False):
        scene = Scene(colour, [streamed("a")], requests=[Scene.asking(0), function])
        if as_value:
            whole, error = scene.results(return_exceptions=True)
            assert whole.text == "a"
            assert isinstance(error, KeyError)
        else:
            with pytest.raises(KeyError, match="of the user") as caught:
                scene.results()
            assert caught.value.__notes__ == ["in the stream of requests[1]"]


def test_the_function_returns_no_stream(colour: AnyColour) -> None:
    """A function that returns something else is told of it."""
    scene = Scene(colour, [], requests=[lambda: "text"])
    with pytest.raises(ConfigurationError, match=r"requests\[0\].*the type str"):
        scene.results()


def test_a_stream_closed_from_elsewhere(colour: AnyColour) -> None:
    """A stream that its owner closes is no completion: its result has what came."""

    def pulled(piece: int) -> None:
        if piece == 1:
            given.close()

    scene = Scene(colour, [hanging("half", pulled=pulled), streamed("whole")])
    given = colour.stream(scene.client, **scene.asking(0))
    scene.group = type(scene.group)(
        [given, scene.asking(1)], create=scene.client.chat.completions.create
    )
    half, whole = scene.results(return_exceptions=True)
    assert isinstance(half, StreamInterruptedError)
    assert half.partial_text == "half"
    assert whole.text == "whole"


def test_a_closed_client(colour: AnyColour) -> None:
    """Closing the client ends its streams, and the next ones cannot be opened."""

    def pulled(piece: int) -> None:
        # The async colour must await its closing; what ends the streams comes first there too.
        if piece == 1 and colour.name == "sync":
            scene.client.close()
        elif piece == 1:
            closing.append(colour.loop.create_task(scene.client.close()))  # type: ignore[attr-defined]

    closing: list[Any] = []
    scene = Scene(colour, [hanging("half", pulled=pulled), streamed("never")], max_concurrency=1)
    half, never = scene.results(return_exceptions=True)
    assert isinstance(half, StreamInterruptedError)
    assert isinstance(never, ClientClosedError)


def test_read_once(colour: AnyColour) -> None:
    """A group is read in one of the two ways, once."""
    scene = Scene(colour, [streamed("a")])
    scene.results()
    with pytest.raises(ConfigurationError, match="once"):
        scene.group.as_chunks()
    with pytest.raises(ConfigurationError, match="once"):
        scene.results()


def test_bad_arguments(colour: AnyColour) -> None:
    """Wrong arguments are told before anything is sent."""
    with pytest.raises(ConfigurationError) as caught:
        Scene(colour, [streamed("a")], max_concurrency=0)
    assert caught.value.argument == "max_concurrency"
    with pytest.raises(ConfigurationError) as caught:
        Scene(colour, [], requests=["text"])
    assert caught.value.argument == "requests"


def test_a_credential_does_not_show(colour: AnyColour) -> None:
    """The traceback of a failure holds no frame that holds the request."""
    scene = Scene(colour, [], requests=[{"extra_headers": {"X": "planted"}, "messages": 5}])
    with pytest.raises(ConfigurationError) as caught:
        scene.results()
    frames = []
    traceback = caught.value.__traceback__
    while traceback is not None:
        frames.append(str(traceback.tb_frame.f_locals))
        traceback = traceback.tb_next
    assert frames
    assert not [frame for frame in frames if "planted" in frame and "scene" not in frame]


def test_a_failing_connection_among_many(colour: AnyColour) -> None:
    """Fifty streams of which every fifth fails give each its own result, in order."""
    replies = [
        MemoryReply(error=APIConnectionError(f"no {number}"))
        if number % 5 == 0
        else streamed(f"text {number}")
        for number in range(50)
    ]
    scene = Scene(colour, replies, max_concurrency=6)
    for number, result in enumerate(scene.results(return_exceptions=True)):
        if number % 5:
            assert result.text == f"text {number}"
        else:
            assert isinstance(result, APIConnectionError)
            assert result.details["index"] == number
