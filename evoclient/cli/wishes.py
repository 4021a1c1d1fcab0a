"""What the command line asks `evoclient chat` for, and what follows from it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Any, Final

import attrs

from ..ground import ConfigurationError
from ..sync.client import Client
from ..transports.base import Transport
from .connection import connected

__all__ = ["Wishes"]

#: What ``-o`` may not set, and what sets it.
_SET_OTHERWISE: Final = {
    "messages": "the question and -s",
    "model": "-m",
    "stream": "--no-stream",
}


@attrs.frozen(kw_only=True)
class Wishes:
    """What the command line asks for.

    Attributes:
        prompt: The question, or None.
        model: The model, or None for the preset's.
        system: The instructions, or None.
        options: Names and values of further options, values as they were typed.
        provider: The preset, or None.
        base_url: The address, or None.
        demo: Whether to talk to a demo server.
        no_stream: Whether to wait for the whole answer.
        as_json: Whether to write the completion as JSON.
        plain: Whether to write plain text even to a terminal.
        stats: Whether to tell figures.
        no_history: Whether to leave the history of what was typed alone.
        debug: Whether to show tracebacks.
    """

    prompt: str | None
    model: str | None
    system: str | None
    options: Sequence[tuple[str, str]]
    provider: str | None
    base_url: str | None
    demo: bool
    no_stream: bool
    as_json: bool
    plain: bool
    stats: bool
    no_history: bool
    debug: bool

    def client(self, transport: str | Transport = "requests") -> AbstractContextManager[Client]:
        """Return the client to ask with, to be closed by leaving its block.

        Args:
            transport: What sends the requests: what ``Client(transport=…)`` takes.

        Raises:
            ConfigurationError: What is set does not fit together, or is not enough.
        """
        return connected(
            provider=self.provider, base_url=self.base_url, demo=self.demo, transport=transport
        )

    def model_of(self, client: Client) -> str:
        """Return the model to ask.

        Raises:
            ConfigurationError: Neither the command nor the settings name one.
        """
        model = self.model or client.model
        if model is None:
            variables = "".join(f" or set {name}" for name in client.provider.model_variables)
            raise ConfigurationError(
                f"No model is named, and the preset “{client.provider.name}” has no default: "
                f"use -m MODEL{variables}."
            )
        return model

    def request(self) -> dict[str, Any]:
        """Return what each request says beside its model and its messages.

        Raises:
            ConfigurationError: An option has another way to be set.
        """
        # A JSON document says what a whole answer would say, and that includes the tokens.
        counted = {"usage": True} if self.stats or self.as_json else {}
        return {**counted, **_options(self.options)}

    def instructions(self) -> list[dict[str, str]]:
        """Return the messages that stand before the first question."""
        return [] if self.system is None else [{"role": "system", "content": self.system}]


def _options(given: Sequence[tuple[str, str]]) -> dict[str, Any]:
    options = {}
    for name, value in given:
        if name in _SET_OTHERWISE:
            raise ConfigurationError(f"-o {name}: use {_SET_OTHERWISE[name]} for that.")
        options[name] = _value(value)
    return options


def _value(text: str) -> Any:
    """Return a value as JSON where it is JSON, else as text."""
    try:
        return json.loads(text, parse_constant=_not_json)
    except ValueError:
        return text


def _not_json(word: str) -> None:
    """Refuse NaN and Infinity, which Python reads and servers do not."""
    raise ValueError(word)
