"""Cutting text into the pieces a model would send, and counting them.

A *piece* is a word with the space before it: what one chunk of a stream carries. A *token* is a
slice of at most four characters of a piece: what is counted and what ``max_tokens`` limits. Both
are exact and invertible, so that a count in ``usage`` always agrees with the text that was sent.
"""

from __future__ import annotations

import re

__all__ = ["count_tokens", "first_tokens", "split_pieces"]

_TOKEN = 4  # characters; the rule of thumb for English text
_LONGEST = 16  # characters; a word without spaces still arrives in pieces

# Scripts without spaces between words are cut every two characters, or a whole paragraph would be
# one piece. Hiragana to CJK ideographs, then Hangul.
_DENSE = "\u3040-\u9fff\uac00-\ud7a3"

_PIECE = re.compile(
    rf"\s*(?:[-#*>]+\s+)?(?:[{_DENSE}]{{1,2}}[\u3000-\u303f\uff00-\uffef]*"
    rf"|[^\s{_DENSE}]{{1,{_LONGEST}}})|\s+"
)


def split_pieces(text: str) -> list[str]:
    """Cut text into pieces; joined again they are the text.

    A list marker or a heading mark stays with the word behind it.
    """
    return _PIECE.findall(text)


def count_tokens(text: str) -> int:
    """Count the tokens of a text: about one for four characters, at least one for each piece."""
    return sum(_tokens_of(piece) for piece in split_pieces(text))


def first_tokens(text: str, limit: int) -> str:
    """Return the longest beginning of the text that is not more than ``limit`` tokens."""
    kept: list[str] = []
    for piece in split_pieces(text):
        tokens = _tokens_of(piece)
        if tokens >= limit:
            kept.append(piece[: limit * _TOKEN])
            break
        kept.append(piece)
        limit -= tokens
    return "".join(kept)


def _tokens_of(piece: str) -> int:
    return -(-len(piece) // _TOKEN)
