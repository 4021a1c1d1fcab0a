"""All scenarios, family by family."""

from __future__ import annotations

from . import (
    attempts,
    bodies,
    chunks,
    connections,
    content,
    ends,
    events,
    floods,
    framing,
    heads,
    statuses,
    tokens,
    waits,
)
from .scenario import Scenario

__all__ = ["SCENARIOS"]

SCENARIOS: list[Scenario] = [
    *framing.SCENARIOS,
    *chunks.SCENARIOS,
    *heads.SCENARIOS,
    *connections.SCENARIOS,
    *waits.SCENARIOS,
    *floods.SCENARIOS,
    *bodies.SCENARIOS,
    *content.SCENARIOS,
    *ends.SCENARIOS,
    *events.SCENARIOS,
    *statuses.SCENARIOS,
    *attempts.SCENARIOS,
    *tokens.SCENARIOS,
]
