"""Requests over the connections of an aiohttp session, past what the session does for each.

`ClientSession.request` costs about as much as the exchange itself: it merges headers and cookies,
prepares for redirects, and makes a request, a writer, a task and a response, of which most lives
as long as the body. Here a request is written to a connection that the session's connector gives,
and the reply that aiohttp's protocol has parsed is handed on as it is.

Nobody promised the methods and parameters in `_NEEDED`. Where this aiohttp has others, where
tracers have added to the session, or where a mock stands in the place of its method, all goes
through the session.
"""

from __future__ import annotations

import re
from itertools import chain
from time import monotonic
from types import FunctionType
from typing import TYPE_CHECKING, Any, Final, cast

import aiohttp
from aiohttp.client_proto import ResponseHandler
from aiohttp.streams import EMPTY_PAYLOAD
from yarl import URL

from ..wire import Deadline, Deadlines, Request
from .base import MOST_HEAD_BYTES, MOST_INTERIM_ANSWERS
from .framing import Malformed
from .with_aiohttp_watch import Watch

if TYPE_CHECKING:
    import asyncio
    import ssl

__all__ = ["DirectReply", "DirectSession", "check_head", "connect_timeout", "has_what_is_needed"]

#: What is called here, and the parameters that it must have.
_NEEDED: Final = (
    (aiohttp.BaseConnector, "connect", {"req", "traces", "timeout"}),
    (aiohttp.ClientRequest, "__init__", {"method", "url", "loop", "session", "ssl"}),
    (ResponseHandler, "read", {"self"}),
    (
        ResponseHandler,
        "set_response_params",
        {
            "skip_payload",
            "read_until_eof",
            "auto_decompress",
            "timeout_ceil_threshold",
            "max_line_size",
            "max_field_size",
        },
    ),
)
#: Headers that say how a request is framed or answered: aiohttp knows what they ask for.
_ASKING: Final = frozenset({"connection", "content-length", "expect", "host", "transfer-encoding"})
#: Larger bodies are sent part by part, by aiohttp.
_MOST_AT_ONCE: Final = 1024 * 1024
#: Methods that have no body unless they are given one.
_BODILESS: Final = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
#: How many URLs are remembered: a client asks a few, again and again.
_MOST_KNOWN: Final = 64
_SMUGGLING = re.compile(r"[\r\n\0]")
_SWITCHING_PROTOCOLS: Final = 101


class DirectReply:
    """A reply, as far as it has come: what of `aiohttp.ClientResponse` is used.

    Attributes:
        connection: The connection until the body ends, then None.
        status: The status code.
        raw_headers: The fields as they came.
        content: The body.
    """

    __slots__ = ("connection", "content", "raw_headers", "status")

    def __init__(self, connection: Any) -> None:
        """Expect a reply on a connection."""
        self.connection = connection
        self.status = 0
        self.raw_headers: tuple[tuple[bytes, bytes], ...] = ()
        self.content: aiohttp.StreamReader = EMPTY_PAYLOAD

    async def start(self) -> None:
        """Wait for the head after the interim answers."""
        protocol = self.connection.protocol
        for _ in range(MOST_INTERIM_ANSWERS + 1):
            message, content = await protocol.read()
            if message.code >= 200 or message.code == _SWITCHING_PROTOCOLS:
                break
        else:
            raise Malformed(f"more than {MOST_INTERIM_ANSWERS} interim answers (1xx)")
        check_head(message.code, message.raw_headers)
        self.status, self.raw_headers, self.content = message.code, message.raw_headers, content
        content.on_eof(self._ended)

    def _ended(self) -> None:
        """Give the connection back, unless the request is still on its way."""
        connection, self.connection = self.connection, None
        if connection is None:
            return
        transport = connection.transport
        if transport is None or transport.get_write_buffer_size():
            connection.close()
        else:
            connection.release()

    def close(self) -> None:
        """End the connection where there still is one; a reader that waits on it wakes."""
        connection, self.connection = self.connection, None
        if connection is not None:
            if self.content.exception() is None:
                self.content.set_exception(aiohttp.ClientConnectionError("Connection closed"))
            connection.close()


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
    ) -> Watch:
        """Send a request and return its reply, watched.

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
        reply = DirectReply(connection)
        watch = Watch(reply)
        answering = deadlines.answering()
        try:
            attempt.reused = self._begin(request, target.url, answering, connection.protocol)
            watch.begin(answering)
            await reply.start()
        except BaseException as error:
            watch.stop()
            reply.close()
            if watch.expired and isinstance(error, Exception):
                raise TimeoutError from None
            raise
        watch.deadline = None
        return watch

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

    def _begin(self, request: Request, url: URL, answering: Deadline | None, protocol: Any) -> bool:
        """Write a request, and return whether the connection has served before."""
        transport: asyncio.Transport | None = protocol.transport
        if transport is None:
            raise aiohttp.ServerDisconnectedError
        if answering is not None and answering.when <= monotonic():
            raise TimeoutError
        protocol.set_response_params(
            skip_payload=request.method == "HEAD",
            read_until_eof=True,
            auto_decompress=False,
            timeout_ceil_threshold=float("inf"),
            max_line_size=MOST_HEAD_BYTES,
            max_field_size=MOST_HEAD_BYTES,
        )
        head = _head(request, url, closes=self._connector.force_close)
        transport.write(head + request.body if request.body else head)
        return getattr(protocol, "has_served", False)


def _head(request: Request, url: URL, *, closes: bool) -> bytes:
    """Return the head of a request.

    Raises:
        ValueError: Something in it would smuggle another line in.
    """
    if _SMUGGLING.search("".join((request.method, request.url, *chain(*request.headers.pairs)))):
        raise ValueError("The method, the URL or a header holds a line end or NUL.")
    lines = [f"{request.method} {url.raw_path_qs} HTTP/1.1", f"Host: {url.host_port_subcomponent}"]
    lines += [f"{name}: {value}" for name, value in request.headers.pairs]
    if request.body is not None or request.method not in _BODILESS:
        lines.append(f"Content-Length: {len(request.body or b'')}")
    if closes:
        lines.append("Connection: close")
    return "\r\n".join([*lines, "\r\n"]).encode()


def check_head(status: int, raw_headers: tuple[tuple[bytes, bytes], ...]) -> None:
    """Refuse the head of a reply that is too large, or that switches to another protocol."""
    if sum(len(name) + len(value) + 4 for name, value in raw_headers) > MOST_HEAD_BYTES:
        raise Malformed(f"its head has more than {MOST_HEAD_BYTES} bytes")
    if status < 200:
        raise Malformed("it switches to a protocol that nobody asked for (101)")


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
        needed <= _parameters(getattr(kind, name, None)) for kind, name, needed in _NEEDED
    )


def _parameters(function: object) -> set[str]:
    """Return the names of what a function takes, and of more; of anything else none."""
    return set(function.__code__.co_varnames) if isinstance(function, FunctionType) else set()
