"""The steps that dialects are made of: small changes to chunks and completions.

A step takes the records and the scene, changes the records in place or replaces the list, and
returns the list. A whole completion passes as a list of one record. The numbers Q.. in the table
of `dialects` name the observed behaviour that a step plays.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from .answers import Answer
from .chunks import Record
from .question import Question, Tool
from .tokens import split_pieces

__all__ = [
    "Records",
    "Scene",
    "Step",
    "choices_of",
    "content_parts",
    "empty_calls",
    "finish",
    "join_finish",
    "named_tool",
    "nameless_opening",
    "on_calls",
    "on_deltas",
    "on_records",
    "opening",
    "said_in",
    "thinking",
    "whole_calls",
    "without",
]

Records = list[Record]


@dataclass(frozen=True)
class Scene:
    """What a step may look at: the request and its answer."""

    question: Question
    answer: Answer


Step = Callable[[Records, Scene], Records]


def choices_of(records: Records) -> list[Record]:
    """Return the choices of all records in one list."""
    return [choice for record in records for choice in record["choices"]]


def said_in(choice: Record) -> Record:
    """The delta or the message of a choice."""
    said: Record = choice["delta"] if "delta" in choice else choice["message"]
    return said


def on_records(**fields: Any) -> Step:
    """Set fields on every record."""

    def step(records: Records, _scene: Scene) -> Records:
        for record in records:
            record.update(fields)
        return records

    return step


def without(*names: str) -> Step:
    """Leave fields out, as servers do that dump only what was set."""

    def step(records: Records, _scene: Scene) -> Records:
        for record in [*records, *choices_of(records), *map(said_in, choices_of(records))]:
            for name in names:
                record.pop(name, None)
        return records

    return step


def opening(delta: Record) -> Step:
    """Replace the first delta of every choice."""

    def step(records: Records, _scene: Scene) -> Records:
        for choice in choices_of(records):
            if said_in(choice).get("role") and "tool_calls" not in said_in(choice):
                choice["delta"] = dict(delta)
        return records

    return step


def on_deltas(**fields: Any) -> Step:
    """Repeat fields on every delta that does not have them."""

    def step(records: Records, _scene: Scene) -> Records:
        for choice in choices_of(records):
            choice["delta"] = {**fields, **choice["delta"]}
        return records

    return step


def thinking(*fields: str, **beside: Any) -> Step:
    """Put the reasoning before the text, under the names a provider gives it.

    Args:
        fields: The members of the delta that hold it.
        beside: Further members of every delta with reasoning.
    """

    def step(records: Records, scene: Scene) -> Records:
        if not scene.answer.reasoning:
            return records
        if "message" in records[0]["choices"][0]:
            for choice in records[0]["choices"]:
                choice["message"].update(_thought(fields, scene.answer.reasoning))
            return records
        lead = len(scene.answer.choices)  # the first chunk of every choice opens it
        thoughts = []
        for piece in split_pieces(scene.answer.reasoning):
            delta = {**beside, **_thought(fields, piece)}
            for opened in records[:lead]:
                thoughts.append({**opened, "choices": [{**opened["choices"][0], "delta": delta}]})
        return [*records[:lead], *thoughts, *records[lead:]]

    return step


def _thought(fields: tuple[str, ...], text: str) -> Record:
    detail = {"type": "reasoning.text", "text": text, "format": "unknown", "index": 0}
    return {name: [detail] if name == "reasoning_details" else text for name in fields}


def whole_calls(*, index: bool, arguments: Callable[[str], Any] = str) -> Step:
    """Send every tool call in one delta instead of in pieces."""

    def step(records: Records, scene: Scene) -> Records:
        kept = []
        for record in records:
            calls = [call for choice in record["choices"] for call in _calls(choice)]
            if any("id" not in call for call in calls):
                continue  # a later piece of arguments that the first delta now holds
            for call in calls:
                whole = _find(scene, call["id"])
                call["function"] = {**call["function"], "arguments": arguments(whole)}
                if not index:
                    call.pop("index", None)
                else:
                    call["index"] = 0  # several calls may all claim to be the first
            kept.append(record)
        return kept

    return step


def _calls(choice: Record) -> list[Record]:
    calls: list[Record] = said_in(choice).get("tool_calls") or []
    return calls


def _find(scene: Scene, call_id: str) -> str:
    made = (call for choice in scene.answer.choices for call in choice.calls)
    return next(call.arguments for call in made if call.id == call_id)


def join_finish(records: Records, scene: Scene) -> Records:
    """Send the finish reason with the last text instead of in a chunk of its own."""
    lead = len(scene.answer.choices)
    kept: Records = []
    for record in records:
        ended = [c for c in record["choices"] if c["finish_reason"] is not None]
        partner = next((k for k in reversed(kept[lead:]) if _index(k) == _index(record)), None)
        if ended and partner is not None:
            partner["choices"][0]["finish_reason"] = ended[0]["finish_reason"]
        else:
            kept.append(record)
    return kept


def _index(record: Record) -> Any:
    return record["choices"][0]["index"] if record["choices"] else None


def empty_calls(records: Records, _scene: Scene) -> Records:
    """Put an empty list of calls on every chunk with text."""
    for choice in choices_of(records):
        if said_in(choice).get("content"):
            choice["delta"]["tool_calls"] = []
    return records


def nameless_opening(records: Records, scene: Scene) -> Records:
    """Leave out what kind of object the opening chunks are."""
    for record in records[: len(scene.answer.choices)]:
        del record["object"]
    return records


def on_calls(**fields: Any) -> Step:
    """Set fields on every tool call."""

    def step(records: Records, _scene: Scene) -> Records:
        for choice in choices_of(records):
            for call in _calls(choice):
                call.update(fields)
        return records

    return step


def finish(reason: str, when: Callable[[Scene], bool] = lambda _scene: True) -> Step:
    """Report another finish reason after tool calls."""

    def step(records: Records, scene: Scene) -> Records:
        for choice in choices_of(records):
            if choice["finish_reason"] == "tool_calls" and when(scene):
                choice["finish_reason"] = reason
        return records

    return step


def named_tool(scene: Scene) -> bool:
    """Tell whether the request named the tool to call."""
    return isinstance(scene.question.tool_choice, Tool)


def content_parts(records: Records, scene: Scene) -> Records:
    """Turn content into a list of parts once there is reasoning, which becomes a part itself."""
    if not scene.answer.reasoning:
        return records
    for said in map(said_in, choices_of(records)):
        parts: Records = []
        if "thinking" in said:
            thought = [{"type": "text", "text": said.pop("thinking")}]
            parts.append({"type": "thinking", "thinking": thought})
        if said.get("content"):
            parts.append({"type": "text", "text": said["content"]})
        if parts:
            said["content"] = parts
    return records
