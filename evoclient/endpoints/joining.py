"""The answers to several requests for embeddings, made into one."""

from __future__ import annotations

from typing import Any

import attrs

from ..wire import Response

__all__ = ["Part", "together"]


@attrs.frozen
class Part:
    """The answer to some of the inputs.

    Attributes:
        document: The JSON object.
        inputs: How many inputs it answers.
        response: Its reply.
    """

    document: dict[str, Any]
    inputs: int
    response: Response


def together(parts: list[Part]) -> dict[str, Any]:
    """Return the document that one request for all the inputs would have been answered with.

    Args:
        parts: The answers, in the order of the inputs.
    """
    first = parts[0].document
    if len(parts) == 1:
        return {**first, "data": _in_order(first.get("data"))}
    data: list[Any] = []
    before = 0
    for part in parts:
        data += _renumbered(_in_order(part.document.get("data")), before)
        before += part.inputs
    return {**first, "data": data, "usage": _sum([part.document.get("usage") for part in parts])}


def _in_order(data: Any) -> Any:
    """Return vectors in the order of their inputs, where the server says which is whose."""
    if isinstance(data, list) and all(_index(item) is not None for item in data):
        return sorted(data, key=_index)
    return data


def _renumbered(data: Any, before: int) -> list[Any]:
    """Return vectors with the places of their inputs among all inputs."""
    if not isinstance(data, list):
        return []
    return [
        {**item, "index": before + (place if _index(item) is None else item["index"])}
        if isinstance(item, dict)
        else item
        for place, item in enumerate(data)
    ]


def _index(item: Any) -> Any:
    index = item.get("index") if isinstance(item, dict) else None
    return index if type(index) is int else None


def _sum(values: list[Any]) -> Any:
    """Add up numbers, and objects member by member; None where one of them is missing."""
    if all(isinstance(value, (int, float)) for value in values):
        return sum(values)
    found = [value for value in values if isinstance(value, dict)]
    if not found:
        return None
    names = dict.fromkeys(name for value in found for name in value)
    whole = [value if isinstance(value, dict) else {} for value in values]
    return {name: _sum([value.get(name) for value in whole]) for name in names}
