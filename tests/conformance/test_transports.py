"""Every transport that is shipped passes the conformance suite."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from evoclient.errors.tree import APIConnectionError
from evoclient.testing import ReplyConformance, TransportConformance
from evoclient.testing.conformance import Plan
from evoclient.transports import with_aiohttp_sessions
from evoclient.transports.memory import AsyncMemoryTransport, MemoryReply, MemoryTransport
from evoclient.transports.with_aiohttp import AiohttpTransport
from evoclient.transports.with_httpx import AsyncHttpxTransport, HttpxTransport
from evoclient.transports.with_requests import RequestsTransport
from evoclient.wire import Headers


@pytest.mark.loopback
class TestRequests(TransportConformance):
    """The transport on requests."""

    def make(self) -> RequestsTransport:
        """Return a new one."""
        return RequestsTransport()


@pytest.mark.loopback
class TestAiohttp(TransportConformance):
    """The transport on aiohttp."""

    def make(self) -> AiohttpTransport:
        """Return a new one."""
        return AiohttpTransport()


@pytest.mark.loopback
class TestAiohttpThroughItsSession(TransportConformance):
    """The transport on aiohttp where its session may not be passed by."""

    @pytest.fixture(autouse=True)
    def no_way_past(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Let every request go through the session."""
        monkeypatch.setattr(with_aiohttp_sessions, "has_what_is_needed", lambda *_: False)

    def make(self) -> AiohttpTransport:
        """Return a new one."""
        return AiohttpTransport()


@pytest.mark.loopback
class TestHttpx(TransportConformance):
    """The transport on httpx, for threads."""

    def make(self) -> HttpxTransport:
        """Return a new one."""
        return HttpxTransport()


@pytest.mark.loopback
class TestAsyncHttpx(TransportConformance):
    """The transport on httpx, for asyncio."""

    def make(self) -> AsyncHttpxTransport:
        """Return a new one."""
        return AsyncHttpxTransport()


def _scripted(plan: Plan) -> MemoryReply:
    """Return a plan as the memory transport takes it."""
    cut = plan.end == "cut"
    waits = plan.end == "never"
    return MemoryReply(
        status=plan.status,
        headers=Headers(plan.headers),
        pieces=(*(piece for _, piece in plan.pieces), *([b"never"] if waits else [])),
        pauses=(*(pause for pause, _ in plan.pieces), 60.0),
        pause_before=plan.pause,
        error=APIConnectionError("cut") if cut else None,
        error_after=len(plan.pieces) if cut else None,
    )


class TestMemory(ReplyConformance):
    """The memory transport, for threads: what needs no socket."""

    def make(self) -> Any:
        """Return a new one, whose script each scenario fills."""
        self.plan = Plan()
        return MemoryTransport(lambda request: _scripted(self.plan))

    @contextmanager
    def serve(self, plan: Plan) -> Iterator[str]:
        """Let the script say it."""
        self.plan = plan
        yield "http://memory.invalid/v1/chat/completions"


class TestAsyncMemory(TestMemory):
    """The memory transport, for asyncio."""

    def make(self) -> Any:
        """Return a new one, whose script each scenario fills."""
        self.plan = Plan()
        return AsyncMemoryTransport(lambda request: _scripted(self.plan))
