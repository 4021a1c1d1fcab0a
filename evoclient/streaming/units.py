"""Where words, lines and sentences end in text that still grows.

A splitter is a function of the unfinished text, the place from which it has not looked yet, and
how much of the text can no longer be changed by what follows. It returns the places where a unit
ends, in order, and the place to look from next time, if none of them is taken.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

__all__ = ["SPLITTERS", "Splitter", "by_pattern"]

Splitter = Callable[[str, int, int], tuple[list[int], int]]

# White space after a word. It goes with the word before it, as far as it has come.
_AFTER_A_WORD: Final = re.compile(r"(?<=\S)\s+")
# CR, LF, both, NEL, and Unicode's separators of lines and paragraphs.
_LINE_END: Final = re.compile("\r\n?|[\n\x85\u2028\u2029]")
# Scripts that write spaces: the marks, what may close behind them (quotes, brackets, the marks of
# Markdown), and white space. Scripts that write none: the same without the space; “ opens there.
# A blank line ends whatever stands before it: a heading has no full stop.
_SENTENCE_END: Final = re.compile(
    r"""(?P<mark>[.!?…‽⁇⁈⁉])[.!?…‽⁇⁈⁉]*["'”’“‘»›)\]}*_`]*(?P<space>\s*)"""
    r"""|[。！？；｡．︒][。！？；｡．︒…]*["'”’」』】）》〉〕］｝]*"""
    r"""|(?P<blank>\n[^\S\n]*(?:\n|\Z))"""
)
_LIST_NUMBER: Final = re.compile(r"(?:^|\n)\s*\d+\Z")
_LAST_WORD: Final = re.compile(r"""[^\s()\[\]{}«»„“”"'*_`]*\Z""")
# The longest word that is looked at: no abbreviation is longer.
_LONGEST: Final = 12
# An initial, several ("J.R.R."), or what is shortened to letters ("e.g.", "т. е.", "U.S.").
_LETTERS: Final = re.compile(r"[^\W\d_](?:\.[^\W\d_])*")
#: What else ends in a dot and seldom ends a sentence, in lower case and without the dot. Words that
#: often do end one ("etc.") are left out.
ABBREVIATIONS: Final = frozenset(
    {"approx", "cf", "dr", "fig", "jr", "mr", "mrs", "ms", "ph.d", "prof", "sr", "st", "vs"}
    | {"акад", "гр", "напр", "проф", "рис", "св", "см", "ср", "табл", "тов", "ул"}
)


def _words(text: str, start: int, settled: int) -> tuple[list[int], int]:
    """Find the ends of words: behind the white space that follows them."""
    ends: list[int] = []
    for found in _AFTER_A_WORD.finditer(text, start):
        ends += _certain(found.start(), found.end(), settled)
    return ends, settled


def _lines(text: str, start: int, settled: int) -> tuple[list[int], int]:
    """Find the ends of lines: behind the line break."""
    found = _LINE_END.finditer(text, start)
    return [each.end() for each in found if each.end() <= settled], settled


def _sentences(text: str, start: int, settled: int) -> tuple[list[int], int]:
    """Find the ends of sentences: behind the mark, what closes there, and white space."""
    ends: list[int] = []
    for found in _SENTENCE_END.finditer(text, start):
        end, mark, blank = found.end(), found["mark"], found["blank"]
        is_open = end == len(text)
        if is_open and (blank.count("\n") == 1 if blank else mark and not found["space"]):
            return ends, found.start()  # a second line break, or white space, may follow
        if mark and (not found["space"] or (mark == "." and _is_inside(text, found.start()))):
            continue
        if blank and not text[: found.start()].strip():
            continue
        if (found.start("space") + 1 if mark else end) > settled:
            return ends, found.start()
        ends += _certain(found.start("space"), end, settled) if mark else [end]
    return ends, settled


def _certain(start: int, end: int, settled: int) -> range:
    """Return the places inside white space, and behind it, as far as nothing can change them."""
    return range(start + 1, min(end, settled) + 1)


def _is_inside(text: str, dot: int) -> bool:
    """Return whether a dot that white space follows belongs to the word or number before it."""
    if text[dot + 1 : dot + 2] == ".":
        return False
    before = text[max(0, dot - _LONGEST) : dot]
    found = _LAST_WORD.search(before)
    word = "" if found is None else found[0]
    if word.isdigit():
        return _LIST_NUMBER.search(before) is not None
    return _LETTERS.fullmatch(word) is not None or word.lower() in ABBREVIATIONS


def by_pattern(pattern: re.Pattern[str]) -> Splitter:
    """Return a splitter for which each match of a pattern ends a unit.

    The pattern sees the text from the end of the last unit that was shown. It is tried anew on all
    of the unfinished text whenever that grows.
    """

    def ends(text: str, start: int, settled: int) -> tuple[list[int], int]:
        """Find the ends of matches."""
        return [each.end() for each in pattern.finditer(text) if 0 < each.end() <= settled], 0

    return ends


#: By the words that users say.
SPLITTERS: Final[dict[str, Splitter]] = {"word": _words, "line": _lines, "sentence": _sentences}
