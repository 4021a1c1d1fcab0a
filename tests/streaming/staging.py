"""What the tests of the stages between parser and reader share: chunks in, what is left of them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Protocol

import attrs

from evoclient.models.chunks import ChatCompletionChunk, read_chunk
from evoclient.streaming.assemble import Assembly

from .driving import chunk


class Stage(Protocol):
    """What changes chunks."""

    def feed(self, chunk: ChatCompletionChunk) -> bool:
        """Change a chunk."""
        ...

    def finish(self) -> ChatCompletionChunk | None:
        """Return what is left."""
        ...


@attrs.frozen
class Piece:
    """A piece of the content of one choice."""

    text: str | None
    index: int = 0
    finish: str | None = None


def passed(stage: Stage, documents: Iterable[dict[str, Any]]) -> list[ChatCompletionChunk]:
    """Return what a stage hands out of chunks, to the end of the stream."""
    found = []
    for document in documents:
        read = read_chunk(document)
        if stage.feed(read):
            found.append(read)
    rest = stage.finish()
    return found if rest is None else [*found, rest]


def documents(pieces: Iterable[Piece]) -> list[dict[str, Any]]:
    """Return chunks of one piece each."""
    return [chunk(piece.text, piece.finish, piece.index) for piece in pieces]


def contents(chunks: Iterable[ChatCompletionChunk], index: int = 0) -> list[object]:
    """Return the content of a choice, chunk by chunk."""
    return [
        choice.delta.content
        for chunk in chunks
        for choice in chunk.choices
        if choice.index == index
    ]


def assembled(chunks: Iterable[ChatCompletionChunk]) -> Assembly:
    """Return the assembly of chunks."""
    assembly = Assembly()
    for read in chunks:
        assembly.feed(read)
    return assembly
