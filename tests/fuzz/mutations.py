"""Inputs made from others, by dice that can be thrown again: the search of the default suite.

It knows nothing of coverage; that is what ``tox -e fuzz`` is for.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

__all__ = ["mutated"]

Change = Callable[[bytearray, random.Random, Sequence[bytes]], None]


def _place(data: bytearray, dice: random.Random) -> int:
    return dice.randint(0, len(data))


def _flip(data: bytearray, dice: random.Random, words: Sequence[bytes]) -> None:
    if data:
        data[dice.randrange(len(data))] ^= 1 << dice.randrange(8)


def _replace(data: bytearray, dice: random.Random, words: Sequence[bytes]) -> None:
    if data:
        data[dice.randrange(len(data))] = dice.randrange(256)


def _insert_word(data: bytearray, dice: random.Random, words: Sequence[bytes]) -> None:
    at = _place(data, dice)
    data[at:at] = dice.choice(words)


def _cut_out(data: bytearray, dice: random.Random, words: Sequence[bytes]) -> None:
    at = _place(data, dice)
    del data[at : at + dice.randint(1, 20)]


def _cut_off(data: bytearray, dice: random.Random, words: Sequence[bytes]) -> None:
    del data[_place(data, dice) :]


def _repeat(data: bytearray, dice: random.Random, words: Sequence[bytes]) -> None:
    at = _place(data, dice)
    data[at:at] = data[at : at + dice.randint(1, 60)] * dice.randint(1, 4)


def _move(data: bytearray, dice: random.Random, words: Sequence[bytes]) -> None:
    at = _place(data, dice)
    piece = data[at : at + dice.randint(1, 60)]
    del data[at : at + len(piece)]
    to = _place(data, dice)
    data[to:to] = piece


_CHANGES: tuple[Change, ...] = (
    _flip, _replace, _insert_word, _insert_word, _cut_out, _cut_off, _repeat, _move,
)  # fmt: skip


def mutated(
    seeds: Sequence[bytes], words: Sequence[bytes], most: int, dice: random.Random
) -> bytes:
    """Return an input made from one or two others.

    Args:
        seeds: The inputs to choose from.
        words: What means something to the target.
        most: The most bytes.
        dice: What it is made by.
    """
    data = bytearray(dice.choice(seeds))
    if dice.random() < 0.2:
        other = dice.choice(seeds)
        data[_place(data, dice) :] = other[dice.randint(0, len(other)) :]
    for _ in range(dice.randint(1, 5)):
        dice.choice(_CHANGES)(data, dice, words)
    return bytes(data[:most])
