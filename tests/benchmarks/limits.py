"""What evoclient must reach, as a table."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import attrs

from tests.benchmarks.results import Results

__all__ = ["LIMITS", "Limit", "shown_ratio"]


@attrs.frozen
class Limit:
    """The most that a figure may be.

    Attributes:
        workload: The workload.
        figure: The figure.
        most: As a part of the figure of `against`; or itself, where that is None.
        against: Who is compared.
        contender: The way of evoclient that is judged.
    """

    workload: str
    figure: str
    most: float
    against: str | None
    contender: str = "evoclient"

    def found(self, results: Results) -> float | None:
        """Return what was found, or None where it was not measured."""
        if self.against is None:
            return results.middle(self.workload, self.contender, self.figure)
        return results.ratio(self.workload, self.figure, self.contender, self.against)

    def __str__(self) -> str:
        return f"{self.workload} {self.figure} against {self.against or 'itself'}"


def shown_ratio(ratio: float) -> str:
    """Return a ratio as the tables have it: ``1/25`` or ``0.60``."""
    return f"1/{1 / ratio:.3g}" if 0 < ratio < 0.25 else f"{ratio:.2f}"


#: Workload, figure, way of evoclient; then the most against openai, by hand and the floor.
_TABLE: Final = (
    ("burst-sync", "cpu", "", 1 / 25, 0.60, 2.0),
    ("each-sync", "cpu", "", 1 / 25, 0.60, 2.0),
    ("burst-async", "cpu", "", 1 / 22, 0.90, 2.5),
    ("each-async", "cpu", "", 1 / 22, 0.90, 2.5),
    ("varied-sync", "cpu", "-fast", 1 / 18, 0.80, None),
    ("varied-async", "cpu", "-fast", 1 / 16, 1.1, None),
    ("tools-sync", "cpu", "-fast", 1 / 18, 0.80, None),
    ("tools-async", "cpu", "-fast", 1 / 16, 1.1, None),
    ("crowd-100", "seconds", "", 1 / 2.7, 1.0, 1.3),
    ("crowd-1000", "seconds", "", 1 / 5, 1.05, 1.3),
    ("crowd-1000", "p99", "", 1 / 25, 1.2, None),
    ("crowd-1000", "memory", "", 0.5, 1.2, None),
    ("whole-sync", "cpu", "", 1 / 3.5, 0.70, None),
    ("whole-async", "cpu", "", 1 / 10, 1.2, None),
    ("warm-sync", "wall", "", 0.45, 0.75, None),
    ("warm-async", "wall", "", 0.30, 1.15, None),
    ("cold-sync", "wall", "", 1 / 15, 1.0, None),
    ("cold-async", "wall", "", 1 / 18, 1.2, None),
    ("import", "milliseconds", "", 1 / 50, None, None),
    ("start-sync", "milliseconds", "", 0.30, 1.35, None),
    ("start-async", "milliseconds", "", 0.45, 1.2, None),
    ("kept", "bytes", "", 0.25, 0.35, None),
    ("installed", "megabytes", "", 0.6, None, None),
)


#: At most twice, and what measuring adds to that.
LINEAR: Final = 2.2


def _limits() -> Iterator[Limit]:
    for workload, figure, way, *most in _TABLE:
        for against, limit in zip(("openai", "hand", "floor"), most, strict=True):
            if limit is not None:
                yield Limit(workload, figure, limit, against, f"evoclient{way}")
    yield Limit("installed", "distributions", 16, None)
    for grown in ("chunks", "size", "streams", "stops"):
        yield Limit(f"growth-{grown}", "doubled", LINEAR, None)


LIMITS: Final = tuple(_limits())
