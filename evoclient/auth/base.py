"""What an auth scheme is: one flow that gives headers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, TypeAlias

import attrs

from ..errors.tree import APIStatusError
from ..ground import Secrets
from ..steps import Flow
from ..wire import Deadline, Headers, Request, Response

__all__ = ["Auth", "NoAuth", "Sender", "TokenInfo"]

#: Sends a request of the scheme's own, such as a token exchange: judged, tried again after
#: failures that may pass, and not authorised. It gives the record of the reply, and its body.
Sender: TypeAlias = Callable[[Request], Flow[tuple[Response, bytes]]]


@attrs.frozen
class TokenInfo:
    """What is known of a credential, never the credential.

    Attributes:
        has_token: Whether there is one.
        is_valid: Whether it would be sent as it is.
        expires_in: Seconds until it is fetched anew; None where it does not expire, or where
            there is none.
    """

    has_token: bool
    is_valid: bool
    expires_in: float | None


class Auth(Protocol):
    """Says who we are. One object may serve many clients, threads and event loops.

    A scheme of your own inherits from it and writes `authorise`.
    """

    def authorise(self, send: Sender, until: Deadline | None) -> Flow[Headers]:
        """Return the headers of one request; run before each attempt.

        Args:
            send: For requests of the scheme's own.
            until: When the call that asks ends.

        Raises:
            ConfigurationError: There is no credential that could be sent.
            APIError: A credential could not be fetched.
        """
        ...

    def refused(self, error: APIStatusError, credentials: Headers) -> bool:
        """Learn that the server refused a request; return whether to try once more.

        Here: never, as the credential is what it is.

        Args:
            error: How it was refused.
            credentials: The very headers that `authorise` gave for it.
        """
        return False

    @property
    def secrets(self) -> Secrets:
        """What errors and logs must not show, besides the credentials that `authorise` gives.

        Here: nothing. See `evoclient.ground.secrets_of`.
        """
        return Secrets()

    def token_info(self) -> TokenInfo:
        """Return what is known of the credential, without sending anything.

        Here: that there is one, which does not expire as far as is known.
        """
        return TokenInfo(has_token=True, is_valid=True, expires_in=None)


class NoAuth(Auth):
    """Sends no credential, for servers that ask for none."""

    def authorise(self, send: Sender, until: Deadline | None) -> Flow[Headers]:
        """Return no headers."""
        yield from ()
        return Headers()

    def token_info(self) -> TokenInfo:
        """Return that there is nothing."""
        return TokenInfo(has_token=False, is_valid=False, expires_in=None)

    def __repr__(self) -> str:
        """Return its name."""
        return "NoAuth()"
