"""What is known of a stream that nobody wants kept: how it ended and what it used, no text.

A tally stands where an assembly does, and stays as small as it begins.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Final

from ..models.base import record
from ..models.chat import ChatCompletion
from ..models.chunks import ChatCompletionChunk, ChoiceDelta
from ..models.fields import adopt, beside
from ..models.finish import Finish, finish_of
from .assemble import Assembly
from .merging import CHOICE
from .rewriting import choice_index
from .shapes import chat_completion_of

if TYPE_CHECKING:
    from .template import Growing

__all__ = ["TalliedCompletion", "Tally"]

#: The fields of a choice that are read elsewhere, or would grow with each chunk.
_NOT_KEPT: Final = frozenset({"index", "delta", *CHOICE} - {"content_filter_offsets"})


@record
class TalliedCompletion(ChatCompletion):
    """A completion whose content and tool calls were not kept.

    Attributes:
        calling: The indices of the choices that called tools.
    """

    calling: frozenset[int] | None = beside()

    @property
    def has_tool_calls(self) -> bool:
        """Whether choice 0 asked for tools; which ones was not kept."""
        choice = self._first()
        return choice is not None and choice.index in (self.calling or ())

    @property
    def finish(self) -> Finish | None:
        """Why choice 0 stopped, in our judgement; None where the server gave no reason."""
        return finish_of(self.finish_reason, self.has_tool_calls)


class Tally(Assembly):
    """An assembly that keeps no text, no tool calls and no lists, for a stream of any length.

    Of each choice it knows the finish reason, the last value of single fields such as
    `stop_reason`, and whether tools were called; of the chunks what an assembly knows.

    Attributes:
        calling: The indices of the choices that have called tools, by either protocol.
    """

    __slots__ = ("calling",)

    def __init__(
        self, made: Callable[[dict[str, Any]], ChatCompletion] = chat_completion_of
    ) -> None:
        """Begin with nothing.

        Args:
            made: Makes the completion of the JSON object that was put together.
        """
        super().__init__(made)
        self.calling: set[int] = set()

    def feed(self, chunk: ChatCompletionChunk) -> None:
        """Count a chunk."""
        self._built = None
        raw = chunk._raw
        if raw is not self._seen:
            self._seen = raw
            if not raw.keys() <= self._quiet:
                self._feed_fields(chunk)
        for choice in chunk.choices:
            index = choice.index
            held = self._choices.get(index) if type(index) is int else None
            if held is None:
                held = self._choice(choice)
                index = choice_index(index)
            delta = choice.delta
            if _has_call(delta):
                self.calling.add(index)
            fields = choice._raw
            if not fields.keys() <= _NOT_KEPT:
                held.feed_fields({k: v for k, v in fields.items() if k not in _NOT_KEPT})
            reason = choice.finish_reason
            if reason and type(reason) is str:
                self.finish_reasons[index] = reason

    def feed_alike(
        self, chunks: Sequence[ChatCompletionChunk], texts: Sequence[str], growing: Growing
    ) -> None:
        """Count chunks that differ in a text, which is not kept."""
        self.feed(chunks[0])

    def completion(self) -> ChatCompletion:
        """Return the completion without its content; the same object until the next chunk.

        Its `finish` is right also where tools were called, which it holds none of.
        """
        if self._built is None:
            made = self._made(self._to_dict())
            if self.calling and type(made) is ChatCompletion:
                tallied = adopt(TalliedCompletion, made._raw)
                tallied.calling = frozenset(self.calling)
                made = tallied
            self._built = made
        return self._built


def _has_call(delta: ChoiceDelta) -> bool:
    """Return whether a delta is a piece of a call, of either protocol."""
    fields = delta._raw
    if "tool_calls" in fields and delta.tool_calls:
        return True
    return type(fields.get("function_call")) is dict
