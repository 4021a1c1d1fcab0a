"""Looks for inputs whose time grows faster: ``python -m tests.fuzz.pumps TARGET SECONDS SEED``.

It prints what it found as JSON.
"""

from __future__ import annotations

import json
import random
import sys
import time
from typing import Any

from .pumping import MOST_GROWTH, growth_of, pump_from
from .targets import TARGETS, seeds_of

SIZES = (2**14, 2**16)


def search(name: str, seconds: float, seed: int) -> dict[str, Any]:
    """Return how many inputs were repeated, and which of them grew most.

    Args:
        name: The target.
        seconds: How long to search.
        seed: Of the dice.
    """
    target, dice = TARGETS[name], random.Random(seed)
    seeds = seeds_of(target)
    worst: dict[str, Any] = {"growth": 0.0}
    until = time.monotonic() + seconds
    pumps = 0
    while time.monotonic() < until:
        pump, size = pump_from(seeds, target.words, dice), dice.choice(SIZES)
        pumps += 1
        growth = growth_of(target, pump, size)
        if growth > MOST_GROWTH:
            # Twice the size once more: what is not linear is so there too.
            growth = min(growth, growth_of(target, pump, 2 * size))
        if growth > worst["growth"]:
            parts = (pump.first, pump.piece, pump.last)
            shown = [part.decode("latin-1") for part in parts]
            worst = {"growth": round(growth, 2), "size": size, "repeated": shown}
    return {"pumps": pumps, "worst": worst}


if __name__ == "__main__":
    print(json.dumps(search(sys.argv[1], float(sys.argv[2]), int(sys.argv[3]))))
