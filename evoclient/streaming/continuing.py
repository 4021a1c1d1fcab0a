"""Whether a text unmistakably goes on with another one, as far as writing can tell.

Only scripts with capital letters can: there a small letter says that no sentence begins. Whatever
might begin an answer of its own is none.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

__all__ = ["MOST_LEAD", "goes_on", "lead_of"]

#: The most white space and marks in front of a text that are looked through, in characters.
MOST_LEAD: Final = 64

_LEAD: Final = re.compile(r"(\s*)[\s\"'“”„‘’«»‹›*_#`>~(\[{<•–—-]*")
_QUOTES: Final = frozenset("\"'”’»")
_CLOSING: Final = frozenset(",.;:!?)]}")
_SENTENCE_END: Final = frozenset(".!?…")
_AFTER_SENTENCE: Final = "\"'”’»“)]}*_`"


def lead_of(text: str, *, is_whole: bool = False) -> tuple[int, int] | None:
    """Return how much stands in front of what a text says.

    Args:
        text: The text so far.
        is_whole: Whether nothing more comes.

    Returns:
        How many characters of white space come first, and how many of white space and marks that
        may open something, such as quotes and brackets, in all; None where that cannot be said
        yet. No more than `MOST_LEAD` characters are looked through.
    """
    found = _LEAD.match(text)
    assert found is not None  # it matches the empty text
    if found.end() == len(text) and len(text) < MOST_LEAD and not is_whole:
        return None
    return min(found.end(1), MOST_LEAD), min(found.end(), MOST_LEAD)


def goes_on(known: str, text: str, *, is_whole: bool) -> bool | None:
    """Return whether a text goes on with a known one, or None where that cannot be said yet.

    It does where it begins with

    - white space that the known text does not end with, and then a small letter, a digit or
      punctuation; or
    - a small letter, and the known text ends neither a sentence nor in the middle of a word, or
      closing punctuation, and it does not end a sentence;

    and where it is empty or blank. An opening mark, such as a quote, counts as what follows it,
    and an ellipsis as a new beginning.

    Args:
        known: The known text.
        text: What may go on with it, so far.
        is_whole: Whether nothing more comes.
    """
    lead = lead_of(text, is_whole=is_whole)
    if lead is None:
        return None
    blanks, start = lead
    if start == MOST_LEAD:
        return False
    if start == len(text):
        return is_whole and blanks == start
    first = text[start]
    if first == "." and len(text) == start + 1 and not is_whole:
        return None  # perhaps an ellipsis
    if first == "…" or text.startswith("..", start) or not _ends_in_a_cased_script(known):
        return False
    if blanks:
        says_more = _is_small(first) or first.isdigit() or _is_punctuation(first)
        return says_more and not known[-1].isspace()
    if start and text[0] not in _QUOTES:
        return False
    # Between two letters there may be a space that the model left out.
    fits = first in _CLOSING or (_is_small(first) and not known[-1].isalnum())
    return fits and not _ends_a_sentence(known)


def _is_small(character: str) -> bool:
    """Return whether a letter is a small one that a sentence would not begin with."""
    # Georgian has capitals, but no sentence begins with one.
    return character.islower() and character.title() != character


def _is_punctuation(character: str) -> bool:
    return unicodedata.category(character)[0] in "PS"


def _ends_in_a_cased_script(text: str) -> bool:
    """Return whether the last letter of a text has a small and a capital form."""
    last = next((character for character in reversed(text) if character.isalpha()), "")
    return last.title() != last.lower()


def _ends_a_sentence(text: str) -> bool:
    return text.rstrip().rstrip(_AFTER_SENTENCE)[-1:] in _SENTENCE_END
