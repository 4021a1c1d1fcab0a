"""What the fixtures of the pytest plugin hand out."""

from __future__ import annotations

from pathlib import Path

from ..ground import ConfigurationError
from ..transports.base import AsyncTransport, Transport
from ..transports.memory import AsyncMemoryTransport, MemoryTransport, Script
from ..transports.scripts import ScriptLike
from .cassette import Cassette

__all__ = ["CassetteDeck", "MemoryTransports"]


class MemoryTransports:
    """Makes memory transports of both colours."""

    def transport(self, script: Script | ScriptLike | None = None) -> MemoryTransport:
        """Return a transport for `Client`; without a script every chat gets a friendly answer."""
        return MemoryTransport(script)

    def async_transport(self, script: Script | ScriptLike | None = None) -> AsyncMemoryTransport:
        """Return a transport for `AsyncClient`; the script is as for `transport`."""
        return AsyncMemoryTransport(script)


class CassetteDeck:
    """Records the cassette of a test, or plays it.

    Attributes:
        path: The file of the cassette.
        is_recording: Whether requests go out and are recorded.
        cassette: The cassette; while it records, with what has come by now.
    """

    def __init__(self, path: Path, *, is_recording: bool) -> None:
        """Take a cassette out of its file, or begin a new one.

        Raises:
            ConfigurationError: It is to be played, and there is none, or it cannot be read.
        """
        self.path = path
        self.is_recording = is_recording
        if not is_recording and not path.exists():
            raise ConfigurationError(
                f"There is no cassette {path}. Record it once with a server at hand: "
                "pytest --evoclient-record, with this test alone.",
                argument="path",
            )
        self.cassette = Cassette() if is_recording else Cassette.load(path)
        # One for all transports: the order is that of all requests of the test.
        self._script = self.cassette.script(speed=None)

    def transport(self, transport: str | Transport | type[Transport] = "requests") -> Transport:
        """Return a transport for `Client`.

        Args:
            transport: What sends the requests while it records; not used while it plays.
        """
        if self.is_recording:
            return self.cassette.recording(transport)
        return MemoryTransport(self._script)

    def async_transport(
        self, transport: str | AsyncTransport | type[AsyncTransport] = "aiohttp"
    ) -> AsyncTransport:
        """Return a transport for `AsyncClient`; the argument is as for `transport`."""
        if self.is_recording:
            return self.cassette.async_recording(transport)
        return AsyncMemoryTransport(self._script)

    def eject(self) -> None:
        """Write what was recorded; what was played stays as it is."""
        if self.is_recording:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self.cassette.save(self.path)
