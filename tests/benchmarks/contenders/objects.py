"""What contenders share whose chunks are objects of OpenAI's shape."""

from __future__ import annotations

from collections.abc import AsyncIterable, Iterable, Mapping
from typing import Any

from tests.benchmarks.contenders.shape import MESSAGES, Note

__all__ = ["Objects"]


def count(stream: Iterable[Any], kind: str, reasoning: str) -> int:
    """Return the number of pieces of a stream; `reasoning` is the name of that attribute."""
    pieces = 0
    if kind == "tools":
        for chunk in stream:
            for call in chunk.choices[0].delta.tool_calls or ():
                if call.function.arguments:
                    pieces += 1
    elif kind == "reasoning":
        for chunk in stream:
            if getattr(chunk.choices[0].delta, reasoning, None):
                pieces += 1
    else:
        for chunk in stream:
            if chunk.choices[0].delta.content:
                pieces += 1
    return pieces


async def count_async(stream: AsyncIterable[Any], kind: str, reasoning: str) -> int:
    """Return the number of pieces of a stream; `reasoning` is the name of that attribute."""
    pieces = 0
    if kind == "tools":
        async for chunk in stream:
            for call in chunk.choices[0].delta.tool_calls or ():
                if call.function.arguments:
                    pieces += 1
    elif kind == "reasoning":
        async for chunk in stream:
            if getattr(chunk.choices[0].delta, reasoning, None):
                pieces += 1
    else:
        async for chunk in stream:
            if chunk.choices[0].delta.content:
                pieces += 1
    return pieces


class Objects:
    """A contender with `client.chat.completions.create`."""

    #: What is said with each stream that is asked for.
    options: Mapping[str, Any] = {}
    #: Where the reasoning is.
    reasoning = "reasoning_content"

    def create(self, client: Any, model: str, **options: Any) -> Any:
        """Ask."""
        return client.chat.completions.create(model=model, messages=MESSAGES, **options)

    def create_async(self, client: Any, model: str, **options: Any) -> Any:
        """Ask; what comes is awaited."""
        return self.create(client, model, **options)

    def close_sync(self, client: Any) -> None:
        """Close a client."""
        client.close()

    def count_sync(self, client: Any, model: str) -> int:
        """Return the number of pieces."""
        stream = self.create(client, model, stream=True, **self.options)
        return count(stream, model.partition(":")[0], self.reasoning)

    def note_sync(self, client: Any, model: str, note: Note) -> None:
        """Tell each piece of text."""
        for chunk in self.create(client, model, stream=True, **self.options):
            if text := chunk.choices[0].delta.content:
                note(text)

    def keep_sync(self, client: Any, model: str) -> list[Any]:
        """Return the chunks."""
        return list(self.create(client, model, stream=True, **self.options))

    def whole_sync(self, client: Any) -> str:
        """Return the text."""
        answer = self.create(client, "whole")
        return str(answer.choices[0].message.content)

    async def close_async(self, client: Any) -> None:
        """Close a client."""
        await client.close()

    async def count_async(self, client: Any, model: str) -> int:
        """Return the number of pieces."""
        stream = await self.create_async(client, model, stream=True, **self.options)
        return await count_async(stream, model.partition(":")[0], self.reasoning)

    async def note_async(self, client: Any, model: str, note: Note) -> None:
        """Tell each piece of text."""
        stream = await self.create_async(client, model, stream=True, **self.options)
        async for chunk in stream:
            if text := chunk.choices[0].delta.content:
                note(text)

    async def whole_async(self, client: Any) -> str:
        """Return the text."""
        answer = await self.create_async(client, "whole")
        return str(answer.choices[0].message.content)
