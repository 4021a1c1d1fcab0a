"""A conversation as it stands: whom it is with, what has been said, how the last answer went."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs

from .stats import Figures

__all__ = ["Talk"]


@attrs.define
class Talk:
    """A conversation, kept in memory.

    Attributes:
        model: The model that is asked next.
        request: What each request says beside its model and its messages.
        messages: What has been said: the instructions if there are any, then questions and
            answers in turn.
        figures: Those of the last answer, or None.
    """

    model: str
    request: Mapping[str, Any]
    messages: list[dict[str, str]]
    figures: Figures | None = None

    def asking(self, text: str) -> dict[str, Any]:
        """Return a request with one question more; it belongs to the conversation if it is kept."""
        return {**self.request, "model": self.model, "messages": [*self.messages, _user(text)]}

    def keep(self, text: str, answer: str) -> None:
        """Take a question and its answer into the conversation."""
        self.messages += [_user(text), {"role": "assistant", "content": answer}]

    def undo(self) -> str | None:
        """Take the last question and its answer back, and return the question, if there is one."""
        if not self._exchanges():
            return None
        *self.messages, question, _answer = self.messages
        return question["content"]

    def clear(self) -> None:
        """Forget everything but the instructions."""
        self.messages = self._instructions()

    def instruct(self, text: str) -> None:
        """Replace the instructions; an empty text takes them away."""
        instructions = [{"role": "system", "content": text}] if text else []
        self.messages = [*instructions, *self._exchanges()]

    def _instructions(self) -> list[dict[str, str]]:
        return [message for message in self.messages if message["role"] == "system"]

    def _exchanges(self) -> list[dict[str, str]]:
        return self.messages[len(self._instructions()) :]


def _user(text: str) -> dict[str, str]:
    return {"role": "user", "content": text}
