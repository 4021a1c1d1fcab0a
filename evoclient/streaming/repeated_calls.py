"""Tool calls that are expected to repeat those a reader has, by their place among the calls."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..models.tools import ToolCall
from .comparing import Repetition
from .tool_calls import Call, ToolCalls

__all__ = ["RepeatedCalls"]


class RepeatedCalls:
    """The tool calls of one choice.

    Names and arguments are compared, ids are not: servers make them up anew. A call of OpenAI's
    custom tools is never taken for a repetition.

    Attributes:
        departed: Whether the calls turned out to be others.
        same: How many calls are whole and equal, once they have departed.
    """

    def __init__(self, known: Sequence[tuple[str, str]]) -> None:
        """Begin before the first call.

        Args:
            known: Name and arguments of each call that the reader has.
        """
        self.departed = False
        self.same = 0
        self._known = list(known)
        self._repeated = [_RepeatedCall(name, arguments) for name, arguments in known]
        self._calls = ToolCalls()

    @property
    def are_repeated(self) -> bool:
        """Whether there are calls that the reader has from before."""
        return bool(self._repeated)

    @property
    def is_behind(self) -> bool:
        """Whether the reader has more than has come."""
        return not self.departed and not all(call.is_whole for call in self._repeated)

    @property
    def shown(self) -> int:
        """How many calls the reader has who got what `feed` returned."""
        came = len(self._calls.calls)
        return came if self.departed else max(came, len(self._known))

    def feed(self, deltas: Sequence[ToolCall]) -> list[ToolCall]:
        """Take the deltas of a chunk and return what of them is no repetition.

        Where the calls depart, these are all calls from the first one that is not the same, as
        far as they came, each in one delta.
        """
        left = []
        for delta in deltas:
            call = self._calls.feed(delta)
            place = self._calls.calls.index(call)
            if place < len(self._repeated):
                left += self._repeated[place].feed(delta)
            else:
                left.append(delta)
        if not self.departed and any(call.departed for call in self._repeated):
            return self._depart()
        return left

    def finish(self) -> list[ToolCall]:
        """Learn that no more calls come; return as `feed` does where they depart by that."""
        return self._depart() if self.is_behind else []

    def seen(self, came: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
        """Return the calls that the reader has, given those that came."""
        if self.departed:
            return list(came)
        calls = list(came)
        for place, (known, repeated) in enumerate(zip(self._known, self._repeated, strict=True)):
            if not repeated.is_whole:
                calls[place : place + 1] = [known]
        return calls

    def _depart(self) -> list[ToolCall]:
        self.departed = True
        self.same = next(place for place, call in enumerate(self._repeated) if not call.is_whole)
        del self._repeated[self.same :]
        return [_in_one_delta(call) for call in self._calls.calls[self.same :]]


class _RepeatedCall:
    """One call that is expected to repeat another one.

    Attributes:
        departed: Whether it is another one.
    """

    def __init__(self, name: str, arguments: str) -> None:
        self._name = name
        self._arguments = Repetition(arguments)
        self._is_named = not name
        self.departed = False

    @property
    def is_whole(self) -> bool:
        """Whether all of the other one has been repeated."""
        return self._is_named and not self.departed and self._arguments.is_past

    def feed(self, delta: ToolCall) -> list[ToolCall]:
        """Return what a delta adds, as a delta without id and name, which the reader has."""
        function = delta.function
        name: object = function.name  # a server may send what is no text
        arguments: object = function.arguments
        is_new_name = isinstance(name, str) and bool(name) and not self._name
        if isinstance(name, str) and name:
            self._name = self._name or name
            self._is_named = True
        left = self._arguments.feed(arguments) if isinstance(arguments, str) else ""
        is_other = (bool(name) and name != self._name) or "custom" in delta._raw
        self.departed = self.departed or is_other or self._arguments.departed
        if not left and not is_new_name:
            return []
        piece: dict[str, Any] = {"function": {"arguments": left}}
        if is_new_name:
            piece["function"]["name"] = name
        if delta.index is not None:
            piece["index"] = delta.index
        return [ToolCall.from_dict(piece)]


def _in_one_delta(call: Call) -> ToolCall:
    """Return a call as far as it came."""
    fields = call.to_dict()
    index = call.held.get("index")
    return ToolCall.from_dict(fields if index is None else {"index": index, **fields})
