"""The floor: a raw socket or an `asyncio.Protocol`, and orjson. It knows this server alone.

Neither HTTP chunks nor events are read as the standards say: each event ends at an empty line, and
its JSON begins behind ``data: ``, wherever that is.
"""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import Callable
from importlib import import_module
from typing import Any
from urllib.parse import urlsplit

from tests.benchmarks.contenders.shape import KEY, MESSAGES, Note

__all__ = ["CONTENDER"]

Loads = Callable[[bytes], Any]


def quickest() -> Loads:
    """Return what reads JSON."""
    try:
        loads: Loads = import_module("orjson").loads
    except ImportError:
        return json.loads
    return loads


def request(host: str, model: str) -> bytes:
    """Return a request as bytes."""
    body = json.dumps({"model": model, "messages": MESSAGES, "stream": model != "whole"})
    return (
        f"POST /v1/chat/completions HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {KEY}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n{body}"
    ).encode()


class Reader:
    """Finds events in blocks, and hands their chunks to a function."""

    def __init__(self, loads: Loads, take: Callable[[Any], None]) -> None:
        self.loads = loads
        self.take = take
        self.rest = b""

    def feed(self, block: bytes) -> bool:
        """Take a block and return whether it was the last."""
        loads, take = self.loads, self.take
        if self.rest:
            block = self.rest + block
        events = block.split(b"\n\n")
        self.rest = events.pop()
        for event in events:
            start = event.find(b"data: ") + 6
            if event.startswith(b"[DONE]", start):
                continue
            take(loads(event[start:]))
        return self.rest.endswith(b"0\r\n\r\n")


class Pieces:
    """Counts pieces, in one loop without a call for each."""

    def __init__(self, loads: Loads, model: str) -> None:
        self.loads = loads
        self.found = 0
        self.rest = b""
        kind = model.partition(":")[0]
        self.tools = kind == "tools"
        self.key = {"tools": "tool_calls", "reasoning": "reasoning_content"}.get(kind, "content")

    def feed(self, block: bytes) -> bool:
        """Take a block and return whether it was the last."""
        loads, key, tools = self.loads, self.key, self.tools
        if self.rest:
            block = self.rest + block
        events = block.split(b"\n\n")
        self.rest = events.pop()
        for event in events:
            start = event.find(b"data: ") + 6
            if event.startswith(b"[DONE]", start):
                continue
            value = loads(event[start:])["choices"][0]["delta"].get(key)
            if value and (not tools or value[0]["function"].get("arguments")):
                self.found += 1
        return self.rest.endswith(b"0\r\n\r\n")


def text_of(note: Note) -> Callable[[Any], None]:
    """Return what tells the text of a chunk."""

    def take(chunk: Any) -> None:
        if text := chunk["choices"][0]["delta"].get("content"):
            note(text)

    return take


class Connection(asyncio.Protocol):
    """One connection; `feed` returns whether a reply has ended, and `ended` waits for it."""

    def __init__(self) -> None:
        self.feed: Callable[[bytes], bool] = lambda block: True
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.transport: Any = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        """Hand a block on."""
        if self.feed(data):
            self.ended.set_result(None)

    async def ask(self, sent: bytes, feed: Callable[[bytes], bool]) -> None:
        """Send a request and wait for the end of its reply."""
        self.feed = feed
        self.ended = asyncio.get_running_loop().create_future()
        self.transport.write(sent)
        await self.ended


class Whole:
    """Collects an answer that is no stream."""

    def __init__(self, loads: Loads) -> None:
        self.loads = loads
        self.seen = b""
        self.text = ""

    def feed(self, block: bytes) -> bool:
        """Take a block and return whether it was the last."""
        self.seen += block
        head, separator, body = self.seen.partition(b"\r\n\r\n")
        length = int(head.rpartition(b"Content-Length: ")[2]) if separator else -1
        if len(body) != length:
            return False
        self.text = self.loads(body)["choices"][0]["message"]["content"]
        return True


class Client:
    """Connections that are free, and how to make one."""

    def __init__(self, base_url: str) -> None:
        parts = urlsplit(base_url)
        self.host, self.port = str(parts.hostname), int(parts.port or 80)
        self.free: list[Any] = []
        self.loads = quickest()

    def ask(self, model: str, feed: Callable[[bytes], bool]) -> None:
        """Send a request and read its reply."""
        if self.free:
            connection = self.free.pop()
        else:
            connection = socket.create_connection((self.host, self.port))
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.sendall(request(self.host, model))
        while not feed(connection.recv(65536)):
            pass
        self.free.append(connection)

    async def ask_async(self, model: str, feed: Callable[[bytes], bool]) -> None:
        """Send a request and read its reply."""
        if self.free:
            connection = self.free.pop()
        else:
            loop = asyncio.get_running_loop()
            _, connection = await loop.create_connection(Connection, self.host, self.port)
        await connection.ask(request(self.host, model), feed)
        self.free.append(connection)


class Floor:
    """The least that reads these streams."""

    def load(self, colour: str) -> object:
        """Import orjson; the rest has been imported."""
        return quickest()

    def open_sync(self, base_url: str) -> Any:
        """Make a client."""
        return Client(base_url)

    def close_sync(self, client: Any) -> None:
        """Close the connections."""
        for connection in client.free:
            connection.close()

    def count_sync(self, client: Any, model: str) -> int:
        """Return the number of pieces."""
        pieces = Pieces(client.loads, model)
        client.ask(model, pieces.feed)
        return pieces.found

    def note_sync(self, client: Any, model: str, note: Note) -> None:
        """Tell each piece of text."""
        client.ask(model, Reader(client.loads, text_of(note)).feed)

    def keep_sync(self, client: Any, model: str) -> list[Any]:
        """Return the chunks."""
        chunks: list[Any] = []
        client.ask(model, Reader(client.loads, chunks.append).feed)
        return chunks

    def whole_sync(self, client: Any) -> str:
        """Return the text."""
        whole = Whole(client.loads)
        client.ask("whole", whole.feed)
        return whole.text

    async def open_async(self, base_url: str) -> Any:
        """Make a client."""
        return Client(base_url)

    async def close_async(self, client: Any) -> None:
        """Close the connections."""
        for connection in client.free:
            connection.transport.close()

    async def count_async(self, client: Any, model: str) -> int:
        """Return the number of pieces."""
        pieces = Pieces(client.loads, model)
        await client.ask_async(model, pieces.feed)
        return pieces.found

    async def note_async(self, client: Any, model: str, note: Note) -> None:
        """Tell each piece of text."""
        await client.ask_async(model, Reader(client.loads, text_of(note)).feed)

    async def whole_async(self, client: Any) -> str:
        """Return the text."""
        whole = Whole(client.loads)
        await client.ask_async("whole", whole.feed)
        return whole.text


CONTENDER = Floor()
