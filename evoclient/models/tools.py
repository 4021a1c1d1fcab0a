"""Tool calls: what the model asks to be run."""

from __future__ import annotations

from typing import Any

from .base import Record, record
from .codec import dumps, plain
from .fields import converted, one, value

__all__ = ["FunctionCall", "ToolCall", "arguments_of"]


def arguments_of(raw: dict[str, Any]) -> Any:
    """Return the arguments of a function call as text.

    Mistral and others send them as an object, which becomes its compact JSON; null becomes "".
    """
    found = raw.get("arguments")
    if type(found) is str:
        return found
    if found is None:
        return ""
    if isinstance(found, (dict, list)):
        return dumps(found, allow_nan=True).decode()
    return found


def _id_of(raw: dict[str, Any]) -> Any:
    """Return the id of a call.

    Mistral's servers write the string "null" where a call has none. It is read as None, since two
    calls may bear it, and an answer to a call must name one call.
    """
    found = raw.get("id")
    return None if found == "null" else plain(found)


@record
class FunctionCall(Record):
    """A function and its arguments.

    Attributes:
        name: The function's name; None in the later deltas of a stream.
        arguments: JSON as text, not yet checked; in a delta, a piece of it.
    """

    _telling = ("name", "arguments")

    name: str | None = value()
    arguments: str = converted(arguments_of)


@record
class ToolCall(Record):
    """One call of a tool, or in a stream a piece of one.

    Attributes:
        id: What the answer to this call must name. None where the server gave none, or "null".
        index: The place among the calls, in streams. Servers differ in its use; the assembled
            completion is right for all of them.
        type: "function", as a rule.
        function: The function and its arguments.
    """

    _telling = ("id", "function")

    id: str | None = converted(_id_of)
    index: int | None = value()
    type: str | None = value()
    function: FunctionCall = one(FunctionCall, always=True)
