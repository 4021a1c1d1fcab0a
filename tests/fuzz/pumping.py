"""Whether time grows with the length alone: a piece of an input is repeated, and twice as often.

Both are timed in one process, so that a busy machine is busy for both.
"""

from __future__ import annotations

import gc
import random
import time
from collections.abc import Sequence

import attrs

from .shape import Target

__all__ = ["MOST_GROWTH", "Pump", "growth_of", "pump_from"]

#: How much longer twice the length may take: 2 is linear, 4 is quadratic.
MOST_GROWTH = 3.0
#: What takes less time than this cannot be compared, and harms nobody.
_LEAST_SECONDS = 0.003


@attrs.frozen
class Pump:
    """An input of any length: a piece in the middle is repeated."""

    first: bytes
    piece: bytes
    last: bytes

    def of(self, size: int) -> bytes:
        """Return an input of about so many bytes."""
        times = max(1, (size - len(self.first) - len(self.last)) // len(self.piece))
        return self.first + self.piece * times + self.last


def pump_from(seeds: Sequence[bytes], words: Sequence[bytes], dice: random.Random) -> Pump:
    """Return a pump made of an input: a part of it, or a word put into it, is repeated."""
    data = dice.choice([seed for seed in seeds if seed])
    begin = dice.randrange(len(data))
    end = begin + dice.choice((1, 2, 5, 20, 100, len(data)))
    if words and dice.random() < 0.4:
        return Pump(data[:begin], dice.choice(words), data[begin:])
    return Pump(data[:begin], data[begin:end], data[end:])


def _seconds(target: Target, data: bytes) -> float:
    started = time.process_time()
    target.run(data)
    return time.process_time() - started


def growth_of(target: Target, pump: Pump, size: int) -> float:
    """Return how much longer an input of twice the size takes; 0 where neither takes any time.

    The least of several times each, as other work on the machine can only add to them. Where the
    second round has come near 2, it will do.
    """
    small, large = pump.of(size), pump.of(2 * size)
    least_small = least_large = float("inf")
    gc.disable()
    try:
        for round_ in range(6):
            least_large = min(least_large, _seconds(target, large))
            if least_large < _LEAST_SECONDS:
                return 0.0
            least_small = min(least_small, max(_seconds(target, small), 1e-6))
            if round_ and least_large / least_small < 2.3:
                break
    finally:
        gc.enable()
    return least_large / least_small
