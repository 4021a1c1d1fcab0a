"""Chunks that are like one that was parsed, but for one text: made without parsing.

They share the JSON objects of that one, which nobody changes; what differs is in their slots.
Only the details of reasoning, which say its text once more, are in an object of their own.

Each maker fills choice and chunk in its own loop: a function for what they share would be called
for every chunk, which is what this file is there to save.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeAlias

from ..models.chat import index_of
from ..models.chunks import ChatCompletionChunk, ChoiceDelta, ChunkChoice
from ..models.text import content_of, reasoning_key
from ..models.tools import FunctionCall, ToolCall

__all__ = ["Maker", "detail_key", "with_arguments", "with_content", "with_reasoning"]

Raw: TypeAlias = dict[str, Any]

#: Gets texts, and returns the chunks.
Maker: TypeAlias = Callable[[list[str]], list[ChatCompletionChunk]]

_new = object.__new__

#: What most readers ask a delta for beside its content.
_ASKED: Final = ("reasoning", "reasoning_content", "refusal", "tool_calls")


def with_content(document: Raw) -> Maker:
    """Return what makes chunks whose content differs.

    Args:
        document: The JSON object of a chunk of one choice, whose delta has a text as its content.
    """
    choice = document["choices"][0]
    index, reason, fields = index_of(choice), choice.get("finish_reason"), choice["delta"]
    is_bare = all(fields.get(key) is None for key in _ASKED)

    def make(texts: list[str]) -> list[ChatCompletionChunk]:
        chunks = []
        # One frame for all: a call for each would cost a tenth of the whole.
        for text in texts:
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
            chunk._raw = document
            chunk.choices = [made]
            chunks.append(chunk)
        return chunks

    return make


def detail_key(fields: Raw) -> str | None:
    """Return under which key the only detail of a delta's reasoning has the same text; else None.

    Args:
        fields: The JSON object of the delta.
    """
    details = fields.get("reasoning_details")
    if type(details) is not list or len(details) != 1 or type(details[0]) is not dict:
        return None
    text = fields.get(reasoning_key(fields))
    return next((key for key in ("text", "summary") if details[0].get(key) == text), None)


def with_reasoning(document: Raw, key: str | None) -> Maker:
    """Return what makes chunks whose reasoning differs.

    Args:
        document: The JSON object of a chunk of one choice, whose delta has a text as its reasoning.
        key: Where the one detail of the reasoning says the text once more, or None.
    """
    choice = document["choices"][0]
    index, reason, fields = index_of(choice), choice.get("finish_reason"), choice["delta"]
    content = content_of(fields)
    detail = None if key is None else fields["reasoning_details"][0]
    is_bare = fields.get("refusal") is None and fields.get("tool_calls") is None

    def make(texts: list[str]) -> list[ChatCompletionChunk]:
        chunks = []
        for text in texts:
            delta = _new(ChoiceDelta)
            if detail is None:
                delta._raw = fields
            else:
                delta._raw = {**fields, "reasoning_details": [{**detail, key: text}]}
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
            chunk._raw = document
            chunk.choices = [made]
            chunks.append(chunk)
        return chunks

    return make


def with_arguments(document: Raw) -> Maker:
    """Return what makes chunks whose tool call has other arguments.

    Args:
        document: The JSON object of a chunk of one choice, whose delta has one tool call.
    """
    choice = document["choices"][0]
    index, reason, fields = index_of(choice), choice.get("finish_reason"), choice["delta"]
    content = content_of(fields)
    is_bare = all(fields.get(key) is None for key in _ASKED if key != "tool_calls")
    sent = fields["tool_calls"][0]
    members = sent["function"]

    def make(texts: list[str]) -> list[ChatCompletionChunk]:
        chunks = []
        for text in texts:
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
            chunk._raw = document
            chunk.choices = [made]
            chunks.append(chunk)
        return chunks

    return make
