"""A server that breaks HTTP in every way, in a process of its own."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from threading import Lock
from types import TracebackType
from typing import Any, Self

from ..ground import ConfigurationError, EvoClientError
from .acts import Act, Fault, check_acts
from .fault_catalog import FAULTS
from .sightings import Connection, SeenRequest

__all__ = ["FaultServer", "FaultSite"]


class FaultSite:
    """An address where one fault is played, and what has been seen there."""

    def __init__(self, order: Callable[[str, object], Any], port: int) -> None:
        """Keep the port of an address that is open."""
        self._order = order
        self._last: list[Connection] | None = None
        #: The port, on 127.0.0.1.
        self.port = port

    @property
    def base_url(self) -> str:
        """The base URL for a client; the path of a request changes nothing."""
        return f"http://127.0.0.1:{self.port}/v1"

    @property
    def connections(self) -> list[Connection]:
        """The connections so far, in the order they were accepted."""
        if self._last is not None:
            return self._last
        seen: list[Connection] = self._order("look", self.port)
        return seen

    @property
    def requests(self) -> list[SeenRequest]:
        """The requests so far, of all connections, in the order they came."""
        found = [request for connection in self.connections for request in connection.requests]
        return sorted(found, key=lambda request: request.at)

    def wait_until(self, is_true: Callable[[list[Connection]], bool], seconds: float = 2.0) -> bool:
        """Look at the connections until something is true of them; return whether it came true.

        Args:
            is_true: What is asked of the connections.
            seconds: How long to look.
        """
        until = time.monotonic() + seconds
        while not is_true(self.connections):
            if time.monotonic() > until:
                return False
            time.sleep(0.005)  # each look asks the other process, which has work to do
        return True

    def close(self) -> None:
        """Close the address and its connections. What was seen can still be asked for."""
        if self._last is None:
            self._last = self._order("shut", self.port)


class FaultServer:
    """Plays faults at addresses of their own: cuts, stalls, floods, rubbish, down to the byte.

    It runs in a process of its own, so that it neither shares an interpreter with the code under
    test nor adds to its memory. One server is enough for all tests of a module: each `play` is an
    address that shares nothing with the others.
    """

    def __init__(self) -> None:
        """Prepare; the process begins with the ``with`` block."""
        self._process: subprocess.Popen[bytes] | None = None
        self._lock = Lock()

    def __enter__(self) -> Self:
        """Start the process."""
        # Found where this package was found, installed or not.
        found = [str(Path(__file__).parents[2]), os.environ.get("PYTHONPATH", "")]
        self._process = subprocess.Popen(
            [sys.executable, "-m", "evoclient.testing.fault_process"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, found))},
        )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        """Close all connections and end the process."""
        process, self._process = self._process, None
        if process is not None:
            with process:  # closes its input, and that ends it
                pass

    @property
    def names(self) -> list[str]:
        """The names of the faults that `play` knows."""
        return sorted(FAULTS)

    def play(self, *what: str | Fault | Act) -> FaultSite:
        """Open an address where a fault is played.

        Args:
            what: The name of a fault, a `Fault`, or the acts that answer each request.

        Returns:
            The address. It is closed with the server, or by its own `close`.

        Raises:
            ConfigurationError: There is no fault of that name, or something is no act.
        """
        return FaultSite(self._ordered, self._ordered("open", _fault_of(what)))

    def _ordered(self, name: str, argument: object) -> Any:
        """Have the process do something, and return what it says."""
        with self._lock:
            process = self._process
            if process is None or process.stdin is None or process.stdout is None:
                raise EvoClientError("The fault server is not running; use it as “with … as”.")
            try:
                pickle.dump((name, argument), process.stdin)
                process.stdin.flush()
                is_done, answer = pickle.load(process.stdout)  # noqa: S301 - from our own process
            except (EOFError, BrokenPipeError) as error:
                raise EvoClientError(
                    f"The process of the fault server has ended (code {process.poll()}): open a "
                    "new FaultServer; what it printed on standard error says why."
                ) from error
        if not is_done:
            raise EvoClientError(f"The fault server could not do “{name}”: {answer}")
        return answer


def _fault_of(what: tuple[str | Fault | Act, ...]) -> Fault:
    if len(what) == 1 and isinstance(what[0], Fault):
        return what[0]
    if len(what) == 1 and isinstance(what[0], str):
        if what[0] not in FAULTS:
            raise ConfigurationError(
                f"There is no fault named {what[0]!r}; there are {', '.join(sorted(FAULTS))}.",
                argument="what",
            )
        return FAULTS[what[0]]
    return Fault((check_acts(what),))
