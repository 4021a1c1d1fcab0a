"""The demo server behind ``chat --demo`` and ``serve``."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from typing import Final

from ..ground import EvoClientError
from ..sync.client import Client
from ..transports.base import Transport

__all__ = ["demo_client", "serve"]

_HOST: Final = "127.0.0.1"
_KEY: Final = "demo-key"
_MODEL: Final = "demo"


@contextmanager
def demo_client(transport: str | Transport = "requests") -> Iterator[Client]:
    """Start a demo server on a free port and give a client for it.

    Args:
        transport: What sends the requests: what ``Client(transport=…)`` takes.
    """
    from ..testing.server import DemoServer

    with (
        _no_proxy_for(_HOST),
        DemoServer(host=_HOST, api_key=_KEY) as server,
        Client(base_url=server.base_url, api_key=_KEY, model=_MODEL, transport=transport) as client,
    ):
        yield client


@contextmanager
def _no_proxy_for(host: str) -> Iterator[None]:
    """Talk to a host directly, whatever proxy the environment names: it could not reach us."""
    before = os.environ.get("no_proxy")
    known = before or os.environ.get("NO_PROXY") or ""
    os.environ["no_proxy"] = ",".join(filter(None, (known, host)))
    try:
        yield
    finally:
        if before is None:
            del os.environ["no_proxy"]
        else:
            os.environ["no_proxy"] = before


def serve(*, host: str, port: int, pace: float, api_key: str | None) -> int:
    """Run the demo server until Ctrl-C.

    Args:
        host: The address to listen on.
        port: The port to listen on; 0 takes a free one.
        pace: Seconds between the pieces of a stream.
        api_key: The key that clients must bring, or None.

    Returns:
        The exit status.

    Raises:
        EvoClientError: The address cannot be bound.
    """
    from ..testing.server import DemoServer

    server = DemoServer(host=host, port=port, pace=pace, api_key=api_key)
    try:
        server.start()
    except OSError as error:
        raise EvoClientError(
            f"The demo server cannot listen on {host}, port {port}: "
            f"{error.strerror or error}. Choose another --port; 0 takes a free one."
        ) from error
    key = " EVOCLIENT_API_KEY=…" if api_key else ""
    # Ctrl-C may come before `run_forever`, which expects it.
    with suppress(KeyboardInterrupt), closing(server):
        print(f"The demo server listens at {server.base_url} until Ctrl-C. Ask it:")
        print(
            f"EVOCLIENT_BASE_URL={server.base_url} EVOCLIENT_MODEL={_MODEL}{key} "
            'evoclient chat "Why is the sky blue?"',
            flush=True,
        )
        server.run_forever()
    return 0
