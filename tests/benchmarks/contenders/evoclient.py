"""evoclient, with everything on that is on by default."""

from __future__ import annotations

from typing import Any

from tests.benchmarks.contenders.objects import Objects
from tests.benchmarks.contenders.shape import KEY

__all__ = ["CONTENDER", "EvoClient"]


class EvoClient(Objects):
    """evoclient.

    Args:
        **options: What is said with each stream.
    """

    reasoning = "reasoning"

    def __init__(self, **options: Any) -> None:
        self.options = options

    def load(self, colour: str) -> object:
        """Import evoclient."""
        import evoclient

        return evoclient

    def open_sync(self, base_url: str) -> Any:
        """Make a client."""
        from evoclient import Client

        return Client(base_url=base_url, api_key=KEY)

    async def open_async(self, base_url: str) -> Any:
        """Make a client."""
        from evoclient import AsyncClient

        return AsyncClient(base_url=base_url, api_key=KEY)


CONTENDER = EvoClient()
