"""One aiohttp session for each event loop that a transport is used in."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from contextlib import suppress
from functools import partial
from types import SimpleNamespace
from typing import Any, Final, cast

import aiohttp
import attrs
from aiohttp.client_proto import ResponseHandler

from ..ground import ConfigurationError
from .base import MOST_HEAD_BYTES, MOST_INTERIM_ANSWERS
from .framing import Malformed
from .loops import PerLoop
from .with_aiohttp_direct import DirectSession, has_what_is_needed
from .with_aiohttp_exchange import Protocol

__all__ = ["NO_HEADERS", "Attempt", "Sessions", "Session"]

#: What aiohttp would add to a request.
NO_HEADERS: Final = ("User-Agent", "Accept", "Accept-Encoding", "Content-Type")


@attrs.define(eq=False)
class Attempt:
    """What is to be known of one request while aiohttp works on it."""

    #: Whether it went out on a kept-alive connection.
    reused: bool = False


@attrs.frozen(eq=False)
class Session:
    """A session, and how to use its connections past it; None where that may not be."""

    session: aiohttp.ClientSession
    direct: DirectSession | None = None

    async def close(self) -> None:
        """Close the session."""
        await self.session.close()


class Sessions:
    """The sessions of a transport, one for each loop, or the one that the user has made."""

    def __init__(
        self, pool_size: int, keep_alive: float, own: aiohttp.ClientSession | None = None
    ) -> None:
        """Open nothing."""
        self.own = own
        self._made = PerLoop(
            partial(_new_session, pool_size, keep_alive),
            Session.close,
            _abandoned,
            lambda made: made.session.closed,
        )

    async def current(self) -> Session:
        """Return the session of the running loop.

        Raises:
            ConfigurationError: The user's own is closed, or of another loop.
        """
        own = self.own
        if own is None:
            return await self._made.current()
        if own.closed or own._loop is not asyncio.get_running_loop():
            raise ConfigurationError(
                "session: it has been closed."
                if own.closed
                else "session: an aiohttp session serves only the event loop it was made in, and "
                "this is another. Without session= a transport serves any number of loops.",
                argument="session",
            )
        return Session(own)

    async def close(self) -> None:
        """Close the session of the running loop and forget the others; not the user's own."""
        await self._made.close()


def _abandoned(made: Session) -> None:
    """Let go of a session whose loop is closed."""
    if (connector := made.session.connector) is not None:
        _finished(cast("Coroutine[Any, Any, object]", connector.close()))


def _finished(work: Coroutine[Any, Any, object]) -> None:
    """Run to its end what would have nothing to wait for, since its loop is closed."""
    with suppress(StopIteration, RuntimeError):
        work.send(None)
    work.close()


class _Connector(aiohttp.TCPConnector):
    """aiohttp's connector: any number in use, a bounded number idle."""

    def __init__(self, pool_size: int, keep_alive: float) -> None:
        waits: Any = {"keepalive_timeout": keep_alive} if keep_alive else {"force_close": True}
        super().__init__(limit=0, timeout_ceil_threshold=float("inf"), **waits)
        self._factory = cast("partial[ResponseHandler]", partial(Protocol, self._loop))
        self._pool_size = pool_size

    async def _get(self, key: Any, traces: Any) -> Any:
        """Return an idle connection over which nothing came that nobody had asked for."""
        for protocol, _ in list(self._conns.get(key, ())):
            if protocol.should_close:
                protocol.close()
        return await super()._get(key, traces)

    def _release(self, key: Any, protocol: Any, *, should_close: bool = False) -> None:
        """Keep a connection, unless there are enough."""
        protocol.has_served = True
        full = len(self._conns.get(key, ())) >= self._pool_size
        super()._release(key, protocol, should_close=should_close or full)


def _new_session(pool_size: int, keep_alive: float) -> Session:
    """Make a session that adds nothing to a request and keeps nothing of a reply."""
    trace = aiohttp.TraceConfig()
    trace.on_connection_reuseconn.append(_note_reuse)
    session = aiohttp.ClientSession(
        connector=_Connector(pool_size, keep_alive),
        cookie_jar=aiohttp.DummyCookieJar(),
        response_class=_Response,
        auto_decompress=False,
        skip_auto_headers=NO_HEADERS,
        max_line_size=MOST_HEAD_BYTES,
        max_field_size=MOST_HEAD_BYTES,
        trace_configs=[trace],
    )
    return Session(session, DirectSession(session) if has_what_is_needed(session, 1) else None)


async def _note_reuse(_: aiohttp.ClientSession, context: SimpleNamespace, __: object) -> None:
    """Note that a request goes out on a connection that has served before."""
    context.trace_request_ctx.reused = True


class _Response(aiohttp.ClientResponse):
    """A reply after a bounded number of interim answers, with a bounded head."""

    async def start(self, connection: Any) -> aiohttp.ClientResponse:
        """Read the head."""
        counting: Any = _Counting(connection, _CountingProtocol(connection.protocol))
        await super().start(counting)
        _check_head(self.status, self.raw_headers)
        return self


def _check_head(status: int, raw_headers: tuple[tuple[bytes, bytes], ...]) -> None:
    """Refuse the head of a reply that is too large, or that switches to another protocol."""
    if sum(len(name) + len(value) + 4 for name, value in raw_headers) > MOST_HEAD_BYTES:
        raise Malformed(f"its head has more than {MOST_HEAD_BYTES} bytes")
    if status < 200:
        raise Malformed("it switches to a protocol that nobody asked for (101)")


class _Delegate:
    """Stands for another object."""

    def __init__(self, whole: Any) -> None:
        self._whole = whole

    def __getattr__(self, name: str) -> Any:
        return getattr(self._whole, name)


class _CountingProtocol(_Delegate):
    """A protocol that counts the heads that are read from it."""

    _heads = 0

    async def read(self) -> Any:
        """Read the head of an interim answer or of the final one."""
        self._heads += 1
        if self._heads > MOST_INTERIM_ANSWERS + 1:
            raise Malformed(f"more than {MOST_INTERIM_ANSWERS} interim answers (1xx)")
        return await self._whole.read()


class _Counting(_Delegate):
    """A connection with such a protocol."""

    def __init__(self, connection: Any, protocol: _CountingProtocol) -> None:
        super().__init__(connection)
        self.protocol = protocol
