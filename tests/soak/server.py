"""A server whose answers are known and often faulty: ``python -m tests.soak.server SEED SHARE``.

It prints its port. ``user`` in a request is the number of the answer that is asked for; seed,
number and attempt decide whether it is faulty, and how. ``GET /`` tells what was done.
"""

from __future__ import annotations

import asyncio
import json
import random
import socket
import struct
import sys
from collections import Counter, OrderedDict
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

from .texts import pieces_of

#: Seconds between two chunks, at most.
PACE = 0.2
#: Longer than any reader waits.
FOR_EVER = 30.0
#: So many answers are remembered, to count their attempts.
REMEMBERED = 20_000

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"


class _Gone(Exception):
    """The connection is not to be used again."""


def framed(content: bytes) -> bytes:
    """Return an HTTP chunk."""
    return b"%x\r\n%b\r\n" % (len(content), content)


def event(delta: dict[str, Any], finish: str | None = None, **more: Any) -> bytes:
    """Return the event of a chunk."""
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    document = {"id": "soak", "object": "chat.completion.chunk", "choices": [choice], **more}
    return b"data: " + json.dumps(document).encode() + b"\n\n"


class Answer:
    """One answer on a connection."""

    def __init__(self, writer: asyncio.StreamWriter, number: int, dice: random.Random) -> None:
        """Take the connection, and the dice that decide about this attempt."""
        self._writer = writer
        self._dice = dice
        self._events = [event({"content": piece}) for piece in pieces_of(number)]

    async def whole(self) -> None:
        """Send the answer as it should be."""
        await self._some(len(self._events))
        usage = {"total_tokens": len(self._events)}
        last = event({}, "stop") + event({}, choices=[], usage=usage) + b"data: [DONE]\n\n"
        await self._send(framed(last) + b"0\r\n\r\n")

    async def _send(self, data: bytes) -> None:
        self._writer.write(data)
        await self._writer.drain()

    async def _some(self, count: int) -> None:
        """Send the head and the first events."""
        await self._send(HEAD)
        for content in self._events[:count]:
            await asyncio.sleep(self._dice.random() * PACE)
            await self._send(framed(content))

    async def _beginning(self) -> None:
        await self._some(self._dice.randrange(len(self._events)))

    async def _refuse(self, status: bytes, body: bytes, more: bytes = b"") -> None:
        head = b"HTTP/1.1 %b\r\nContent-Length: %d\r\n%b\r\n" % (status, len(body), more)
        await self._send(head + body)

    async def busy(self) -> None:
        """Ask for a little patience."""
        body = b'{"error": {"message": "slow down", "code": 429}}'
        await self._refuse(b"429 Too Many Requests", body, b"Retry-After: 0.05\r\n")

    async def broken(self) -> None:
        """Fail with a JSON body."""
        await self._refuse(b"500 Internal Server Error", b'{"error": {"message": "broken"}}')

    async def gateway(self) -> None:
        """Fail as a proxy does, and close."""
        await self._refuse(
            b"502 Bad Gateway", b"<html>Bad Gateway</html>", b"Connection: close\r\n"
        )
        raise _Gone

    async def reset(self) -> None:
        """Reset the connection before a byte was sent."""
        self._reset()

    async def reset_inside(self) -> None:
        """Reset the connection behind some chunks."""
        await self._beginning()
        self._reset()

    async def cut(self) -> None:
        """Close in the middle of an event."""
        await self._beginning()
        await self._send(b"ff\r\n" + self._events[-1][:30])
        raise _Gone

    async def ended(self) -> None:
        """End the body as if all were well, without a finish reason."""
        await self._beginning()
        await self._send(b"0\r\n\r\n")

    async def stalled(self) -> None:
        """Send some chunks and no more, with the connection open."""
        await self._beginning()
        await asyncio.sleep(FOR_EVER)
        raise _Gone

    async def silent(self) -> None:
        """Send nothing at all."""
        await asyncio.sleep(FOR_EVER)
        raise _Gone

    async def malformed_event(self) -> None:
        """Send an event that is not JSON."""
        await self._beginning()
        await self._send(framed(b'data: {"choices": [oops\n\n') + b"0\r\n\r\n")

    async def malformed_chunk(self) -> None:
        """Send what is no HTTP chunk."""
        await self._beginning()
        await self._send(b"no size\r\n")
        raise _Gone

    async def error_event(self) -> None:
        """Report an error inside the stream."""
        await self._beginning()
        body = b'data: {"error": {"message": "lost the model", "code": 503}}\n\n'
        await self._send(framed(body) + b"0\r\n\r\n")

    def _reset(self) -> None:
        sock: socket.socket = self._writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        raise _Gone


FAULTS: tuple[Callable[[Answer], Awaitable[None]], ...] = (
    Answer.busy,
    Answer.broken,
    Answer.gateway,
    Answer.reset,
    Answer.reset_inside,
    Answer.cut,
    Answer.ended,
    Answer.stalled,
    Answer.silent,
    Answer.malformed_event,
    Answer.malformed_chunk,
    Answer.error_event,
)


class Server:
    """Answers, and counts what it did."""

    def __init__(self, seed: int, share: float) -> None:
        """Begin.

        Args:
            seed: Decides which answers are faulty.
            share: How many of them are, of 1.
        """
        self._seed = seed
        self._share = share
        self._attempts: OrderedDict[int, int] = OrderedDict()
        self._done: Counter[str] = Counter()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer the requests of one connection."""
        with suppress(OSError, asyncio.IncompleteReadError, _Gone):
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                if head.startswith(b"GET"):
                    await self._tell(writer)
                    continue
                length = next(
                    int(line.partition(b":")[2])
                    for line in head.lower().split(b"\r\n")
                    if line.startswith(b"content-length:")
                )
                await self._answer(writer, json.loads(await reader.readexactly(length)))
        writer.close()

    async def _answer(self, writer: asyncio.StreamWriter, asked: dict[str, Any]) -> None:
        number = int(asked["user"])
        attempt = self._attempts.pop(number, 0) + 1
        self._attempts[number] = attempt
        if len(self._attempts) > REMEMBERED:
            self._attempts.popitem(last=False)
        dice = random.Random(f"{self._seed}:{number}:{attempt}")
        answer = Answer(writer, number, dice)
        if dice.random() >= self._share:
            self._done["whole"] += 1
            await answer.whole()
            return
        fault = dice.choice(FAULTS)
        self._done[getattr(fault, "__name__", "fault")] += 1
        await fault(answer)

    async def _tell(self, writer: asyncio.StreamWriter) -> None:
        body = json.dumps(self._done).encode()
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body))
        await writer.drain()


async def main() -> None:
    """Listen until the process is ended."""
    serving = Server(int(sys.argv[1]), float(sys.argv[2])).serve
    server = await asyncio.start_server(serving, "127.0.0.1", 0, backlog=2048)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
