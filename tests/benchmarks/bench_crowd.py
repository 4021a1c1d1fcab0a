"""A thousand async streams at once, on one core: what metrics, callbacks and keeping add to delay.

Both ways take turns against one server; the delay of a chunk is from its sending to its being read.
"""

from __future__ import annotations

import json
import subprocess
import sys
from statistics import median

from tests.benchmarks.running import running

STREAMS = 1000
CHUNKS = 20
INTERVAL = 0.5
ROUNDS = 5


def measured(port: str, manner: str) -> dict[str, float]:
    """Return the figures of one round."""
    command = [sys.executable, "-m", "tests.benchmarks.crowd", port, str(STREAMS), manner]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    found: dict[str, float] = json.loads(done.stdout)
    assert found["chunks"] == STREAMS * CHUNKS
    return found


def test_a_thousand_streams() -> None:
    """With metrics, callbacks and accumulation, p99 of the delay is at most 1.3 times as long."""
    rounds: dict[str, list[dict[str, float]]] = {"without": [], "with": []}
    with running("clockwork", str(CHUNKS), str(INTERVAL)) as port:
        for _ in range(ROUNDS):
            for manner, figures in rounds.items():
                figures.append(measured(port, manner))
    for manner, figures in rounds.items():
        shown = ", ".join(
            f"p{float(part) * 100:.0f} {median(one[part] for one in figures) * 1e3:.2f} ms"
            for part in ("0.5", "0.95", "0.99")
        )
        print(f"{manner:8}{shown}, CPU {median(one['cpu'] for one in figures):.2f} s")
    ratio = median(one["0.99"] for one in rounds["with"]) / median(
        one["0.99"] for one in rounds["without"]
    )
    print(f"p99 with / without = {ratio:.2f}")
    assert ratio <= 1.3
