"""evoclient and a loop written by hand by turns in one process; prints their CPU per chunk as JSON.

Run as ``python -m tests.benchmarks.pair BASE_URL``. One process for both starts quickly; the long
form gives each its own.
"""

from __future__ import annotations

import json
import sys

from tests.benchmarks import chunks
from tests.benchmarks.contenders import evoclient, hand
from tests.benchmarks.contenders.shape import Contender

ROUNDS = 5
MODEL = "burst:1000"
STREAMS = 2


def main() -> None:
    """Measure both, in both colours."""
    found: dict[str, dict[str, list[float]]] = {}
    contenders: dict[str, Contender] = {"evoclient": evoclient.CONTENDER, "hand": hand.CONTENDER}
    for colour, task in (("sync", chunks.read_sync), ("async", chunks.read_async)):
        of_colour = found[colour] = {name: [] for name in contenders}
        for _ in range(ROUNDS):
            for name, contender in contenders.items():
                figures = task(contender, base_url=sys.argv[1], model=MODEL, streams=STREAMS)
                of_colour[name].append(figures["cpu"])
    print(json.dumps(found))


if __name__ == "__main__":
    main()
