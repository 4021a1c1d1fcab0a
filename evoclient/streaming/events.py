"""Typed events: what a chunk says, one thing at a time, for readers who tell kinds apart."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, TypeAlias

import attrs

from ..models.finish import Finish, finish_of
from ..models.usage import Usage
from .pipeline import Item
from .sse import KeepAlive

__all__ = [
    "ContentEvent",
    "FinishEvent",
    "KeepAliveEvent",
    "ReasoningEvent",
    "RefusalEvent",
    "StreamEvent",
    "ToolCallDeltaEvent",
    "UsageEvent",
    "events_of",
]


@attrs.frozen(kw_only=True)
class ContentEvent:
    """A piece of the answer's text.

    Attributes:
        text: The piece, never empty.
        choice: The index of the choice it belongs to.
    """

    text: str
    choice: int = 0
    type: Literal["content"] = attrs.field(default="content", init=False)


@attrs.frozen(kw_only=True)
class ReasoningEvent:
    """A piece of what the model thinks before it answers.

    Attributes:
        text: The piece, never empty.
        choice: The index of the choice it belongs to.
    """

    text: str
    choice: int = 0
    type: Literal["reasoning"] = attrs.field(default="reasoning", init=False)


@attrs.frozen(kw_only=True)
class RefusalEvent:
    """A piece of the text with which the model refuses.

    Attributes:
        text: The piece, never empty.
        choice: The index of the choice it belongs to.
    """

    text: str
    choice: int = 0
    type: Literal["refusal"] = attrs.field(default="refusal", init=False)


@attrs.frozen(kw_only=True)
class ToolCallDeltaEvent:
    """A piece of a tool call, as the server cut it.

    Attributes:
        index: The place of the call as sent, or None where the server sends none.
        id: The call's id, where this piece has it.
        name: The function's name, where this piece has it.
        arguments: A piece of the JSON text of the arguments, perhaps empty.
        choice: The index of the choice it belongs to.
    """

    index: int | None
    id: str | None
    name: str | None
    arguments: str
    choice: int = 0
    type: Literal["tool_call.delta"] = attrs.field(default="tool_call.delta", init=False)


@attrs.frozen(kw_only=True)
class FinishEvent:
    """A choice has ended.

    Attributes:
        finish_reason: The server's own word.
        finish: Our judgement of the word.
        choice: The index of the choice.
    """

    finish_reason: str
    finish: Finish
    choice: int = 0
    type: Literal["finish"] = attrs.field(default="finish", init=False)


@attrs.frozen(kw_only=True)
class UsageEvent:
    """The server counted tokens; a later count replaces an earlier one.

    Attributes:
        usage: The count so far.
    """

    usage: Usage
    type: Literal["usage"] = attrs.field(default="usage", init=False)


@attrs.frozen(kw_only=True)
class KeepAliveEvent:
    """The server is alive, and has nothing to say yet.

    Attributes:
        comment: What it sent, such as ``OPENROUTER PROCESSING``.
    """

    comment: str
    type: Literal["keep_alive"] = attrs.field(default="keep_alive", init=False)


StreamEvent: TypeAlias = (
    ContentEvent
    | ReasoningEvent
    | RefusalEvent
    | ToolCallDeltaEvent
    | FinishEvent
    | UsageEvent
    | KeepAliveEvent
)


def events_of(item: Item, calling: set[int]) -> Iterator[StreamEvent]:
    """Return what a chunk or a sign of life says.

    Args:
        item: What a pipeline gave out.
        calling: The choices of the stream that have called a tool so far, which decides what
            their finish reason means; added to.
    """
    if isinstance(item, KeepAlive):
        yield KeepAliveEvent(comment=item.comment)
        return
    for choice in item.choices:
        index = choice.index
        delta = choice.delta
        if delta.reasoning:
            yield ReasoningEvent(text=delta.reasoning, choice=index)
        if delta.content:
            yield ContentEvent(text=delta.content, choice=index)
        if delta.refusal:
            yield RefusalEvent(text=delta.refusal, choice=index)
        if delta.tool_calls:
            calling.add(index)
        for call in delta.tool_calls or ():
            yield ToolCallDeltaEvent(
                index=call.index,
                id=call.id,
                name=call.function.name,
                arguments=call.function.arguments or "",
                choice=index,
            )
        if finish := finish_of(choice.finish_reason, has_tool_calls=index in calling):
            yield FinishEvent(finish_reason=str(choice.finish_reason), finish=finish, choice=index)
    if item.usage is not None:
        yield UsageEvent(usage=item.usage)
