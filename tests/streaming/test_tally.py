"""A tally: what is known of a stream that is not kept."""

from __future__ import annotations

import copy
import pickle
import tracemalloc
from typing import Any

import pytest

from evoclient.models.chat import ChatCompletion
from evoclient.models.chunks import read_chunk
from evoclient.models.completions import Completion, read_completion_chunk
from evoclient.models.finish import Finish
from evoclient.streaming.assemble import Assembly
from evoclient.streaming.tally import TalliedCompletion, Tally
from evoclient.streaming.texts import TEXT

from ..samples import Sample
from .test_assemble_samples import STREAMS, documents

Raw = dict[str, Any]


def tallied(*chunks: Raw) -> Tally:
    """Return the tally of some raw chunks."""
    tally = Tally()
    for raw in chunks:
        tally.feed(read_chunk(raw))
    return tally


def piece(delta: Raw | None = None, index: object = 0, **more: Any) -> Raw:
    """Return a raw chunk of one choice."""
    return {"choices": [{"index": index, "delta": delta or {}, **more}]}


CALL = {"tool_calls": [{"index": 0, "id": "a", "function": {"name": "f", "arguments": "{}"}}]}


def test_nothing_gives_an_empty_completion() -> None:
    """A tally that was fed nothing gives a completion without choices."""
    assert Tally().completion().to_dict() == {"object": "chat.completion", "choices": []}


@pytest.mark.parametrize("sample", STREAMS, ids=lambda sample: sample.name)
def test_a_tally_knows_what_an_assembly_knows(sample: Sample) -> None:
    """Of every sample a tally has all that an assembly has, but for what was said and called."""
    assert sample.stream is not None
    tally, assembly = Tally(), Assembly()
    for raw in documents(sample.stream):
        tally.feed(read_chunk(raw))
        assembly.feed(read_chunk(raw))
    found, wanted = tally.completion(), assembly.completion()
    assert tally.seen == assembly.seen
    assert tally.finish_reasons == assembly.finish_reasons
    assert tally.usage == assembly.usage
    assert (found.finish, found.finish_reason) == (wanted.finish, wanted.finish_reason)
    assert (found.text, found.reasoning, found.tool_calls) == ("", None, [])
    outer, inner = found.to_dict(), wanted.to_dict()
    assert [choice["index"] for choice in outer.pop("choices")] == [
        choice["index"] for choice in inner.pop("choices")
    ]
    assert outer == inner


def test_the_completion_so_far() -> None:
    """A completion can be had at any time, is kept until the next chunk, and then is another."""
    tally = tallied(piece({"content": "a"}))
    first = tally.completion()
    assert tally.completion() is first
    tally.feed(read_chunk(piece({}, finish_reason="length")))
    assert (first.finish, tally.completion().finish) == (None, Finish.length)


@pytest.mark.parametrize("delta", [CALL, {"function_call": {"name": "f", "arguments": ""}}])
def test_a_stop_after_tool_calls(delta: Raw) -> None:
    """A completion without its tool calls knows that there were some, and what its end means."""
    completion = tallied(piece(delta), piece({}, finish_reason="stop")).completion()
    assert completion.finish_reason == "stop"
    assert completion.finish is Finish.tool_calls
    assert completion.tool_calls == []
    for same in (copy.copy(completion), pickle.loads(pickle.dumps(completion))):  # noqa: S301  # own
        assert same == completion
        assert same.finish is Finish.tool_calls


def test_tool_calls_of_another_choice() -> None:
    """Which choices have called tools is told apart."""
    tally = tallied(
        piece(CALL, 1),
        piece({"tool_calls": [], "function_call": None}, 0),
        piece({}, 0, finish_reason="stop"),
        piece({}, 1, finish_reason="stop"),
    )
    assert tally.calling == {1}
    completion = tally.completion()
    assert isinstance(completion, TalliedCompletion)
    assert completion.has_tool_calls is False
    assert completion.finish is Finish.stop


def test_a_cut_after_tool_calls() -> None:
    """A limit of tokens stays one where tools were called."""
    completion = tallied(piece(CALL, finish_reason="length")).completion()
    assert (completion.finish, isinstance(completion, TalliedCompletion)) == (Finish.length, True)


def test_what_ended_a_choice() -> None:
    """The single fields of a choice stay, the last of each; lists do not."""
    completion = tallied(
        piece({"content": "a"}, logprobs={"content": [1]}, token_ids=[1], stop_reason=None),
        piece({}, logprobs={"content": [1]}, native_finish_reason="eos"),
        piece({}, finish_reason="stop", stop_reason="END"),
    ).completion()
    assert completion.to_dict()["choices"] == [
        {
            "index": 0,
            "message": {"role": "assistant", "content": None},
            "finish_reason": "stop",
            "native_finish_reason": "eos",
            "stop_reason": "END",
        }
    ]


def test_what_a_stage_has_assigned() -> None:
    """A finish reason that a stage before it has assigned counts, and calls it took away do not."""
    chunk = read_chunk(piece(CALL, finish_reason="length"))
    chunk.choices[0].finish_reason = "stop"
    chunk.choices[0].delta.tool_calls = None
    tally = Tally()
    tally.feed(chunk)
    assert tally.finish_reasons == {0: "stop"}
    assert tally.completion().finish is Finish.stop


def test_indices_of_wrong_types() -> None:
    """An index that is no number counts as an assembly counts it."""
    tally = tallied(piece(CALL, "1"), piece({}, "1", finish_reason="stop"), piece({}, []))
    assert (tally.seen, tally.calling, tally.finish_reasons) == ({0, 1}, {1}, {1: "stop"})


def test_the_older_endpoint() -> None:
    """A tally of the completions endpoint comes to a completion of that endpoint."""
    tally = Tally(TEXT.completion)
    for delta in ({}, CALL):
        raw = {"choices": [{"index": 0, "text": "a", "delta": delta, "finish_reason": "stop"}]}
        tally.feed(read_completion_chunk(raw))
        completion: ChatCompletion = tally.completion()
        assert isinstance(completion, Completion)
        assert (completion.text, completion.finish) == ("", Finish.stop)


def test_memory_stays_flat() -> None:
    """However many chunks come, a tally holds what it held after the first ones."""
    # Every kind of field that an assembly would let grow.
    delta = {"content": "word" * 9, "reasoning": "r", "refusal": "n", **CALL, "images": [{}]}
    call = CALL["tool_calls"][0]
    usage = {"total_tokens": 1}

    def feed(tally: Tally, start: int, stop: int) -> None:
        for number in range(start, stop):
            calls = [{**call, "index": number, "id": f"c{number}"}]
            raw = piece({**delta, "tool_calls": calls}, logprobs={"content": [1]}, token_ids=[1])
            tally.feed(read_chunk({"id": f"i{number}", "usage": {**usage}, "new": [1], **raw}))

    tally = Tally()
    tracemalloc.start()
    try:
        feed(tally, 0, 1000)
        before, _ = tracemalloc.get_traced_memory()
        feed(tally, 1000, 10_000)
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert after - before < 1000
