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
from .playing import Cut, Playing, check_cut, check_speed, reply_of
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
            OSError: The file cannot be written; what was there before stays.
        """
        target = Path(path)
        # Beside it first: a full disk or Ctrl-C would leave half a cassette.
        new = target.with_name(f"{target.name}.new")
        try:
            new.write_bytes(write_exchanges(self.exchanges))
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

    def script(self, *, speed: float | None = 1.0, cut: Cut = None) -> Script:
        """Return what is recorded by now as a script for the memory transport of either colour.

        The replies come in the order in which they were recorded. A request whose method or path
        is not that of the recorded one raises an `APIConnectionError` that names both; of the
        paths only the end counts, so that a client may have another base URL. A recorded request
        for a token is passed over where none is made.

        Args:
            speed: 1.0 takes as long as it took, 2.0 half of that; None waits for nothing.
            cut: How bodies are cut: a number for pieces of so many bytes, a function that is
                given the body and returns its pieces, or None for the pieces that were recorded.

        Raises:
            ConfigurationError: `speed` or `cut` means nothing, or the pieces are not the body.
        """
        check_speed(speed)
        check_cut(cut)
        exchanges = self.exchanges
        replies = [reply_of(exchange, speed=speed, cut=cut) for exchange in exchanges]
        return Script(Playing(exchanges, replies))

    def __repr__(self) -> str:
        """Show how much is recorded."""
        return f"<Cassette with {len(self._kept) + len(self._takes)} exchanges>"

    def _begin(self, request: Request) -> Take:
        take = Take(request)
        with self._lock:
            self._takes.append(take)
        return take
