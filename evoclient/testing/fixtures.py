"""What the fixtures of the pytest plugin hand out."""

from __future__ import annotations

import shlex
from pathlib import Path

from ..ground import ConfigurationError
from ..transports.base import AsyncTransport, Transport
from ..transports.memory import AsyncMemoryTransport, MemoryTransport, Script
from ..transports.scripts import ScriptLike
from .cassette import Cassette
from .matching import Match
from .playing import Playing

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

    def __init__(self, path: Path, *, is_recording: bool, test: str | None = None) -> None:
        """Take a cassette out of its file, or begin a new one.

        Args:
            path: The file of the cassette.
            is_recording: Whether to record it.
            test: The id by which pytest selects the test, or None.

        Raises:
            ConfigurationError: It is to be played, and there is none, or it cannot be read.
        """
        self.path = path
        self.is_recording = is_recording
        command = f"pytest --evoclient-record {shlex.quote(test) if test else 'TEST'}"
        if not is_recording and not path.exists():
            raise ConfigurationError(
                f"There is no cassette {path}. Record it once with a server at hand: {command}",
                argument="path",
            )
        self.cassette = Cassette() if is_recording else Cassette.load(path)
        # One for all transports: the replies are those to all requests of the test.
        self._playing = Playing(
            self.cassette.exchanges, speed=None, anew=f"Record the cassette anew ({command})"
        )
        self._script = Script(self._playing)

    @property
    def match(self) -> Match:
        """How much of a request must be as recorded, "body" (the default) or "path".

        It is that of `Cassette.script` and may be set before anything is asked.
        """
        return self._playing.match

    @match.setter
    def match(self, match: Match) -> None:
        self._playing.match = match

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

    @property
    def failed_path(self) -> Path:
        """The file of what was recorded while the test failed, beside that of the cassette."""
        return self.path.with_suffix(".failed.jsonl")

    def eject(self, *, passed: bool = True) -> str | None:
        """Write what was recorded; what was played stays as it is.

        A test that passed replaces its cassette. What was recorded while it failed is written
        beside the cassette, which stays. Nothing is written where nothing was recorded.

        Args:
            passed: Whether the test did as it should.

        Returns:
            What a person should know of it, or None.
        """
        if not self.is_recording:
            return self._told_of_the_rest() if passed else None
        stays = f"; {self.path} stays as it was" if self.path.exists() else ""
        if not self.cassette.exchanges:
            return (
                f"No cassette was written, since nobody was asked{stays}. A test that asks nobody "
                "needs no evoclient_cassette; one that asks takes its transport from it."
            )
        self.path.parent.mkdir(parents=True, exist_ok=True)
        if passed:
            self.cassette.save(self.path)
            self.failed_path.unlink(missing_ok=True)
            return None
        self.cassette.save(self.failed_path)
        return (
            f"The test failed while its cassette was recorded. What came is in {self.failed_path}"
            f"{stays}. Rename it to {self.path.name} if it is good, or record once more."
        )

    def _told_of_the_rest(self) -> str | None:
        left = self._playing.left
        if not left:
            return None
        asked = ", ".join(f"{exchange.method} {exchange.url}" for exchange in left[:3])
        more = f" and {len(left) - 3} more" if len(left) > 3 else ""
        return (
            f"Not all of the cassette {self.path} was asked for; left over: {asked}{more}. Look "
            "why there are fewer requests than before, or record it anew."
        )
