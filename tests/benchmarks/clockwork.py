"""A server whose every chunk says when it was sent, for thousands of slow streams at once.

Run as ``python -m tests.benchmarks.clockwork CHUNKS SECONDS``; it prints its port. Each stream has
so many chunks, one every so many seconds, beginning at a random place of the interval. The clock is
the machine's monotonic one, which all its processes share.
"""

from __future__ import annotations

import asyncio
import random
import sys
import time

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
EVENT = (
    'data: {"id":"chatcmpl-A1b2C3d4","object":"chat.completion.chunk","created":1763640000,'
    '"model":"gpt-4o-mini-2024-07-18","choices":[{"index":0,"delta":%s,"logprobs":null,'
    '"finish_reason":%s}]}\n\n'
)


def framed(event: str) -> bytes:
    """Return an event as one HTTP chunk."""
    content = event.encode()
    return b"%x\r\n%b\r\n" % (len(content), content)


async def answer(writer: asyncio.StreamWriter, chunks: int, interval: float) -> None:
    """Send the chunks of one stream, each with the time at which it is sent."""
    writer.write(HEAD)
    await asyncio.sleep(random.random() * interval)
    due = time.monotonic()
    for _ in range(chunks):
        writer.write(framed(EVENT % (f'{{"content":"{time.monotonic():.6f} "}}', "null")))
        due += interval
        await asyncio.sleep(max(due - time.monotonic(), 0))
    writer.write(framed(EVENT % ("{}", '"stop"') + "data: [DONE]\n\n") + b"0\r\n\r\n")
    await writer.drain()


async def main() -> None:
    """Listen until the process is ended."""
    chunks, interval = int(sys.argv[1]), float(sys.argv[2])

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        length = next(
            int(line.split(b":")[1])
            for line in head.splitlines()
            if line.lower().startswith(b"content-length")
        )
        await reader.readexactly(length)
        await answer(writer, chunks, interval)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, backlog=2048)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
