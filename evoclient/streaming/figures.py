"""The figures that metrics give on request: records, which are loaded when one is asked for."""

from __future__ import annotations

from typing import Any

import attrs

from ..ground import EvoClientError

__all__ = ["FailedAttempt", "GapFigures", "Rates"]


@attrs.frozen(kw_only=True)
class GapFigures:
    """What there is to say about gaps. All but `count` are seconds, None where there is no gap.

    A percentile is the gap that so many percent of the gaps do not exceed. It is exact up to
    a hundred waits, then within 5 %; the other figures are always exact.

    Attributes:
        count: How many gaps there were.
        mean: Their mean.
        p50: The median.
        p95: The 95th percentile.
        p99: The 99th percentile.
        maximum: The longest.
    """

    count: int = 0
    mean: float | None = None
    p50: float | None = None
    p95: float | None = None
    p99: float | None = None
    maximum: float | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return the figures by name, ready for JSON."""
        return attrs.asdict(self)


@attrs.frozen(kw_only=True)
class Rates:
    """So much per second; None where it cannot be told (yet).

    Attributes:
        characters_per_second: Characters of content.
        chunks_per_second: Chunks.
        tokens_per_second: Tokens of the answer, by the server's count.
    """

    characters_per_second: float | None = None
    chunks_per_second: float | None = None
    tokens_per_second: float | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return the figures by name, ready for JSON."""
        return attrs.asdict(self)


@attrs.frozen(kw_only=True)
class FailedAttempt:
    """An attempt that was followed by another.

    Attributes:
        at: When it failed, in seconds since the start of the call.
        wait: The seconds that were waited before the next attempt.
        error: Why it failed.
    """

    at: float
    wait: float
    error: EvoClientError

    def to_dict(self) -> dict[str, Any]:
        """Return the facts by name, ready for JSON."""
        name = type(self.error).__name__
        return {"at": self.at, "wait": self.wait, "error": f"{name}: {self.error.message}"}
