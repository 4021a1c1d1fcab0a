"""Telling a stream's events: what each chunk says, and when a tool call begins and is whole."""

from __future__ import annotations

from typing import Any, Final, TypeAlias

from ..models.chunks import ChatCompletionChunk, ChoiceDelta
from ..models.fields import adopt
from ..models.finish import Finish, finish_of
from ..models.tools import ToolCall
from ..models.usage import find_usage
from ..partial_json import Scanner
from .events import (
    ContentEvent,
    FinishEvent,
    KeepAliveEvent,
    ReasoningEvent,
    RefusalEvent,
    RestartEvent,
    RetryEvent,
    StreamEvent,
    ToolCallDeltaEvent,
    ToolCallDoneEvent,
    ToolCallStartEvent,
    UsageEvent,
)
from .rewriting import choice_index
from .sse import KeepAlive
from .tool_calls import Call, ToolCalls

__all__ = ["EventReader", "Told"]

#: What events are told of.
Told: TypeAlias = ChatCompletionChunk | KeepAlive | RetryEvent | RestartEvent

#: After these, a call that is not closed was cut, and must not be run.
_CUT: Final = frozenset({Finish.length, Finish.content_filter, Finish.error})


class EventReader:
    """Makes events of what a stream gives out, in the order of the wire.

    Within one chunk and choice: reasoning, content, refusal, tool calls, finish; usage comes last.
    """

    __slots__ = ("_choices",)

    def __init__(self) -> None:
        """Begin with a stream of which nothing was read."""
        self._choices: dict[int, _Choice] = {}

    def feed(self, item: Told) -> list[StreamEvent]:
        """Return what a chunk, a sign of life, a retry or a restart says; of an empty one nothing.

        Args:
            item: What a pipeline gave out.
        """
        if not isinstance(item, ChatCompletionChunk):
            return [self._other(item)]
        events: list[StreamEvent] = []
        for choice in item.choices:
            index = choice.index
            if type(index) is not int:
                index = choice_index(index)
            delta = choice.delta
            fields = delta._raw
            if len(fields) == 1 and type(fields.get("content")) is str:
                text = delta.content
                if text and type(text) is str:  # the usual delta
                    events.append(ContentEvent(text=text, choice=index))
            else:
                self._tell_delta(delta, index, events)
            if choice.finish_reason:
                self._tell_finish(choice.finish_reason, index, events)
        raw = item._raw
        if ("usage" in raw or "x_groq" in raw) and find_usage(raw) and item.usage is not None:
            events.append(UsageEvent(usage=item.usage))
        return events

    def finish(self) -> list[StreamEvent]:
        """Learn that the stream came to its end as it should; return what was still to be told.

        Tool calls of choices that the server ended without a word are done then. Of a stream that
        was cut it is not to be called.
        """
        events: list[StreamEvent] = []
        for choice in self._choices.values():
            if not choice.finish_reason:
                choice.settle(events)
        return events

    def _other(self, item: KeepAlive | RetryEvent | RestartEvent) -> StreamEvent:
        if isinstance(item, KeepAlive):
            return KeepAliveEvent(comment=item.comment)
        if isinstance(item, RestartEvent) and item.choice in self._choices:
            self._choices[item.choice].keep(item.tool_calls)
        return item

    def _choice(self, index: int) -> _Choice:
        choice = self._choices.get(index)
        if choice is None:
            choice = self._choices[index] = _Choice(index)
        return choice

    def _tell_delta(self, delta: ChoiceDelta, index: int, events: list[StreamEvent]) -> None:
        """Tell of a delta of any shape. A slot that was never used costs more than a look."""
        fields = delta._raw
        text = delta.content
        if "reasoning" in fields or "reasoning_content" in fields or _has_parts(fields):
            reasoning = delta.reasoning
            if reasoning and type(reasoning) is str:
                events.append(ReasoningEvent(text=reasoning, choice=index))
        if text and type(text) is str:
            events.append(ContentEvent(text=text, choice=index))
        if "refusal" in fields:
            refusal = delta.refusal
            if refusal and type(refusal) is str:
                events.append(RefusalEvent(text=refusal, choice=index))
        calls = delta.tool_calls if "tool_calls" in fields else None
        if calls:
            choice = self._choice(index)
            for call in calls:
                choice.feed(call, events)
        elif type(fields.get("function_call")) is dict:
            # The older protocol: the one call of the choice.
            call = adopt(ToolCall, {"function": fields["function_call"]})
            self._choice(index).feed(call, events)

    def _tell_finish(self, reason: object, index: int, events: list[StreamEvent]) -> None:
        choice = self._choice(index)
        finish = finish_of(reason, has_tool_calls=choice.has_calls)
        if finish is None:
            return
        if finish not in _CUT:
            choice.settle(events)
        if reason != choice.finish_reason:  # servers say it again beside the usage
            choice.finish_reason = str(reason)
            events.append(FinishEvent(finish_reason=str(reason), finish=finish, choice=index))


class _Progress:
    """What has been told of one call.

    Attributes:
        number: Its place in the choice.
        scanner: Follows its arguments.
        waiting: The pieces that came before its name; None once its start was told.
        is_done: Whether it was told to be whole.
    """

    __slots__ = ("is_done", "number", "scanner", "waiting")

    def __init__(self, number: int) -> None:
        """Begin with a call of which nothing was told."""
        self.number = number
        self.scanner = Scanner()
        self.waiting: list[ToolCallDeltaEvent] | None = []
        self.is_done = False

    @property
    def is_closed(self) -> bool:
        """Whether the arguments are whole, whatever comes after them.

        A string or a number may be the beginning of a text that is no JSON.
        """
        return self.scanner.is_closed and self.scanner.is_container


class _Choice:
    """The calls of one choice.

    Attributes:
        finish_reason: The reason that was told, or None.
    """

    __slots__ = ("_calls", "_index", "_told", "finish_reason")

    def __init__(self, index: int) -> None:
        """Begin without calls.

        Args:
            index: The index of the choice.
        """
        self.finish_reason: str | None = None
        self._index = index
        self._calls = ToolCalls()
        self._told: dict[Call, _Progress] = {}

    @property
    def has_calls(self) -> bool:
        """Whether tools were called."""
        return bool(self._told)

    def feed(self, delta: ToolCall, events: list[StreamEvent]) -> None:
        """Tell of a piece of a call."""
        call = self._calls.feed(delta)
        told = self._told.get(call)
        if told is None:
            told = self._told[call] = _Progress(len(self._told))
        if told.is_done:
            return
        custom = delta._raw.get("custom")
        text = custom.get("input") if type(custom) is dict else delta.function.arguments
        if text and type(text) is str and not told.is_closed:
            event = self._delta_event(delta, told.number, text)
            if "custom" not in call.held:
                told.scanner.feed(text)
            if told.waiting is None:
                events.append(event)
            else:
                told.waiting.append(event)
        if told.waiting is not None and _name_of(call.held) is not None:
            self._start(call, told, events)
        if told.waiting is None and told.is_closed:
            self._done(call, told, events)

    def settle(self, events: list[StreamEvent]) -> None:
        """Tell that the calls that are still open are done: nothing more comes, and nothing cut."""
        for call, told in self._told.items():
            if told.waiting is not None:
                self._start(call, told, events)
            if not told.is_done:
                self._done(call, told, events)

    def keep(self, count: int) -> None:
        """Forget all calls but the first ones, and that the choice has ended."""
        self.finish_reason = None
        self._told = dict(list(self._told.items())[:count])
        self._calls.keep(count)

    def _start(self, call: Call, told: _Progress, events: list[StreamEvent]) -> None:
        events.append(
            ToolCallStartEvent(
                number=told.number,
                id=call.held.get("id"),
                name=_name_of(call.held),
                choice=self._index,
            )
        )
        events.extend(told.waiting or ())
        told.waiting = None

    def _done(self, call: Call, told: _Progress, events: list[StreamEvent]) -> None:
        told.is_done = True
        whole = adopt(ToolCall, call.to_dict())
        events.append(ToolCallDoneEvent(number=told.number, call=whole, choice=self._index))

    def _delta_event(self, delta: ToolCall, number: int, text: str) -> ToolCallDeltaEvent:
        raw = delta._raw
        index = raw.get("index")
        return ToolCallDeltaEvent(
            number=number,
            index=index if type(index) is int else None,
            id=delta.id if type(raw.get("id")) is str else None,
            name=_name_of(raw),
            arguments=text,
            choice=self._index,
        )


def _has_parts(fields: dict[str, Any]) -> bool:
    """Return whether the content came as parts, some of which may be reasoning."""
    return type(fields.get("content")) is list


def _name_of(call: dict[str, Any]) -> str | None:
    """Return the name in a call, or in a piece of one, or None."""
    for key in ("function", "custom"):
        members = call.get(key)
        name = members.get("name") if type(members) is dict else None
        if name and type(name) is str:
            return name
    return None
