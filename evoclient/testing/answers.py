"""Deciding what to answer: text, a JSON document or tool calls, and where it ends."""

from __future__ import annotations

import json
import re
import zlib
from dataclasses import dataclass
from typing import Any

from . import prose
from .question import BadRequest, Question, Tool
from .schema import UnsupportedSchemaError, instance
from .tokens import count_tokens, first_tokens

__all__ = ["Answer", "Call", "Choice", "answer"]

_WORD = re.compile(r"[^\W\d_]+|\d+")
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")

# Words of a tool's name that occur in any sentence; they say nothing about what is asked for.
_EVERYDAY = frozenset(["a", "an", "by", "do", "for", "get", "in", "is", "make", "my", "of", "on",
                       "set", "the", "to", "with"])  # fmt: skip


@dataclass(frozen=True)
class Call:
    """One tool call; ``arguments`` is JSON text."""

    id: str
    name: str
    arguments: str


@dataclass(frozen=True)
class Choice:
    """One choice of an answer, whole."""

    index: int
    text: str = ""
    calls: tuple[Call, ...] = ()
    finish: str = "stop"
    stop_sequence: str | None = None
    tokens: int = 0


@dataclass(frozen=True)
class Answer:
    """A whole answer, before it takes the form of a completion or of chunks."""

    id: str
    model: str
    choices: tuple[Choice, ...]
    prompt_tokens: int
    reasoning: str = ""

    @property
    def usage(self) -> dict[str, Any]:
        """The usage record, with the details OpenAI sends."""
        reasoning = count_tokens(self.reasoning)
        completion = sum(choice.tokens for choice in self.choices) + reasoning
        return {
            "prompt_tokens": self.prompt_tokens,
            "completion_tokens": completion,
            "total_tokens": self.prompt_tokens + completion,
            "prompt_tokens_details": {"cached_tokens": 0},
            "completion_tokens_details": {"reasoning_tokens": reasoning},
        }


def answer(question: Question, *, id: str, thinking: bool = False) -> Answer:
    """Answer a question.

    Args:
        question: What is asked for.
        id: The id of the completion.
        thinking: Whether to reason first when the request does not say.

    Raises:
        BadRequest: The wanted schema, or that of a tool, is one the server cannot fill.
    """
    thinks = thinking if question.thinking is None else question.thinking
    return Answer(
        id=id,
        model=question.model,
        choices=tuple(_choice(question, index) for index in range(question.choices)),
        prompt_tokens=question.prompt_tokens,
        reasoning=prose.ponder(question.text) if thinks else "",
    )


def _choice(question: Question, index: int) -> Choice:
    tools = _wanted_tools(question)
    if tools:
        return _call(question, tools, index)
    text, finish, stop_sequence = _text(question, index), "stop", None
    found = min(
        ((text.find(stop), -len(stop), stop) for stop in question.stop if stop in text),
        default=None,
    )
    if found is not None:
        stop_sequence = found[2]
        text = text[: found[0]]
    tokens = count_tokens(text)
    if question.limit is not None and tokens > question.limit:
        text, finish, stop_sequence = first_tokens(text, question.limit), "length", None
        tokens = question.limit
    return Choice(index, text, finish=finish, stop_sequence=stop_sequence, tokens=tokens)


def _text(question: Question, index: int) -> str:
    text, begun = _whole_text(question, index), question.begun
    if begun is not None and text.startswith(begun.text):
        return begun.repeated + text[len(begun.text) :]
    return text  # what is there already is of another answer: a new one is begun


def _whole_text(question: Question, index: int) -> str:
    if question.results:
        return prose.report(question.text, list(question.results))
    ordered = prose.obey(question.text, question.instructions)
    if ordered is not None:
        return ordered
    if question.schema is not None:
        value = _fill(question.schema, question, index, "response_format")
        return json.dumps(value, ensure_ascii=False)
    return prose.compose(question.text, choice=index)


def _wanted_tools(question: Question) -> list[Tool]:
    """Choose the tools to call; after a result there is none."""
    if question.results or question.tool_choice == "none" or not question.tools:
        return []
    if isinstance(question.tool_choice, Tool):
        return [question.tool_choice]
    wanted = [tool for tool in question.tools if _is_mentioned(tool.name, question.text)]
    if not wanted and question.tool_choice == "required":
        wanted = [question.tools[0]]
    return wanted if question.parallel else wanted[:1]


def _is_mentioned(name: str, text: str) -> bool:
    if name.lower() in text.lower():
        return True
    said = {word.lower() for word in _WORD.findall(text)}
    parts = {word.lower() for word in _WORD.findall(_CAMEL.sub("_", name))}
    return bool(said & (parts - _EVERYDAY))


def _call(question: Question, tools: list[Tool], index: int) -> Choice:
    calls: list[Call] = []
    tokens, finish = 0, "tool_calls"
    for number, tool in enumerate(tools):
        value = _fill(dict(tool.parameters), question, index, "tools")
        arguments = json.dumps(value, ensure_ascii=False)
        room = None if question.limit is None else question.limit - tokens
        if room is not None and count_tokens(arguments) > room:
            arguments, finish = first_tokens(arguments, room), "length"
        tokens += count_tokens(arguments)
        # The turn is part of the id, so that a conversation never has the same id twice.
        mark = f"{question.turns}/{index}/{number}/{tool.name}/{arguments}"
        calls.append(Call(f"call_{zlib.crc32(mark.encode()):08x}", tool.name, arguments))
        if finish == "length":
            break
    return Choice(index, calls=tuple(calls), finish=finish, tokens=tokens)


def _fill(schema: Any, question: Question, index: int, field: str) -> Any:
    try:
        return instance(schema, seed=index, about=question.text)
    except UnsupportedSchemaError as error:
        raise BadRequest(f"this schema cannot be filled: {error}", field) from error
