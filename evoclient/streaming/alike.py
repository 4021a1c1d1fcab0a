"""Chunks that are like one that was parsed, but for one text: made without parsing.

They share the JSON objects of that one, which nobody changes. Where an object must say the text
itself, as a record has no field for it, they have a copy of their own.

Each maker fills choice and chunk in its own loop: a function for what they share would be called
for every chunk, which is what this file is there to save.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Final, TypeAlias

from ..models.chat import index_of
from ..models.chunks import ChatCompletionChunk, ChoiceDelta, ChunkChoice
from ..models.text import content_of
from ..models.tools import FunctionCall, ToolCall

__all__ = ["Maker", "with_arguments", "with_content", "with_reasoning"]

Raw: TypeAlias = dict[str, Any]

#: Gets texts, and for each the JSON object of its chunk, and returns the chunks.
Maker: TypeAlias = Callable[[Iterable[str], Iterable[Raw]], list[ChatCompletionChunk]]

_new = object.__new__

#: What most readers ask a delta for beside its content.
_ASKED: Final = ("reasoning", "reasoning_content", "refusal", "tool_calls")


def with_content(choice: Raw) -> Maker:
    """Return what makes chunks whose content differs.

    Args:
        choice: The JSON object of their one choice, whose delta has a text as its content.
    """
    index, reason, fields = index_of(choice), choice.get("finish_reason"), choice["delta"]
    is_bare = all(fields.get(key) is None for key in _ASKED)

    def make(texts: Iterable[str], raws: Iterable[Raw]) -> list[ChatCompletionChunk]:
        chunks = []
        # One frame for all: a call for each would cost a tenth of the whole.
        for text, raw in zip(texts, raws, strict=False):
            delta = _new(ChoiceDelta)
            delta._raw = fields
            delta.content = text
            if is_bare:
                delta.reasoning = delta.refusal = delta.tool_calls = None
            made = _new(ChunkChoice)
            made._raw = choice
            made.index = index
            made.finish_reason = reason
            made.delta = delta
            chunk = _new(ChatCompletionChunk)
            chunk._raw = raw
            chunk.choices = [made]
            chunks.append(chunk)
        return chunks

    return make


def with_reasoning(choice: Raw, key: str) -> Maker:
    """Return what makes chunks whose reasoning differs.

    Args:
        choice: The JSON object of their one choice, whose delta has a text as its reasoning.
        key: The field of the reasoning.
    """
    index, reason, fields = index_of(choice), choice.get("finish_reason"), choice["delta"]
    content = content_of(fields)
    is_bare = fields.get("refusal") is None and fields.get("tool_calls") is None

    def make(texts: Iterable[str], raws: Iterable[Raw]) -> list[ChatCompletionChunk]:
        chunks = []
        for text, raw in zip(texts, raws, strict=False):
            delta = _new(ChoiceDelta)
            # Its own: `reasoning_content` is read from the object.
            delta._raw = {**fields, key: text}
            delta.content = content
            delta.reasoning = text
            if is_bare:
                delta.refusal = delta.tool_calls = None
            made = _new(ChunkChoice)
            made._raw = choice
            made.index = index
            made.finish_reason = reason
            made.delta = delta
            chunk = _new(ChatCompletionChunk)
            chunk._raw = raw
            chunk.choices = [made]
            chunks.append(chunk)
        return chunks

    return make


def with_arguments(choice: Raw) -> Maker:
    """Return what makes chunks whose tool call has other arguments.

    Args:
        choice: The JSON object of their one choice, whose delta has one tool call.
    """
    index, reason, fields = index_of(choice), choice.get("finish_reason"), choice["delta"]
    content = content_of(fields)
    is_bare = all(fields.get(key) is None for key in _ASKED if key != "tool_calls")
    sent = fields["tool_calls"][0]
    members = sent["function"]

    def make(texts: Iterable[str], raws: Iterable[Raw]) -> list[ChatCompletionChunk]:
        chunks = []
        for text, raw in zip(texts, raws, strict=False):
            function = _new(FunctionCall)
            function._raw = members
            function.arguments = text
            call = _new(ToolCall)
            call._raw = sent
            call.function = function
            delta = _new(ChoiceDelta)
            delta._raw = fields
            delta.content = content
            delta.tool_calls = [call]
            if is_bare:
                delta.reasoning = delta.refusal = None
            made = _new(ChunkChoice)
            made._raw = choice
            made.index = index
            made.finish_reason = reason
            made.delta = delta
            chunk = _new(ChatCompletionChunk)
            chunk._raw = raw
            chunk.choices = [made]
            chunks.append(chunk)
        return chunks

    return make
