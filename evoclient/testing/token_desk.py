"""The token exchange of Cloud.ru Evolution, and who may use the server."""

from __future__ import annotations

import hmac
import threading
import time
from typing import Any

__all__ = ["Refused", "TokenDesk"]


class Refused(Exception):
    """The caller may not go on; the message says why."""


class TokenDesk:
    """Issues short-lived tokens for a key pair, and checks keys and tokens.

    With neither a key nor a pair everybody may pass.
    """

    def __init__(
        self, *, api_key: str | None, key_id: str | None, secret: str | None, expires_in: float
    ) -> None:
        """Begin without tokens; ``expires_in`` is in seconds, and may be changed later."""
        self.expires_in = expires_in
        self._api_key = api_key
        self._pair = None if key_id is None else (key_id, secret or "")
        self._lock = threading.Lock()
        self._tokens: dict[str, float] = {}
        self._issued = 0

    def exchange(self, body: Any) -> dict[str, Any]:
        """Return the answer of the token endpoint.

        Raises:
            Refused: The key pair is wrong, or the server knows none and is not open to everybody.
        """
        body = body if isinstance(body, dict) else {}
        given = (str(body.get("keyId", "")), str(body.get("secret", "")))
        wanted = self._pair if self._pair or self._api_key else given
        if wanted is None or not all(map(_same, given, wanted)):
            raise Refused("invalid key id or secret")
        with self._lock:
            self._issued += 1
            token = f"demo-token-{self._issued}"
            self._tokens[token] = time.monotonic() + self.expires_in
        return {
            "access_token": token,
            "id_token": "",
            "refresh_token": "",
            "expires_in": self.expires_in,
            "refresh_expires_in": 0,
            "scopes": ["openid profile email roles"],
            "token_type": "Bearer",
            "not_before": 0,
        }

    def revoke(self) -> None:
        """Forget all tokens; requests that bring one are refused from now on."""
        with self._lock:
            self._tokens.clear()

    def check(self, authorization: str, api_key: str) -> None:
        """Check the headers ``Authorization`` and ``api-key`` of a request.

        Raises:
            Refused: They hold no valid key or token.
        """
        if self._api_key is None and self._pair is None:
            return
        scheme, _, bearer = authorization.partition(" ")
        given = bearer.strip() if scheme.lower() == "bearer" else api_key
        if not given:
            raise Refused("You didn't provide an API key.")
        if self._api_key is not None and _same(given, self._api_key):
            return
        with self._lock:
            until = self._tokens.get(given)
        if until is None:
            raise Refused("Incorrect API key provided.")
        if time.monotonic() >= until:
            raise Refused("jwt is expired")


def _same(given: str, wanted: str) -> bool:
    return hmac.compare_digest(given.encode("utf-8", "replace"), wanted.encode("utf-8", "replace"))
