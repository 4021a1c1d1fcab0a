"""JSON that arrives in pieces: what is closed, what is a valid prefix, what it holds so far.

What is tolerated is what the codec tolerates, because servers send it: a byte order mark, control
characters inside strings, escapes of lone surrogates, NaN and Infinity.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final, TypeAlias

from .models.codec import MAX_DEPTH, loads
from .models.text import mended

__all__ = ["Scanner"]

#: White space of JSON, and no other.
_SPACES: Final = " \t\n\r"
_SPACE: Final = re.compile(r"[ \t\n\r]*+")
#: What a string may hold up to its end, an escape that is not whole yet, or a wrong one.
_INSIDE: Final = re.compile(r'(?:[^"\\]++|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*+')
#: An escape that may become whole with the next piece.
_HALF_ESCAPE: Final = re.compile(r"\\(?:u[0-9a-fA-F]{0,3})?")
#: The escape of the first half of a character, which is no text without the second half.
_HALF_PAIR: Final = re.compile(r"\\u[dD][89abAB][0-9a-fA-F]{2}")
_DIGITS: Final = re.compile(r"[0-9]*+")
_WHOLE_AT_ONCE: Final = re.compile(r"-?+(?:0|[1-9][0-9]*+)(?:\.[0-9]++)?+(?:[eE][+-]?+[0-9]++)?+")
#: What may follow a number right away.
_AFTER_NUMBER: Final = frozenset(_SPACES + ",]}")

#: The words of JSON, and those that Python's decoder reads as well.
_WORDS: Final = {word[0]: word for word in ("true", "false", "null", "NaN", "Infinity")}
_CLOSING: Final = {"{": "}", "[": "]"}

#: How a number may go on, by how far it is; 9 stands for every digit but 0.
_NUMBER: Final[dict[str, dict[str, str]]] = {
    "start": {"-": "minus", "0": "zero", "9": "integer"},
    "minus": {"0": "zero", "9": "integer"},
    "zero": {".": "point", "e": "exponent"},
    "integer": {"9": "integer", "0": "integer", ".": "point", "e": "exponent"},
    "point": {"9": "fraction", "0": "fraction"},
    "fraction": {"9": "fraction", "0": "fraction", "e": "exponent"},
    "exponent": {"9": "power", "0": "power", "+": "sign", "-": "sign"},
    "sign": {"9": "power", "0": "power"},
    "power": {"9": "power", "0": "power"},
}
_KINDS: Final = {**dict.fromkeys("123456789", "9"), "E": "e"}
#: Where a number may end.
_WHOLE_NUMBER: Final = frozenset({"zero", "integer", "fraction", "power"})
#: Where any number of digits changes nothing.
_RUNS: Final = frozenset({"integer", "fraction", "power"})


class Scanner:
    """Follows one JSON document, however it is cut, in time that grows with its length alone.

    Attributes:
        is_valid: Whether what came so far is a JSON document or the beginning of one. It stays
            False once it is: nothing after the wrong character is looked at.
        is_closed: Whether a whole value has been read: at the last bracket of an object or array,
            at the last quote or letter of a string or word. A number is closed by what follows
            it, or by `finish`. It stays True when something else follows; `is_valid` tells.
        is_container: Whether the value is an object or an array; False while nothing came.
    """

    __slots__ = (
        "_is_key",
        "_length",
        "_number",
        "_open",
        "_pieces",
        "_read",
        "_rest",
        "_safe",
        "_word",
        "is_closed",
        "is_container",
        "is_valid",
    )

    def __init__(self) -> None:
        """Begin with nothing."""
        self.is_valid = True
        self.is_closed = False
        self.is_container = False
        self._pieces: list[str] = []
        self._length = 0  # of the pieces, in characters
        self._rest = ""  # of the last piece: an escape that is not whole
        self._safe = 0  # up to here, what is open can be closed by brackets alone
        self._open: list[str] = []  # the brackets that are open
        self._is_key = False  # whether the string that is open is a key
        self._number = ""
        self._word = ""  # the letters that are still to come
        self._read: _State = Scanner._beginning

    def feed(self, text: str) -> None:
        """Take the next piece, of any length."""
        if not self.is_valid or not text:
            return
        if self._read is Scanner._end and not text.strip(_SPACES):
            return  # padding, of which there may be much, is not kept
        self._pieces.append(text)
        text = self._rest + text
        start = self._length - len(self._rest)
        self._length = start + len(text)
        self._rest = ""
        at = 0
        while at < len(text):
            at = self._read(self, text, at, start)
            if at < 0:
                self.is_valid = False
                return

    def finish(self) -> None:
        """Learn that nothing more comes: what is not closed by now is no JSON document."""
        if self._read is Scanner._in_number and self._number in _WHOLE_NUMBER and not self._open:
            self._ended(self._length)
        self.is_valid = self.is_valid and self.is_closed

    def completed(self) -> str | None:
        """Return the shortest JSON document that holds what came so far, or None for nothing.

        Open strings, arrays and objects are closed. Left out is what has no value yet: a key
        without one, half a word, half an escape or character, and a number that may go on.
        """
        text = "".join(self._pieces)
        self._pieces = [text]
        text = text[: self._safe]
        if self._read is Scanner._in_string and not self._is_key:
            text = _without_half(text) + '"'
        if not text:
            return None
        return mended(text) + "".join(_CLOSING[bracket] for bracket in reversed(self._open))

    def value_so_far(self) -> Any:
        """Return the value of what came so far; None where that is nothing.

        Of a document that is not valid it is the value of its valid beginning.

        Raises:
            ValueError: A number has more digits than Python reads.
        """
        text = self.completed()
        return None if text is None else loads(text)

    # Each state reads on from a place, and returns where the next one goes on, or -1 where
    # nothing that JSON allows stands there. `start` is the place of the text in the document.

    def _beginning(self, text: str, at: int, start: int) -> int:
        self._read = Scanner._value
        return at + 1 if text[at] == "\ufeff" else at

    def _value(self, text: str, at: int, start: int) -> int:
        char = text[at]
        if char == '"':
            self._is_key = False
            self._read = Scanner._in_string
            self._safe = start + at + 1
        elif char in _CLOSING:
            if len(self._open) == MAX_DEPTH:
                return -1
            self.is_container = True
            self._open.append(char)
            self._read = Scanner._first_key if char == "{" else Scanner._first_value
            self._safe = start + at + 1
        elif char in _SPACES:
            return _past(_SPACE, text, at)
        elif char in _WORDS:
            self._word = _WORDS[char]
            self._read = Scanner._in_word
            return at
        else:
            return self._number_from(text, at, start)
        return at + 1

    def _first_value(self, text: str, at: int, start: int) -> int:
        if text[at] in _SPACES:
            return _past(_SPACE, text, at)
        self._read = Scanner._after if text[at] == "]" else Scanner._value
        return at

    def _first_key(self, text: str, at: int, start: int) -> int:
        if text[at] in _SPACES:
            return _past(_SPACE, text, at)
        self._read = Scanner._after if text[at] == "}" else Scanner._key
        return at

    def _key(self, text: str, at: int, start: int) -> int:
        if text[at] in _SPACES:
            return _past(_SPACE, text, at)
        self._is_key = True
        self._read = Scanner._in_string
        return at + 1 if text[at] == '"' else -1

    def _colon(self, text: str, at: int, start: int) -> int:
        if text[at] in _SPACES:
            return _past(_SPACE, text, at)
        self._read = Scanner._value
        return at + 1 if text[at] == ":" else -1

    def _after(self, text: str, at: int, start: int) -> int:
        """Read what may follow a value in an array or object."""
        char = text[at]
        if char in _SPACES:
            return _past(_SPACE, text, at)
        bracket = self._open[-1]
        if char == ",":
            self._read = Scanner._key if bracket == "{" else Scanner._value
        elif char == _CLOSING[bracket]:
            self._open.pop()
            self._ended(start + at + 1)
        else:
            return -1
        return at + 1

    def _end(self, text: str, at: int, start: int) -> int:
        return _past(_SPACE, text, at) if text[at] in _SPACES else -1

    def _ended(self, safe: int) -> None:
        """Learn that a value ends at a place in the document."""
        self._safe = safe
        self._read = Scanner._after if self._open else Scanner._end
        self.is_closed = not self._open

    def _in_string(self, text: str, at: int, start: int) -> int:
        end = _past(_INSIDE, text, at)
        if not self._is_key:
            self._safe = start + end
        if end == len(text):
            return end
        if text[end] == '"':
            if self._is_key:
                self._read = Scanner._colon
            else:
                self._ended(start + end + 1)
            return end + 1
        if not _HALF_ESCAPE.fullmatch(text, end):
            return -1
        self._rest = text[end:]
        return len(text)

    def _in_word(self, text: str, at: int, start: int) -> int:
        word = self._word
        if text.startswith(word, at):
            at += len(word)
            self._ended(start + at)
            return at
        if not word.startswith(text[at : at + len(word)]):
            return -1
        self._word = word[len(text) - at :]
        return len(text)

    def _number_from(self, text: str, at: int, start: int) -> int:
        """Read a number from its first character."""
        end = _past(_WHOLE_AT_ONCE, text, at)
        if at < end < len(text) and text[end] in _AFTER_NUMBER:
            self._ended(start + end)
            return end
        self._number = "start"
        self._read = Scanner._in_number
        return at

    def _in_number(self, text: str, at: int, start: int) -> int:
        if self._number in _RUNS:
            at = _past(_DIGITS, text, at)
            if at == len(text):
                return at
        char = text[at]
        if char == "I" and self._number == "minus":
            self._word = "Infinity"
            self._read = Scanner._in_word
            return at
        following = _NUMBER[self._number].get(_KINDS.get(char, char))
        if following is not None:
            self._number = following
            return at + 1
        if self._number not in _WHOLE_NUMBER:
            return -1
        self._ended(start + at)
        return at


_State: TypeAlias = Callable[[Scanner, str, int, int], int]


def _past(pattern: re.Pattern[str], text: str, at: int) -> int:
    """Return the place behind what a pattern matches at a place."""
    found = pattern.match(text, at)
    return found.end() if found else at


def _without_half(text: str) -> str:
    """Return the text of an open string without a first half of a character at its end."""
    if "\ud800" <= text[-1] <= "\udbff":
        return text[:-1]
    if _HALF_PAIR.fullmatch(text, len(text) - 6):
        before = text[:-5]
        # Each two backslashes are one of the text, and what follows them is text as well.
        if (len(before) - len(before.rstrip("\\"))) % 2:
            return text[:-6]
    return text
