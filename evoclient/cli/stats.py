"""What ``--stats`` tells: the figures of one answer."""

from __future__ import annotations

from time import monotonic

import attrs

from ..models.chat import ChatCompletion
from ..models.usage import Usage
from ..streaming.ending import Outcome

__all__ = ["Figures"]


@attrs.define
class Figures:
    """The figures of one answer, counted while it arrives.

    Attributes:
        started: When the question was asked.
        first_text: When the first text of the answer came, or None.
        ended: When the answer ended, or None while it goes on.
        chunks: How many chunks came; None for an answer that came whole.
        completion: The answer so far, or None before it begins.
        outcome: How the stream ended, or None.
    """

    started: float = attrs.field(factory=monotonic)
    first_text: float | None = None
    ended: float | None = None
    chunks: int | None = None
    completion: ChatCompletion | None = None
    outcome: Outcome | None = None

    def saw_text(self) -> None:
        """Learn that text of the answer has come."""
        if self.first_text is None:
            self.first_text = monotonic()

    def end(self, completion: ChatCompletion, outcome: Outcome | None = None) -> None:
        """Learn that the answer has ended, well or not."""
        self.ended = monotonic()
        self.completion = completion
        self.outcome = outcome

    def lines(self) -> list[str]:
        """Return the figures that are known, one in a line."""
        completion = self.completion
        if completion is None or self.ended is None:
            return []
        usage = completion.usage
        known = {
            "model": completion.model,
            "chunks": self.chunks,
            "time to first text": _seconds(self.started, self.first_text),
            "total time": _seconds(self.started, self.ended),
            "characters/s": self._speed(len(completion.text)),
            "tokens": usage and _tokens(usage),
            "cost": usage and usage.cost,
            "finish reason": completion.finish_reason,
            "outcome": self.outcome,
        }
        return [f"{name + ':':20}{value}" for name, value in known.items() if value is not None]

    def _speed(self, characters: int) -> str | None:
        """Return characters per second of writing; the wait for the first one is told apart."""
        began = self.started if self.first_text is None else self.first_text
        if self.ended is None or not characters or self.ended <= began:
            return None
        return f"{characters / (self.ended - began):.0f}"


def _seconds(start: float, end: float | None) -> str | None:
    return None if end is None else f"{end - start:.2f} s"


def _tokens(usage: Usage) -> str | None:
    details = usage.completion_tokens_details
    parts = [
        f"{count} {meaning}"
        for count, meaning in (
            (usage.prompt_tokens, "in"),
            (usage.completion_tokens, "out"),
            ((details and details.reasoning_tokens) or None, "of them reasoning"),
        )
        if count is not None
    ]
    return ", ".join(parts) or None
