"""The package `litellm`; it has functions, and keeps its clients itself."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from tests.benchmarks.contenders.objects import Objects
from tests.benchmarks.contenders.shape import KEY, MESSAGES

__all__ = ["CONTENDER"]


class LiteLLM(Objects):
    """litellm; a client is the URL."""

    def load(self, colour: str) -> object:
        """Import litellm."""
        return import_module("litellm")

    def open_sync(self, base_url: str) -> Any:
        """Return the URL."""
        return base_url

    async def open_async(self, base_url: str) -> Any:
        """Return the URL."""
        return base_url

    def close_sync(self, client: Any) -> None:
        """Do nothing."""

    async def close_async(self, client: Any) -> None:
        """Do nothing."""

    def create(self, client: Any, model: str, **options: Any) -> Any:
        """Ask."""
        return import_module("litellm").completion(
            model=f"openai/{model}", messages=MESSAGES, api_base=client, api_key=KEY, **options
        )

    def create_async(self, client: Any, model: str, **options: Any) -> Any:
        """Ask."""
        return import_module("litellm").acompletion(
            model=f"openai/{model}", messages=MESSAGES, api_base=client, api_key=KEY, **options
        )


CONTENDER = LiteLLM()
