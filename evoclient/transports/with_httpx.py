"""The transports for threads and for asyncio, on httpx."""

from __future__ import annotations

import os
from time import monotonic
from typing import Any, Final, cast

import httpx

from ..errors.tree import APIConnectionError
from ..wire import Deadlines, Headers, Reply, Request
from .base import KEEP_ALIVE, POOL_SIZE, caused, closed
from .environment import Cert, Verify
from .failures import disconnected, has_passed, no_reply, not_http, place_of, proxy_refused
from .framing import Malformed, framing_of
from .loops import PerLoop
from .under_way import UnderWay
from .with_httpx_body import AsyncHttpxBody, HttpxBody
from .with_httpx_pools import PoolKey, Pools, Settings, ThreadPool
from .with_httpx_streams import Exchange

__all__ = ["AsyncHttpxTransport", "HttpxTransport"]

#: How many dead kept-alive connections in a row are replaced.
_MOST_DEAD: Final = 3
#: What httpx raises when there is no reply.
_FAILURES = (httpx.HTTPError, OSError, UnicodeError, Malformed)


class HttpxTransport:
    """Sends requests with httpx, for threads (see `evoclient.transports.base.Transport`).

    There is no `httpx.Client`, so no redirects, cookies, or netrc file, and nothing is added to a
    request. Any number of requests may be under way at once.
    """

    def __init__(
        self,
        *,
        verify: Verify = True,
        cert: Cert = None,
        pool_size: int = POOL_SIZE,
        keep_alive: float = KEEP_ALIVE,
    ) -> None:
        """Read the proxies of the environment; nothing is opened.

        Args:
            verify: Whether to verify certificates, or the CA file or folder to do so.
            cert: A client certificate with its key, or a file for each.
            pool_size: The most idle connections that are kept; while more than that many are in
                use, none is kept.
            keep_alive: How long an idle connection is kept, in seconds; 0 keeps none.

        Raises:
            ConfigurationError: A file that is named is not there, or a number is out of range.
        """
        self._settings = Settings(verify, cert, pool_size, keep_alive)
        self._pools: dict[PoolKey, ThreadPool] = {}
        self._process = os.getpid()
        self._under_way = UnderWay[Exchange]()
        self._closed = False

    def send(self, request: Request, deadlines: Deadlines) -> Reply:
        """Send a request and return its reply, whose body is still open."""
        replaced = 0
        while True:
            if self._closed:
                raise closed()
            exchange = Exchange(deadlines)
            outcome = self._exchanged(request, exchange)
            if isinstance(outcome, Reply):
                return outcome
            if self._closed:
                raise closed()
            if replaced == _MOST_DEAD or not _is_worth_another(exchange):
                raise _failure(outcome, request.url, exchange)
            self._settings.generation.end()  # where one is dead, the others may be
            replaced += 1

    def _exchanged(self, request: Request, exchange: Exchange) -> Reply | Exception:
        """Return the reply, or what was raised instead.

        The error is raised by the caller, where no local variable holds a header.
        """
        self._under_way.begin(exchange)
        try:
            response = self._pool_for(request.url).handle_request(_prepared(request, exchange))
        except _FAILURES as exc:
            return _without_value(exc)
        finally:
            self._under_way.end(exchange)
        body = HttpxBody(response, exchange, request.url)
        failure = _frame(request, response, exchange)
        if failure is not None:
            body.close()
            return failure
        return Reply(response.status_code, _headers(response), body)

    def _pool_for(self, url: str) -> ThreadPool:
        """Return the connections for a URL; after a fork new ones, not those of the parent."""
        if self._process != os.getpid():
            # Without a lock, which another thread may have held at the time of the fork.
            self._pools = {}
            self._process = os.getpid()
        secure, proxy = url.startswith("https:"), self._settings.proxies.for_url(url)
        key = secure, None if proxy is None else proxy.url
        found = self._pools.get(key)
        if found is None:
            # Another thread may be faster; what is made here and not taken has opened nothing.
            found = self._pools.setdefault(key, ThreadPool(self._settings, secure, proxy))
        return found

    def close(self) -> None:
        """Close idle connections, end what waits for a reply, and refuse further requests."""
        self._closed = True
        self._under_way.close()
        self._settings.generation.end()  # those in use are closed at the end of their bodies
        for pool in list(self._pools.values()):
            pool.close_idle()


class AsyncHttpxTransport:
    """Sends requests with httpx, for asyncio (see `evoclient.transports.base.AsyncTransport`).

    It may be used in several event loops, one after another or at once, and has connections for
    each. Any number of requests may be under way at once. A read that is cancelled closes its
    connection: httpcore cannot go on where it was.
    """

    def __init__(
        self,
        *,
        verify: Verify = True,
        cert: Cert = None,
        pool_size: int = POOL_SIZE,
        keep_alive: float = KEEP_ALIVE,
    ) -> None:
        """Read the proxies of the environment; nothing is opened.

        Args:
            verify: Whether to verify certificates, or the CA file or folder to do so.
            cert: A client certificate with its key, or a file for each.
            pool_size: The most idle connections that are kept; while more than that many are in
                use, none is kept.
            keep_alive: How long an idle connection is kept, in seconds; 0 keeps none.

        Raises:
            ConfigurationError: A file that is named is not there, or a number is out of range.
        """
        self._settings = Settings(verify, cert, pool_size, keep_alive)
        self._pools: PerLoop[Pools] = PerLoop(Pools, Pools.close, Pools.abandon)
        self._closed = False

    async def send(self, request: Request, deadlines: Deadlines) -> Reply:
        """Send a request and return its reply, whose body is still open."""
        replaced = 0
        while True:
            if self._closed:
                raise closed()
            exchange = Exchange(deadlines)
            outcome = await self._exchanged(request, exchange)
            if isinstance(outcome, Reply):
                return outcome
            if self._closed:
                raise closed()
            if replaced == _MOST_DEAD or not _is_worth_another(exchange):
                raise _failure(outcome, request.url, exchange)
            self._settings.generation.end()  # where one is dead, the others may be
            replaced += 1

    async def _exchanged(self, request: Request, exchange: Exchange) -> Reply | Exception:
        """Do as in the other colour."""
        pools = await self._pools.current()
        try:
            pool = pools.of(self._settings, request.url)
            response = await pool.handle_async_request(_prepared(request, exchange))
        except _FAILURES as exc:
            return _without_value(exc)
        body = AsyncHttpxBody(response, exchange, request.url, pools.endings)
        failure = _frame(request, response, exchange)
        if failure is not None:
            body.close()
            return failure
        return Reply(response.status_code, _headers(response), body)

    async def aclose(self) -> None:
        """Close idle connections and refuse further requests."""
        self._closed = True
        self._settings.generation.end()
        await self._pools.close()


def _prepared(request: Request, exchange: Exchange) -> httpx.Request:
    """Return a request in the form of httpx, without what a client of its would add."""
    waits = dict.fromkeys(("connect", "read", "write"), exchange)
    return httpx.Request(
        request.method,
        request.url,
        headers=list(request.headers.pairs),
        content=request.body,
        extensions={"timeout": cast("dict[str, Any]", waits)},
    )


def _headers(response: httpx.Response) -> Headers:
    """Return the head of a response as it came."""
    return Headers(
        (name.decode("latin-1"), value.decode("latin-1")) for name, value in response.headers.raw
    )


def _frame(request: Request, response: httpx.Response, exchange: Exchange) -> Exception | None:
    """Watch the end of the body, and return what is wrong with its framing."""
    if exchange.wire is None:
        return None  # a mock has answered
    if not exchange.wire.received:
        return Malformed("it came before it was asked for")
    try:
        framing = framing_of(request.method, response.status_code, _headers(response))
        exchange.wire.frame(framing)
    except Malformed as exc:
        return exc
    return None


def _is_worth_another(exchange: Exchange) -> bool:
    """Return whether a dead connection is the reason, and there is time for another."""
    return exchange.met_a_dead_connection and not has_passed(exchange.deadline, monotonic())


def _without_value(failure: Exception) -> Exception:
    """Return a failure; a mistake in the program is raised, without what h11 shows of headers."""
    if isinstance(failure, httpx.LocalProtocolError):
        raise ValueError("The request is not one that HTTP can carry.") from None
    return failure


def _failure(outcome: Exception, url: str, exchange: Exchange) -> APIConnectionError:
    """Return our error for what httpx raised."""
    match outcome:
        case httpx.ProxyError():
            return caused(proxy_refused(str(outcome), place_of(url)), outcome)
        case httpx.RemoteProtocolError() if "disconnected without" in str(outcome):
            return caused(disconnected(place_of(url)), outcome)
        case httpx.RemoteProtocolError():
            return caused(not_http("its head is malformed or too large", url), outcome)
        case _:
            return no_reply(outcome, url, exchange.deadline, monotonic())
