"""Leaving out what a reader has already, where an answer is asked for again from its beginning.

Each channel of each choice, which is its content, its reasoning, its refusal and its tool calls,
is compared with what was handed out of it. What is repeated is dropped. Where the new answer is
another one, it is said how much of the old one may be kept.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

import attrs

from ..models.chat import ChatCompletion, ChatMessage
from ..models.chunks import ChatCompletionChunk, ChoiceDelta, ChunkChoice, read_chunk
from .comparing import Repetition
from .repeated_calls import RepeatedCalls
from .rewriting import choice_index, put_content, take_details

__all__ = ["Departure", "Handed", "Skipper", "handed_of"]

_TEXTS: Final = ("content", "reasoning", "refusal")

#: What else of a delta a reader may want. It is not compared.
_UNCOMPARED: Final = frozenset(
    {"function_call", "reasoning_details", "images", "audio", "annotations"}
)


def _as_tuple(calls: Iterable[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    return tuple(calls)


@attrs.frozen(kw_only=True)
class Handed:
    """What a reader has of one choice.

    Attributes:
        content: The text.
        reasoning: The thinking.
        refusal: The words of a refusal.
        tool_calls: Name and arguments of each call, the last one perhaps unfinished.
    """

    content: str = ""
    reasoning: str = ""
    refusal: str = ""
    tool_calls: tuple[tuple[str, str], ...] = attrs.field(default=(), converter=_as_tuple)


@attrs.frozen(kw_only=True)
class Departure:
    """How much a reader may keep of one choice; the rest is void, and what follows comes after it.

    A channel that has not departed is kept as far as the reader has it.

    Attributes:
        choice: The index of the choice.
        keep: Characters of the content.
        reasoning: Characters of the reasoning.
        refusal: Characters of the refusal.
        tool_calls: Whole tool calls.
    """

    choice: int
    keep: int
    reasoning: int
    refusal: int = 0
    tool_calls: int = 0


def handed_of(completion: ChatCompletion) -> dict[int, Handed]:
    """Return by choice what a reader has who was handed out all of a completion."""
    return {
        choice_index(choice.index): _handed_of_message(choice.message)
        for choice in completion.choices
    }


def _handed_of_message(message: ChatMessage) -> Handed:
    calls = [(call.function.name, call.function.arguments) for call in message.tool_calls or ()]
    return Handed(
        content=_text(message.content),
        reasoning=_text(message.reasoning),
        refusal=_text(message.refusal),
        tool_calls=[(_text(name), _text(arguments)) for name, arguments in calls],
    )


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


class Skipper:
    """The stage that leaves out of a new answer what a reader has of an earlier one.

    It stands behind the assembly, which needs the whole answer. A chunk of which nothing is left
    is not handed out; finish reasons and usage always are.

    Each channel departs for itself, at the first character or tool call that differs, or at the
    end of a choice that is shorter than what was handed out. Reasoning that departs says nothing
    about content that was not compared yet: the content is kept until it departs too, and then
    there is a second departure. The chunk with which a departure is found begins, in each
    channel, after what is kept. Of tool calls that are void, it has all that came so far.

    Attributes:
        departures: The last departure of each choice.
    """

    def __init__(self, handed: Mapping[int, Handed]) -> None:
        """Begin before the first chunk of the new answer.

        Args:
            handed: What the reader has, by choice.
        """
        self.departures: dict[int, Departure] = {}
        self._handed = dict(handed)
        self._choices = {index: _Choice(index, found) for index, found in handed.items()}
        self._open = {index: choice for index, choice in self._choices.items() if choice.is_open}
        self._found: list[Departure] = []

    @property
    def departed(self) -> bool:
        """Whether the new answer is another one, as far as it came."""
        return bool(self.departures)

    @property
    def is_within(self) -> bool:
        """Whether the new answer still repeats, and the reader has more than has come of it."""
        return not self.departed and any(choice.is_behind for choice in self._open.values())

    @property
    def behind(self) -> set[int]:
        """The choices of which the reader has more than has come."""
        return {index for index, choice in self._open.items() if choice.is_behind}

    def feed(self, chunk: ChatCompletionChunk) -> bool:
        """Trim a chunk; return whether anything of it is left to hand out."""
        if not self._open:
            return True
        is_left = not chunk.choices
        for choice in chunk.choices:
            repeating = self._open.get(choice_index(choice.index))
            if repeating is None:
                is_left = True
                continue
            self._note(repeating, repeating.feed(choice))
            is_left = is_left or _says_anything(choice)
        return is_left or bool(self._found) or chunk.usage is not None

    def finish(self) -> ChatCompletionChunk | None:
        """Learn that the new answer is complete; what is missing of a choice is a departure.

        It is not to be called where the reply broke.

        Returns:
            The tool calls that came in the place of those that are void, or None.
        """
        choices = []
        for index, repeating in list(self._open.items()):
            last = read_chunk({"choices": [{"index": index, "delta": {}, "finish_reason": "-"}]})
            choice = last.choices[0]
            self._note(repeating, repeating.feed(choice))
            if choice.delta.tool_calls:
                delta = choice.delta.to_dict()
                choices.append({"index": index, "delta": delta, "finish_reason": None})
        if not choices:
            return None
        return read_chunk({"object": "chat.completion.chunk", "choices": choices})

    def take_departures(self) -> list[Departure]:
        """Return the departures found since this was last called: to be asked after each chunk."""
        found, self._found = self._found, []
        return found

    def seen(self, completion: ChatCompletion) -> dict[int, Handed]:
        """Return what the reader has now, for the skipper of a third answer.

        Args:
            completion: The new answer as far as it came.
        """
        came = handed_of(completion)
        return {
            index: self._choices[index].seen(came.get(index, Handed()))
            if index in self._choices
            else came[index]
            for index in sorted(self._choices.keys() | came.keys())
        }

    def _note(self, repeating: _Choice, departure: Departure | None) -> None:
        if departure is not None:
            self.departures[departure.choice] = departure
            self._found.append(departure)
        if not repeating.is_open:
            del self._open[repeating.index]


class _Choice:
    """One choice that is expected to repeat what was handed out.

    Attributes:
        index: Its index.
    """

    def __init__(self, index: int, handed: Handed) -> None:
        self.index = index
        self._handed = handed
        self._content = Repetition(handed.content)
        self._reasoning = Repetition(handed.reasoning)
        self._refusal = Repetition(handed.refusal)
        self._texts = tuple(
            zip(_TEXTS, (self._content, self._reasoning, self._refusal), strict=True)
        )
        self._calls = RepeatedCalls(handed.tool_calls)
        self._has_finished = False

    @property
    def is_behind(self) -> bool:
        """Whether the reader has more than has come."""
        return any(text.is_open for _, text in self._texts) or self._calls.is_behind

    @property
    def is_open(self) -> bool:
        """Whether chunks of the choice may have to be changed."""
        return not self._has_finished and (self.is_behind or self._calls.are_repeated)

    def feed(self, choice: ChunkChoice) -> Departure | None:
        """Trim what a chunk says of the choice; return how it departs in this chunk, if it does."""
        channels: tuple[Repetition | RepeatedCalls, ...] = (
            self._content,
            self._reasoning,
            self._refusal,
            self._calls,
        )
        had = [(channel.departed, channel.shown) for channel in channels]
        self._trim(choice)
        if choice.finish_reason:
            self._finish(choice)
        departs = [
            channel.departed and not had_departed
            for channel, (had_departed, _) in zip(channels, had, strict=True)
        ]
        if not any(departs):
            return None
        keep = [
            channel.same if is_departing else shown
            for channel, is_departing, (_, shown) in zip(channels, departs, had, strict=True)
        ]
        content, reasoning, refusal, calls = keep
        return Departure(
            choice=self.index, keep=content, reasoning=reasoning, refusal=refusal, tool_calls=calls
        )

    def seen(self, came: Handed) -> Handed:
        """Return what the reader has, given what came of the new answer."""
        handed = self._handed
        return Handed(
            content=handed.content if self._content.is_open else came.content,
            reasoning=handed.reasoning if self._reasoning.is_open else came.reasoning,
            refusal=handed.refusal if self._refusal.is_open else came.refusal,
            tool_calls=self._calls.seen(came.tool_calls),
        )

    def _trim(self, choice: ChunkChoice) -> None:
        delta = choice.delta
        if self._reasoning.is_open and delta.reasoning_details is not None:
            take_details(delta)  # the reasoning once more, in another form
        for name, repetition in self._texts:
            text: object = getattr(delta, name)  # a server may send what is no text
            if not isinstance(text, str) or not text:
                continue
            left = repetition.feed(text)
            if len(left) == len(text):
                continue
            if name == "content":
                put_content(choice, left)
            else:
                setattr(delta, name, left or None)
        if delta.tool_calls:
            delta.tool_calls = self._calls.feed(delta.tool_calls) or None

    def _finish(self, choice: ChunkChoice) -> None:
        """Learn that the choice is complete; what is shorter than it was has departed."""
        self._has_finished = True
        for _, repetition in self._texts:
            repetition.finish()
        anew = self._calls.finish()
        if anew:  # a field that was not sent needs an object of its own
            calls = [call.to_dict() for call in anew]
            choice.delta = ChoiceDelta.from_dict({**choice.delta.to_dict(), "tool_calls": calls})


def _says_anything(choice: ChunkChoice) -> bool:
    """Return whether anything but a role is left of a choice."""
    delta = choice.delta
    return bool(
        choice.finish_reason
        or delta.content
        or delta.reasoning
        or delta.refusal
        or delta.tool_calls
        # Reading what is not there costs.
        or any(getattr(delta, name) for name in _UNCOMPARED.intersection(delta._raw))
    )
