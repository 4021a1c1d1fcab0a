"""Finding the first of many sequences in a text that comes in pieces, in linear time.

This is the automaton of Aho and Corasick, built as far as the texts lead into it. A state is the
longest end of the text so far with which some sequence begins, and a mapping from the next
character to the next state, so that one plain loop does the work:

    for char in text:
        state = state[char]

A sequence that is complete is a state that no character leads out of. Of several that are complete
at the same character, it is the longest one.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

__all__ = ["State", "beginning"]

#: How many ways back, from where a character breaks a sequence off, are remembered, and how many
#: more for each sequence. Each is found again in bounded time, but remembered ones are ten times
#: as fast. An alphabet, or the usual Chinese characters, fit in; it does not grow with the text.
_REMEMBERED: Final = 2048
_REMEMBERED_OF_EACH: Final = 16


class _Memory:
    """How many more ways back may be remembered by the states of one automaton."""

    __slots__ = ("left",)

    def __init__(self, sequences: int) -> None:
        self.left = _REMEMBERED + _REMEMBERED_OF_EACH * sequences


class State(dict[str, "State"]):
    """Where a text stands, and where each next character leads.

    Attributes:
        depth: How many of the last characters may be the beginning of a sequence.
        example: A sequence that begins with these characters.
        sequence: The sequence that is complete, or None.
    """

    __slots__ = ("_ahead", "_fallback", "_memory", "depth", "example", "sequence")

    def __init__(
        self, sequences: list[str], depth: int, fallback: State | None, memory: _Memory
    ) -> None:
        """Make the state of texts that end with the first characters of some sequences.

        Args:
            sequences: Those that begin so, at least one of them but at the start.
            depth: With how many characters.
            fallback: The state of the longest shorter end of such a text; None at the start.
            memory: Is shared by all states.
        """
        super().__init__()
        self.depth = depth
        self.example = sequences[0] if sequences else ""
        self._fallback = fallback
        self._memory = memory
        self._ahead: dict[str, list[str]] = {}
        self.sequence: str | None = fallback.sequence if fallback is not None else None
        if any(len(sequence) == depth for sequence in sequences):
            self.sequence = self.example[:depth]
        elif self.sequence is None:
            for sequence in sequences:
                self._ahead.setdefault(sequence[depth], []).append(sequence)

    @property
    def held(self) -> str:
        """The last characters, which may be the beginning of a sequence."""
        return self.example[: self.depth]

    def __missing__(self, char: str) -> State:
        """Find where a character leads for the first time, and remember it."""
        if self.sequence is not None:
            return self
        # Ever shorter ends of the text, as far as none is known to go on with the character.
        ends = [self]
        end = self._fallback
        found = None
        while end is not None and (found := end.get(char)) is None:
            ends.append(end)
            end = end._fallback
        for end in reversed(ends):
            ahead = end._ahead.pop(char, None)
            if ahead is not None:
                child = State(ahead, end.depth + 1, end if found is None else found, self._memory)
                found = end[char] = child
            elif found is None:
                found = end  # the start
        assert found is not None
        if char not in self and self._memory.left:
            self._memory.left -= 1
            self[char] = found
        return found


def beginning(sequences: Iterable[str]) -> State:
    """Return the state of an empty text.

    Args:
        sequences: What to find; none of them empty.
    """
    found = list(sequences)
    return State(found, 0, None, _Memory(len(found)))
