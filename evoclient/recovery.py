"""What to ask where a stream has broken: pure decisions over what was asked and what came."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

import attrs

from .endpoints.base import Call
from .errors.tree import APIError, APITimeoutError, StreamInterruptedError, StreamProviderError
from .providers.base import Provider
from .streaming.events import RestartEvent
from .streaming.seam import LEAST_OVERLAP, Manner, Seam
from .streaming.stages import Stages
from .streaming.texts import TEXT

__all__ = ["Question", "is_recoverable", "kept", "next_question"]

#: So much of the end of an answer is shown to a model that is asked to go on.
_TAIL: Final = 60

#: With less text, a model that is asked to go on has nothing to go on with.
_LEAST_TEXT: Final = 2 * LEAST_OVERLAP

_GO_ON: Final = (
    "Your answer above was cut off in the middle. Write the rest of it. Begin by repeating its "
    "last words exactly, letter by letter: «{tail}», and go on from there to the end. Write "
    "nothing else: no greeting, no comment, no summary."
)


@attrs.frozen(eq=False, repr=False)
class Question:
    """What to ask next.

    Attributes:
        body: The body of the request.
        stages: What the chunks of its answer pass.
        begins_anew: Whether a whole answer is asked for, not the rest of one.
    """

    body: dict[str, Any] = attrs.field(repr=False)
    stages: Stages
    begins_anew: bool


def is_recoverable(error: APIError) -> bool:
    """Return whether a stream that has given chunks may be recovered from the error of its end."""
    if isinstance(error, APITimeoutError):
        return error.limit != "total"
    if isinstance(error, StreamProviderError):
        return error.retryable
    return isinstance(error, StreamInterruptedError) and error.advice is not False


def next_question(
    call: Call[Any], stages: Stages, provider: Provider, model: str | None, *, is_thinking: bool
) -> Question:
    """Return what to ask after a break.

    Args:
        call: What was asked at first.
        stages: Of the reply that broke.
        provider: The preset.
        model: The model to ask instead, or None.
        is_thinking: Whether the reply broke in the middle of a thought.
    """
    body = dict(call.body or {})
    if model is not None:
        body["model"] = model
    is_new = is_thinking or call.reading.recover == "restart"
    text = None if is_new else _text_to_go_on_from(call, stages)
    going_on = None if text is None else _going_on(call, text, provider)
    if text is None or going_on is None:
        return Question(body, stages.begin_anew(), begins_anew=True)
    manner, changes = going_on
    return Question({**body, **changes}, stages.go_on(Seam(text, manner)), begins_anew=False)


def kept(stages: Stages) -> list[RestartEvent]:
    """Return what a reader is told when an answer is begun anew: everything stays for now."""
    return [
        RestartEvent(
            choice=index,
            keep=len(handed.content),
            reasoning=len(handed.reasoning),
            refusal=len(handed.refusal),
            tool_calls=len(handed.tool_calls),
        )
        for index, handed in stages.seen().items()
    ]


def _text_to_go_on_from(call: Call[Any], stages: Stages) -> str | None:
    """Return the text of an answer that can be gone on with, or None.

    A half-finished tool call or thought cannot, nor can several answers at once.
    """
    completion = stages.assembly.completion()
    if call.choices != 1 or len(completion.choices) != 1 or stages.is_repeating:
        return None
    message = completion.choices[0].message
    if message.tool_calls or message.function_call or message.refusal or stages.is_in_a_tag:
        return None
    return (completion.text + stages.held_back()) or None


def _going_on(
    call: Call[Any], text: str, provider: Provider
) -> tuple[Manner, dict[str, Any]] | None:
    """Return how a request to go on is answered, and what it changes in the body.

    None: the server cannot be asked to go on.
    """
    body = call.body or {}
    if call.shape is TEXT:
        prompt = body.get("prompt")
        can = isinstance(prompt, str) and not body.get("echo")
        return ("continues", {"prompt": f"{prompt}{text}"}) if can else None
    messages = _with_answer(body.get("messages", ()), text)
    if provider.prefill is not None:
        return provider.prefill, {"messages": messages, **provider.prefill_body}
    # A model that was told to answer in JSON cannot begin in the middle of it.
    if len(text) < _LEAST_TEXT or "response_format" in body:
        return None
    messages.append({"role": "user", "content": _GO_ON.format(tail=_tail(text))})
    return "asked", {"messages": messages}


def _with_answer(asked: Iterable[Any], text: str) -> list[Any]:
    """Return the messages with what has been answered; it goes on with an answer at their end."""
    messages = list(asked)
    last = messages[-1] if messages else None
    begun = last.get("content") if isinstance(last, Mapping) else None
    if isinstance(last, Mapping) and last.get("role") == "assistant" and isinstance(begun, str):
        messages[-1] = {**last, "content": begun + text}
    else:
        messages.append({"role": "assistant", "content": text})
    return messages


def _tail(text: str) -> str:
    """Return the end of a text, from the beginning of a word where there is one."""
    tail = text[-_TAIL:]
    _, space, words = tail.partition(" ")
    return words if space and len(words) >= _LEAST_TEXT else tail
