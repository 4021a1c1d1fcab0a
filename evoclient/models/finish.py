"""Why a model stopped: our judgement over the strings of all providers."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

__all__ = ["Finish", "finish_of"]


class Finish(StrEnum):
    """Why a choice ended. Each member equals its name as a string."""

    stop = "stop"  #: The model came to its end, or to a stop sequence.
    length = "length"  #: The limit of tokens cut it.
    tool_calls = "tool_calls"  #: The model asks for tools to be run.
    content_filter = "content_filter"  #: A filter, or the model itself, refused.
    error = "error"  #: The provider failed while it answered.
    other = "other"  #: A reason that we do not know; the raw string says more.


#: What providers say, in lower case, by what it means. Gemini's names come in capitals.
_MEANINGS: Final[dict[Finish, tuple[str, ...]]] = {
    Finish.stop: ("stop", "eos", "eos_token", "end_turn", "stop_sequence", "complete"),
    Finish.length: ("length", "max_tokens", "max_output_tokens", "model_length"),
    Finish.tool_calls: ("tool_calls", "tool_call", "tool_use", "function_call"),
    Finish.content_filter: (
        "content_filter",
        "content_filtered",
        "safety",
        "refusal",
        "recitation",
        "blocklist",
        "prohibited_content",
        "spii",
        "sensitive",
    ),
    Finish.error: ("error",),
}
_KNOWN: Final = {word: finish for finish, words in _MEANINGS.items() for word in words}


def finish_of(reason: object, has_tool_calls: bool) -> Finish | None:
    """Judge a finish reason.

    Tool calls decide over a "stop" beside them, which many servers send with calls. A limit of
    tokens stays one: calls that it cut must not be run.

    Args:
        reason: The server's string; anything else, and the empty string, is no reason.
        has_tool_calls: Whether the choice holds tool calls.

    Returns:
        The judgement, or None where the server has given no reason (yet).
    """
    if not isinstance(reason, str) or not reason:
        return None
    finish = _KNOWN.get(reason.lower(), Finish.other)
    return Finish.tool_calls if has_tool_calls and finish is Finish.stop else finish
