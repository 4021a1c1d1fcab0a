"""evoclient, with two stop sequences that it enforces itself."""

from __future__ import annotations

from tests.benchmarks.contenders.evoclient import EvoClient

__all__ = ["CONTENDER"]

CONTENDER = EvoClient(stop=["###", "User:"], stop_mode="client")
