"""Cassettes: what servers sent, recorded to be played again."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterable
from pathlib import Path

from ..configuration import transport_maker
from ..ground import ConfigurationError, Secrets
from ..streaming.recording import Exchange, read_exchanges, write_exchanges
from ..transports.base import AsyncTransport, Transport
from ..transports.memory import Script
from ..wire import Request
from .matching import Match
from .playing import Cut, Playing
from .recorder import AsyncRecordingTransport, RecordingTransport
from .redaction import without_secrets
from .take import Take

__all__ = ["Cassette"]


class Cassette:
    """Exchanges with servers, byte by byte, with their times and without secrets.

    It records what goes through a transport, and plays it as a script of the memory transport::

        cassette = Cassette()
        with Client(transport=cassette.recording()) as client:
            ...
        cassette.save("answer.jsonl")

        script = Cassette.load("answer.jsonl").script(speed=None)
        client = Client(transport=MemoryTransport(script))

    Any number of threads and tasks may record on one cassette at once.
    """

    def __init__(self, exchanges: Iterable[Exchange] = ()) -> None:
        """Begin with some exchanges, by default an empty cassette."""
        self._kept = tuple(exchanges)
        self._takes: list[Take] = []
        self._lock = threading.Lock()

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Cassette:
        """Return the cassette in a file.

        Raises:
            ConfigurationError: There is no such file, or it cannot be read; file and line are
                named.
        """
        try:
            data = Path(path).read_bytes()
        except OSError as error:
            raise ConfigurationError(
                f"The cassette {os.fspath(path)} cannot be read: {error.strerror}. Record it "
                "first, or look at the path.",
                argument="path",
            ) from error
        return cls(read_exchanges(data, os.fspath(path)))

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the cassette to a file, in place of what is there.

        An exchange that is still under way is written as closed by its reader.

        Raises:
            ConfigurationError: Nothing was recorded; what is there stays.
            OSError: The file cannot be written; what was there before stays.
        """
        exchanges = self.exchanges
        if not exchanges:
            raise ConfigurationError(
                f"Nothing was recorded, so {os.fspath(path)} is not written. Give the client a "
                "transport of this cassette, transport=cassette.recording(), and ask with it."
            )
        target = Path(path)
        # Beside it first: a full disk or Ctrl-C would leave half a cassette.
        new = target.with_name(f"{target.name}.new")
        try:
            new.write_bytes(write_exchanges(exchanges))
            new.replace(target)
        finally:
            new.unlink(missing_ok=True)

    @property
    def exchanges(self) -> tuple[Exchange, ...]:
        """What is recorded by now, in the order of the requests, without secrets."""
        with self._lock:
            takes = [(take.exchange, take.secrets) for take in self._takes]
        return without_secrets([*((exchange, Secrets()) for exchange in self._kept), *takes])

    def recording(self, transport: str | Transport | type[Transport] = "requests") -> Transport:
        """Return a transport for `Client` that records what goes through it.

        Args:
            transport: What sends the requests: what ``Client(transport=…)`` takes.

        Raises:
            ConfigurationError: There is no such transport.
        """
        inner = transport_maker(transport, "sync", verify=True, cert=None)()
        return RecordingTransport(inner, self._begin)

    def async_recording(
        self, transport: str | AsyncTransport | type[AsyncTransport] = "aiohttp"
    ) -> AsyncTransport:
        """Return a transport for `AsyncClient` that records what goes through it.

        Args:
            transport: What sends the requests: what ``AsyncClient(transport=…)`` takes.

        Raises:
            ConfigurationError: There is no such transport.
        """
        inner = transport_maker(transport, "async", verify=True, cert=None)()
        return AsyncRecordingTransport(inner, self._begin)

    def script(
        self, *, speed: float | None = 1.0, cut: Cut = None, match: Match = "body"
    ) -> Script:
        """Return what is recorded by now as a script for the memory transport of either colour.

        Each reply is played once, to a request that is like the recorded one; requests that are
        alike get theirs in the order in which they were recorded. A request that is like none
        raises an `APIConnectionError` that says where it differs. Of the paths only the end
        counts, so that a client may have another base URL. In bodies all counts, the model too,
        but for what was masked as a secret. A recorded request for a token is passed over where
        none is made.

        Args:
            speed: 1.0 takes as long as it took, 2.0 half of that; None waits for nothing.
            cut: How bodies are cut: a number for pieces of so many bytes, a function that is
                given the body and returns its pieces, or None for the pieces that were recorded.
            match: What of a request must be as recorded: "body" is method, path and JSON body.
                "path" is without the body, and the replies come strictly in order.

        Raises:
            ConfigurationError: `speed`, `cut` or `match` means nothing, or the pieces are not the
                body.
        """
        return Script(Playing(self.exchanges, speed=speed, cut=cut, match=match))

    def __repr__(self) -> str:
        """Show how much is recorded."""
        count = len(self._kept) + len(self._takes)
        return f"<Cassette with {count} exchange{'' if count == 1 else 's'}>"

    def _begin(self, request: Request) -> Take:
        take = Take(request)
        with self._lock:
            self._takes.append(take)
        return take
