"""A server that sends bytes rendered once, so that what is measured is the client.

Run as ``python -m tests.benchmarks.server [PIECES]``; it prints its port. What it sends is said by
the model that is asked, see `rendered.py`; a model of another name sends so many pieces of text.
"""

from __future__ import annotations

import json
import socket
import sys
import threading
from contextlib import suppress
from typing import BinaryIO

from tests.benchmarks.rendered import STREAMS, rendered


def serve(connection: socket.socket, usual: str) -> None:
    """Answer every request of a connection."""
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    # A client that leaves in the middle is no failure of the server.
    with suppress(OSError), connection, connection.makefile("rb") as stream:
        while (model := _read_request(stream)) is not None:
            known = model == "whole" or model.partition(":")[0] in STREAMS
            for part in rendered(model if known else usual):
                connection.sendall(part)


def _read_request(stream: BinaryIO) -> str | None:
    """Return the model of the next request, or None where no more comes."""
    length = 0
    if not stream.readline():
        return None
    while (line := stream.readline().strip()) != b"":
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            length = int(value)
    return str(json.loads(stream.read(length))["model"])


def main() -> None:
    """Listen until the process is ended."""
    usual = f"burst:{sys.argv[1] if len(sys.argv) > 1 else 20}"
    with socket.create_server(("127.0.0.1", 0), backlog=1024) as listening:
        print(listening.getsockname()[1], flush=True)
        while True:
            connection, _ = listening.accept()
            threading.Thread(target=serve, args=(connection, usual), daemon=True).start()


if __name__ == "__main__":
    main()
