"""Sending through a session that the user has made, with its adapters, cookies and settings."""

from __future__ import annotations

import threading
from http.client import HTTPException
from time import monotonic
from typing import Any, Final

from requests import PreparedRequest, Session
from requests.exceptions import RequestException
from urllib3.exceptions import HTTPError

from ..wire import Deadline, Deadlines, Headers, Reply, Request
from .base import timed_out
from .failures import chain_of, cut, has_passed, no_reply
from .framing import Malformed, framing_of

__all__ = ["send_through", "without_holdings"]

#: The most bytes taken from a socket at once.
_BLOCK: Final = 64 * 1024
#: requests takes 0 for a mistake; a deadline that has passed leaves no time but is none.
_SHORTEST: Final = 1e-6


def send_through(session: Session, request: Request, deadlines: Deadlines) -> Reply:
    """Send a request through a session of requests and return its reply.

    Args:
        session: The session; it is not closed.
        request: The request.
        deadlines: Kept as far as the timeouts of requests go.

    Raises:
        APIConnectionError: No reply could be had.
    """
    connecting, answering = deadlines.connecting(), deadlines.answering()
    if connecting is not None and has_passed(connecting, monotonic()):
        raise timed_out(connecting, request.url)
    outcome = _exchanged(session, request, (_left(connecting), _left(answering)))
    if isinstance(outcome, Reply):
        return outcome
    connected = not _is_about_connecting(outcome)
    raise no_reply(outcome, request.url, answering if connected else connecting, monotonic())


def _exchanged(
    session: Session, request: Request, timeout: tuple[float | None, float | None]
) -> Reply | Exception:
    """Return the reply, or what was raised instead.

    The error is raised by the caller, where no local variable holds a header.
    """
    try:
        response = session.request(
            request.method,
            request.url,
            data=request.body,
            headers=_named(request.headers),
            # A session that trusts the environment would put what a netrc file says before the
            # key; a session's own auth is the user's word.
            auth=_no_auth if session.auth is None and "authorization" in request.headers else None,
            allow_redirects=False,
            stream=True,
            timeout=timeout,
        )
    except (RequestException, HTTPError, HTTPException, OSError) as exc:
        return without_holdings(exc)
    headers = Headers(getattr(response.raw, "headers", response.headers).items())
    try:
        if response.status_code < 200:
            raise Malformed("an interim answer (1xx) that requests takes for the final one")
        framing_of(request.method, response.status_code, headers)
    except Malformed as exc:
        response.close()
        return exc
    # requests has read the body of a redirect already.
    early = response.content if response.is_redirect else b""
    return Reply(response.status_code, headers, _SessionBody(response.raw, request.url, early))


def _named(headers: Headers) -> dict[str, str]:
    """Return headers as a session takes them: each name once, as it was written first."""
    names = {name.lower(): name for name, _ in reversed(headers.pairs)}
    return {names[key]: value for key, value in headers.items()}


def _no_auth(prepared: PreparedRequest) -> PreparedRequest:
    """Add nothing to a request."""
    return prepared


def without_holdings(failure: Exception) -> Exception:
    """Return an exception of the libraries without the objects that hold keys.

    Those of requests hold the request, those of urllib3 a pool with the credentials of a proxy.
    """
    for link in chain_of(failure):
        for name in vars(link).keys() & {"request", "response", "pool", "conn"}:
            setattr(link, name, None)
    return failure


def _left(deadline: Deadline | None) -> float | None:
    """Return the seconds until a deadline, or None."""
    return None if deadline is None else max(deadline.when - monotonic(), _SHORTEST)


def _is_about_connecting(failure: Exception) -> bool:
    """Return whether a failure came before the request was sent."""
    name = type(failure).__name__
    return name in ("ConnectTimeout", "ProxyError", "SSLError") or "NewConnection" in repr(failure)


class _SessionBody:
    """A body that an adapter of the session reads; it is one of urllib3's, or alike."""

    def __init__(self, raw: Any, url: str, early: bytes) -> None:
        """Read urllib3's response, of which a part may have been read."""
        self._early = early
        self._raw = raw
        self._url = url
        # Guards the three below. It is held for microseconds, never across a read.
        self._lock = threading.Lock()
        self._reading = False
        self._closed = False
        self._over = False

    def read(self, deadline: Deadline | None) -> bytes:
        """Return a part of the body as it arrives, where the adapter lets it."""
        if not self._begin():
            return b""
        failure: Exception | None = None
        block = b""
        try:
            block, self._early = self._early, b""
            self._limit(deadline)
            # `read` would wait until all of its number of bytes are there.
            read = getattr(self._raw, "read1", None) or self._raw.read
            block = block or read(_BLOCK, decode_content=False)
        except (HTTPError, HTTPException, OSError, ValueError) as exc:
            failure = exc
        finally:
            if closed := self._end(over=not block):
                self._raw.close()
        if failure is None or closed:
            if not block and not closed:
                self._raw.release_conn()
            return block
        self._raw.close()
        raise cut(failure, self._url, deadline, monotonic())

    def _begin(self) -> bool:
        """Note that a read is under way, unless there is nothing to read any more."""
        with self._lock:
            self._reading = not (self._closed or self._over)
            return self._reading

    def _end(self, *, over: bool) -> bool:
        """Note that it is over, and return whether the body was closed meanwhile."""
        with self._lock:
            self._reading = False
            self._over = over
            return self._closed

    def _limit(self, deadline: Deadline | None) -> None:
        """Let the next wait of the socket end in time, where there is a socket."""
        file = getattr(getattr(self._raw, "_fp", None), "fp", None)
        sock = getattr(getattr(file, "raw", None), "_sock", None)
        if sock is not None:
            sock.settimeout(_left(deadline))

    def close(self) -> None:
        """Close the connection, unless the body was read to its end."""
        with self._lock:
            if self._closed or self._over:
                return
            self._closed = True
            if self._reading:
                # Closing the file under a blocked reader would wait for it: the reader is
                # woken instead, and closes.
                shutdown = getattr(self._raw, "shutdown", None)
                if shutdown is not None:
                    shutdown()
                return
        self._raw.close()
