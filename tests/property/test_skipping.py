"""What a reader has in the end is the new answer, however it departs and however it is cut."""

from __future__ import annotations

import time
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from evoclient.models.chunks import ChatCompletionChunk, read_chunk
from evoclient.streaming.assemble import Assembly
from evoclient.streaming.skipping import Departure, Handed, Skipper, handed_of

TEXTS = st.text("ab", max_size=8)
ANSWERS = st.builds(
    Handed,
    content=TEXTS,
    reasoning=TEXTS,
    tool_calls=st.lists(st.tuples(st.sampled_from("fg"), TEXTS), max_size=3),
)


class Reader:
    """A reader of events, who takes text back when told to."""

    def __init__(self, handed: Handed) -> None:
        self.content = handed.content
        self.reasoning = handed.reasoning
        self.calls = {place: list(call) for place, call in enumerate(handed.tool_calls)}

    def depart(self, departure: Departure) -> None:
        """Keep what a departure says, which cannot be more than there is."""
        assert departure.keep <= len(self.content)
        assert departure.reasoning <= len(self.reasoning)
        assert departure.tool_calls <= len(self.calls)
        self.content = self.content[: departure.keep]
        self.reasoning = self.reasoning[: departure.reasoning]
        self.calls = {place: self.calls[place] for place in range(departure.tool_calls)}

    def read(self, delta: Any) -> None:
        """Add a delta; one with a name begins a call."""
        self.content += delta.content or ""
        self.reasoning += delta.reasoning or ""
        for call in delta.tool_calls or ():
            name = call.function.name
            assert (name is None) == (call.index in self.calls)
            held = self.calls.setdefault(call.index, [name, ""])
            held[1] += call.function.arguments

    @property
    def has(self) -> Handed:
        """All that was read."""
        calls = [(name, arguments) for _, (name, arguments) in sorted(self.calls.items())]
        return Handed(content=self.content, reasoning=self.reasoning, tool_calls=calls)


@st.composite
def alike(draw: st.DrawFn, handed: Handed) -> Handed:
    """Draw an answer that may go on with, or resemble, what was handed out."""
    other = draw(ANSWERS)
    calls = list(handed.tool_calls)
    grows: bool = draw(st.booleans())
    if calls and grows:
        calls[-1] = (calls[-1][0], calls[-1][1] + draw(TEXTS))
    goes_on: bool = draw(st.booleans())
    return Handed(
        content=draw(st.sampled_from([handed.content, ""])) + other.content,
        reasoning=draw(st.sampled_from([handed.reasoning, ""])) + other.reasoning,
        tool_calls=[*(calls if goes_on else ()), *other.tool_calls],
    )


def text_deltas(draw: st.DrawFn, name: str, text: str) -> list[dict[str, Any]]:
    """Draw a way to cut a text to deltas."""
    cut = draw(st.integers(0, len(text)))
    return [{name: part} for part in (text[:cut], *text[cut:])]


@st.composite
def replies(draw: st.DrawFn, answers: dict[int, Handed]) -> list[ChatCompletionChunk]:
    """Draw a way to stream answers: channels and choices mixed, each in its own order."""
    rows = []
    for index, answer in answers.items():
        for name in ("reasoning", "content"):
            rows.append([(index, d) for d in text_deltas(draw, name, getattr(answer, name))])
        row: list[tuple[int, dict[str, Any]]] = []
        for place, (name, arguments) in enumerate(answer.tool_calls):
            head = {"index": place, "id": f"id{place}", "function": {"name": name}}
            row.append((index, {"tool_calls": [head]}))
            for delta in text_deltas(draw, "arguments", arguments):
                row.append((index, {"tool_calls": [{"index": place, "function": delta}]}))
        rows.append(row)
    order = draw(st.permutations([place for place, row in enumerate(rows) for _ in row]))
    queues = [iter(row) for row in rows]
    chunks: list[list[dict[str, Any]]] = []
    for place in order:
        index, delta = next(queues[place])
        if not chunks or draw(st.booleans()):
            chunks.append([])
        found = next((choice for choice in chunks[-1] if choice["index"] == index), None)
        if found is None:
            chunks[-1].append({"index": index, "delta": dict(delta)})
        elif found["delta"].keys() & delta.keys():
            chunks.append([{"index": index, "delta": dict(delta)}])
        else:
            found["delta"].update(delta)
    chunks += [[{"index": i, "delta": {}, "finish_reason": "stop"}] for i in answers]
    if draw(st.booleans()):  # an end without finish reasons
        del chunks[-len(answers) :]
    return [read_chunk({"choices": choices}) for choices in chunks]


def read(
    skipper: Skipper, readers: dict[int, Reader], chunks: list[ChatCompletionChunk]
) -> Assembly:
    """Let readers read what is handed out of a reply; return what came of it."""
    assembly = Assembly()
    for chunk in chunks:
        assembly.feed(chunk)
        is_left = skipper.feed(chunk)
        departures = skipper.take_departures()
        assert is_left or not departures
        for departure in departures:
            readers[departure.choice].depart(departure)
        for choice in chunk.choices if is_left else ():
            readers[choice.index].read(choice.delta)
    return assembly


def finished(skipper: Skipper, readers: dict[int, Reader]) -> None:
    """Let readers read what is let out at the end."""
    chunk = skipper.finish()
    for departure in skipper.take_departures():
        readers[departure.choice].depart(departure)
    for choice in chunk.choices if chunk else ():
        readers[choice.index].read(choice.delta)


def begins_with(answer: Handed, handed: Handed) -> bool:
    """Return whether an answer repeats all that was handed out."""
    calls = zip(answer.tool_calls, handed.tool_calls, strict=False)
    return (
        answer.content.startswith(handed.content)
        and answer.reasoning.startswith(handed.reasoning)
        and len(answer.tool_calls) >= len(handed.tool_calls)
        and all(new[0] == old[0] and new[1].startswith(old[1]) for new, old in calls)
    )


@given(st.data(), st.lists(ANSWERS, min_size=1, max_size=2))
def test_the_reader_has_the_new_answer(data: st.DataObject, given_out: list[Handed]) -> None:
    """A reader of events ends with the new answer, and is told of a departure only if it departs.

    If the second reply breaks and a third one comes, that is what the reader has.
    """
    handed = dict(enumerate(given_out))
    readers = {index: Reader(each) for index, each in handed.items()}
    answers = {index: data.draw(alike(each)) for index, each in handed.items()}
    chunks = data.draw(replies(answers))
    skipper = Skipper(handed)
    if data.draw(st.booleans()):
        cut = data.draw(st.integers(0, len(chunks)))
        came = read(skipper, readers, chunks[:cut]).completion()
        handed = skipper.seen(came)
        assert {index: readers[index].has for index in handed} == handed
        answers = {index: data.draw(alike(each)) for index, each in handed.items()}
        chunks = data.draw(replies(answers))
        skipper = Skipper(handed)
    assembly = read(skipper, readers, chunks)
    finished(skipper, readers)
    assert {index: reader.has for index, reader in readers.items()} == answers
    came_of = handed_of(assembly.completion())
    assert all(came_of.get(index, Handed()) == answer for index, answer in answers.items())
    departed = {index for index in answers if not begins_with(answers[index], handed[index])}
    assert skipper.departures.keys() == departed
    assert skipper.departed == bool(departed)


@given(st.data(), ANSWERS)
def test_nothing_is_shown_twice(data: st.DataObject, handed: Handed) -> None:
    """Of an answer that goes on, a reader is handed out exactly what follows."""
    rest = data.draw(TEXTS)
    answer = Handed(content=handed.content + rest)
    skipper = Skipper({0: Handed(content=handed.content)})
    shown = [chunk.text for chunk in data.draw(replies({0: answer})) if skipper.feed(chunk)]
    assert "".join(shown) == rest


def test_linear_on_long_texts() -> None:
    """Four times the text takes less than eight times as long, character by character."""

    def seconds(size: int) -> float:
        handed = Handed(content="ab" * size, reasoning="a" * size)
        deltas = [{"reasoning": "a"}] * size + [{"content": c} for c in "ab" * size]
        chunks = [read_chunk({"choices": [{"delta": delta}]}) for delta in deltas]
        start = time.process_time()
        skipper = Skipper({0: handed})
        assert not any(skipper.feed(chunk) for chunk in chunks)
        return time.process_time() - start

    seconds(500)
    small, large = (min(seconds(size) for _ in range(3)) for size in (1_000, 4_000))
    assert large < 8 * small
