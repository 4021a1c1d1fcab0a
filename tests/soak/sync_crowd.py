"""Threads that read streams of one client, which is exchanged now and then."""

from __future__ import annotations

import random
import threading
import time
from typing import Any
from weakref import WeakSet

from evoclient import Client
from evoclient.sync.stream import Stream

from .book import Book, Reading, Samples
from .crowd import RESTARTS, Plan, habit, leftovers, options

__all__ = ["run"]


class Crowd:
    """The readers and their client."""

    def __init__(self, plan: Plan, book: Book) -> None:
        """Make the first client."""
        self._plan = plan
        self._book = book
        self._client = Client(**options(plan))
        self._until = time.monotonic() + plan.seconds
        # Before they say so themselves: their streams end first.
        self._closing: WeakSet[Client] = WeakSet()

    def read(self, seed: int) -> None:
        """Read one stream after another."""
        dice = random.Random(seed)
        while time.monotonic() < self._until:
            reading, client = self._book.begin(), self._client
            try:
                self._read_one(client, reading, dice)
            except BaseException as error:
                # Whatever it is belongs into the account, which judges it.
                self._mark(client, reading)
                self._book.failed(reading, error)

    def _mark(self, client: Client, reading: Reading) -> None:
        if not reading.ended_by_us and client in self._closing:
            reading.ended_by_us = "client closed"

    def _read_one(self, client: Client, reading: Reading, dice: random.Random) -> None:
        how = habit(reading.number, dice)
        stream: Stream = client.chat.completions.create(**how.arguments)
        with stream:
            for count, chunk in enumerate(stream):
                if count == how.leaves_after:
                    reading.ended_by_us = "left"
                    break
                reading.text += chunk.text
        if reading.ended_by_us:
            self._book.left(reading)
        else:
            self._mark(client, reading)
            self._book.ended(reading, str(stream.outcome))

    def restart(self) -> None:
        """Exchange the client, and close the old one under its readers."""
        old, self._client = self._client, Client(**options(self._plan))
        self._closing.add(old)
        try:
            old.close()
        except Exception as error:
            # A client must close whatever happens around it; the crowd reads on with the new one.
            self._book.complain(error)

    def close(self) -> None:
        """Close the last client."""
        self._client.close()


def run(plan: Plan) -> dict[str, Any]:
    """Let the crowd read; return the account."""
    book, samples = Book(plan.first), Samples()
    samples.take()
    first = samples.taken.pop()
    crowd, dice = Crowd(plan, book), random.Random(plan.seed)
    readers = [
        threading.Thread(target=crowd.read, args=(plan.seed * 10_000 + number,))
        for number in range(plan.streams)
    ]
    for reader in readers:
        reader.start()
    began = time.monotonic()
    due = began + dice.uniform(*RESTARTS)
    pause = max(0.5, plan.seconds / 400)
    while time.monotonic() < began + plan.seconds:
        time.sleep(pause)
        samples.take()
        if time.monotonic() > due:
            due += dice.uniform(*RESTARTS)
            crowd.restart()
    for reader in readers:
        reader.join(60)
    crowd.close()
    figures = samples.summary()
    samples.take()
    return {**book.summary(), **figures, "left": leftovers(first, samples.taken[-1])}
