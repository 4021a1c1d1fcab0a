"""A terminal to look at: what a person sees, scrollback included, after a program has written."""

from __future__ import annotations

import re
from itertools import repeat

# An escape sequence, or one character. Colours, and the cursor's look, are not followed.
_PIECE = re.compile(r"\x1b\[(?P<values>[?0-9;]*)(?P<verb>[A-Za-z@])|(?P<text>[^\x1b])", re.DOTALL)
_UNFINISHED = re.compile(r"\x1b(\[[?0-9;]*)?\Z")


class Screen:
    """Follows what rich and readline send: text, the cursor that moves, lines being erased."""

    def __init__(self, width: int = 80, height: int = 24) -> None:
        self._width = width
        self._height = height
        self._lines: list[list[str]] = [[]]
        self._row = 0
        self._column = 0
        self.is_cursor_visible = True

    def write(self, text: str) -> str:
        """Take what a program has written, and return the beginning of a sequence at its end."""
        unfinished = _UNFINISHED.search(text)
        whole = text[: unfinished.start()] if unfinished else text
        for piece in _PIECE.finditer(whole):
            if piece["verb"]:
                self._obey(piece["verb"], piece["values"])
            else:
                self._type(piece["text"])
        return text[len(whole) :]

    @property
    def text(self) -> str:
        """All lines, from the first that scrolled away, without spaces at their ends."""
        return "\n".join("".join(line).rstrip() for line in self._lines).rstrip("\n")

    def _obey(self, verb: str, values: str) -> None:
        if verb == "A":
            # As in a real terminal the cursor stops at the top of the screen.
            top = max(0, len(self._lines) - self._height)
            self._row = max(top, self._row - int(values or 1))
        elif verb == "K":
            assert values in ("", "2")
            del self._lines[self._row][0 if values else self._column :]
        elif verb == "C":
            self._column += int(values or 1)
        elif verb == "P":
            del self._lines[self._row][self._column : self._column + int(values or 1)]
        elif verb in "hl" and values == "?25":
            self.is_cursor_visible = verb == "h"
        else:
            # Colours, and that what is pasted shall be marked.
            assert verb == "m" or values == "?2004", f"nobody is expected to send {values}{verb}"

    def _type(self, character: str) -> None:
        if character == "\r":
            self._column = 0
        elif character == "\b":
            self._column -= 1
        elif character == "\n":
            self._row += 1
            self._column = 0
            if self._row == len(self._lines):
                self._lines.append([])
        else:
            if self._column == self._width:
                self._type("\n")
            line = self._lines[self._row]
            line.extend(repeat(" ", self._column + 1 - len(line)))
            line[self._column] = character
            self._column += 1
