"""The models that a server offers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Self

from .base import Record, record
from .fields import adopt, beside, many, value

if TYPE_CHECKING:
    from ..wire import Response

__all__ = ["Model", "ModelList"]


@record
class Model(Record):
    """A model that can be asked. Servers tell much more; all of it is there as attributes.

    Attributes:
        id: The name to ask it by.
        object: "model", as a rule.
        created: When it was made or added, in seconds since 1970.
        owned_by: Who made it.
        name: A name for people.
        description: What it is good for.
        context_length: The most tokens of prompt and answer together.
        pricing: What a token costs, as sent (OpenRouter: US dollars, in strings).
        response: The reply it came from, or None where it is one of a list; not part of the JSON.
    """

    _telling = ("id", "context_length")

    id: str | None = value()
    object: str | None = value()
    created: int | None = value()
    owned_by: str | None = value()
    name: str | None = value()
    description: str | None = value()
    context_length: int | None = value()
    pricing: dict[str, Any] | None = value()
    response: Response | None = beside()


@record
class ModelList(Record):
    """The models of a server; iterating gives them one by one.

    Attributes:
        object: "list", as a rule.
        data: The models.
        response: The reply it came from, or None; not part of the JSON.
    """

    _telling = ("data",)

    object: str | None = value()
    data: list[Model] = many(Model, always=True)
    response: Response | None = beside()

    @classmethod
    def from_answer(cls, answer: Any) -> Self:
        """Return the list over a parsed answer, which some servers send without an envelope."""
        if isinstance(answer, dict):
            return adopt(cls, answer)
        return adopt(cls, {"object": "list", "data": answer if isinstance(answer, list) else []})

    def __iter__(self) -> Iterator[Model]:
        """Iterate over the models."""
        return iter(self.data)

    def __len__(self) -> int:
        """Return how many models there are."""
        return len(self.data)
