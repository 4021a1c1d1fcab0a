"""The package `openai`."""

from __future__ import annotations

from typing import Any

from tests.benchmarks.contenders.objects import Objects
from tests.benchmarks.contenders.shape import KEY

__all__ = ["CONTENDER"]


class OpenAI(Objects):
    """openai."""

    def load(self, colour: str) -> object:
        """Import openai."""
        import openai

        return openai

    def open_sync(self, base_url: str) -> Any:
        """Make a client."""
        import openai

        return openai.OpenAI(base_url=base_url, api_key=KEY)

    async def open_async(self, base_url: str) -> Any:
        """Make a client."""
        import openai

        return openai.AsyncOpenAI(base_url=base_url, api_key=KEY)


CONTENDER = OpenAI()
