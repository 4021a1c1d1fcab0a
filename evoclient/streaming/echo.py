"""Whether a reply goes on with a text, where a model was asked in words to do so.

The model was told to begin with the last words of the text. What it repeats is found, exactly but
for white space. A reply that repeats nothing is taken for a continuation only where it
unmistakably is one, and one that seems to repeat something inexactly is not taken at all.
"""

from __future__ import annotations

from typing import Final, Literal

import attrs

from .comparing import Overlap, shared_length
from .continuing import goes_on, lead_of

__all__ = ["LEAST_OVERLAP", "Echo"]

#: The least characters that a reply must repeat to be trusted, if it does not repeat the whole.
LEAST_OVERLAP: Final = 12

#: So many characters that are repeated are no accident, though they are too few to be trusted.
LEAST_DOUBT: Final = 4


@attrs.frozen(eq=False)
class _Trial:
    """One way to find the end of the text at the beginning of the reply.

    Attributes:
        start: How many characters of the reply are skipped.
        known: The text, perhaps without the white space at its end.
        tail: That white space.
        is_trusted: Whether what is found may be dropped; else it only raises doubt.
        overlap: The comparison.
    """

    start: int
    known: str
    tail: str
    is_trusted: bool
    overlap: Overlap

    @property
    def end(self) -> int:
        """Where in the reply the repetition ends."""
        return self.start + self.overlap.length

    def covered(self, reply: str) -> int:
        """Return how many characters at the end of the text are repeated; 0 if not enough."""
        length = self.overlap.length
        if not self.is_trusted or not self.overlap.is_done:
            return 0
        is_all = length == len(self.known) and not self.start and not self.tail
        if not length or not (is_all or length >= LEAST_OVERLAP):
            return 0
        # Without white space where the text has some, the last word itself may be another one.
        if self.tail and not reply[self.end : self.end + 1].isspace() and self.end < len(reply):
            return 0
        return length + len(self.tail)

    def dropped(self, reply: str) -> int:
        """Return how many characters of the reply are to be dropped."""
        return self.end + shared_length(self.tail, reply[self.end : self.end + len(self.tail)])

    @property
    def is_ambiguous(self) -> bool:
        """Whether a shorter repetition, and the same words once more, would look alike.

        So it is with a text that says the same thing again and again.
        """
        return any(
            shorter >= LEAST_OVERLAP and 2 * shorter >= self.overlap.length
            for shorter in self.overlap.lengths[1:]
        )

    def raises_doubt(self, reply: str) -> bool:
        """Return whether the reply may repeat words, though too few to be sure."""
        return any(self._is_doubtful(length, reply) for length in self.overlap.lengths)

    def _is_doubtful(self, length: int, reply: str) -> bool:
        if length >= LEAST_DOUBT:
            return True
        at = self.overlap.at - length
        if at and self.known[at - 1].isalnum() and self.known[at].isalnum():
            return False  # models repeat from the beginning of a word
        end = self.start + length
        is_joined = not (self.tail or reply[0].isspace())
        return is_joined or not reply[end : end + 1].isalnum()


class Echo:
    """The repetition of the end of a text, looked for while a reply comes in."""

    def __init__(self, known: str) -> None:
        """Begin before the reply.

        Args:
            known: The text, not empty.
        """
        self._known = known
        self._lead: str | None = ""  # the reply, as long as it says nothing
        self._trials: list[_Trial] = []
        self._begin(0, is_trusted=True)

    def feed(self, piece: str) -> None:
        """Take a piece of the reply."""
        for trial in self._trials:
            trial.overlap.feed(piece)
        if self._lead is None:
            return
        reply = self._lead + piece
        lead = lead_of(reply)
        self._lead = reply if lead is None else None
        if lead is not None:
            for start in sorted({*lead} - {0}):
                for trial in self._begin(start, is_trusted=start == lead[0]):
                    trial.overlap.feed(reply[start:])

    def is_ready(self, is_whole: bool) -> bool:
        """Return whether `found` can tell more than None."""
        return is_whole or (
            self._lead is None and all(trial.overlap.is_done for trial in self._trials)
        )

    def found(self, reply: str, is_whole: bool) -> int | Literal[False] | None:
        """Return how many characters of the reply are to be dropped.

        Args:
            reply: The reply so far.
            is_whole: Whether nothing more comes.

        Returns:
            The number, 0 for a reply that goes on without a repetition; False for another answer;
            None where that cannot be said yet.
        """
        trials = self._trials
        if not is_whole and any(
            trial.overlap.length and trial.end == len(reply) for trial in trials
        ):
            return None  # what follows a repetition says what it is
        best = max(trials, key=lambda trial: trial.covered(reply))  # the first of several
        if best.covered(reply):
            return False if best.is_ambiguous else best.dropped(reply)
        if reply.strip() and any(trial.raises_doubt(reply) for trial in trials):
            return False
        verdict = goes_on(self._known, reply, is_whole=is_whole)
        return 0 if verdict else verdict

    def _begin(self, start: int, *, is_trusted: bool) -> list[_Trial]:
        """Begin to look for the end of the text at a place of the reply."""
        known = self._known
        core = known.rstrip()
        begun = [
            _Trial(start, text, known[len(text) :], is_trusted, Overlap(text))
            for text in ([known, core] if known != core else [known])
        ]
        self._trials += begun
        return begun
