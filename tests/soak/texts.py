"""What server and readers agree on: the text of each answer."""

from __future__ import annotations

import random
import zlib

__all__ = ["checksum", "pieces_of", "text_of"]

_WORDS = (
    "stream",
    "поток",
    "流",
    "😀",
    "e\u0301",
    '"quoted"',
    "back\\slash",
    "line\n",
    "a",
    "\u2028",
)


def pieces_of(number: int) -> list[str]:
    """Return the pieces of an answer, in the order in which they are sent."""
    dice = random.Random(number)
    return [f"{dice.choice(_WORDS)}{dice.randrange(1000)} " for _ in range(dice.randint(1, 40))]


def text_of(number: int) -> str:
    """Return the whole text of an answer."""
    return "".join(pieces_of(number))


def checksum(text: str) -> int:
    """Return the checksum of a text."""
    return zlib.crc32(text.encode())
