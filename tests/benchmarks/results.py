"""What was measured: every figure of every round, and what is computed from them."""

from __future__ import annotations

import json
from pathlib import Path
from statistics import median
from typing import Any

import attrs

__all__ = ["Results"]


@attrs.frozen
class Results:
    """What a run has found.

    Attributes:
        machine: What it ran on, and when.
        versions: What each contender had installed.
        rounds: The figures by workload and contender, one mapping per round.
    """

    machine: dict[str, Any]
    versions: dict[str, dict[str, str]] = attrs.field(factory=dict)
    rounds: dict[str, dict[str, list[dict[str, float]]]] = attrs.field(factory=dict)

    def values(self, workload: str, contender: str, figure: str) -> list[float]:
        """Return a figure in each round; empty where it was not measured."""
        return [found[figure] for found in self.rounds.get(workload, {}).get(contender, [])]

    def middle(self, workload: str, contender: str, figure: str) -> float | None:
        """Return the median of a figure, or None."""
        values = self.values(workload, contender, figure)
        return median(values) if values else None

    def ratio(self, workload: str, figure: str, contender: str, against: str) -> float | None:
        """Return the median of the ratios within rounds, or None.

        Args:
            workload: The workload.
            figure: The figure.
            contender: Whose figure is divided.
            against: By whose figure.
        """
        pairs = zip(
            self.values(workload, contender, figure),
            self.values(workload, against, figure),
            strict=False,
        )
        ratios = [one / other for one, other in pairs]
        return median(ratios) if ratios else None

    def save(self, path: Path) -> None:
        """Write everything as JSON."""
        path.write_text(json.dumps(attrs.asdict(self), indent=1) + "\n", "utf-8")

    @classmethod
    def load(cls, path: Path) -> Results:
        """Return what a run has written."""
        return cls(**json.loads(path.read_text("utf-8")))
