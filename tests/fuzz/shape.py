"""What a target of the fuzzing is, and what all of them need."""

from __future__ import annotations

import random
import zlib
from collections.abc import Callable

import attrs

__all__ = ["SECRET", "Target", "pieces_of", "text_of"]

#: A credential, for the targets that may show none.
SECRET = "planted-secret-01"


@attrs.frozen
class Target:
    """A part of the package that reads what others have written.

    Attributes:
        name: Its name; the folder of its corpus is called so.
        run: Takes an input, and raises where the package does what it must not: lets a foreign
            exception through, or breaks what the target states.
        words: What means something to it, for mutations.
        most: The most bytes of an input that are searched with.
        weight: Its share of the time: what is slow, or large, is searched for longer.
    """

    name: str
    run: Callable[[bytes], None] = attrs.field(repr=False)
    words: tuple[bytes, ...] = attrs.field(default=(), repr=False)
    most: int = 2048
    weight: int = 1


def pieces_of(data: bytes) -> list[bytes]:
    """Cut an input as a network might: anyhow, but always alike for the same beginning.

    So an input that was made longer is cut into pieces of the same sizes, and takes no longer
    because of them.
    """
    dice = random.Random(zlib.crc32(data[:256]))
    most = dice.choice((1, 3, 40, 1500))
    pieces = []
    at = 0
    while at < len(data):
        size = dice.randint(1, most)
        pieces.append(data[at : at + size])
        at += size
    return pieces


def text_of(data: bytes) -> str:
    """Return an input as text, halves of characters included."""
    try:
        return data.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        return data.decode("latin-1")
