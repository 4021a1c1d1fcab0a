"""A relay between a client and a server that counts the connections passing through it."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import Self

__all__ = ["Tap"]


class Tap:
    """A relay on a port of its own; a context manager.

    Attributes:
        connections: How many connections there have been.
        open: How many of them the client has not closed.
    """

    def __init__(self, host: str, port: int) -> None:
        """Listen.

        Args:
            host: Where the server listens.
            port: The server's port.
        """
        self.connections = 0
        self.open = 0
        self._server = (host, port)
        self._changed = threading.Condition()
        self._listening = socket.create_server((host, 0))
        self._thread = threading.Thread(target=self._accept, daemon=True)

    @property
    def base_url(self) -> str:
        """The base URL that a client is given."""
        host, port = self._listening.getsockname()
        return f"http://{host}:{port}/v1"

    def wait_until(self, condition: Callable[[], bool], seconds: float = 5) -> bool:
        """Wait until a condition holds; return whether it does.

        Args:
            condition: Looks at this relay.
            seconds: How long to wait at most.
        """
        with self._changed:
            return self._changed.wait_for(condition, seconds)

    def __enter__(self) -> Self:
        """Start."""
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Accept no more; what is open ends with its client."""
        # Closing alone does not wake a thread that waits in accept.
        with suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        self._thread.join(5)
        self.wait_until(lambda: self.open == 0)

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listening.accept()
            except OSError:
                return
            with self._changed:
                self.connections += 1
                self.open += 1
            threading.Thread(target=self._relay, args=(client,), daemon=True).start()

    def _relay(self, client: socket.socket) -> None:
        with client, socket.create_connection(self._server) as server:
            back = threading.Thread(target=_pump, args=(server, client), daemon=True)
            back.start()
            _pump(client, server)
            with self._changed:
                self.open -= 1
                self._changed.notify_all()
            # The client is gone: what the server still has to say is for nobody.
            with suppress(OSError):
                server.shutdown(socket.SHUT_RDWR)
            back.join(5)


def _pump(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while block := source.recv(65536):
            target.sendall(block)
    with suppress(OSError):
        target.shutdown(socket.SHUT_WR)
