"""The transport for asyncio, on aiohttp."""

from __future__ import annotations

import asyncio
import io
from time import monotonic
from typing import Any, Final

import aiohttp
from aiohttp.http import HttpProcessingError
from multidict import CIMultiDict, CIMultiDictProxy
from yarl import URL

from ..errors.tree import APIConnectionError
from ..wire import Deadline, Deadlines, Headers, Reply, Request
from .base import (
    KEEP_ALIVE,
    MOST_HEAD_BYTES,
    POOL_SIZE,
    caused,
    check_own_settings,
    check_pool,
    closed,
)
from .environment import Cert, Proxies, Verify, check_tls, tls_context
from .failures import disconnected, no_reply, not_http, place_of, proxy_refused
from .framing import Malformed, ToClose, framing_of
from .with_aiohttp_body import AiohttpBody
from .with_aiohttp_direct import connect_timeout
from .with_aiohttp_sessions import NO_HEADERS, Attempt, Sessions

__all__ = ["AiohttpTransport"]

#: How many dead kept-alive connections in a row are replaced.
_MOST_DEAD: Final = 3
#: From this size on aiohttp warns of bodies in one piece.
_LARGE: Final = 1024 * 1024
#: What aiohttp raises when there is no reply.
_FAILURES = (aiohttp.ClientError, HttpProcessingError, OSError, UnicodeError, Malformed)
#: Of those, what a kept-alive connection that had died raises.
_DEAD = (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError)


class AiohttpTransport:
    """Sends requests with aiohttp (see `evoclient.transports.base.AsyncTransport`).

    Without `session`, it may be used in several event loops, one after another or at once, and
    has a session for each; any number of requests may be under way at once. A session of yours is
    used as it is: its connector, cookies, auth, headers, traces and `trust_env` hold, and it is
    not closed. Redirects are refused all the same. These promises do not hold then: it serves the
    event loop it was made in alone; interim answers are not bounded, nor is a head as a whole; a
    connection that died while it was idle is not replaced; its connector's limit makes requests
    wait; and what the session adds to a request is sent.
    """

    def __init__(
        self,
        *,
        session: aiohttp.ClientSession | None = None,
        verify: Verify = True,
        cert: Cert = None,
        pool_size: int = POOL_SIZE,
        keep_alive: float = KEEP_ALIVE,
    ) -> None:
        """Read the proxies of the environment; nothing is opened.

        Args:
            session: A session of yours to send everything through. The other arguments are for
                connections of our own, and refused beside it.
            verify: Whether to verify certificates, or the CA file or folder to do so.
            cert: A client certificate with its key, or a file for each.
            pool_size: The most idle connections to one host that are kept; there is no bound on
                those in use.
            keep_alive: How long an idle connection is kept, in seconds; 0 keeps none.

        Raises:
            ConfigurationError: A file that is named is not there, a number is out of range, or
                an argument stands beside `session`.
        """
        if session is not None:
            check_own_settings(
                session,
                aiohttp.ClientSession,
                verify=verify is not True,
                cert=cert is not None,
                pool_size=pool_size != POOL_SIZE,
                keep_alive=keep_alive != KEEP_ALIVE,
            )
        check_pool(pool_size, keep_alive)
        check_tls(verify, cert)
        self._verify: Verify = verify
        self._cert = cert
        self._proxies = Proxies()
        self._sessions = Sessions(pool_size, keep_alive, session)
        self._closed = False

    async def send(self, request: Request, deadlines: Deadlines) -> Reply:
        """Send a request and return its reply, whose body is still open."""
        replaced = 0
        while True:
            self._check_open()
            attempt = Attempt()
            outcome = await self._exchanged(request, deadlines, attempt)
            if isinstance(outcome, Reply):
                return outcome
            self._check_open()
            if replaced == _MOST_DEAD or not (attempt.reused and _was_dead(outcome)):
                raise _failure(outcome, request.url, _deadline_of(outcome, deadlines))
            replaced += 1

    def _check_open(self) -> None:
        """Refuse to go on after `aclose`."""
        if self._closed:
            raise closed()

    async def _exchanged(
        self, request: Request, deadlines: Deadlines, attempt: Attempt
    ) -> Reply | Exception:
        """Return the reply, or what was raised instead.

        The error is raised by the caller, where no local variable holds a header.
        """
        try:
            return await self._reply(request, deadlines, attempt)
        except _FAILURES as exc:
            return exc

    async def _reply(self, request: Request, deadlines: Deadlines, attempt: Attempt) -> Reply:
        """Send a request past the session where that may be, else through it."""
        made = await self._sessions.current()
        direct = made.direct
        if direct and self._proxies.for_url(request.url) is None and direct.may_send(request):
            secure = request.url.startswith("https:")
            tls = tls_context(self._verify, self._cert) if secure else None
            return await direct.send(request, deadlines, tls, attempt)
        async with asyncio.timeout_at(_loop_time(deadlines.answering())):
            response = await made.session.request(
                request.method,
                URL(request.url, encoded=True),
                data=_data(request.body),
                allow_redirects=False,
                timeout=connect_timeout(deadlines),
                **self._options(request, attempt),
            )
        return _reply_of(response, request)

    def _options(self, request: Request, attempt: Attempt) -> dict[str, Any]:
        """Return headers, TLS settings and proxy for a request."""
        headers = CIMultiDict(request.headers.pairs)
        if self._sessions.own is not None:
            # What a session of ours has been told once, and what leaves bytes as they came.
            return {
                "headers": headers,
                "skip_auto_headers": NO_HEADERS,
                "auto_decompress": False,
                "raise_for_status": False,
                "max_line_size": MOST_HEAD_BYTES,
                "max_field_size": MOST_HEAD_BYTES,
            }
        secure = request.url.startswith("https:")
        options: dict[str, Any] = {"headers": headers, "trace_request_ctx": attempt}
        proxy = self._proxies.for_url(request.url)
        if secure or (proxy is not None and proxy.url.startswith("https:")):
            options["ssl"] = tls_context(self._verify, self._cert)
        if proxy is None:
            return options
        options["proxy"] = proxy.url
        if proxy.authorization is not None:
            # A tunnel is asked for with headers of its own; else the proxy reads the request's.
            name = "Proxy-Authorization"
            if secure:
                options["proxy_headers"] = {name: proxy.authorization}
            else:
                headers[name] = proxy.authorization
        return options

    async def aclose(self) -> None:
        """Close idle connections and refuse further requests."""
        self._closed = True
        await self._sessions.close()


def _reply_of(response: aiohttp.ClientResponse, request: Request) -> Reply:
    """Return a reply that aiohttp reads.

    Raises:
        Malformed: Its head contradicts itself, or names a coding that nobody asked for.
    """
    headers = Headers(
        [(name.decode("latin-1"), value.decode("latin-1")) for name, value in response.raw_headers]
    )
    try:
        framing = framing_of(request.method, response.status, headers)
    except Malformed:
        response.close()
        raise
    body = AiohttpBody(response, request.url, to_close=isinstance(framing, ToClose))
    return Reply(response.status, headers, body)


def _data(body: bytes | None) -> bytes | io.BytesIO | None:
    """Return a body as aiohttp wants it: a large one as a file, sent part by part."""
    return io.BytesIO(body) if body is not None and len(body) > _LARGE else body


def _loop_time(deadline: Deadline | None) -> float | None:
    """Return a deadline by the clock of the running loop, or None."""
    if deadline is None:
        return None
    return asyncio.get_running_loop().time() + deadline.when - monotonic()


def _was_dead(outcome: Exception) -> bool:
    """Whether a kept-alive connection ended before a byte of the reply came."""
    if isinstance(outcome, aiohttp.ServerDisconnectedError):
        return isinstance(outcome.message, str)  # otherwise it is the beginning of a head
    return isinstance(outcome, _DEAD) and not isinstance(outcome, aiohttp.ClientConnectorError)


def _deadline_of(outcome: Exception, deadlines: Deadlines) -> Deadline | None:
    """Return the deadline that ran when an exception was raised."""
    connecting = (aiohttp.ConnectionTimeoutError, aiohttp.ClientConnectorError)
    if isinstance(outcome, connecting):
        return deadlines.connecting()
    return deadlines.answering()


def _failure(outcome: Exception, url: str, deadline: Deadline | None) -> APIConnectionError:
    """Return our error for what aiohttp raised."""
    match outcome:
        case aiohttp.ClientResponseError():
            # It holds the headers of the request, and with them the key.
            bare: CIMultiDictProxy[str] = CIMultiDictProxy(CIMultiDict())
            outcome.request_info = outcome.request_info._replace(headers=bare)
            outcome.args = (outcome.status, outcome.message)
            if isinstance(outcome, aiohttp.ClientHttpProxyError):
                answer = f"{outcome.status} {outcome.message}"
                return caused(proxy_refused(answer, place_of(url)), outcome)
            return caused(not_http("its head is malformed or too large", url), outcome)
        case HttpProcessingError():
            return caused(not_http("its head is malformed or too large", url), outcome)
        case aiohttp.ServerDisconnectedError():
            return caused(disconnected(place_of(url)), outcome)
        case _:
            return no_reply(outcome, url, deadline, monotonic())
