"""Vectors that stand for texts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .base import Record, record
from .fields import beside, many, one, value
from .usage import Usage

if TYPE_CHECKING:
    from ..wire import Response

__all__ = ["CreateEmbeddingResponse", "Embedding"]


@record
class Embedding(Record):
    """The vector of one input.

    Attributes:
        index: The place of the input in the request, from 0.
        embedding: The numbers, or base64 of 32-bit floats where that was asked for.
        object: "embedding", as a rule.
    """

    _telling = ("index",)

    index: int | None = value()
    embedding: list[float] | str | None = value()
    object: str | None = value()


@record
class CreateEmbeddingResponse(Record):
    """The answer of the embeddings endpoint.

    Attributes:
        data: The vectors.
        model: The model that made them.
        usage: Tokens and cost, or None.
        object: "list", as a rule.
        response: The reply it came from, or None; not part of the JSON.
    """

    _telling = ("model", "data")

    data: list[Embedding] = many(Embedding, always=True)
    model: str | None = value()
    usage: Usage | None = one(Usage)
    object: str | None = value()
    response: Response | None = beside()
