"""Requests over the connections of an aiohttp session, past what the session does for each.

`ClientSession.request` costs about as much as the exchange itself: it merges headers and cookies,
prepares for redirects, and makes a request, a writer, a task and a response, of which most lives
as long as the body. Here a request is written to a connection that the session's connector gives,
and the reply is read from it (see `with_aiohttp_exchange`).

Nobody promised the methods and parameters in `_NEEDED`. Where this aiohttp has others, where
tracers have added to the session, or where a mock stands in the place of its method, all goes
through the session.
"""

from __future__ import annotations

from time import monotonic
from types import FunctionType
from typing import TYPE_CHECKING, Any, Final, cast

import aiohttp
from aiohttp.client_proto import ResponseHandler
from yarl import URL

from ..wire import Deadline, Deadlines, Reply, Request
from .http_heads import request_head
from .with_aiohttp_body import DirectBody
from .with_aiohttp_exchange import Exchange, Protocol
from .with_aiohttp_watch import Watch

if TYPE_CHECKING:
    import ssl

    from .http_heads import Head

__all__ = ["DirectSession", "connect_timeout", "has_what_is_needed"]

#: What is called here or stands behind it, and the parameters and names that it must have.
_NEEDED: Final = (
    (aiohttp.BaseConnector, "connect", {"req", "traces", "timeout"}),
    (aiohttp.TCPConnector, "_create_direct_connection", {"_factory"}),
    (aiohttp.ClientRequest, "__init__", {"method", "url", "loop", "session", "ssl"}),
    (ResponseHandler, "data_received", {"data"}),
    (ResponseHandler, "connection_lost", {"exc"}),
    (ResponseHandler, "set_response_params", {"self"}),
)
#: Headers that say how a request is framed or answered: aiohttp knows what they ask for.
_ASKING: Final = frozenset({"connection", "content-length", "expect", "host", "transfer-encoding"})
#: Larger bodies are sent part by part, by aiohttp.
_MOST_AT_ONCE: Final = 1024 * 1024
#: Methods that have no body unless they are given one.
_BODILESS: Final = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
#: How many URLs are remembered: a client asks a few, again and again.
_MOST_KNOWN: Final = 64


class DirectSession:
    """The connections of a session."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        """Take a session of ours."""
        self._session = session
        self._connector = cast("aiohttp.BaseConnector", session.connector)
        self._targets: dict[tuple[str, object], aiohttp.ClientRequest] = {}

    def may_send(self, request: Request) -> bool:
        """Return whether a request needs nothing that a session does, and nobody watches it."""
        body = request.body
        asks = aiohttp.ClientSession._request
        return (
            type(asks) is FunctionType
            and asks.__globals__ is vars(aiohttp.client)
            and (body is None or len(body) <= _MOST_AT_ONCE)
            and _ASKING.isdisjoint(request.headers)
        )

    async def send(
        self, request: Request, deadlines: Deadlines, tls: ssl.SSLContext | None, attempt: Any
    ) -> Reply:
        """Send a request and return its reply.

        Args:
            request: The request.
            deadlines: The moments that bound it.
            tls: The TLS settings, or None for plain HTTP.
            attempt: Is told whether the connection has served before.
        """
        target = self._target(request.url, tls)
        try:
            connection = await self._connector.connect(target, [], connect_timeout(deadlines))
        except TimeoutError as error:
            raise aiohttp.ConnectionTimeoutError("Connection timeout") from error
        exchange = Exchange(connection, request.method)
        watch = Watch(exchange)
        answering = deadlines.answering()
        try:
            protocol = cast("Protocol", connection.protocol)
            attempt.reused = protocol.has_served
            self._begin(request, target.url, answering, protocol, exchange)
            watch.begin(answering)
            head = await _head_of(exchange)
            if watch.expired:  # in the same turn of the loop in which the head came
                raise TimeoutError
        except BaseException as error:
            watch.stop()
            exchange.close()
            if watch.expired and isinstance(error, Exception):
                raise TimeoutError from None
            raise
        watch.deadline = None
        return Reply(head.status, head.headers, DirectBody(watch, exchange, request.url))

    def _target(self, url: str, tls: ssl.SSLContext | None) -> aiohttp.ClientRequest:
        """Return what a connector takes to tell where to connect to."""
        known = self._targets.get((url, tls))
        if known is not None:
            return known
        if len(self._targets) >= _MOST_KNOWN:
            self._targets.clear()
        made = aiohttp.ClientRequest(
            "POST",
            URL(url, encoded=True),
            loop=self._session._loop,
            session=self._session,
            ssl=tls or True,
        )
        self._targets[url, tls] = made
        return made

    def _begin(
        self,
        request: Request,
        url: URL,
        answering: Deadline | None,
        protocol: Protocol,
        exchange: Exchange,
    ) -> None:
        """Write a request."""
        transport = protocol.transport
        if transport is None:
            raise aiohttp.ServerDisconnectedError
        if answering is not None and answering.when <= monotonic():
            raise TimeoutError
        protocol.begin(exchange)
        if exchange.connection is not None:
            head = _head(request, url, closes=self._connector.force_close)
            transport.write(head + request.body if request.body else head)


async def _head_of(exchange: Exchange) -> Head:
    """Wait for the head of a reply."""
    while exchange.head is None:
        if exchange.failure is not None:
            raise exchange.failure
        await exchange.wait()
    return exchange.head


def _head(request: Request, url: URL, *, closes: bool) -> bytes:
    """Return the head of a request.

    Raises:
        Malformed: Something in it may not be sent.
    """
    fields = [("Host", url.host_port_subcomponent or ""), *request.headers.pairs]
    if request.body is not None or request.method not in _BODILESS:
        fields.append(("Content-Length", str(len(request.body or b""))))
    if closes:
        fields.append(("Connection", "close"))
    return request_head(request.method, url.raw_path_qs, fields)


def connect_timeout(deadlines: Deadlines) -> aiohttp.ClientTimeout:
    """Return the limit for connecting; aiohttp takes 0 and less for none, and rounds up."""
    deadline = deadlines.connecting()
    left = None if deadline is None else max(deadline.when - monotonic(), 1e-6)
    return aiohttp.ClientTimeout(total=None, connect=left, ceil_threshold=float("inf"))


def has_what_is_needed(session: aiohttp.ClientSession, traces: int) -> bool:
    """Return whether a session may be passed by: this aiohttp is as known, and nobody traces it.

    Args:
        session: A session of ours.
        traces: How many trace configs we have given it: tracers add their own.
    """
    return len(session.trace_configs) == traces and all(
        needed <= _names(getattr(kind, name, None)) for kind, name, needed in _NEEDED
    )


def _names(function: object) -> set[str]:
    """Return the names of what a function takes and uses; of anything else none."""
    if not isinstance(function, FunctionType):
        return set()
    return {*function.__code__.co_varnames, *function.__code__.co_names}
