"""Comparing a text that comes in pieces with one that is known.

Both comparisons take linear time, whatever the texts and however they are cut.
"""

from __future__ import annotations

__all__ = ["Overlap", "Repetition", "shared_length"]


def shared_length(known: str, text: str, start: int = 0) -> int:
    """Return with how many of its first characters a text repeats a known one.

    Args:
        known: The known text.
        text: The text.
        start: The place in the known text that the text is compared from.
    """
    if known.startswith(text, start):
        return len(text)
    most = min(len(text), len(known) - start)
    return next((at for at in range(most) if known[start + at] != text[at]), most)


class Repetition:
    """A text that is expected to repeat a known one from its beginning, and then to go on.

    Attributes:
        known: The known text.
        same: How many characters are repeated so far.
        length: How many characters have come.
        departed: Whether the text turned out to be another one: it differs, or it ended early.
    """

    __slots__ = ("departed", "known", "length", "same")

    def __init__(self, known: str) -> None:
        """Begin with nothing of the text."""
        self.known = known
        self.same = 0
        self.length = 0
        self.departed = False

    @property
    def is_past(self) -> bool:
        """Whether all of the known text has been repeated."""
        return self.same == len(self.known)

    @property
    def is_open(self) -> bool:
        """Whether there is still something to compare."""
        return not self.departed and not self.is_past

    @property
    def shown(self) -> int:
        """How many characters a reader has who had the known text and got what `feed` returned.

        What a departure makes void is not counted.
        """
        return self.length if self.departed else max(self.length, len(self.known))

    def feed(self, piece: str) -> str:
        """Take a piece and return what of it is no repetition."""
        self.length += len(piece)
        if not self.is_open:
            return piece
        shared = shared_length(self.known, piece, self.same)
        self.same += shared
        if shared == len(piece):
            return ""
        self.departed = not self.is_past
        return piece[shared:]

    def finish(self) -> None:
        """Learn that the text has ended; one that is too short has departed."""
        self.departed = self.departed or not self.is_past


class Overlap:
    """The longest end of a known text with which another text begins.

    It is the search of Knuth, Morris and Pratt for a pattern that still grows: the known text is
    gone through once, and at its end the part of the pattern that is matched is the overlap.

    Attributes:
        at: How far the known text has been gone through.
        length: How many characters before there are the beginning of the text: the overlap, once
            `is_done`; before, what may become one.
    """

    __slots__ = ("_borders", "_known", "_text", "at", "length")

    def __init__(self, known: str) -> None:
        """Begin with nothing of the other text."""
        self._known = known
        self._text: list[str] = []
        # Of each beginning of the text, how long the longest shorter one is that it ends with.
        self._borders: list[int] = []
        self.at = 0
        self.length = 0

    @property
    def is_done(self) -> bool:
        """Whether no further character can make another overlap."""
        return self.at == len(self._known)

    @property
    def lengths(self) -> list[int]:
        """The lengths of all overlaps, the longest first, in no more than linear time."""
        found = []
        length = self.length
        while length:
            found.append(length)
            length = self._borders[length - 1]
        return found

    def feed(self, piece: str) -> None:
        """Take a piece of the text."""
        for character in piece:
            if self.is_done:
                return
            self._grow(character)
            self._go_on()

    def _grow(self, character: str) -> None:
        """Add a character to the pattern."""
        text, borders = self._text, self._borders
        border = borders[-1] if borders else 0
        while border and text[border] != character:
            border = borders[border - 1]
        if border < len(text) and text[border] == character:
            border += 1
        text.append(character)
        borders.append(border)

    def _go_on(self) -> None:
        """Go through the known text until it or the pattern is used up."""
        known, text, at, length = self._known, self._text, self.at, self.length
        while at < len(known) and length < len(text):
            if known[at] == text[length]:
                at += 1
                length += 1
            elif length:
                length = self._borders[length - 1]
            else:
                found = known.find(text[0], at)
                at = len(known) if found < 0 else found
        self.at, self.length = at, length
