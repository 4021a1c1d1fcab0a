"""The package `openrouter`."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from tests.benchmarks.contenders.objects import Objects
from tests.benchmarks.contenders.shape import KEY, MESSAGES

__all__ = ["CONTENDER"]


class OpenRouter(Objects):
    """openrouter."""

    def load(self, colour: str) -> object:
        """Import openrouter."""
        return import_module("openrouter")

    def open_sync(self, base_url: str) -> Any:
        """Make a client."""
        return import_module("openrouter").OpenRouter(api_key=KEY, server_url=base_url)

    async def open_async(self, base_url: str) -> Any:
        """Make a client."""
        return self.open_sync(base_url)

    def close_sync(self, client: Any) -> None:
        """Close a client."""
        client.__exit__(None, None, None)

    async def close_async(self, client: Any) -> None:
        """Close a client."""
        await client.__aexit__(None, None, None)

    def create(self, client: Any, model: str, **options: Any) -> Any:
        """Ask."""
        return client.chat.send(model=model, messages=MESSAGES, **options)

    def create_async(self, client: Any, model: str, **options: Any) -> Any:
        """Ask."""
        return client.chat.send_async(model=model, messages=MESSAGES, **options)


CONTENDER = OpenRouter()
