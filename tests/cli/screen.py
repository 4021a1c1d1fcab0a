"""A terminal to look at: what a person sees, scrollback included, after a program has written."""

from __future__ import annotations

import re
from itertools import repeat

# An escape sequence, or one character. Colours, and the cursor's look, are not followed.
_PIECE = re.compile(r"\x1b\[(?P<values>[?0-9;]*)(?P<verb>[A-Za-z])|(?P<text>.)", re.DOTALL)


class Screen:
    """Follows what rich sends: text, line ends, the cursor going up, lines being erased."""

    def __init__(self, width: int = 80, height: int = 24) -> None:
        self._width = width
        self._height = height
        self._lines: list[list[str]] = [[]]
        self._row = 0
        self._column = 0
        self.is_cursor_visible = True

    def write(self, text: str) -> None:
        """Take what a program has written."""
        for piece in _PIECE.finditer(text):
            if piece["verb"]:
                self._obey(piece["verb"], piece["values"])
            else:
                self._type(piece["text"])

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
            assert values == "2"
            self._lines[self._row].clear()
        elif verb in "hl" and values == "?25":
            self.is_cursor_visible = verb == "h"
        else:
            assert verb == "m", f"rich is not expected to send {values}{verb}"

    def _type(self, character: str) -> None:
        if character == "\r":
            self._column = 0
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
