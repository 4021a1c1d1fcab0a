"""The client that a command talks through."""

from __future__ import annotations

from contextlib import AbstractContextManager

from ..ground import ConfigurationError
from ..sync.client import Client
from ..transports.base import Transport
from .demo import demo_client

__all__ = ["connected"]


def connected(
    *,
    provider: str | None,
    base_url: str | None,
    demo: bool,
    transport: str | Transport = "requests",
) -> AbstractContextManager[Client]:
    """Return a client, to be closed by leaving its block.

    Args:
        provider: The preset, or None.
        base_url: The address, or None.
        demo: Whether to talk to a demo server that is started for it.
        transport: What sends the requests: what ``Client(transport=…)`` takes.

    Raises:
        ConfigurationError: What is set does not fit together, or is not enough.
    """
    if not demo:
        return Client(provider=provider, base_url=base_url, transport=transport)
    if provider is not None or base_url is not None:
        raise ConfigurationError(
            "--demo talks to a server of its own: leave out --provider and --base-url."
        )
    return demo_client(transport)
