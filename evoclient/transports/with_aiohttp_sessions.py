"""One aiohttp session for each event loop that a transport is used in."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncGenerator, Coroutine
from contextlib import suppress
from types import SimpleNamespace
from typing import Any, cast
from weakref import WeakKeyDictionary

import aiohttp
import attrs

from .base import MOST_HEAD_BYTES, MOST_INTERIM_ANSWERS
from .framing import Malformed

__all__ = ["Attempt", "Sessions"]


@attrs.define(eq=False)
class Attempt:
    """What is to be known of one request while aiohttp works on it."""

    #: Whether it went out on a kept-alive connection.
    reused: bool = False


@attrs.frozen
class _Kept:
    """A session, and the generator that closes it with its loop."""

    session: aiohttp.ClientSession
    keeper: AsyncGenerator[aiohttp.ClientSession, None]


class Sessions:
    """The sessions of a transport, each bound to one loop.

    A session lives in an asynchronous generator, because that is what a loop finishes before it
    is closed (`asyncio.run` does it): so connections end in time although nobody closed the
    client, and a client that is forgotten closes its session too.
    """

    def __init__(self) -> None:
        """Open nothing."""
        self._kept: WeakKeyDictionary[asyncio.AbstractEventLoop, _Kept] = WeakKeyDictionary()
        # Loops live in different threads. It is held for microseconds.
        self._lock = threading.Lock()

    async def current(self) -> aiohttp.ClientSession:
        """Return the session of the running loop."""
        loop = asyncio.get_running_loop()
        kept = self._kept.get(loop)
        if kept is None or kept.session.closed:
            kept = await _opened()
            with self._lock:
                self._kept[loop] = kept
            self._drop_dead()
        return kept.session

    async def close(self) -> None:
        """Close the session of the running loop and forget the others.

        A session whose loop still runs is closed there, by its generator.
        """
        self._drop_dead()
        with self._lock:
            mine = self._kept.pop(asyncio.get_running_loop(), None)
            self._kept.clear()
        if mine is not None:
            await mine.keeper.aclose()

    def _drop_dead(self) -> None:
        """Let go of sessions whose loop was closed before they were."""
        with self._lock:
            dead = [(loop, kept) for loop, kept in self._kept.items() if loop.is_closed()]
            for loop, _ in dead:
                del self._kept[loop]
        for _, kept in dead:
            if (connector := kept.session.connector) is not None:
                _finished(cast("Coroutine[Any, Any, object]", connector.close()))


async def _opened() -> _Kept:
    """Open a session and give it a keeper."""
    keeper = _keep(_new_session())
    return _Kept(await anext(keeper), keeper)


async def _keep(session: aiohttp.ClientSession) -> AsyncGenerator[aiohttp.ClientSession, None]:
    """Hold a session, and close it when the loop or the transport ends."""
    try:
        yield session
    finally:
        await session.close()


def _finished(work: Coroutine[Any, Any, object]) -> None:
    """Run to its end what would have nothing to wait for, since its loop is closed."""
    with suppress(StopIteration, RuntimeError):
        work.send(None)
    work.close()


def _new_session() -> aiohttp.ClientSession:
    """Make a session that adds nothing to a request and keeps nothing of a reply."""
    trace = aiohttp.TraceConfig()
    trace.on_connection_reuseconn.append(_note_reuse)
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0, timeout_ceil_threshold=float("inf")),
        cookie_jar=aiohttp.DummyCookieJar(),
        response_class=_Response,
        auto_decompress=False,
        skip_auto_headers=("User-Agent", "Accept", "Accept-Encoding", "Content-Type"),
        max_line_size=MOST_HEAD_BYTES,
        max_field_size=MOST_HEAD_BYTES,
        trace_configs=[trace],
    )


async def _note_reuse(_: aiohttp.ClientSession, context: SimpleNamespace, __: object) -> None:
    """Note that a request goes out on a connection that has served before."""
    context.trace_request_ctx.reused = True


class _Response(aiohttp.ClientResponse):
    """A reply after a bounded number of interim answers, with a bounded head."""

    async def start(self, connection: Any) -> aiohttp.ClientResponse:
        """Read the head."""
        counting: Any = _Counting(connection, _CountingProtocol(connection.protocol))
        await super().start(counting)
        if sum(len(name) + len(value) + 4 for name, value in self.raw_headers) > MOST_HEAD_BYTES:
            raise Malformed(f"its head has more than {MOST_HEAD_BYTES} bytes")
        if self.status < 200:
            raise Malformed("it switches to a protocol that nobody asked for (101)")
        return self


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
