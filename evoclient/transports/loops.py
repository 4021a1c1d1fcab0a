"""One of something for each event loop that an asynchronous transport is used in."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import Generic, TypeVar
from weakref import WeakKeyDictionary

import attrs

__all__ = ["PerLoop"]

_Thing = TypeVar("_Thing")


@attrs.frozen
class _Kept(Generic[_Thing]):
    """A thing, and the generator that closes it with its loop."""

    thing: _Thing
    keeper: AsyncGenerator[_Thing, None]


class PerLoop(Generic[_Thing]):
    """Things with connections, each bound to one loop.

    A thing lives in an asynchronous generator, because that is what a loop finishes before it is
    closed (`asyncio.run` does it): so connections end in time although nobody closed the client,
    and a client that is forgotten closes them too.
    """

    def __init__(
        self,
        make: Callable[[], _Thing],
        close: Callable[[_Thing], Awaitable[object]],
        abandon: Callable[[_Thing], object],
        is_closed: Callable[[_Thing], bool] = lambda thing: False,
    ) -> None:
        """Make nothing yet.

        Args:
            make: Makes a thing for the running loop.
            close: Closes it, in its loop.
            abandon: Lets go of one whose loop was closed before it was.
            is_closed: Whether somebody else has closed it.
        """
        self._make = make
        self._close = close
        self._abandon = abandon
        self._is_closed = is_closed
        self._kept: WeakKeyDictionary[asyncio.AbstractEventLoop, _Kept[_Thing]] = (
            WeakKeyDictionary()
        )
        # Loops live in different threads. It is held for microseconds.
        self._lock = threading.Lock()

    async def current(self) -> _Thing:
        """Return the thing of the running loop."""
        loop = asyncio.get_running_loop()
        kept = self._kept.get(loop)
        if kept is None or self._is_closed(kept.thing):
            keeper = _keep(self._make(), self._close)
            kept = _Kept(await anext(keeper), keeper)
            with self._lock:
                self._kept[loop] = kept
            self._drop_dead()
        return kept.thing

    async def close(self) -> None:
        """Close the thing of the running loop and forget the others.

        One whose loop still runs is closed there, by its generator.
        """
        self._drop_dead()
        with self._lock:
            mine = self._kept.pop(asyncio.get_running_loop(), None)
            self._kept.clear()
        if mine is not None:
            await mine.keeper.aclose()

    def _drop_dead(self) -> None:
        """Let go of things whose loop was closed before they were."""
        with self._lock:
            dead = [(loop, kept) for loop, kept in self._kept.items() if loop.is_closed()]
            for loop, _ in dead:
                del self._kept[loop]
        for _, kept in dead:
            self._abandon(kept.thing)


async def _keep(
    thing: _Thing, close: Callable[[_Thing], Awaitable[object]]
) -> AsyncGenerator[_Thing, None]:
    """Hold a thing, and close it when the loop or the transport ends."""
    try:
        yield thing
    finally:
        await close(thing)
