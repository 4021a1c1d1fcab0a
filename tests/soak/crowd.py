"""What the crowds of both colours share: how many read, how they behave, what they are given."""

from __future__ import annotations

import gc
import random
from typing import Any, Final

import attrs

from evoclient import Retry, Timeouts

__all__ = ["Habit", "Plan", "habit", "leftovers", "options"]

#: Of 1: how often a reader leaves in the middle, and how often it wants its stream recovered.
LEAVES, RECOVERS = 0.1, 0.2
#: Seconds between two restarts of the client.
RESTARTS: Final = (4.0, 12.0)


@attrs.frozen
class Plan:
    """What a crowd is told.

    Attributes:
        port: Of the server.
        seconds: How long it reads.
        streams: How many at once.
        seed: Of the dice.
        first: The number of its first answer.
    """

    port: int
    seconds: float
    streams: int
    seed: int
    first: int


@attrs.frozen
class Habit:
    """How a reader reads one stream.

    Attributes:
        leaves_after: So many chunks, then the reader leaves; None reads to the end.
        arguments: What it asks with.
    """

    leaves_after: int | None
    arguments: dict[str, Any]


def habit(number: int, dice: random.Random) -> Habit:
    """Return how the answer of a number is read."""
    leaves = dice.randint(0, 10) if dice.random() < LEAVES else None
    recover = "restart" if dice.random() < RECOVERS else "raise"
    messages = [{"role": "user", "content": "go on"}]
    asked = {"messages": messages, "user": str(number), "stream": True, "recover": recover}
    return Habit(leaves, asked)


def options(plan: Plan) -> dict[str, Any]:
    """Return what a client is made with."""
    return {
        "base_url": f"http://127.0.0.1:{plan.port}/v1",
        "api_key": "soak-key-0123456789",
        "model": "soak",
        "timeout": Timeouts(connect=10, first_chunk=6, idle=4),
        # A tenth of the answers fails, so the waits are short.
        "retry": Retry(attempts=3, base=0.02, cap=0.2),
    }


def leftovers(before: dict[str, float], after: dict[str, float]) -> list[str]:
    """Return what is still there when everything is closed."""
    gc.collect()
    slack = {"threads": 1, "descriptors": 3}
    return [
        f"{name} left: {before[name]} at first, {after[name]} at the end"
        for name, more in slack.items()
        if after[name] > before[name] + more
    ]
