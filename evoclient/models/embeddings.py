"""Vectors that stand for texts."""

from __future__ import annotations

from array import array
from binascii import a2b_base64
from importlib import import_module
from sys import byteorder
from typing import TYPE_CHECKING, Any

from .base import Record, record
from .codec import plain
from .fields import Field, beside, many, one, stored, value
from .usage import Usage

if TYPE_CHECKING:
    from ..wire import Response

__all__ = ["CreateEmbeddingResponse", "Embedding", "NumpyEmbedding", "NumpyEmbeddingResponse"]

#: The bytes of one number in base64.
_WIDTH = 4


def _unpacked(text: str) -> bytes | None:
    """Return the little-endian 32-bit floats that base64 stands for, or None where it is none."""
    try:
        packed = a2b_base64(text, strict_mode=True)
    except ValueError:
        return None
    return packed if len(packed) % _WIDTH == 0 else None


class _Numbers(Field):
    """A vector as a list of numbers, however it was sent; what is no vector is what was sent."""

    __slots__ = ()

    def read(self, raw: dict[str, Any]) -> Any:
        found = raw.get(self.name)
        packed = _unpacked(found) if isinstance(found, str) else None
        if packed is None:
            return plain(found)
        numbers = array("f", packed)
        if byteorder == "big":
            numbers.byteswap()
        return numbers.tolist()

    def write(self, raw: dict[str, Any], out: dict[str, Any], value: Any) -> None:
        new = _listed(value)
        if new != _listed(self.read(raw)):
            out[self.name] = new


class _NumpyNumbers(_Numbers):
    """A vector as a numpy array of 32-bit floats."""

    __slots__ = ()

    def read(self, raw: dict[str, Any]) -> Any:
        numpy: Any = import_module("numpy")  # not everybody has it
        found = raw.get(self.name)
        if isinstance(found, str) and (packed := _unpacked(found)) is not None:
            # A copy, because an array over bytes cannot be written to.
            return numpy.frombuffer(packed, dtype="<f4").astype(numpy.float32)
        if not isinstance(found, list):
            return plain(found)
        try:
            return numpy.array(found, dtype=numpy.float32)
        except (TypeError, ValueError, OverflowError):
            return plain(found)


def _listed(vector: Any) -> Any:
    """Return a vector as JSON has it."""
    to_list = getattr(vector, "tolist", None)
    return plain(vector) if to_list is None else to_list()


@record
class Embedding(Record):
    """The vector of one input.

    Attributes:
        index: The place of the input in the request, from 0.
        embedding: The numbers, also where the server sent them in base64 (`to_dict` has them as
            they were sent); what is no vector, as it was sent.
        object: "embedding", as a rule.
    """

    _telling = ("index",)

    index: int | None = value()
    embedding: list[float] = stored(_Numbers())
    object: str | None = value()


@record
class CreateEmbeddingResponse(Record):
    """The answer of the embeddings endpoint.

    Attributes:
        data: The vectors, in the order of the inputs.
        model: The model that made them.
        usage: Tokens and cost, or None. Where the inputs were sent in several requests, it is the
            sum; a number that one of the answers lacks is None.
        object: "list", as a rule.
        response: The reply it came from, the last one of several, or None; not part of the JSON.
    """

    _telling = ("model", "data")

    data: list[Embedding] = many(Embedding, always=True)
    model: str | None = value()
    usage: Usage | None = one(Usage)
    object: str | None = value()
    response: Response | None = beside()


@record
class NumpyEmbedding(Embedding):
    """The vector of one input as numpy has it.

    Attributes:
        embedding: A one-dimensional numpy array of the type float32.
    """

    # Any, because numpy is not always there.
    embedding: Any = stored(_NumpyNumbers())


@record
class NumpyEmbeddingResponse(CreateEmbeddingResponse):
    """The answer of the embeddings endpoint, its vectors as numpy has them.

    Attributes:
        data: The vectors, in the order of the inputs.
    """

    # A list of a narrower type: it is read, and nobody puts others into it.
    data: list[NumpyEmbedding] = many(NumpyEmbedding, always=True)  # type: ignore[assignment]  # narrower
