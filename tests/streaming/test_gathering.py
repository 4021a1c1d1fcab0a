"""The books of a group of streams, without anybody who waits."""

from __future__ import annotations

from collections import Counter
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evoclient.errors.tree import APIConnectionError, StreamInterruptedError
from evoclient.ground import ConfigurationError
from evoclient.models.chat import ChatCompletion
from evoclient.models.chunks import ChatCompletionChunk, read_chunk
from evoclient.streaming.gathering import (
    MOST_AHEAD,
    Gathering,
    GroupView,
    LabelledChunk,
    checked_requests,
)

DONE = ChatCompletion(id="done")


def piece(text: str = "x") -> ChatCompletionChunk:
    """Return a chunk of choice 0."""
    return read_chunk({"choices": [{"index": 0, "delta": {"content": text}}]})


def handing_out(count: int, most: int | None = None, *, errors: bool = False) -> Gathering[int]:
    """Return a group whose chunks are wanted."""
    gathering = Gathering(range(count), most)
    gathering.claim(hands_out=True, return_exceptions=errors)
    return gathering


def taken(gathering: Gathering[int], count: int = 1_000_000) -> list[tuple[int, str]]:
    """Take what is there, as pairs of index and text."""
    found: list[tuple[int, str]] = []
    while len(found) < count and (labelled := gathering.take()) is not None:
        found.append((labelled.index, labelled.chunk.text))
    return found


def test_streams_begin_in_order() -> None:
    """The requests are given out in their order, each once."""
    gathering = handing_out(3)
    assert [gathering.begin() for _ in range(4)] == [(0, 0), (1, 1), (2, 2), None]


@pytest.mark.parametrize(("most", "workers"), [(None, 5), (1, 1), (3, 3), (8, 5)])
def test_workers(most: int | None, workers: int) -> None:
    """There are as many workers as may be open at once, and no idle ones."""
    assert handing_out(5, most).workers == workers


def test_turns() -> None:
    """Streams that hold something are heard in turn, however much one of them holds."""
    gathering = handing_out(3)
    for _ in range(3):
        gathering.begin()
    for number in range(4):
        gathering.put(0, piece(f"a{number}"))
    gathering.put(1, piece("b0"))
    assert taken(gathering, 1) == [(0, "a0")]
    gathering.put(2, piece("c0"))
    assert taken(gathering) == [(1, "b0"), (0, "a1"), (2, "c0"), (0, "a2"), (0, "a3")]


def test_a_full_buffer_holds_back() -> None:
    """A stream is held back by a full buffer alone, and goes on when half of it is taken."""
    gathering = handing_out(1)
    gathering.begin()
    for _ in range(MOST_AHEAD):
        assert not gathering.holds_back(0)
        gathering.put(0, piece())
    held = []
    for _ in range(MOST_AHEAD):
        held.append(gathering.holds_back(0))
        gathering.take()
    assert held == [True] * (MOST_AHEAD // 2) + [False] * (MOST_AHEAD // 2)


def test_an_ended_stream_holds_its_place() -> None:
    """Who read a stream waits after its end until the last chunk has been taken."""
    gathering = handing_out(2, 1)
    gathering.begin()
    gathering.put(0, piece())
    gathering.put(0, piece())
    gathering.finish(0, DONE)
    assert gathering.holds_back(0)
    gathering.take()
    assert gathering.holds_back(0)
    gathering.take()
    assert not gathering.holds_back(0)


def test_a_failure_is_reached_after_the_chunks() -> None:
    """An error is raised when its turn has come, and it says which stream it is of."""
    gathering = handing_out(2)
    gathering.begin()
    gathering.begin()
    gathering.put(1, piece("last"))
    gathering.finish(1, APIConnectionError("gone"))
    assert taken(gathering, 1) == [(1, "last")]
    with pytest.raises(APIConnectionError, match="gone") as caught:
        gathering.take()
    assert caught.value.details["index"] == 1
    assert caught.value.__notes__ == ["in the stream of requests[1]"]


def test_a_failure_as_a_value() -> None:
    """A failure that is a value is a labelled item whose chunk is empty, and ends only its own."""
    gathering = handing_out(2, errors=True)
    gathering.begin()
    gathering.begin()
    error = ValueError("of the user")
    gathering.finish(0, error)
    failed = gathering.take()
    assert failed == LabelledChunk(0, read_chunk({"choices": []}), error)
    gathering.put(1, piece("on"))
    gathering.finish(1, DONE)
    assert taken(gathering) == [(1, "on")]
    assert gathering.is_over
    assert gathering.results == [error, DONE]


def test_a_cut_stream_just_ends() -> None:
    """A stream that was closed gives no item, and its result has what came."""
    gathering = handing_out(1)
    gathering.begin()
    gathering.cut(0, DONE)
    assert gathering.take() is None
    assert gathering.is_over
    (result,) = gathering.results
    assert isinstance(result, StreamInterruptedError)
    assert result.partial is DONE


def test_cancelling() -> None:
    """After cancelling nothing begins, nothing is held back, nothing is handed out."""
    gathering = handing_out(3, 1)
    gathering.begin()
    for _ in range(MOST_AHEAD):
        gathering.put(0, piece())
    assert gathering.cancel() == [1, 2]
    assert gathering.cancel() == []
    gathering.put(0, piece())
    assert gathering.begin() is None
    assert gathering.take() is None
    assert not gathering.holds_back(0)
    assert gathering.is_over


def test_settling() -> None:
    """What is not known at the end of all is an interrupted stream, and stays one."""
    gathering = handing_out(2)
    gathering.begin()
    gathering.cancel()
    gathering.close_books()
    settled = list(gathering.results)
    assert [type(result) for result in settled] == [StreamInterruptedError] * 2
    gathering.finish(0, DONE)
    assert gathering.results == settled


def test_results_alone() -> None:
    """A group whose results alone are wanted is over at its first failure, unless it is a value."""
    for as_value in (False, True):
        gathering = Gathering(range(2), None)
        gathering.claim(hands_out=False, return_exceptions=as_value)
        gathering.begin()
        gathering.begin()
        gathering.finish(1, ValueError("first"))
        assert gathering.is_over is not as_value
        gathering.finish(0, KeyError("second"))
        if as_value:
            assert [type(result) for result in gathering.all_results()] == [KeyError, ValueError]
        else:
            with pytest.raises(ValueError, match="first"):
                gathering.all_results()


def test_what_ends_a_program() -> None:
    """SystemExit out of a request's function is raised to the reader, also beside values."""
    gathering = handing_out(2, errors=True)
    gathering.begin()
    gathering.finish(0, SystemExit(3))
    assert gathering.is_over
    assert gathering.begin() is None
    with pytest.raises(SystemExit):
        gathering.take()
    with pytest.raises(SystemExit):
        gathering.all_results()


def test_one_reader() -> None:
    """A group is read once."""
    gathering = handing_out(0)
    with pytest.raises(ConfigurationError, match="once"):
        gathering.claim(hands_out=False, return_exceptions=False)


@pytest.mark.parametrize("most", [0, -1, True, 2.0, "8"])
def test_bad_concurrency(most: Any) -> None:
    """`max_concurrency` is a whole number above 0, or None."""
    with pytest.raises(ConfigurationError) as caught:
        Gathering([], most)
    assert caught.value.argument == "max_concurrency"


@pytest.mark.parametrize(
    ("requests", "message"),
    [
        (5, "requests is of the type int"),
        ("text", "requests is of the type str"),
        ({"messages": []}, "requests is of the type dict"),
        ([print, 7], r"requests\[1\] is of the type int; it must be a thing"),
        ([{"stream": False}], "has stream=False"),
    ],
)
def test_bad_requests(requests: Any, message: str) -> None:
    """What cannot be opened is told by its number."""
    with pytest.raises(ConfigurationError, match=message) as caught:
        checked_requests(requests, (), has_create=True, kinds="a thing")
    assert caught.value.argument == "requests"


def test_mappings_need_a_client() -> None:
    """Keywords without a client to ask are an error that says what to do."""
    with pytest.raises(ConfigurationError, match="gather_streams"):
        checked_requests([{}], (), has_create=False, kinds="")


def test_a_group_hides_its_requests() -> None:
    """The repr of a group says how far it is, and shows no request."""

    class Group(GroupView):
        """A group of no colour."""

        _gathering = Gathering([{"extra_headers": {"Authorization": "planted"}}] * 2, 1)

    group = Group()
    Group._gathering.begin()
    Group._gathering.finish(0, DONE)
    assert repr(group) == "<Group 1 of 2 ended>"
    assert group.completions == [DONE, None]


class Play:
    """Workers and a reader whose turns are dealt by dice; it checks the promises at each."""

    def __init__(self, lengths: list[int], most: int | None) -> None:
        self.gathering: Gathering[int] = handing_out(len(lengths), most)
        self.lengths = lengths
        self.most = most or len(lengths)
        self.at: list[int | None] = [None] * self.gathering.workers
        self.sent: Counter[int] = Counter()
        self.seen: dict[int, list[str]] = {index: [] for index in range(len(lengths))}

    def read(self) -> None:
        """Let the reader take a chunk, where there is one."""
        for index, text in taken(self.gathering, 1):
            self.seen[index].append(text)

    def work(self, worker: int) -> None:
        """Let a worker do one thing, unless it must wait."""
        index = self.at[worker]
        if index is not None and self.gathering.holds_back(index):
            return
        if index is None or self.sent[index] == self.lengths[index]:
            begun = self.gathering.begin()
            self.at[worker] = index = begun[0] if begun else None
        if index is None:
            return
        if self.sent[index] < self.lengths[index]:
            self.gathering.put(index, piece(str(self.sent[index])))
            self.sent[index] += 1
        if self.sent[index] == self.lengths[index]:
            self.gathering.finish(index, DONE)

    def check(self) -> None:
        """Bounded in all: so many buffers, each of so many chunks."""
        ahead = [self.sent[index] - len(seen) for index, seen in self.seen.items()]
        held = [count for count in ahead if count]
        assert max(held, default=0) <= MOST_AHEAD
        assert len(held) <= self.most


@given(
    lengths=st.lists(st.integers(0, 40), max_size=6),
    most=st.none() | st.integers(1, 4),
    slow=st.integers(1, 8),
    seed=st.integers(0, 1_000_000),
)
def test_any_order_of_turns(lengths: list[int], most: int | None, slow: int, seed: int) -> None:
    """However workers and reader take turns, all chunks come, in order, from bounded buffers."""
    dice = Random(seed)
    play = Play(lengths, most)
    while not play.gathering.is_over:
        turn = dice.randrange(len(play.at) * slow + 1)
        if turn < len(play.at) * slow:
            play.work(turn % len(play.at))
        else:
            play.read()
        play.check()
    for index, length in enumerate(lengths):
        assert play.seen[index] == [str(number) for number in range(length)]
    assert play.gathering.all_results() == [DONE] * len(lengths)
