"""evoclient, with callbacks for each chunk and for each piece of text."""

from __future__ import annotations

from tests.benchmarks.contenders.evoclient import EvoClient

__all__ = ["CONTENDER"]


def hear(heard: object) -> None:
    """Take what a callback is told."""


CONTENDER = EvoClient(on_chunk=hear, on_text=hear)
