"""What an auth scheme is: one flow that gives headers."""

from __future__ import annotations

from typing import Protocol

from ..steps import Flow
from ..wire import Headers

__all__ = ["Auth", "NoAuth"]


class Auth(Protocol):
    """Says who we are. One object may serve many clients, threads and event loops."""

    def authorise(self) -> Flow[Headers]:
        """Return the headers of one request; run before each attempt.

        Raises:
            ConfigurationError: There is no credential that could be sent.
        """
        ...


class NoAuth:
    """Sends no credential, for servers that ask for none."""

    def authorise(self) -> Flow[Headers]:
        """Return no headers."""
        yield from ()
        return Headers()

    def __repr__(self) -> str:
        """Return its name."""
        return "NoAuth()"
