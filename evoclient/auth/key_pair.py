"""A key id and a secret, exchanged for a token: Cloud.ru Evolution.

The exchange (`POST` of ``keyId`` and ``secret``; the answer has ``access_token`` and
``expires_in`` in seconds) follows Cloud.ru's documentation of the IAM API.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import Any, Final

import attrs

from ..errors.tree import APIStatusError, ResponseDecodeError
from ..flights import begun, shared
from ..ground import ConfigurationError, Secrets, secrets_of
from ..guard import Guard, SingleFlight
from ..log import logger
from ..models.codec import dumps, loads
from ..providers.presets import TOKEN_URL
from ..steps import Flow
from ..urls import absolute_url, is_readable_on_the_way
from ..wire import Deadline, Headers, Request, Response
from .base import Auth, Sender, TokenInfo

__all__ = ["KeyPair"]

#: How long a token is taken to live if the server does not say: what Cloud.ru's own SDK assumes.
USUAL_LIFE: Final = 3600.0

#: The life of a token whose `expires_in` makes no sense: short, as nothing is known.
DOUBTFUL_LIFE: Final = 60.0

#: No token is trusted for longer, whatever the server says.
LONGEST_LIFE: Final = 24 * 3600.0

#: From this part of its life on, a token is renewed while it is still in use.
RENEW_AT: Final = 0.8

#: A token counts as expired so long before its end, or a tenth of its life if that is less:
#: clocks differ, and a request takes time to arrive.
MARGIN: Final = 30.0

#: After a renewal that failed while the old token was valid, so long until the next one.
RENEW_AGAIN: Final = 10.0

#: How a 403 says that the token, not the caller, is at fault (words that Cloud.ru's SDK knows).
_EXPIRED_WORDS: Final = ("jwt is expired", "jwt expired", "token is expired", "token expired")


@attrs.frozen(eq=False, repr=False)
class _Token:
    """A token and its times on the monotonic clock."""

    headers: Headers
    renew_at: float
    expires_at: float


class KeyPair(Auth):
    """Exchanges a key id and a secret for a token, and sends that.

    One object may serve any number of clients of either colour, threads and event loops: there
    is one exchange at a time for all of them. The token is fetched when it is first needed,
    renewed in the background from 80 % of its life on, and fetched anew after the server refused
    it. Neither key nor token shows in a repr, and the object refuses to be pickled.
    """

    def __init__(
        self,
        key_id: str,
        secret: str,
        *,
        token_url: str = TOKEN_URL,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Keep the pair; nothing is sent yet.

        Args:
            key_id: The id of the access key.
            secret: Its secret.
            token_url: Where the pair is exchanged.
            clock: A monotonic clock, in seconds.

        Raises:
            ConfigurationError: One of the arguments cannot be right; no value is shown.
        """
        pair = Secrets((key_id, secret))
        del key_id, secret  # from here on no frame of ours has them in sight
        _check(pair)
        self._pair = secrets_of(map(str.strip, pair))
        url = absolute_url(token_url, "token_url")
        if is_readable_on_the_way(url):
            logger.warning(
                "the secret of a key pair goes to %s without encryption, and whoever is on the way "
                "can read it: use https://",
                url,
            )
        self._request = Request(
            "POST",
            url,
            Headers(
                {
                    "Accept": "application/json",
                    "Accept-Encoding": "identity",
                    "Content-Type": "application/json",
                }
            ),
            dumps({"keyId": pair[0].strip(), "secret": pair[1].strip()}),
            self._pair,
        )
        self._tokens = Secrets()
        self._clock = clock
        self._guard = Guard()
        self._single: SingleFlight[_Token] = SingleFlight()
        self._token: _Token | None = None
        self._renewal_not_before = -math.inf

    def authorise(self, send: Sender, until: Deadline | None) -> Flow[Headers]:
        """Return the header with a valid token, exchanging the pair if there is none.

        Raises:
            APIError: The exchange failed.
        """
        token, now = self._token, self._clock()
        if token is None or now >= token.expires_at:
            token = yield from shared(self._single, lambda: self._needed(send), self._clock, until)
        elif now >= token.renew_at and now >= self._renewal_not_before:
            self._renewal_not_before = now + RENEW_AGAIN
            yield from begun(self._single, lambda: self._renewal(send))
        return token.headers

    def refused(self, error: APIStatusError, credentials: Headers) -> bool:
        """Forget the token that was refused; return whether a fresh one is worth a try.

        Callers that were refused together forget it once: whoever comes later finds another
        token in its place, and tries with that.
        """
        words = error.message.lower()
        if error.status_code != 401 and not (
            error.status_code == 403 and any(phrase in words for phrase in _EXPIRED_WORDS)
        ):
            return False
        with self._guard:
            if self._token is not None and self._token.headers is credentials:
                self._token = None
        return True

    @property
    def secrets(self) -> Secrets:
        """The pair, and its newest tokens."""
        return Secrets((*self._pair, *self._tokens))

    def token_info(self) -> TokenInfo:
        """Return what is known of the token, never the token."""
        token, now = self._token, self._clock()
        if token is None:
            return TokenInfo(has_token=False, is_valid=False, expires_in=None)
        left = max(0.0, token.expires_at - now)
        return TokenInfo(has_token=True, is_valid=left > 0, expires_in=left)

    def __repr__(self) -> str:
        """Show where the pair is exchanged, never the pair."""
        # A traceback shows one that could not be made.
        url = self._request.url if hasattr(self, "_request") else None
        return f"KeyPair(key_id=***, secret=***, token_url={url!r})"

    def __reduce__(self) -> tuple[object, ...]:
        """Refuse: a pickle would hold the pair.

        Raises:
            TypeError: Always.
        """
        raise TypeError("KeyPair holds a secret and is not pickled; make a new one where needed.")

    def _needed(self, send: Sender) -> Flow[_Token]:
        """Exchange, unless another exchange has ended since this caller looked."""
        token = self._token
        if token is not None and self._clock() < token.expires_at:
            return token
        return (yield from self._exchange(send))

    def _exchange(self, send: Sender) -> Flow[_Token]:
        began = self._clock()
        response, content = yield from send(self._request)
        token = _token(content, response, began)
        known = secrets_of([token.headers["Authorization"].removeprefix("Bearer ")])
        with self._guard:
            # The one before stays known: an answer that names it may be on its way.
            self._tokens = Secrets((*known, *self._tokens[: len(known)]))
            self._token = token
        return token

    def _renewal(self, send: Sender) -> Flow[_Token]:
        """Exchange while the old token is still good: a failure is not the callers' concern."""
        try:
            return (yield from self._exchange(send))
        except Exception as error:  # nobody waits for a renewal: the log is all that tells
            logger.warning("a token could not be renewed ahead of time: %s", error)
            raise


def _check(pair: Secrets) -> None:
    """Refuse a key id or secret that cannot be right.

    Raises:
        ConfigurationError: It cannot; it is not shown.
    """
    for argument, place in (("key_id", 0), ("secret", 1)):
        if not isinstance(pair[place], str) or not pair[place].strip():
            raise ConfigurationError(
                f"{argument} must be a string that is not empty.", argument=argument
            )
        if any(ord(character) < 32 for character in pair[place].strip()):
            raise ConfigurationError(
                f"{argument} holds a line end or another control character. (It is not shown "
                "here.)",
                argument=argument,
            )


def _token(content: bytes, response: Response, began: float) -> _Token:
    """Read the answer of the token endpoint.

    Args:
        content: Its body.
        response: Its head.
        began: When the exchange began: a token does not live longer for a slow answer.

    Raises:
        ResponseDecodeError: There is no token in it that could be sent.
    """
    answer = _object(content, response)
    token = answer.get("access_token")
    if not isinstance(token, str) or not token.strip().isascii() or not token.strip().isprintable():
        token = ""
    if not token.strip():
        raise _unreadable("has no “access_token” that could be sent", response)
    life = _life(answer)
    return _Token(
        Headers([("Authorization", f"Bearer {token.strip()}")]),
        renew_at=began + RENEW_AT * life,
        expires_at=began + life - min(MARGIN, life / 10),
    )


def _object(content: bytes, response: Response) -> dict[str, Any]:
    try:
        answer = loads(content)
    except ValueError:
        raise _unreadable("is not JSON", response) from None
    if not isinstance(answer, dict):
        raise _unreadable("is not a JSON object", response)
    return answer


def _unreadable(problem: str, response: Response) -> ResponseDecodeError:
    return ResponseDecodeError(
        f"The answer of the token endpoint {response.url} {problem}. Check token_url.",
        response=attrs.evolve(response, content=b""),
    )


def _life(answer: dict[str, Any]) -> float:
    """Return how many seconds a token lives, from an answer of whatever shape."""
    said = answer.get("expires_in")
    if said is None:
        return USUAL_LIFE
    try:
        life = float(said) if isinstance(said, (str, int, float)) else math.nan
    except OverflowError:
        life = math.inf
    except ValueError:
        life = math.nan
    if isinstance(said, bool) or math.isnan(life) or life <= 0:
        # What it is instead is not shown: it may be anything, an echo of the pair included.
        kind = said if isinstance(said, (int, float)) else f"of type {type(said).__name__}"
        logger.warning("a token endpoint sent an expires_in that makes no sense: %s", kind)
        return DOUBTFUL_LIFE
    return min(life, LONGEST_LIFE)
