"""The package `evolution-openai`, with a token that is there: it would ask a server for one."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from tests.benchmarks.contenders.objects import Objects
from tests.benchmarks.contenders.shape import KEY

__all__ = ["CONTENDER"]


def _have_a_token() -> None:
    token_manager = import_module("evolution_openai.token_manager")

    async def token_async(self: object) -> str:
        return KEY

    token_manager.EvolutionTokenManager.get_valid_token = lambda self: KEY
    token_manager.EvolutionTokenManager.get_valid_token_async = token_async


class EvolutionOpenAI(Objects):
    """evolution-openai."""

    def load(self, colour: str) -> object:
        """Import evolution-openai."""
        return import_module("evolution_openai")

    def open_sync(self, base_url: str) -> Any:
        """Make a client."""
        _have_a_token()
        return import_module("evolution_openai").EvolutionOpenAI(
            key_id=KEY, secret=KEY, base_url=base_url
        )

    async def open_async(self, base_url: str) -> Any:
        """Make a client."""
        _have_a_token()
        return import_module("evolution_openai").EvolutionAsyncOpenAI(
            key_id=KEY, secret=KEY, base_url=base_url
        )


CONTENDER = EvolutionOpenAI()
