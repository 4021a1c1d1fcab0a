"""evoclient, splitting ``<think>`` blocks off."""

from __future__ import annotations

from tests.benchmarks.contenders.evoclient import EvoClient

__all__ = ["CONTENDER"]

CONTENDER = EvoClient(split_think=True)
