"""Assembling a stream to the completion that the same request gives without streaming.

What each field is put together by stands in the tables of `merging` and `tool_calls`. Pieces of
text are kept, chunks are not.

An assembly reads what a chunk shows: `content`, `reasoning`, `tool_calls` and `finish_reason` by
the slots of the records, which may differ from the raw mapping, and so `id` and `created` of the
chunk; all else is read from the mapping. A stage before it that changes one of these assigns it;
one that adds a field that the server did not send makes the delta anew (`ChoiceDelta.from_dict`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, cast

from ..models.chat import ChatCompletion
from ..models.chunks import ChatCompletionChunk, ChoiceDelta, ChunkChoice
from ..models.fields import adopt
from ..models.text import content_of, reasoning_key
from ..models.usage import Usage, find_usage
from .merging import CHOICE, CHUNK, DELTA, UNKNOWN, joined, merge, parts_in_a_row, result
from .rewriting import choice_index
from .shapes import chat_completion_of
from .tool_calls import ToolCalls

if TYPE_CHECKING:
    from .template import Growing

__all__ = ["Assembly"]

_DROPPED: Final = frozenset(key for key, rule in CHUNK.items() if rule.name == "drop")
_SET_ONCE: Final = frozenset(key for key, rule in CHUNK.items() if rule.name == "set once")
#: Chunks of a template have these of their own, in their slots, though they share their mapping.
_DIFFERING: Final = frozenset({"id", "created"})
_OWN_WAY: Final = frozenset({"index", "delta", "finish_reason"})
_REASONING: Final = frozenset({"reasoning", "reasoning_content"})

#: Of every chunk.
_AT_FIRST: Final = frozenset({"choices", *_DROPPED})


@lru_cache(maxsize=256)
def _grown(names: frozenset[str], name: str) -> frozenset[str]:
    """Return names with one more; streams of a kind share them, as each would take a kilobyte."""
    return names | {name}


class Assembly:
    """A completion that grows by chunks.

    Attributes:
        usage: The last usage that was sent, or None.
        finish_reasons: The reasons, in the server's words, of the choices that have ended.
        seen: The indices of the choices seen.
    """

    __slots__ = (
        "_built",
        "_choices",
        "_fields",
        "_growing",
        "_made",
        "_quiet",
        "_seen",
        "finish_reasons",
        "seen",
        "usage",
    )

    def __init__(
        self, made: Callable[[dict[str, Any]], ChatCompletion] = chat_completion_of
    ) -> None:
        """Begin with nothing.

        Args:
            made: Makes the completion of the JSON object that was put together.
        """
        self._made = made
        self.usage: Usage | None = None
        self.finish_reasons: dict[int, str] = {}
        self.seen: set[int] = set()
        self._choices: dict[int, _Choice] = {}
        self._fields: dict[str, Any] = {}
        self._quiet = _AT_FIRST  # the fields of a chunk that can bring nothing new
        self._seen: dict[str, Any] | None = None
        self._growing: Growing | None = None
        self._built: ChatCompletion | None = None

    def feed(self, chunk: ChatCompletionChunk) -> None:
        """Add a chunk."""
        self._built = None
        raw = chunk._raw
        if raw is not self._seen:  # chunks made from a template share their mapping
            self._seen = raw
            if not raw.keys() <= self._quiet:
                self._feed_fields(chunk)
        for choice in chunk.choices:
            index = choice.index
            held = self._choices.get(index) if type(index) is int else None
            if held is None:
                held = self._choice(choice)
            delta = choice.delta
            fields = delta._raw
            text = delta.content
            if (
                len(fields) == 1
                and type(text) is str
                and (fields.get("content") is text or fields is held.seen_delta)
            ):
                held.pieces.append(text)  # the usual delta
            elif fields or text:
                held.feed_delta(delta, fields)
            # Comparing with the last choice but for its delta is three times as fast as a look at
            # each field: their values are the same objects, or short.
            like = held.like
            like["delta"] = fields
            if choice._raw != like:
                held.feed_fields(choice._raw)
            reason = choice.finish_reason
            if reason and type(reason) is str:
                self.finish_reasons[choice_index(index)] = reason

    def feed_alike(
        self, chunks: Sequence[ChatCompletionChunk], texts: Sequence[str], growing: Growing
    ) -> None:
        """Add chunks that differ in one text, and else say what the first of them says.

        Args:
            chunks: At least one chunk.
            texts: The text of each, not empty.
            growing: Which text it is.
        """
        # Behind chunks of the same template these say nothing new but their texts.
        if growing is self._growing and chunks[0]._raw is self._seen:
            self._built = None
        else:
            self.feed(chunks[0])
            self._growing = growing
            texts = texts[1:]
        self._choices[growing.choice].pieces_of(growing.field).extend(texts)

    def completion(self) -> ChatCompletion:
        """Return the completion so far; the same object until the next chunk."""
        if self._built is None:
            self._built = self._made(self._to_dict())
        return self._built

    def _choice(self, choice: ChunkChoice) -> _Choice:
        """Return what is held of a choice that is new, or whose index is of a wrong type."""
        index = choice_index(choice.index)
        self.seen.add(index)
        return self._choices.setdefault(index, _Choice())

    def _feed_fields(self, chunk: ChatCompletionChunk) -> None:
        raw = chunk._raw
        for key, value in raw.items():
            if value is None or key in self._quiet:
                continue
            if key in _DIFFERING:
                value = getattr(chunk, key)
            if key in ("usage", "x_groq"):
                found = find_usage(raw)
                if found:
                    self.usage = adopt(Usage, found)
                elif key == "usage" and not value:  # an empty object says nothing
                    continue
            merge(self._fields, {key: value}, CHUNK)
            if value and key in _SET_ONCE:
                self._quiet = _grown(self._quiet, key)

    def _to_dict(self) -> dict[str, Any]:
        fields = result(self._fields, CHUNK)
        choices = [
            self._choices[index].to_dict(index, self.finish_reasons.get(index))
            for index in sorted(self._choices)
        ]
        first: dict[str, Any] = {
            key: fields.pop(key) for key in ("id", "created", "model") if key in fields
        }
        return {**first, "object": "chat.completion", "choices": choices, **fields}


class _Choice:
    """One choice so far.

    Attributes:
        pieces: The content, where it comes as text; with parts among them, `has_parts` is set.
        like: A copy of the last mapping of the choice, if it held nothing but its delta.
        seen_delta: The last mapping of the delta, if it held nothing but a text.
    """

    __slots__ = ("_calls", "_fields", "_rest", "has_parts", "like", "pieces", "seen_delta")

    def __init__(self) -> None:
        self.pieces: list[Any] = []
        self.has_parts = False
        self.like: dict[str, Any] = {}
        self.seen_delta: dict[str, Any] | None = None
        self._fields: dict[str, Any] = {}
        self._calls: ToolCalls | None = None
        self._rest: dict[str, Any] = {}

    def feed_fields(self, raw: dict[str, Any]) -> None:
        """Add the fields of the choice other than its delta and finish reason."""
        self.like = dict(raw)
        for key, value in raw.items():
            if value is not None and key not in _OWN_WAY:
                self.like = {}
                rule = CHOICE.get(key, UNKNOWN)
                self._rest[key] = rule.add(self._rest.get(key), value)

    def feed_delta(self, delta: ChoiceDelta, raw: dict[str, Any]) -> None:
        """Add a delta of any shape."""
        for key, value in raw.items():
            if value is None or key == "content":
                continue
            if key == "tool_calls":
                self._feed_calls(delta)
                continue
            if key in _REASONING and value and key == reasoning_key(raw):
                value = delta.reasoning
            rule = DELTA.get(key, UNKNOWN)
            self._fields[key] = rule.add(self._fields.get(key), value)
        if delta.content is not None:
            self._feed_content(delta.content, raw)

    def _feed_calls(self, delta: ChoiceDelta) -> None:
        for call in delta.tool_calls or ():
            if self._calls is None:
                self._calls = ToolCalls()
            self._calls.feed(call)

    def _feed_content(self, content: Any, raw: dict[str, Any]) -> None:
        sent = raw.get("content")
        if isinstance(sent, (list, dict)) and content == content_of(raw):
            self.has_parts = True
            self.pieces.extend(sent if isinstance(sent, list) else [sent])
        elif isinstance(content, str):
            self.pieces.append(content)
            self.seen_delta = raw if isinstance(sent, str) and len(raw) == 1 else None

    def pieces_of(self, field: str) -> list[Any]:
        """Return the pieces of a text that has just grown by one."""
        if field == "content":
            return self.pieces
        if field == "arguments":
            assert self._calls is not None
            return self._calls.pieces
        return cast(list[Any], self._fields[field])

    def to_dict(self, index: int, finish_reason: str | None) -> dict[str, Any]:
        """Return the choice as an answer without streaming has it."""
        return {
            "index": index,
            "message": self._message(),
            **result(self._rest, CHOICE),
            "finish_reason": finish_reason,
        }

    def _message(self) -> dict[str, Any]:
        content: Any = None
        if self.has_parts:
            content = parts_in_a_row(self.pieces)
        elif self.pieces:
            content = joined(self.pieces)
        message = {"role": "assistant", "content": content, **result(self._fields, DELTA)}
        if self._calls is not None:
            message["tool_calls"] = self._calls.to_list()
        return message
