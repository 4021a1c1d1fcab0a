"""The events of a stream do not depend on how the server cut it."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from evoclient.models.chunks import read_chunk
from evoclient.models.codec import dumps
from evoclient.streaming.assemble import Assembly
from evoclient.streaming.events import (
    StreamEvent,
    ToolCallDeltaEvent,
    ToolCallDoneEvent,
    ToolCallStartEvent,
)
from evoclient.streaming.telling import EventReader

Raw = dict[str, Any]

TEXTS = st.text(st.characters(codec="utf-8"), max_size=6)
OBJECTS = st.dictionaries(TEXTS, TEXTS | st.integers() | st.lists(st.booleans(), max_size=2))
DOCUMENTS = OBJECTS.map(lambda value: dumps(value).decode())
REASONS = st.sampled_from(["stop", "tool_calls", "length", None])


@st.composite
def pieces_of(draw: st.DrawFn, text: str) -> list[str]:
    """Return a text in pieces, some of them empty."""
    if draw(st.booleans()):
        return list(text)
    cuts = sorted(draw(st.lists(st.integers(0, len(text)), max_size=4)))
    return [text[a:b] for a, b in zip([0, *cuts], [*cuts, len(text)], strict=True)]


@st.composite
def interleaved_calls(draw: st.DrawFn) -> tuple[list[str], list[Raw]]:
    """Return the arguments of some calls, and their deltas as a server may send them."""
    documents = draw(st.lists(DOCUMENTS | st.just(""), min_size=1, max_size=3))
    repeats = draw(st.booleans())
    queues = []
    for index, document in enumerate(documents):
        names = {"id": f"c{index}", "type": "function"}
        queue: list[Raw] = [{"index": index, **names, "function": {"name": "f", "arguments": ""}}]
        for piece in draw(pieces_of(document)):
            function = {"name": "f", "arguments": piece} if repeats else {"arguments": piece}
            queue.append({"index": index, **(names if repeats else {}), "function": function})
        queues.append(queue)
    deltas = []
    while any(queues):
        open_queues = [queue for queue in queues if queue]
        deltas.append(draw(st.sampled_from(open_queues)).pop(0))
    return documents, deltas


@st.composite
def grouped(draw: st.DrawFn, deltas: list[Raw], reason: str | None) -> list[Raw]:
    """Return chunks with the deltas, some of them together, and a finish reason in the last."""
    cuts = sorted(draw(st.lists(st.integers(0, len(deltas)), max_size=len(deltas))))
    groups = [deltas[a:b] for a, b in zip([0, *cuts], [*cuts, len(deltas)], strict=True)]
    chunks: list[Raw] = [
        {"choices": [{"index": 0, "delta": {"tool_calls": group}}]} for group in groups
    ]
    if draw(st.booleans()):
        chunks.append({"choices": [{"index": 0, "delta": {}}]})
    chunks[-1]["choices"][0]["finish_reason"] = reason
    return chunks


def told(chunks: list[Raw]) -> list[StreamEvent]:
    """Return the events of some chunks."""
    reader = EventReader()
    return [event for raw in chunks for event in reader.feed(read_chunk(raw))]


@given(interleaved_calls(), REASONS, st.data())
def test_any_grouping(
    calls: tuple[list[str], list[Raw]], reason: str | None, data: st.DataObject
) -> None:
    """Whether pieces come in one chunk or in many, the events are the same."""
    _, deltas = calls
    one_by_one = told(data.draw(grouped(deltas, reason)))
    assert told(data.draw(grouped(deltas, reason))) == one_by_one


@given(interleaved_calls(), REASONS, st.data())
def test_each_call(
    calls: tuple[list[str], list[Raw]], reason: str | None, data: st.DataObject
) -> None:
    """Each call starts, gets its arguments, and is done once, in this order, if it was not cut."""
    documents, deltas = calls
    chunks = data.draw(grouped(deltas, reason))
    assembly = Assembly()
    for raw in chunks:
        assembly.feed(read_chunk(raw))
    by_id = {call.id: call for call in assembly.completion().tool_calls}
    progress: dict[int, list[StreamEvent]] = {}
    for event in told(chunks):
        if isinstance(event, (ToolCallStartEvent, ToolCallDeltaEvent, ToolCallDoneEvent)):
            progress.setdefault(event.number, []).append(event)
    assert sorted(progress) == list(range(len(documents)))
    for first, *events in progress.values():
        assert isinstance(first, ToolCallStartEvent)
        call = by_id[first.id]
        is_done = bool(call.function.arguments) or reason in ("stop", "tool_calls")
        if is_done:
            last = events.pop()
            assert isinstance(last, ToolCallDoneEvent)
            assert last.call == call
        pieces = [event.arguments for event in events if isinstance(event, ToolCallDeltaEvent)]
        assert len(pieces) == len(events)
        assert "".join(pieces) == call.function.arguments


@given(DOCUMENTS)
def test_done_with_the_last_character(document: str) -> None:
    """A call is done with the piece that closes its arguments, before the server says a word."""
    reader = EventReader()
    found = []
    for number, piece in enumerate(["", *document, " ", "\n"]):
        function = {"arguments": piece} if number else {"name": "f", "arguments": piece}
        raw = {"choices": [{"delta": {"tool_calls": [{"index": 0, "function": function}]}}]}
        events = reader.feed(read_chunk(raw))
        found += [number for event in events if isinstance(event, ToolCallDoneEvent)]
    assert found == [len(document)]
