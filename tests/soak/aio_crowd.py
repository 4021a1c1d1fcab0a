"""Tasks that read streams of one client, which is exchanged now and then."""

from __future__ import annotations

import asyncio
import random
import time
from typing import Any
from weakref import WeakSet

from evoclient import AsyncClient
from evoclient.aio.stream import AsyncStream

from .book import Book, Reading, Samples
from .crowd import RESTARTS, Habit, Plan, habit, leftovers, options

__all__ = ["run"]


class Crowd:
    """The readers and their client."""

    def __init__(self, plan: Plan, book: Book) -> None:
        """Make the first client."""
        self._plan = plan
        self._book = book
        self._client = AsyncClient(**options(plan))
        self._until = time.monotonic() + plan.seconds
        # Before they say so themselves: their streams end first.
        self._closing: WeakSet[AsyncClient] = WeakSet()

    async def read(self, seed: int) -> None:
        """Read one stream after another."""
        dice = random.Random(seed)
        while time.monotonic() < self._until:
            reading, client = self._book.begin(), self._client
            how = habit(reading.number, dice)
            try:
                if how.leaves_after is not None and dice.random() < 0.5:
                    await self._cancel_one(client, reading, how, dice)
                else:
                    await self._read_one(client, reading, how)
            except BaseException as error:
                # Whatever it is belongs into the account, which judges it.
                self._mark(client, reading)
                self._book.failed(reading, error)

    async def _cancel_one(
        self, client: AsyncClient, reading: Reading, how: Habit, dice: random.Random
    ) -> None:
        """Read in a task, and cancel that at any moment."""
        read_on = Habit(None, how.arguments)
        task = asyncio.create_task(self._read_one(client, reading, read_on))
        done, _ = await asyncio.wait([task], timeout=dice.random())
        if done:
            task.result()
            return
        reading.ended_by_us = "cancelled"
        task.cancel()
        try:
            await task
        except asyncio.CancelledError:
            self._book.left(reading)

    def _mark(self, client: AsyncClient, reading: Reading) -> None:
        if not reading.ended_by_us and client in self._closing:
            reading.ended_by_us = "client closed"

    async def _read_one(self, client: AsyncClient, reading: Reading, how: Habit) -> None:
        stream: AsyncStream = await client.chat.completions.create(**how.arguments)
        async with stream:
            count = 0
            async for chunk in stream:
                if count == how.leaves_after:
                    reading.ended_by_us = "left"
                    break
                reading.text += chunk.text
                count += 1
        if reading.ended_by_us == "left":
            self._book.left(reading)
        else:
            self._mark(client, reading)
            self._book.ended(reading, str(stream.outcome))

    async def restart(self) -> None:
        """Exchange the client, and close the old one under its readers."""
        old, self._client = self._client, AsyncClient(**options(self._plan))
        self._closing.add(old)
        try:
            await old.close()
        except Exception as error:
            # A client must close whatever happens around it; the crowd reads on with the new one.
            self._book.complain(error)

    async def close(self) -> None:
        """Close the last client."""
        await self._client.close()


async def _crowded(plan: Plan, book: Book, samples: Samples) -> None:
    crowd, dice = Crowd(plan, book), random.Random(plan.seed)
    readers = [
        asyncio.create_task(crowd.read(plan.seed * 10_000 + number))
        for number in range(plan.streams)
    ]
    began = time.monotonic()
    due = began + dice.uniform(*RESTARTS)
    pause = max(0.5, plan.seconds / 400)
    while time.monotonic() < began + plan.seconds:
        await asyncio.sleep(pause)
        samples.take()
        if time.monotonic() > due:
            due += dice.uniform(*RESTARTS)
            await crowd.restart()
    await asyncio.wait(readers, timeout=60)
    await crowd.close()


def run(plan: Plan) -> dict[str, Any]:
    """Let the crowd read; return the account."""
    book, samples = Book(plan.first), Samples()
    samples.take()
    first = samples.taken.pop()
    asyncio.run(_crowded(plan, book, samples))
    figures = samples.summary()
    samples.take()
    return {**book.summary(), **figures, "left": leftovers(first, samples.taken[-1])}
