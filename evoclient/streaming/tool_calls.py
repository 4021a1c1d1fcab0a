"""Putting tool calls together from their deltas, in every dialect.

OpenAI numbers the calls and sends id and name once. Others send no index, the same index for every
call, ids and names on each delta, ids that change, arguments as objects, or the arguments first.
"""

from __future__ import annotations

from typing import Any, Final, TypeVar, cast

from ..models.codec import loads
from ..models.tools import ToolCall
from .merging import FUNCTION, joined, last, members, merge, once, result, update

__all__ = ["CALL", "Call", "ToolCalls"]

#: The members of a tool call.
CALL: Final = {
    "index": last("it has no meaning outside the stream and is left out of the whole"),
    "id": once("servers repeat it, or invent another for each delta"),
    "type": once("servers repeat it"),
    "function": members("a call comes in pieces", FUNCTION),
    "custom": members("OpenAI's custom tools: a call comes in pieces", FUNCTION),
    "extra_content": update("Gemini: a signature may come alone, after the call"),
}


T = TypeVar("T")


class Call:
    """One call that is being put together.

    Attributes:
        held: Its members so far, by the rules of `CALL`; without id where the server sent none.
    """

    __slots__ = ("held",)

    def __init__(self) -> None:
        """Begin with nothing."""
        self.held: dict[str, Any] = {}

    @property
    def function(self) -> dict[str, Any]:
        """The members of the function so far; the arguments are a list of pieces."""
        return self.held.get("function") or {}

    def goes_on(self, name: str, arguments: str) -> bool:
        """Say whether a name and arguments without an id can belong to this call.

        Servers that leave ids out repeat the name on each delta, or send one call after another.
        """
        if not name or not self.function.get("name"):
            return True
        return name == self.function["name"] and not (arguments and self._is_closed())

    def _is_closed(self) -> bool:
        """Say whether the arguments so far are a whole JSON document."""
        try:
            loads(joined(self.function.get("arguments") or []))
        except ValueError:
            return False
        return True

    def to_dict(self) -> dict[str, Any]:
        """Return the call as an answer without streaming has it."""
        out = {"type": "function", **result(self.held, CALL)}
        out.pop("index", None)
        if "custom" not in out:
            function = {"name": None, "arguments": "", **out.get("function", {})}
            out["function"] = function
        first = {key: out.pop(key) for key in ("id", "type") if key in out}
        return first | out


class ToolCalls:
    """The tool calls of one choice."""

    __slots__ = ("_by_id", "_by_index", "_last", "calls")

    def __init__(self) -> None:
        """Begin with no calls."""
        self.calls: list[Call] = []
        self._by_index: dict[int, Call] = {}
        self._by_id: dict[str, Call] = {}
        self._last: Call | None = None

    def feed(self, delta: ToolCall) -> Call:
        """Add a delta to its call and return that."""
        raw = delta._raw
        function = raw.get("function")
        index = raw.get("index")
        if len(raw) == 2 and type(function) is dict and len(function) == 1 and type(index) is int:
            call = self._by_index.get(index)
            pieces = call.function.get("arguments") if call else None
            arguments = delta.function.arguments
            if pieces is not None and "arguments" in function and type(arguments) is str:
                pieces.append(arguments)  # the usual delta
                self._last = call
                return cast(Call, call)
        return self._feed(delta, raw)

    @property
    def pieces(self) -> list[str]:
        """The pieces of the arguments to which the last delta has added one."""
        assert self._last is not None
        return cast(list[str], self._last.function["arguments"])

    def to_list(self) -> list[dict[str, Any]]:
        """Return the calls as an answer without streaming has them: by index, as they came."""
        calls = self.calls
        if all(type(call.held.get("index")) is int for call in calls):
            calls = sorted(calls, key=lambda call: call.held["index"])
        return [call.to_dict() for call in calls]

    def keep(self, count: int) -> None:
        """Forget all calls but the first ones, as if no more had come.

        Args:
            count: How many of them stay.
        """
        self.calls = kept = self.calls[:count]
        self._by_index = {index: call for index, call in self._by_index.items() if call in kept}
        self._by_id = {known: call for known, call in self._by_id.items() if call in kept}
        self._last = kept[-1] if kept else None

    def _feed(self, delta: ToolCall, raw: dict[str, Any]) -> Call:
        index = _if_is(int, raw.get("index"))
        known_id = _if_is(str, delta.id) or None
        name = _if_is(str, delta.function.name) or ""
        arguments = _if_is(str, delta.function.arguments)
        call = self._find(index, known_id, name, arguments or "")
        if call is None:
            call = Call()
            self.calls.append(call)
        self._last = call
        if index is not None:
            self._by_index[index] = call
        if known_id is not None:
            self._by_id[known_id] = call
        new = {**raw, "id": known_id}
        if type(raw.get("function")) is dict:
            new["function"] = {**raw["function"], "arguments": arguments}
        merge(call.held, new, CALL)
        return call

    def _find(
        self, index: int | None, known_id: str | None, name: str, arguments: str
    ) -> Call | None:
        """Return the call that a delta belongs to, or None where it begins one."""
        call = self._by_id.get(known_id) if known_id else None
        if call is not None and (index is None or call.held.get("index") in (None, index)):
            return call
        last = self._last
        call = last if index is None else self._by_index.get(index)
        if call is None:
            # A server that numbers only some deltas: one that names nothing goes on with the last.
            goes_on = last is not None and "index" not in last.held and not (known_id or name)
            return last if goes_on else None
        if known_id and call.held.get("id"):
            # Another id: another call, if it says whose. Without a name, at the same index, it
            # is a server that invents an id for each delta.
            return call if index is not None and not name else None
        return call if call.goes_on(name, arguments) else None


def _if_is(kind: type[T], value: object) -> T | None:
    return value if type(value) is kind else None
