"""The pieces of a streamed answer, read fast.

`read_chunk` sets at once the slots that every reader of a stream touches; each other slot is
filled on its first use, which costs ten times as much. Everything lazy would be slower than
everything eager.
"""

from __future__ import annotations

from typing import Any

from .base import Record, record
from .chat import index_of
from .codec import plain
from .fields import beside, converted, many, one, value
from .text import content_of, has_reasoning_as, reasoning_key, reasoning_of
from .tools import FunctionCall, ToolCall, arguments_of
from .usage import Usage, find_usage

__all__ = ["ChatCompletionChunk", "ChoiceDelta", "ChunkChoice", "read_chunk"]


@record
class ChoiceDelta(Record):
    """What a chunk adds to a message. The fields are those of `ChatMessage`, in pieces."""

    _telling = ("role", "content", "reasoning", "tool_calls")

    role: str | None = value()
    content: str | None = converted(content_of)
    refusal: str | None = value()
    tool_calls: list[ToolCall] | None = many(ToolCall)
    function_call: FunctionCall | None = one(FunctionCall)
    reasoning: str | None = converted(reasoning_of, reasoning_key)
    reasoning_details: list[dict[str, Any]] | None = value()
    images: list[dict[str, Any]] | None = value()
    audio: dict[str, Any] | None = value()
    annotations: list[dict[str, Any]] | None = value()

    def _sent(self, name: str) -> Any:
        # The same text by another name: what is assigned to the one is seen by the other.
        return self.reasoning if has_reasoning_as(name, self._raw) else super()._sent(name)


@record
class ChunkChoice(Record):
    """What a chunk adds to one of the answers. The fields are those of `ChatChoice`.

    Attributes:
        delta: What is added; an empty one where the server sent none.
        finish_reason: The server's word, in the last chunk of the choice; else None, on some
            servers the empty string.
    """

    _telling = ("index", "delta", "finish_reason")

    index: int = converted(index_of)
    delta: ChoiceDelta = one(ChoiceDelta, always=True)
    finish_reason: str | None = value()
    native_finish_reason: str | None = value()
    logprobs: dict[str, Any] | None = value()
    stop_reason: str | int | None = value()


@record
class ChatCompletionChunk(Record):
    """One piece of a streamed answer. The fields are those of `ChatCompletion`.

    Attributes:
        choices: What is added, by choice; empty in chunks that carry usage only.
        obfuscation: Random letters that hide the length of the text from who listens in (OpenAI).
        metrics: The live figures of the stream (`StreamMetrics`), for callbacks that hear of
            chunks; None where there are no such callbacks.
            They are not part of the JSON, and pickle and copy leave them behind.
    """

    _telling = ("id", "model", "choices", "usage")

    id: str | None = value()
    object: str | None = value()
    created: int | None = value()
    model: str | None = value()
    choices: list[ChunkChoice] = many(ChunkChoice, always=True)
    usage: Usage | None = one(Usage, find=find_usage)
    system_fingerprint: str | None = value()
    service_tier: str | None = value()
    provider: str | None = value()
    obfuscation: str | None = value()
    # Any: what measures a stream lies on a higher floor.
    metrics: Any = beside(live=True)

    @property
    def text(self) -> str:
        """The text that is added to choice 0; empty where there is none."""
        for choice in self.choices:
            if choice.index == 0:
                content = choice.delta.content
                return content if isinstance(content, str) else ""
        return ""

    @property
    def tool_calls(self) -> list[ToolCall]:
        """The pieces of tool calls that are added to choice 0; empty where there are none."""
        for choice in self.choices:
            if choice.index == 0:
                return choice.delta.tool_calls or []
        return []

    @property
    def finish_reason(self) -> str | None:
        """Why choice 0 stopped, in the server's word; None before its last chunk."""
        for choice in self.choices:
            if choice.index == 0:
                return choice.finish_reason
        return None


def read_chunk(raw: dict[str, Any]) -> ChatCompletionChunk:
    """Return the chunk over a parsed JSON object of whatever shape.

    The chunk keeps the object itself; several chunks may share one, as none changes it.
    """
    chunk = _new(ChatCompletionChunk)
    chunk._raw = raw
    found = raw.get("choices")
    if type(found) is not list:
        chunk.choices = []
    elif len(found) == 1 and type(found[0]) is dict:
        chunk.choices = [_read_choice(found[0])]
    else:
        chunk.choices = [_read_choice(item) for item in found if type(item) is dict]
    return chunk


_new = object.__new__


def _read_choice(raw: dict[str, Any]) -> ChunkChoice:
    choice = _new(ChunkChoice)
    choice._raw = raw
    index = raw.get("index")
    choice.index = index if type(index) is int else index_of(raw)
    reason = raw.get("finish_reason")
    choice.finish_reason = reason if reason is None else plain(reason)
    fields = raw.get("delta")
    choice.delta = delta = _new(ChoiceDelta)
    if type(fields) is not dict:
        fields = {}
    delta._raw = fields
    content = fields.get("content")
    if type(content) is str:
        delta.content = content
        if len(fields) == 1:
            delta.reasoning = delta.refusal = delta.tool_calls = None
            return choice
    else:
        delta.content = content_of(fields)
    if "tool_calls" in fields:
        delta.tool_calls = _read_calls(fields["tool_calls"])
    elif "reasoning" in fields or "reasoning_content" in fields:
        delta.reasoning = reasoning_of(fields)
    return choice


def _read_calls(found: object) -> list[ToolCall] | None:
    if type(found) is not list:
        return None
    return [_read_call(item) for item in found if type(item) is dict]


def _read_call(raw: dict[str, Any]) -> ToolCall:
    call = _new(ToolCall)
    call._raw = raw
    call.function = function = _new(FunctionCall)
    fields = raw.get("function")
    if type(fields) is not dict:
        fields = {}
    function._raw = fields
    function.arguments = arguments_of(fields)
    return call
