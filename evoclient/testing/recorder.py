"""Transports that pass everything through and tell a cassette of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

from ..transports.base import AsyncTransport, Transport
from ..wire import AsyncBody, Body, Deadline, Deadlines, Reply, Request
from .take import Take

__all__ = ["AsyncRecordingTransport", "RecordingTransport"]

#: Begins to note an exchange.
Begin = Callable[[Request], Take]


class RecordingTransport:
    """Sends through another transport, for threads, and notes what comes.

    Attributes:
        needs_server: As that transport says.
    """

    def __init__(self, inner: Transport, begin: Begin) -> None:
        """Wrap a transport.

        Args:
            inner: Sends the requests.
            begin: Called with each request before it is sent.
        """
        self._inner = inner
        self._begin = begin
        self.needs_server = bool(getattr(inner, "needs_server", True))

    def send(self, request: Request, deadlines: Deadlines) -> Reply:
        """Send a request and return its reply, whose blocks are noted as they are read."""
        take = self._begin(request)
        try:
            reply = self._inner.send(request, deadlines)
        except BaseException as error:
            take.failed(error)
            raise
        take.head(reply.status, reply.headers)
        return Reply(reply.status, reply.headers, _RecordingBody(reply, take))

    def close(self) -> None:
        """Close the other transport."""
        self._inner.close()


class _RecordingBody:
    """A body for threads that notes what is read from it."""

    def __init__(self, reply: Reply, take: Take) -> None:
        self._reply = reply
        self._body = cast("Body", reply.body)
        self._take = take

    def read(self, deadline: Deadline | None) -> bytes:
        """Return the next block."""
        try:
            block = self._body.read(deadline)
        except BaseException as error:
            self._take.failed(error)
            raise
        if block:
            self._take.block(block)
        else:
            self._take.complete()
        return block

    def close(self) -> None:
        """Close the other body; before its end that is noted."""
        self._take.closed()
        self._reply.close()


class AsyncRecordingTransport:
    """Does as `RecordingTransport`, for asyncio.

    Attributes:
        needs_server: As the other transport says.
    """

    def __init__(self, inner: AsyncTransport, begin: Begin) -> None:
        """Wrap a transport; the arguments are those of `RecordingTransport`."""
        self._inner = inner
        self._begin = begin
        self.needs_server = bool(getattr(inner, "needs_server", True))

    async def send(self, request: Request, deadlines: Deadlines) -> Reply:
        """Send a request and return its reply, whose blocks are noted as they are read."""
        take = self._begin(request)
        try:
            reply = await self._inner.send(request, deadlines)
        except BaseException as error:
            take.failed(error)
            raise
        take.head(reply.status, reply.headers)
        return Reply(reply.status, reply.headers, _AsyncRecordingBody(reply, take))

    async def aclose(self) -> None:
        """Close the other transport."""
        await self._inner.aclose()


class _AsyncRecordingBody:
    """A body for asyncio that notes what is read from it."""

    def __init__(self, reply: Reply, take: Take) -> None:
        self._reply = reply
        self._body = cast("AsyncBody", reply.body)
        self._take = take

    async def read(self, deadline: Deadline | None) -> bytes:
        """Return the next block."""
        try:
            block = await self._body.read(deadline)
        except BaseException as error:
            self._take.failed(error)
            raise
        if block:
            self._take.block(block)
        else:
            self._take.complete()
        return block

    def close(self) -> None:
        """Close the other body; before its end that is noted."""
        self._take.closed()
        self._reply.close()
