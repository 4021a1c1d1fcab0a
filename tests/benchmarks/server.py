"""A server that sends bytes rendered once, so that what is measured is the client.

Run as ``python -m tests.benchmarks.server CHUNKS``; it prints its port.
"""

from __future__ import annotations

import json
import socket
import sys
import threading
from contextlib import suppress
from typing import BinaryIO

#: A chunk of OpenAI's, 272 bytes with its ``data:`` and its empty line.
CHUNK = (
    b'data: {"id":"chatcmpl-A1b2C3d4","object":"chat.completion.chunk",'
    b'"created":1763640000,"model":"gpt-4o-mini-2024-07-18","service_tier":"default",'
    b'"system_fingerprint":"fp_0123456789","choices":[{"index":0,"delta":{"content":" word"},'
    b'"logprobs":null,"finish_reason":null}]}\n\n'
)


def body(chunks: int) -> bytes:
    """Return a whole reply with so many chunks, one HTTP chunk each."""
    last = CHUNK.replace(b'"content":" word"', b"").replace(
        b'"finish_reason":null', b'"finish_reason":"stop"'
    )
    events = [CHUNK] * chunks + [last, b"data: [DONE]\n\n"]
    framed = b"".join(b"%x\r\n%b\r\n" % (len(event), event) for event in events)
    head = (
        b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
    )
    return head + framed + b"0\r\n\r\n"


def serve(connection: socket.socket, reply: bytes) -> None:
    """Answer every request of a connection with the same bytes."""
    # A client that leaves in the middle is no failure of the server.
    with suppress(OSError), connection, connection.makefile("rb") as stream:
        while _read_request(stream):
            connection.sendall(reply)


def _read_request(stream: BinaryIO) -> bool:
    length = 0
    if not stream.readline():
        return False
    while (line := stream.readline().strip()) != b"":
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            length = int(value)
    json.loads(stream.read(length))
    return True


def main() -> None:
    """Listen until the process is ended."""
    reply = body(int(sys.argv[1]))
    with socket.create_server(("127.0.0.1", 0)) as listening:
        print(listening.getsockname()[1], flush=True)
        while True:
            connection, _ = listening.accept()
            threading.Thread(target=serve, args=(connection, reply), daemon=True).start()


if __name__ == "__main__":
    main()
