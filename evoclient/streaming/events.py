"""Typed events: what a stream says, one thing at a time, for readers who tell kinds apart.

These are the records; `telling` makes them of chunks.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

import attrs

from ..errors.tree import APIError
from ..models.finish import Finish
from ..models.tools import ToolCall
from ..models.usage import Usage

__all__ = [
    "ContentEvent",
    "ErrorEvent",
    "FinishEvent",
    "KeepAliveEvent",
    "ReasoningEvent",
    "RefusalEvent",
    "RestartEvent",
    "RetryEvent",
    "StreamEvent",
    "ToolCallDeltaEvent",
    "ToolCallDoneEvent",
    "ToolCallStartEvent",
    "UsageEvent",
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
class ToolCallStartEvent:
    """The model begins to call a tool, whose name is known; its arguments follow.

    Attributes:
        number: The place of the call among those of its choice, from 0 in the order in which
            they came up. All events of a call have the same one, whatever index the server uses.
        id: The call's id; None where the server has sent none yet.
        name: The tool's name; None where the choice has ended and the server never said it.
        choice: The index of the choice it belongs to.
    """

    number: int
    id: str | None
    name: str | None
    choice: int = 0
    type: Literal["tool_call.start"] = attrs.field(default="tool_call.start", init=False)


@attrs.frozen(kw_only=True)
class ToolCallDeltaEvent:
    """A piece of a tool call's arguments, as the server cut it.

    Attributes:
        number: The place of the call among those of its choice, as in its start.
        index: The place of the call as sent, or None where the server sends none.
        id: The call's id, where this piece has it.
        name: The tool's name, where this piece has it.
        arguments: A piece of the JSON text of the arguments, or of the free text that a custom
            tool takes; never empty.
        choice: The index of the choice it belongs to.
    """

    number: int
    index: int | None
    id: str | None
    name: str | None
    arguments: str
    choice: int = 0
    type: Literal["tool_call.delta"] = attrs.field(default="tool_call.delta", init=False)


@attrs.frozen(kw_only=True)
class ToolCallDoneEvent:
    """A tool call is whole and may be run.

    It comes as soon as the arguments close, and for arguments that are empty, or no object or
    array of JSON, with the finish of the choice. A call that was cut has none.

    Attributes:
        number: The place of the call among those of its choice, as in its start.
        call: The call. What a server sends later, such as a signature, is in the completion only.
        choice: The index of the choice it belongs to.
    """

    number: int
    call: ToolCall
    choice: int = 0
    type: Literal["tool_call.done"] = attrs.field(default="tool_call.done", init=False)


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


@attrs.frozen(kw_only=True)
class RetryEvent:
    """An attempt failed, and another one follows.

    Attributes:
        attempt: The number of the attempt that failed; the first is 1.
        wait: The seconds until the next one begins.
        error: Why it failed.
    """

    attempt: int
    wait: float
    error: APIError
    type: Literal["retry"] = attrs.field(default="retry", init=False)


@attrs.frozen(kw_only=True)
class RestartEvent:
    """An answer begins anew: part of what came of a choice is void.

    What follows comes after the part that is to be kept.

    Attributes:
        choice: The index of the choice.
        keep: How many characters of its content stay.
        reasoning: How many characters of its reasoning stay.
        refusal: How many characters of its refusal stay.
        tool_calls: How many of its tool calls stay, the first ones.
    """

    choice: int = 0
    keep: int = 0
    reasoning: int = 0
    refusal: int = 0
    tool_calls: int = 0
    type: Literal["restart"] = attrs.field(default="restart", init=False)


@attrs.frozen(kw_only=True)
class ErrorEvent:
    """The stream ends with an error; the last event, after which the error is raised.

    Attributes:
        error: The error, with the completion so far as `partial`.
    """

    error: APIError
    type: Literal["error"] = attrs.field(default="error", init=False)


StreamEvent: TypeAlias = (
    ContentEvent
    | ReasoningEvent
    | RefusalEvent
    | ToolCallStartEvent
    | ToolCallDeltaEvent
    | ToolCallDoneEvent
    | FinishEvent
    | UsageEvent
    | KeepAliveEvent
    | RetryEvent
    | RestartEvent
    | ErrorEvent
)
