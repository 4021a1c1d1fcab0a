"""The ordinary form of an answer: OpenAI's completions and chunks, as plain dictionaries."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain, zip_longest
from typing import Any

from .answers import Answer, Call, Choice
from .tokens import split_pieces

__all__ = ["CREATED", "Record", "chat_chunks", "chat_completion", "text_chunks", "text_completion"]

Record = dict[str, Any]

# A fixed time: the same request to a fresh server gives the same bytes, also in the documentation.
CREATED = 1_767_225_600

_FINGERPRINT = "fp_demo"


def chat_completion(answer: Answer) -> Record:
    """Return the body of a whole chat answer."""
    choices = []
    for choice in answer.choices:
        message: Record = {"role": "assistant", "content": choice.text, "refusal": None}
        if choice.calls:
            message["content"] = None
            message["tool_calls"] = [_tool_call(call, call.arguments) for call in choice.calls]
        choices.append(
            {
                "index": choice.index,
                "message": message,
                "logprobs": None,
                "finish_reason": choice.finish,
            }
        )
    return {
        **_head(answer, "chat.completion"),
        "choices": choices,
        "usage": answer.usage,
        "system_fingerprint": _FINGERPRINT,
    }


def chat_chunks(answer: Answer, *, usage: bool) -> list[Record]:
    """Return the chunks of a streamed chat answer, its choices taking turns."""
    head = _head(answer, "chat.completion.chunk") | {"system_fingerprint": _FINGERPRINT}
    chunks = [{**head, "choices": [choice]} for choice in _take_turns(answer, _chat_choices)]
    return _with_usage(chunks, head, answer) if usage else chunks


def text_completion(answer: Answer) -> Record:
    """Return the body of a whole legacy completion."""
    choices = [_text_choice(choice, choice.text, choice.finish) for choice in answer.choices]
    return {**_head(answer, "text_completion"), "choices": choices, "usage": answer.usage}


def text_chunks(answer: Answer, *, usage: bool) -> list[Record]:
    """Return the chunks of a streamed legacy completion."""
    head = _head(answer, "text_completion")
    chunks = [{**head, "choices": [choice]} for choice in _take_turns(answer, _text_choices)]
    return _with_usage(chunks, head, answer) if usage else chunks


def _head(answer: Answer, kind: str) -> Record:
    return {"id": answer.id, "object": kind, "created": CREATED, "model": answer.model}


def _take_turns(answer: Answer, pieces: Any) -> Iterator[Record]:
    """Interleave the choices as a server does that works on all of them at once."""
    rounds = zip_longest(*(pieces(choice) for choice in answer.choices))
    return (piece for piece in chain.from_iterable(rounds) if piece is not None)


def _with_usage(chunks: list[Record], head: Record, answer: Answer) -> list[Record]:
    # OpenAI announces the last chunk by a null on all others.
    counted = [{**chunk, "usage": None} for chunk in chunks]
    return [*counted, {**head, "choices": [], "usage": answer.usage}]


def _chat_choices(choice: Choice) -> Iterator[Record]:
    content = None if choice.calls else ""
    yield _delta(choice, {"role": "assistant", "content": content, "refusal": None})
    for piece in split_pieces(choice.text):
        yield _delta(choice, {"content": piece})
    for position, call in enumerate(choice.calls):
        yield _delta(choice, {"tool_calls": [{"index": position, **_tool_call(call, "")}]})
        for piece in split_pieces(call.arguments):
            part = {"index": position, "function": {"arguments": piece}}
            yield _delta(choice, {"tool_calls": [part]})
    yield _delta(choice, {}, choice.finish)


def _delta(choice: Choice, delta: Record, finish: str | None = None) -> Record:
    return {"index": choice.index, "delta": delta, "logprobs": None, "finish_reason": finish}


def _tool_call(call: Call, arguments: str) -> Record:
    function = {"name": call.name, "arguments": arguments}
    return {"id": call.id, "type": "function", "function": function}


def _text_choices(choice: Choice) -> Iterator[Record]:
    for piece in split_pieces(choice.text):
        yield _text_choice(choice, piece, None)
    yield _text_choice(choice, "", choice.finish)


def _text_choice(choice: Choice, text: str, finish: str | None) -> Record:
    return {"index": choice.index, "text": text, "logprobs": None, "finish_reason": finish}
