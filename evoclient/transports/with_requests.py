"""The transport for threads, on requests."""

from __future__ import annotations

import os
from functools import partial
from http.client import HTTPException
from time import monotonic
from typing import Any, Final
from urllib.parse import urlsplit

import requests
from requests import PreparedRequest
from requests.adapters import HTTPAdapter
from requests.exceptions import RequestException
from requests.structures import CaseInsensitiveDict
from urllib3 import HTTPHeaderDict
from urllib3.exceptions import HTTPError
from urllib3.util import Timeout

from ..wire import Deadlines, Headers, Reply, Request
from .base import KEEP_ALIVE, POOL_SIZE, check_own_settings, check_pool, closed
from .environment import Cert, Proxies, Verify, check_tls, tls_context
from .failures import has_passed, no_reply
from .framing import Malformed, framing_of
from .http_heads import Head
from .under_way import UnderWay
from .with_requests_body import SocketBody, StandInBody
from .with_requests_pools import pools
from .with_requests_session import send_through, without_holdings
from .with_requests_sockets import Exchange

__all__ = ["RequestsTransport"]

#: What requests, urllib3 and http.client raise when there is no reply.
_FAILURES = (RequestException, HTTPError, HTTPException, OSError, Malformed)

#: Our connections keep the deadlines themselves.
_NO_TIMEOUT: Final[Any] = Timeout(connect=None, read=None)
#: What has a length even where it has no body (RFC 9110, section 8.6).
_WITH_BODY: Final = frozenset({"PATCH", "POST", "PUT"})
#: The most URLs whose pools are remembered; urllib3 itself remembers the pools of ten hosts.
_MOST_ROUTES: Final = 64


class RequestsTransport:
    """Sends requests with requests' adapter (see `evoclient.transports.base.Transport`).

    Without `session`, nothing of a user's netrc file or of earlier cookies gets into a request,
    and any number of requests may be under way at once. A session of yours is used as it is: its
    adapters, cookies, auth, hooks, headers, proxies, `verify` and `cert` hold, and it is not
    closed. Redirects are refused all the same. These promises do not hold then: deadlines are
    kept by the timeouts of requests, so a head that trickles in overruns them; a connection that
    died while it was idle is not replaced; heads and interim answers are bounded by http.client
    alone; and what the session adds to a request is sent.
    """

    def __init__(
        self,
        *,
        session: requests.Session | None = None,
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
                requests.Session,
                verify=verify is not True,
                cert=cert is not None,
                pool_size=pool_size != POOL_SIZE,
                keep_alive=keep_alive != KEEP_ALIVE,
            )
        check_pool(pool_size, keep_alive)
        check_tls(verify, cert)
        self._session = session
        self._make = partial(_Adapter, verify, cert, Proxies(), pools(pool_size, keep_alive))
        self._adapter = self._make()
        self._process = os.getpid()
        self._under_way = UnderWay[Exchange]()
        self._closed = False

    def send(self, request: Request, deadlines: Deadlines) -> Reply:
        """Send a request and return its reply, whose body is still open."""
        if self._session is not None:
            if self._closed:
                raise closed()
            return send_through(self._session, request, deadlines)
        adapter = self._usable_adapter()
        exchange = Exchange(deadlines)
        outcome = self._exchanged(adapter, request, exchange)
        if isinstance(outcome, Reply):
            return outcome
        is_dead = exchange.met_a_dead_connection and not self._closed
        if is_dead and not has_passed(exchange.deadline, monotonic()):
            exchange = Exchange(deadlines, fresh=True)
            outcome = self._exchanged(adapter, request, exchange)
            if isinstance(outcome, Reply):
                return outcome
        if self._closed:
            raise closed()
        raise no_reply(outcome, request.url, exchange.deadline, monotonic())

    def _exchanged(
        self, adapter: _Adapter, request: Request, exchange: Exchange
    ) -> Reply | Exception:
        """Return the reply, or what was raised instead.

        The error is raised by the caller, where no local variable holds a header.
        """
        self._under_way.begin(exchange)
        try:
            with exchange:
                response = adapter.send(_prepared(request), stream=True, timeout=_NO_TIMEOUT)
            return _reply(response.raw, request, exchange)
        except _FAILURES as exc:
            return without_holdings(exc)
        finally:
            self._under_way.end(exchange)

    def _usable_adapter(self) -> _Adapter:
        """Return the adapter, a new one after a fork: the child must not share connections."""
        if self._closed:
            raise closed()
        if self._process != os.getpid():
            # Without a lock, which another thread may have held at the time of the fork.
            self._adapter = self._make()
            self._process = os.getpid()
        return self._adapter

    def close(self) -> None:
        """Close idle connections, end what waits for a reply, and refuse further requests."""
        self._closed = True
        self._under_way.close()
        self._adapter.close()


class _Adapter(HTTPAdapter):
    """requests' adapter over our connections. Its `send` is the one that mocks replace."""

    def __init__(self, verify: Verify, cert: Cert, proxies: Proxies, pools: dict[str, Any]) -> None:
        self._pools = pools
        self._verify: Verify = verify
        self._cert = cert
        self._proxies = proxies
        self._routes: dict[str, tuple[Any, str]] = {}
        # The pool bounds what is idle by itself; 0 makes urllib3 fill in nothing.
        super().__init__(pool_maxsize=0)

    def get_connection_with_tls_context(self, request: PreparedRequest, *_: Any, **__: Any) -> Any:
        """Return the pool for a request."""
        return self._route(str(request.url))[0]

    def request_url(self, request: PreparedRequest, *_: Any) -> str:
        """Return what stands in the first line of a request."""
        return self._route(str(request.url))[1]

    def _route(self, url: str) -> tuple[Any, str]:
        """Return the pool for a URL and what to ask there; a client asks few URLs very often."""
        route = self._routes.get(url)
        if route is None:
            if len(self._routes) >= _MOST_ROUTES:
                self._routes.clear()
            route = self._routes[url] = self._found_route(url)
        return route

    def _found_route(self, url: str) -> tuple[Any, str]:
        """Look up the pool for a URL, and what to ask there."""
        request = PreparedRequest()
        request.url = url
        # requests would take a mistake in the TLS settings for one in the URL.
        self.build_connection_pool_key_attributes(request)
        proxy = self._proxies.for_url(url)
        proxies = {} if proxy is None else {"all": proxy.url}
        pool = super().get_connection_with_tls_context(request, True, proxies)
        return pool, super().request_url(request, proxies)

    def build_response(self, req: PreparedRequest, resp: Any) -> requests.Response:
        """Return a reply of ours in the form of requests, without a look for cookies."""
        if not isinstance(resp, Head):  # a mock's
            return super().build_response(req, resp)
        response = requests.Response()
        response.status_code, response.reason = resp.status, resp.reason
        response.headers = CaseInsensitiveDict(resp.headers.items())
        response.raw = resp
        response.url = str(req.url)
        response.request = req
        return response

    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        """Use our connections."""
        super().init_poolmanager(*args, **options)
        self.poolmanager.pool_classes_by_scheme = self._pools

    def proxy_manager_for(self, proxy: str, **options: Any) -> Any:
        """Use our connections, and our TLS settings for a proxy that speaks TLS."""
        if proxy.startswith("https:"):
            options["proxy_ssl_context"] = tls_context(self._verify, self._cert)
        manager: Any = super().proxy_manager_for(proxy, **options)
        manager.pool_classes_by_scheme = self._pools
        return manager

    def proxy_headers(self, proxy: str) -> dict[str, str]:
        """Return the credentials for a proxy, which its URL no longer holds."""
        authorization = self._proxies.authorization(proxy)
        return {} if authorization is None else {"Proxy-Authorization": authorization}

    def build_connection_pool_key_attributes(
        self, request: PreparedRequest, *_: Any, **__: Any
    ) -> Any:
        """Choose a pool by host and TLS settings; plain HTTP needs none of these."""
        parts = urlsplit(str(request.url))
        place = {"scheme": parts.scheme, "host": parts.hostname, "port": parts.port}
        if parts.scheme != "https":
            return place, {}
        return place, {"ssl_context": tls_context(self._verify, self._cert)}

    def cert_verify(self, *_: Any, **__: Any) -> None:
        """Leave the certificates to the TLS settings."""

    def close(self) -> None:
        """Close idle connections at once, also where a stream still holds their pool."""
        for pool, _ in list(self._routes.values()):
            pool.close()
        for manager in (self.poolmanager, *self.proxy_manager.values()):
            for key in manager.pools.keys():  # noqa: SIM118 (it is no mapping)
                if (pool := manager.pools.get(key)) is not None:
                    pool.close()
        super().close()


def _prepared(request: Request) -> PreparedRequest:
    """Return a request in the form of requests, without what a session would add."""
    prepared: Any = PreparedRequest()
    prepared.method = request.method
    prepared.url = request.url
    prepared.headers = HTTPHeaderDict()
    for name, value in request.headers.pairs:
        prepared.headers.add(name, value)
    if request.body is not None:
        prepared.headers["Content-Length"] = str(len(request.body))
    elif request.method in _WITH_BODY:
        prepared.headers["Content-Length"] = "0"
    prepared.body = request.body
    result: PreparedRequest = prepared
    return result


def _reply(raw: Any, request: Request, exchange: Exchange) -> Reply:
    """Return our form of a reply."""
    reader = exchange.reader
    if reader is None or not isinstance(raw, Head):
        return Reply(raw.status, Headers(raw.headers.items()), StandInBody(raw, request.url))
    try:
        framing = framing_of(request.method, raw.status, raw.headers)
    except Malformed:
        raw.close()
        raise
    return Reply(raw.status, raw.headers, SocketBody(raw, reader, framing, request.url))
