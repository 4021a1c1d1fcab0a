"""A loop written by hand: requests with `iter_lines`, aiohttp line by line, and json."""

from __future__ import annotations

import json
from typing import Any

from tests.benchmarks.contenders.shape import KEY, MESSAGES, Note

__all__ = ["CONTENDER"]

HEADERS = {"Authorization": f"Bearer {KEY}"}


def body(model: str, stream: bool) -> dict[str, Any]:
    """Return what is sent."""
    return {"model": model, "messages": MESSAGES, "stream": stream}


def pieces_of(delta: dict[str, Any]) -> int:
    """Return how many pieces of arguments there are."""
    calls = delta.get("tool_calls") or ()
    return sum(1 for call in calls if call["function"].get("arguments"))


class Hand:
    """By hand; a client is a session and a URL."""

    def load(self, colour: str) -> object:
        """Import requests or aiohttp."""
        if colour == "sync":
            import requests

            return requests
        import aiohttp

        return aiohttp

    def open_sync(self, base_url: str) -> Any:
        """Make a session."""
        import requests

        session = requests.Session()
        session.headers.update(HEADERS)
        return session, f"{base_url}/chat/completions"

    def close_sync(self, client: Any) -> None:
        """Close the session."""
        client[0].close()

    def count_sync(self, client: Any, model: str) -> int:
        """Return the number of pieces."""
        session, url = client
        key = "reasoning_content" if model.startswith("reasoning") else "content"
        tools = model.startswith("tools")
        pieces = 0
        with session.post(url, json=body(model, True), stream=True) as response:
            response.raise_for_status()
            for line in response.iter_lines():
                if not line.startswith(b"data: "):
                    continue
                data = line[6:]
                if data == b"[DONE]":
                    break
                delta = json.loads(data)["choices"][0]["delta"]
                if tools:
                    pieces += pieces_of(delta)
                elif delta.get(key):
                    pieces += 1
        return pieces

    def note_sync(self, client: Any, model: str, note: Note) -> None:
        """Tell each piece of text."""
        session, url = client
        with session.post(url, json=body(model, True), stream=True) as response:
            response.raise_for_status()
            for line in response.iter_lines():
                if not line.startswith(b"data: ") or line == b"data: [DONE]":
                    continue
                text = json.loads(line[6:])["choices"][0]["delta"].get("content")
                if text:
                    note(text)

    def keep_sync(self, client: Any, model: str) -> list[Any]:
        """Return the chunks."""
        session, url = client
        with session.post(url, json=body(model, True), stream=True) as response:
            response.raise_for_status()
            return [
                json.loads(line[6:])
                for line in response.iter_lines()
                if line.startswith(b"data: ") and line != b"data: [DONE]"
            ]

    def whole_sync(self, client: Any) -> str:
        """Return the text."""
        session, url = client
        response = session.post(url, json=body("whole", False))
        response.raise_for_status()
        return str(response.json()["choices"][0]["message"]["content"])

    async def open_async(self, base_url: str) -> Any:
        """Make a session, without the limit of 100 connections."""
        import aiohttp

        session = aiohttp.ClientSession(headers=HEADERS, connector=aiohttp.TCPConnector(limit=0))
        return session, f"{base_url}/chat/completions"

    async def close_async(self, client: Any) -> None:
        """Close the session."""
        await client[0].close()

    async def count_async(self, client: Any, model: str) -> int:
        """Return the number of pieces."""
        session, url = client
        key = "reasoning_content" if model.startswith("reasoning") else "content"
        tools = model.startswith("tools")
        pieces = 0
        async with session.post(url, json=body(model, True)) as response:
            response.raise_for_status()
            async for line in response.content:
                if not line.startswith(b"data: "):
                    continue
                data = line[6:-1]
                if data == b"[DONE]":
                    break
                delta = json.loads(data)["choices"][0]["delta"]
                if tools:
                    pieces += pieces_of(delta)
                elif delta.get(key):
                    pieces += 1
        return pieces

    async def note_async(self, client: Any, model: str, note: Note) -> None:
        """Tell each piece of text."""
        session, url = client
        async with session.post(url, json=body(model, True)) as response:
            response.raise_for_status()
            async for line in response.content:
                if not line.startswith(b"data: ") or line == b"data: [DONE]\n":
                    continue
                text = json.loads(line[6:])["choices"][0]["delta"].get("content")
                if text:
                    note(text)

    async def whole_async(self, client: Any) -> str:
        """Return the text."""
        session, url = client
        async with session.post(url, json=body("whole", False)) as response:
            response.raise_for_status()
            answer = await response.json()
        return str(answer["choices"][0]["message"]["content"])


CONTENDER = Hand()
