"""Where a second reply goes on with a text that a first one left unfinished.

A stream broke after a part of the answer had been handed out, and the model was asked to go on.
Servers and models do that in three manners: they go on, they repeat the part and go on, or they
were asked in words and do as they please. What is repeated is dropped. Where a reply is a new
answer instead, that is said: two answers must never be printed as one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Literal, NamedTuple, Protocol, TypeAlias

from ..models.chunks import ChatCompletionChunk, ChoiceDelta, ChunkChoice, read_chunk
from .comparing import Repetition, shared_length
from .echo import LEAST_OVERLAP, Echo
from .rewriting import choice_index, put_content

__all__ = ["LEAST_OVERLAP", "Manner", "Seam"]

#: How a reply goes on: "continues" the text; "repeats" all of it first; or was "asked" in words to
#: begin with the last words of the text and to go on.
Manner: TypeAlias = Literal["continues", "repeats", "asked"]


#: A reply that begins with so many characters of the beginning of the text is a new answer.
LEAST_BEGINNING: Final = 64

_THOUGHTS: Final = ("reasoning", "reasoning_content", "reasoning_details")


class _Verdict(NamedTuple):
    """What is to be done with the beginning of a reply.

    Attributes:
        dropped: How many characters of it are dropped.
        departed: Whether it is another answer.
    """

    dropped: int
    departed: bool = False


class _Judge(Protocol):
    """Compares a reply with the text it shall go on with."""

    def feed(self, piece: str) -> None:
        """Take a piece of the reply, which is not empty."""

    def verdict(self, pieces: list[str], is_whole: bool) -> _Verdict | None:
        """Return what to do with the pieces so far, or None where more must be seen."""


class _Repeating:
    """Judges a reply that repeats the whole text."""

    def __init__(self, partial: str) -> None:
        self._repetition = Repetition(partial)

    def feed(self, piece: str) -> None:
        self._repetition.feed(piece)

    def verdict(self, pieces: list[str], is_whole: bool) -> _Verdict | None:
        repetition = self._repetition
        if repetition.is_past:
            return _Verdict(len(repetition.known))
        if repetition.departed or is_whole:
            return _Verdict(0, departed=True)
        return None


class _Trusted:
    """Judges a reply of a server that continues, as its record says.

    It is believed but for two things: a reply that begins as the text itself does, and one that
    begins with a capitalised word right behind a small letter, as a sentence behind half of
    another does, are new answers.
    """

    def __init__(self, partial: str) -> None:
        beginning = partial[:LEAST_BEGINNING]
        # A text that says the same thing again and again is rightly continued so.
        is_telling = (
            len(beginning) == LEAST_BEGINNING
            and beginning not in partial[1:]
            and not _repeats_itself(beginning)
        )
        self._repetition = Repetition(beginning if is_telling else "")
        self._ends_small = partial[-1:].islower()

    def feed(self, piece: str) -> None:
        self._repetition.feed(piece)

    def verdict(self, pieces: list[str], is_whole: bool) -> _Verdict | None:
        repetition = self._repetition
        beginning = "".join(pieces[:2])[:2]
        is_capital = self._ends_small and beginning[:1].isupper()
        if is_capital and len(beginning) < 2 and not is_whole:
            return None
        begins_a_word = is_capital and beginning[1:].islower()
        if begins_a_word or (repetition.known and repetition.is_past):
            return _Verdict(0, departed=True)
        return None if repetition.is_open and not is_whole else _Verdict(0)


class _Asked:
    """Judges a reply of a model that was asked in words."""

    def __init__(self, partial: str) -> None:
        self._echo = Echo(partial)

    def feed(self, piece: str) -> None:
        self._echo.feed(piece)

    def verdict(self, pieces: list[str], is_whole: bool) -> _Verdict | None:
        if not self._echo.is_ready(is_whole):
            return None
        found = self._echo.found("".join(pieces), is_whole)
        if found is None:
            return None
        return _Verdict(0, departed=True) if found is False else _Verdict(found)


_JUDGES: Final[dict[Manner, Callable[[str], _Judge]]] = {
    "continues": _Trusted,
    "repeats": _Repeating,
    "asked": _Asked,
}


class Seam:
    """The stage that makes of a second reply what follows the text of the first.

    It changes the content of choice 0 and nothing else; reasoning, refusals, tool calls and the
    other choices pass. Content is held back until it is clear what it is, which takes no more
    characters than the partial text has, and some. A chunk whose content is held is handed out
    with the content "".

    A reply that departs is let out whole: the chunk with which that is found has *all* content of
    the reply so far, from its first character, and later chunks pass unchanged. So an assembly of
    its own, begun with that chunk, has the second answer; a `Skipper` behind that assembly trims
    the chunk for readers who keep what both answers begin with.

    Where a reply breaks before `is_decided`, nothing of it was handed out: the same question can
    be asked again, and `finish` should not be called, as it takes what came for all there is.

    Attributes:
        is_decided: Whether it is clear what the reply is.
        departed: Whether it is another answer.
        keep: Where it is: the number of characters with which both answers begin.
        overlap: How many characters of the reply were dropped.
    """

    def __init__(self, partial: str, manner: Manner) -> None:
        """Begin before the first chunk of the second reply.

        Args:
            partial: The content of choice 0 that was handed out. Any reply goes on with "".
            manner: How the reply is expected to go on.
        """
        self.departed = False
        self.keep = 0
        self.overlap = 0
        self.is_decided = not partial
        self._partial = partial
        self._judge = _JUDGES[manner](partial)
        self._held: list[str] = []
        # Thoughts before the text: of a reply that goes on with the text, they go on with nothing.
        self._thoughts: list[str] = []
        self._is_before_text = True

    def feed(self, chunk: ChatCompletionChunk) -> bool:
        """Hold content back, or let it out; return True, as each chunk is handed out."""
        if self._is_before_text:
            for choice in chunk.choices:
                if choice_index(choice.index) == 0:
                    self._hold_thought(choice)
                    self._feed_choice(choice)
        return True

    def lets_pass(self, text: str) -> bool:
        """Return whether the reply has gone on, whatever it says now."""
        return not self._is_before_text

    def finish(self) -> ChatCompletionChunk | None:
        """Decide with what is there, as at a finish reason; return what was held, or None."""
        text = "" if self.is_decided else self._decide(is_whole=True)
        if not text:
            return None
        choice = {"index": 0, "delta": {"content": text}, "finish_reason": None}
        return read_chunk({"object": "chat.completion.chunk", "choices": [choice]})

    def _feed_choice(self, choice: ChunkChoice) -> None:
        sent: object = choice.delta.content  # a server may send what is no text
        piece = sent if isinstance(sent, str) else ""
        is_last = bool(choice.finish_reason)
        if self.is_decided or not (piece or is_last):  # two choices of the index 0 in one chunk
            return
        if piece:
            self._held.append(piece)
            self._judge.feed(piece)
        text = self._decide(is_whole=is_last)
        if piece or text:
            put_content(choice, text)
        if self.departed and self._thoughts:
            fields = {**choice.delta.to_dict(), "reasoning": "".join(self._thoughts)}
            choice.delta = ChoiceDelta.from_dict(fields)

    def _hold_thought(self, choice: ChunkChoice) -> None:
        """Keep the reasoning before the text until it is clear what the reply is."""
        delta = choice.delta
        thought: object = delta.reasoning
        self._is_before_text = not (self.is_decided and delta.content)
        if not thought or not self._is_before_text:
            return
        if isinstance(thought, str):
            self._thoughts.append(thought)
        fields = {name: value for name, value in delta.to_dict().items() if name not in _THOUGHTS}
        choice.delta = ChoiceDelta.from_dict(fields)

    def _decide(self, *, is_whole: bool) -> str:
        """Return what may be let out now."""
        verdict = self._judge.verdict(self._held, is_whole)
        if verdict is None:
            return ""
        text = "".join(self._held)
        self._held = []
        self.is_decided = True
        self.departed = verdict.departed
        if self.departed:
            self.keep = shared_length(self._partial, text)
        self.overlap = verdict.dropped
        return text[verdict.dropped :]


def _repeats_itself(text: str) -> bool:
    """Return whether a text is one shorter text again and again, at least twice."""
    return any(text.startswith(text[step:]) for step in range(1, len(text) // 2 + 1))
