"""Conversations that end in the middle of an answer: what was asked, and what is there already."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

__all__ = ["Begun", "begun_in", "conversation_of"]

# Who asks in words to go on quotes the last words of the answer.
_QUOTED = re.compile("«(.+)»", re.DOTALL)


@dataclass(frozen=True)
class Begun:
    """The part of an answer that is there already.

    Attributes:
        text: The part.
        repeated: What of its end is to be said again before the rest.
    """

    text: str
    repeated: str = ""


def begun_in(messages: list[Any]) -> tuple[list[Any], Begun | None]:
    """Divide a conversation into what was asked, and the beginning of the answer to it.

    The answer is to be gone on with where it is the last message, or where a last message of the
    user quotes its last words between « and ».

    Returns:
        The messages before the answer; all of them where no answer is begun.
    """
    if begun := _answer(messages):
        return messages[:-1], Begun(begun)
    if len(messages) > 1 and (begun := _answer(messages[:-1])):
        quoted = _QUOTED.search(_content(messages[-1], "user"))
        if quoted is not None and begun.endswith(quoted[1]):
            return messages[:-2], Begun(begun, repeated=quoted[1])
    return messages, None


def conversation_of(body: Any) -> Any:
    """Return what a request asks about: equal for a question and a wish to go on with its answer.

    Args:
        body: The body of any request, also one that cannot be answered.
    """
    if not isinstance(body, Mapping):
        return body
    if isinstance(messages := body.get("messages"), list):
        return begun_in(messages)[0]
    return body.get("prompt", body.get("input"))


def _answer(messages: list[Any]) -> str:
    """Return the text of an answer that is the last of some messages behind a question."""
    return _content(messages[-1], "assistant") if len(messages) > 1 else ""


def _content(message: Any, role: str) -> str:
    """Return the text of a message of a role; "" where it has none."""
    if not isinstance(message, Mapping) or message.get("role") != role:
        return ""
    content = message.get("content")
    return content if isinstance(content, str) and not message.get("tool_calls") else ""
