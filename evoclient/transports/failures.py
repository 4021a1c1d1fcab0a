"""What went wrong with a connection, in words, whichever library met it."""

from __future__ import annotations

import http.client
import socket
import ssl
from collections.abc import Iterable, Iterator
from typing import Any
from urllib.parse import urlsplit

from ..errors.tree import APIConnectionError
from ..ground import elide
from ..wire import Deadline
from .base import caused, timed_out
from .framing import Malformed

__all__ = [
    "chain_of",
    "cut",
    "disconnected",
    "has_passed",
    "no_reply",
    "not_http",
    "place_of",
    "proxy_refused",
]

#: The most characters of a foreign message that are shown.
_MOST_SHOWN = 200

#: What stands in the names of the alerts with which a server judges a client's certificate.
_CERTIFICATE_ALERTS = ("CERTIFICATE", "UNKNOWN_CA", "ACCESS_DENIED")


def has_passed(deadline: Deadline | None, now: float) -> bool:
    """Return whether a deadline lies in the past."""
    return deadline is not None and now >= deadline.when


def _ran_out(cause: BaseException, deadline: Deadline | None, now: float) -> Deadline | None:
    """Return the deadline if that is why something failed, else None."""
    if deadline is None or now >= deadline.when:
        return deadline
    # A clock may ring a moment early; the system's own timeout has a number.
    rang = any(isinstance(link, TimeoutError) and link.errno is None for link in chain_of(cause))
    return deadline if rang else None


def no_reply(
    cause: BaseException, url: str, deadline: Deadline | None, now: float
) -> APIConnectionError:
    """Return the error for a request that got no reply.

    Args:
        cause: What a library raised.
        url: The URL asked.
        deadline: The deadline that ran at that time.
        now: The time.
    """
    if passed := _ran_out(cause, deadline, now):
        return caused(timed_out(passed, url), cause)
    for link in chain_of(cause):
        if error := _judged(link, url):
            return caused(error, cause)
    error = APIConnectionError(f"No reply from {url}: {_shown(cause)}.")
    return caused(error, cause)


def cut(
    cause: BaseException, url: str, deadline: Deadline | None, now: float
) -> APIConnectionError:
    """Return the error for a body that broke off. The arguments are those of `no_reply`."""
    if passed := _ran_out(cause, deadline, now):
        return caused(timed_out(passed, url), cause)
    reason = next((str(link) for link in chain_of(cause) if isinstance(link, Malformed)), "")
    return caused(
        APIConnectionError(
            f"The connection to {url} was cut in the middle of the answer"
            f"{f' ({reason})' if reason else ''}. The server, or a proxy on the way, has closed "
            "it; try again."
        ),
        cause,
    )


def not_http(reason: str, url: str) -> APIConnectionError:
    """Return the error for an answer that is not, or no acceptable, HTTP."""
    return APIConnectionError(
        f"What {url} answered is not acceptable HTTP: {reason}. Look whether the URL leads to an "
        "API server.",
        retryable=False,
    )


def _judged(link: BaseException, url: str) -> APIConnectionError | None:
    """Return the error that one exception of a chain stands for, or None."""
    place = place_of(url)
    match link:
        case Malformed():
            return not_http(str(link), url)
        case ssl.SSLCertVerificationError():
            return APIConnectionError(
                f"The certificate of {place} could not be verified "
                f"({link.verify_message.rstrip('.')}). If a company's own CA signs it, name its "
                "file: verify='…', or REQUESTS_CA_BUNDLE or SSL_CERT_FILE in the environment.",
                retryable=False,
            )
        case ssl.SSLEOFError() | ssl.SSLZeroReturnError():  # in the handshake or behind it
            return disconnected(place)
        case ssl.SSLError() if _is_about_our_certificate(link.reason or ""):
            return APIConnectionError(
                f"{place} wants a client certificate that it trusts ({link.reason}). Name the one "
                "it has given you: cert='…', a file with certificate and key, or one for each.",
                retryable=False,
            )
        case ssl.SSLError():
            reason = link.reason or "the handshake broke off"
            return APIConnectionError(
                f"No TLS connection to {place} ({reason}). Look whether the URL should begin "
                "with http:// and whether a proxy is in the way."
            )
        case socket.gaierror() | UnicodeError():  # the latter where it cannot be a name at all
            return APIConnectionError(
                f"The name in {url} was not found ({_shown(link)}). Look at the base URL for a "
                "slip, and at the network."
            )
        case http.client.HTTPException() if not isinstance(link, ConnectionError):
            return not_http("its head is malformed or too large", url)
        case ConnectionRefusedError():
            return APIConnectionError(
                f"{place} refused the connection. Look whether the server runs and listens there."
            )
        case _:
            return _lost(link, place)


def _is_about_our_certificate(reason: str) -> bool:
    """Return whether the server has sent an alert about the certificate of the client, or none."""
    return "ALERT" in reason and any(word in reason for word in _CERTIFICATE_ALERTS)


def _lost(link: BaseException, place: str) -> APIConnectionError | None:
    """Return the error for a connection that was lost or never came about, or None."""
    match link:
        case ConnectionResetError() | BrokenPipeError() | ConnectionAbortedError() | EOFError():
            return disconnected(place)
        case OSError() if link.errno is not None and link.strerror:
            return APIConnectionError(
                f"No connection to {place}: {_shown(link)}. Look at the network and the base URL."
            )
        case OSError() if str(link).startswith("Tunnel connection failed"):
            return proxy_refused(str(link).partition(": ")[2], place)
        case _:
            return None


def disconnected(place: str) -> APIConnectionError:
    """Return the error for a connection that ended before the answer."""
    return APIConnectionError(
        f"The connection to {place} was closed before an answer came; try again."
    )


def proxy_refused(answer: str, place: str) -> APIConnectionError:
    """Return the error for a proxy that does not let a connection through."""
    return APIConnectionError(
        f"The proxy did not open a connection to {place}; it answered "
        f"{elide(answer, _MOST_SHOWN)}. Look at HTTPS_PROXY and NO_PROXY in the environment.",
        retryable=not answer.startswith("407"),
    )


def place_of(url: str) -> str:
    """Return host and port of a URL, without credentials."""
    return urlsplit(url).netloc.rpartition("@")[2] or url


def _shown(error: BaseException) -> str:
    """Return a short text for an exception that is not ours."""
    strerror: Any = getattr(error, "strerror", None)
    return elide(str(strerror), _MOST_SHOWN) if strerror else type(error).__name__


def chain_of(error: BaseException) -> Iterator[BaseException]:
    """Yield an exception and those in and behind it, the innermost first."""
    seen: dict[int, BaseException] = {}
    waiting: list[Any] = [error]
    while waiting:
        link = waiting.pop()
        if isinstance(link, BaseException) and id(link) not in seen:
            seen[id(link)] = link
            inside = (getattr(link, "reason", None), getattr(link, "os_error", None))
            group: Iterable[Any] = getattr(link, "exceptions", ())
            waiting += [link.__cause__, link.__context__, *inside, *group, *link.args]
    yield from reversed(seen.values())
