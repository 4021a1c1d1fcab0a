"""Performing a script on a connection, at the server's pace."""

from __future__ import annotations

import asyncio
import socket
import struct
import sys
from collections.abc import Callable

from aiohttp import web

from .ledger import Ledger
from .script import Hold, Pause, Script, Write

__all__ = ["Player"]

# Linger on, for zero seconds: the system answers with a reset instead of a polite end.
_RESET = struct.pack("hh" if sys.platform == "win32" else "ii", 1, 0)


class Player:
    """Writes scripts to connections and keeps count of the streams."""

    def __init__(self, ledger: Ledger, pace: Callable[[], float]) -> None:
        """Keep count in ``ledger``; ``pace`` tells the time between paced writes, in seconds."""
        self._ledger = ledger
        self._pace = pace
        self._closing = False
        self._open: set[asyncio.Task[None]] = set()

    async def deliver(
        self, request: web.Request, response: web.StreamResponse, script: Script
    ) -> None:
        """Send the head of the response, then what the script says.

        A client that leaves before the end is counted as `cancelled`.
        """
        task = asyncio.current_task()
        assert task is not None
        self._open.add(task)
        self._ledger.add({"open_streams": 1})
        change = {"open_streams": -1}
        performance = _Performance(request, response, self._pace())
        try:
            await response.prepare(request)
            await performance.run(script)
        except (asyncio.CancelledError, ConnectionError) as error:
            # aiohttp cancels the handler as soon as the connection is lost, also in a pause.
            if not self._closing and not performance.said_all:
                change["cancelled"] = 1
            if isinstance(error, asyncio.CancelledError):
                raise
        finally:
            self._open.discard(task)
            self._ledger.add(change)

    def stop(self) -> None:
        """Cancel what is still being delivered, without counting it as cancelled by the client."""
        self._closing = True
        for task in self._open:
            task.cancel()


class _Performance:
    """One script on one connection."""

    def __init__(self, request: web.Request, response: web.StreamResponse, pace: float) -> None:
        self._request = request
        self._response = response
        self._pace = pace
        self._clock = asyncio.get_running_loop().time
        self._next = self._clock()
        self.said_all = False

    async def run(self, script: Script) -> None:
        for action in script:
            match action:
                case Write(data, _, paced):
                    await self._turn(paced)
                    await self._response.write(data)
                case Pause(seconds):
                    await asyncio.sleep(seconds)
                    self._next = self._clock()
                case Hold(seconds):
                    self.said_all = True
                    await asyncio.sleep(seconds)
                case _:
                    self._abort(action.reset)
        self.said_all = True

    async def _turn(self, paced: bool) -> None:
        """Wait for the next turn; at least let the loop notice a client that has left."""
        if not paced:
            await asyncio.sleep(0)
            return
        # Turns are kept by the clock, so that late timers do not add up over a long answer; but a
        # slow reader gets no burst afterwards.
        now = self._clock()
        self._next = max(self._next, now - self._pace) + self._pace
        await asyncio.sleep(max(0.0, self._next - now))

    def _abort(self, reset: bool) -> None:
        transport = self._request.transport
        assert transport is not None  # losing the connection would have cancelled this handler
        if reset:
            raw = transport.get_extra_info("socket")
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            transport.abort()
        else:
            transport.close()
