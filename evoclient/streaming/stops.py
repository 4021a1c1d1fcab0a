"""Stop sequences, exact: the text is cut before the first one, wherever the chunks were cut.

Of the text of each choice, only what may be the beginning of a sequence is held back.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any, Final

from ..models.chat import ChatCompletion
from ..models.chunks import ChatCompletionChunk, ChunkChoice, read_chunk
from .matching import State, beginning
from .rewriting import choice_index, end_with, put_content, put_text

__all__ = ["Stops", "cut_completion"]

#: Of so many different first characters, most texts have none. To look for them is then faster
#: than to follow the text.
_FEW: Final = 8


class Stops:
    """A stage that ends a choice before the first stop sequence in its content.

    The sequence that is complete first wins; of several that are complete at the same character,
    the longest. The choice then has the finish reason "stop" and the sequence as `stop_reason`;
    what still comes of it is left out. Reasoning, refusals and tool calls are not looked at.

    It may go on with the chunks of another reply, where that goes on with the same text.

    Attributes:
        fired: The sequence that ended a choice here, by the choice's index. What a server says
            of its own stops is not in it.
    """

    __slots__ = ("_first", "_may_begin", "_read", "_start", "_states", "fired")

    def __init__(
        self,
        sequences: Sequence[str],
        *,
        read: Callable[[dict[str, Any]], ChatCompletionChunk] = read_chunk,
    ) -> None:
        """Start with nothing held.

        Args:
            sequences: The stop sequences, none of them empty.
            read: Makes the chunk of what is left at the end, as `Shape.read`.
        """
        self.fired: dict[int, str] = {}
        self._read = read
        self._start = beginning(sequences)
        # Of the choices that hold something, or have been ended.
        self._states: dict[int, State] = {}
        firsts = {sequence[:1] for sequence in sequences}
        # What a text must have to begin a sequence; "" is in every text.
        self._first = min(firsts) if len(firsts) == 1 else ""
        self._may_begin: Callable[[str], object] = bool
        if 1 < len(firsts) <= _FEW:
            self._may_begin = re.compile("|".join(map(re.escape, sorted(firsts)))).search

    def held(self, choice: int) -> str:
        """Return what is held back of a choice; empty where there is nothing."""
        state = self._states.get(choice)
        return state.held if state is not None and state.sequence is None else ""

    def feed(self, chunk: ChatCompletionChunk) -> bool:
        """Change a chunk in place; return False where nothing of it is left to hand out."""
        if not self._states:
            for choice in chunk.choices:
                text: object = choice.delta.content
                if type(text) is str and self._first in text and self._may_begin(text):
                    break
            else:
                return True
        gone = []
        for choice in chunk.choices:
            if not self._feed(choice):
                gone.append(id(choice))
        if not gone:
            return True
        chunk.choices = [choice for choice in chunk.choices if id(choice) not in gone]
        return bool(chunk.choices) or chunk.usage is not None

    def lets_pass(self, text: str) -> bool:
        """Return whether nothing is held and no sequence begins in a text."""
        return not (self._states or (self._first in text and self._may_begin(text)))

    def finish(self) -> ChatCompletionChunk | None:
        """Learn that nothing more comes; return what was still held back, or None."""
        held = {index: text for index in self._states if (text := self.held(index))}
        if not held:
            return None
        for index in held:
            del self._states[index]
        choices = [
            {"index": index, "delta": {"content": text}, "finish_reason": None}
            for index, text in held.items()
        ]
        return self._read({"object": "chat.completion.chunk", "choices": choices})

    def _feed(self, choice: ChunkChoice) -> bool:
        """Change a choice; return False where it is to be left out."""
        index = choice.index
        if type(index) is not int:
            index = choice_index(index)
        delta = choice.delta
        content: object = delta.content  # a server may send what is no text
        text = content if type(content) is str else ""
        state = before = self._states.get(index, self._start)
        for char in text:
            state = state[char]
        if state.sequence is not None:
            if before.sequence is not None:
                return False
            self._fire(choice, index, before, text)
            return True
        depth = state.depth
        if depth and choice.finish_reason:
            depth = 0
        held = before.depth
        if depth or held:
            # Only what comes out is copied: what is held may be long, and the pieces short.
            size = len(text) - depth
            if size > 0:
                out = before.example[:held] + text[:size] if held else text[:size]
            else:
                out = before.example[: held + size]
            if out or text:
                delta.content = out
                if type(choice) is not ChunkChoice:
                    put_content(choice, out)
            if depth:
                self._states[index] = state
            else:
                del self._states[index]
        return True

    def _fire(self, choice: ChunkChoice, index: int, before: State, text: str) -> None:
        state, start = _found(before, text)
        sequence = state.sequence
        assert sequence is not None
        self.fired[index] = sequence
        self._states[index] = state
        put_content(choice, (before.held + text)[: before.depth + start])
        end_with(choice, sequence)


def cut_completion(completion: ChatCompletion, sequences: Sequence[str]) -> dict[int, str]:
    """Cut the choices of a whole answer before their first stop sequence.

    It does to `message.content`, and to the `text` of the older completions endpoint, what `Stops`
    does to a stream.

    Args:
        completion: The answer, which is changed in place.
        sequences: The stop sequences, none of them empty.

    Returns:
        The sequence that ended a choice, by the choice's index.
    """
    fired: dict[int, str] = {}
    start = beginning(sequences)
    for choice in completion.choices:
        text: object = choice.message.content
        if isinstance(text, str):
            state, place = _found(start, text)
            if state.sequence is not None:
                fired[choice_index(choice.index)] = state.sequence
                put_text(choice, text[:place])
                end_with(choice, state.sequence)
    return fired


def _found(state: State, text: str) -> tuple[State, int]:
    """Find the first sequence that ends in a text.

    Args:
        state: That of the text before.
        text: The next piece.

    Returns:
        The state in which the text ends, and how much of it comes before the sequence: less than
        0 for one that began earlier, all of it where there is none.
    """
    for place, char in enumerate(text, 1):
        state = state[char]
        if state.sequence is not None:
            return state, place - len(state.sequence)
    return state, len(text)
