"""Start a server in a process of its own, and end it."""

from __future__ import annotations

import http.client
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import attrs

__all__ = ["Server", "running"]

KEEPER = Path(__file__).with_name("keeper.py")
HOST = "127.0.0.1"
#: LiteLLM is up after ten seconds on two idle cores.
PATIENCE = 120.0
#: Another process may take a free port between our look and the server's.
TRIES = 3


@attrs.frozen
class Server:
    """A server that runs.

    Attributes:
        host: Its address.
        port: Its port.
        log: The file with what it has printed.
    """

    host: str
    port: int
    log: Path

    @property
    def root(self) -> str:
        """The URL of the server, without a path."""
        return f"http://{self.host}:{self.port}"

    @property
    def base_url(self) -> str:
        """The base URL that a client is given."""
        return f"{self.root}/v1"

    def get(self, path: str, headers: Mapping[str, str] | None = None) -> tuple[int, bytes]:
        """Ask for a path without evoclient, and without proxies.

        Args:
            path: The path, with its query.
            headers: Header fields to send.

        Raises:
            OSError: Nobody answers.
            HTTPException: What answers does not speak HTTP.
        """
        connection = http.client.HTTPConnection(self.host, self.port, timeout=5)
        try:
            connection.request("GET", path, headers=headers or {})
            reply = connection.getresponse()
            return reply.status, reply.read()
        finally:
            connection.close()


@contextmanager
def running(
    command: Callable[[int], list[str]],
    *,
    ready: str,
    folder: Path,
    settings: Mapping[str, str] | None = None,
) -> Iterator[Server]:
    """Run a server on a free port of the loopback interface while the block lasts.

    It gets an empty home and none of our environment but `PATH`: keys, proxies and databases of
    the machine are not its business.

    Args:
        command: Gives the command for a port.
        ready: A path that answers 200 when the server is ready.
        folder: An empty folder, where it runs, has its home and leaves its log.
        settings: Further environment variables.

    Raises:
        RuntimeError: It does not get ready; the end of its log is in the message.
    """
    environment = {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": str(folder),
        "LANG": "C.UTF-8",
        **(settings or {}),
    }
    for _ in range(TRIES):
        server = Server(HOST, _free_port(), folder / "log.txt")
        with server.log.open("wb") as log:
            process = subprocess.Popen(
                [sys.executable, "-I", str(KEEPER), *command(server.port)],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=folder,
                env=environment,
            )
        try:
            if _gets_ready(server, ready, process):
                yield server
                return
            if process.poll() is None:
                break
        finally:
            _end(process)
    raise RuntimeError(
        f"{command(0)[0]} did not get ready; the end of its log:\n"
        + server.log.read_text("utf-8", "replace")[-3000:]
    )


def _free_port() -> int:
    with socket.create_server((HOST, 0)) as taken:
        port: int = taken.getsockname()[1]
        return port


def _gets_ready(server: Server, path: str, process: subprocess.Popen[bytes]) -> bool:
    deadline = time.monotonic() + PATIENCE
    while process.poll() is None and time.monotonic() < deadline:
        try:
            if server.get(path)[0] == 200:
                return True
        except (OSError, http.client.HTTPException):
            pass
        time.sleep(0.1)
    return False


def _end(process: subprocess.Popen[bytes]) -> None:
    assert process.stdin is not None
    process.stdin.close()
    try:
        process.wait(30)
    finally:
        process.kill()
        process.wait()
