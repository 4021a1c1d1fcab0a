"""The fast path of a stream: what differs from a chunk before in its text only is not parsed.

Between two chunks of a stream usually only the text differs. A template is learnt from a chunk
that was parsed: the bytes before its text and behind it. An event with the same bytes around
another text is the same document but for this text, with all its fields, known and unknown; so
nothing is lost or guessed, and what is different in any other way is parsed as ever. Fields of
the chunk that servers change on each one may differ too.

`use_templates` turns it off. Results are the same with it and without.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import islice
from typing import Any, Final, NamedTuple, TypeAlias

from ..models.chat import index_of
from ..models.chunks import ChatCompletionChunk
from ..models.text import reasoning_key
from .alike import Maker, detail_key, with_arguments, with_content, with_reasoning
from .documents import says_error
from .holes import Path, Span, half_of, reader_of, span_of, unescaped
from .sse import Wire
from .surrogates import may_hold_surrogates

__all__ = ["Alike", "Growing", "Template", "Templates", "new_templates", "use_templates"]

Raw: TypeAlias = dict[str, Any]

#: So often is a template learnt before one has paid off.
_LESSONS: Final = 6

#: A template that has known so many events has paid for the next lessons.
_PAYS_OFF: Final = 32

#: After so many unknown events in a row all templates are given up.
_MOST_MISSES: Final = 12

#: So many templates are known at once: choices and kinds of deltas may alternate.
_MOST_KNOWN: Final = 4

#: Fields of a chunk that servers change on each one: numbers that are no less than 1, and texts.
_CHANGING: Final = ("id", "created", "obfuscation")

_is_on = True


def use_templates(is_on: bool) -> None:
    """Let the streams that begin from now on use templates or not; for tests and comparisons."""
    global _is_on
    _is_on = is_on


def new_templates() -> Templates | None:
    """Return what a stream learns its templates with; None where they are turned off."""
    return Templates() if _is_on else None


class Growing(NamedTuple):
    """Which text of an answer grows by the chunks of a template.

    Attributes:
        choice: The index of the choice.
        field: "content", "arguments" (of one tool call), or the field of the reasoning.
    """

    choice: int
    field: str


class Alike:
    """Chunks of one template, in a row.

    Attributes:
        chunks: The chunks.
        texts: The text of each, never empty.
        growing: Which text it is; None where the chunks bring more than their text.
    """

    # Neither a named tuple nor attrs: one is made for every block, by the cheapest way.
    __slots__ = ("chunks", "growing", "texts")

    def __init__(
        self, chunks: list[ChatCompletionChunk], texts: list[str], growing: Growing | None
    ) -> None:
        self.chunks = chunks
        self.texts = texts
        self.growing = growing


class Templates:
    """What a stream has learnt of its chunks: a few templates, the newest one first."""

    __slots__ = ("_hits", "_known", "_lesson", "_lessons", "_misses")

    def __init__(self) -> None:
        """Begin with nothing learnt."""
        self._known: list[Template] = []
        self._lesson: tuple[bytes, Raw] | None = None
        self._lessons = _LESSONS
        self._hits = 0
        self._misses = 0

    def read(self, wires: Sequence[Wire], start: int) -> Alike | None:
        """Return the chunks of the events from one on, as far as one template knows them."""
        self._catch_up()
        for known in self._known:
            found = known.read(wires, start)
            if found is not None:
                self._misses = 0
                self._hits += len(found.texts)
                if self._hits > _PAYS_OFF:
                    self._hits = 0
                    self._lessons = _LESSONS
                return found
        if self._known:
            self._misses += 1
            if self._misses > _MOST_MISSES:
                self._known = []
        return None

    def learn(self, payload: bytes, document: Raw) -> None:
        """Learn from an event that was no error, unless learning has not paid off.

        It is done when the next events are there, so that nobody waits for it before they have
        the chunk of this one.

        Args:
            payload: The event's one line of data.
            document: It, parsed; kept, and not to be changed from now on.
        """
        self._catch_up()
        if self._lessons:
            self._lesson = payload, document

    def _catch_up(self) -> None:
        """Learn what was put off."""
        if self._lesson is not None:
            lesson, self._lesson = self._lesson, None
            self._study(*lesson)

    def _study(self, payload: bytes, document: Raw) -> None:
        path = _growing_text(document)
        if path is None or says_error(payload) or may_hold_surrogates(payload):
            return
        self._lessons -= 1
        self._hits = 0
        changing = [name for name in _CHANGING if self._has_changed(name, document)]
        ways = [*([name] for name in changing), *_texts(document, path)]
        spans = [span for way in ways if (span := span_of(payload, document, way)) is not None]
        if len(spans) == len(ways):
            fields = dict(zip(changing, spans, strict=False))
            template = Template(payload, document, path, sorted(spans[len(fields) :]), fields)
            self._known = [template, *self._known[: _MOST_KNOWN - 1]]
            self._misses = 0

    def _has_changed(self, name: str, document: Raw) -> bool:
        """Return whether a field of a chunk is not the same in all, and may change."""
        value = document.get(name)
        if not value or type(value) not in (int, str):
            return False
        return any(
            name in known.names or value != known.document.get(name) for known in self._known
        )


class _Field(NamedTuple):
    """A field of the chunk that may differ.

    Attributes:
        constant: The bytes between it and what is read next.
        read: Reads its value; what it returns is false where this is not of the usual kind.
    """

    constant: bytes
    read: Callable[[bytes], int | str]


class Template:
    """The bytes around the text of a chunk, and what makes chunks of it.

    Attributes:
        document: The document of the chunk.
        names: The names of the fields that may differ, in the order in which they are read; those
            of their slots, too.
    """

    __slots__ = (
        "_after",
        "_before",
        "_between",
        "_first",
        "_growing",
        "_last",
        "_make",
        "document",
        "names",
    )

    def __init__(
        self,
        payload: bytes,
        document: Raw,
        path: Path,
        texts: list[Span],
        changing: dict[str, Span],
    ) -> None:
        """Learn from a chunk.

        Args:
            payload: Its bytes.
            document: Its document.
            path: The way to its text.
            texts: Where this stands in the bytes: in one place, or in two, in their order.
            changing: Where the fields of the chunk stand that may differ too.
        """
        self.document = document
        self._make = _maker(document, path)
        self._growing = _growing(document, path)
        # Fields before the text are read from the left, those behind it from the right: the text
        # may hold anything, they hold no quotes.
        places = sorted((place, name) for name, place in changing.items())
        begin, end = texts[0][0], texts[-1][1]
        before = [each for each in places if each[0][0] < begin]
        after = [each for each in reversed(places) if each[0][0] > end]
        self.names = [name for _, name in before + after]
        self._first = payload[: before[0][0][0] if before else begin]
        self._last = payload[after[0][0][1] if after else end :]
        # Between the text and the same text in its other place.
        self._between = payload[texts[0][1] : texts[1][0]] if len(texts) > 1 else b""
        starts = [*(place[0] for place, _ in before[1:]), begin]
        self._before = [
            _Field(payload[place[1] : start], reader_of(document[name]))
            for (place, name), start in zip(before, starts, strict=False)
        ]
        stops = [*(place[1] for place, _ in after[1:]), end]
        self._after = [
            _Field(payload[stop : place[0]], reader_of(document[name]))
            for (place, name), stop in zip(after, stops, strict=False)
        ]

    def read(self, wires: Sequence[Wire], start: int) -> Alike | None:
        """Return the chunks of the events from one on that are like this; None for no one."""
        values: list[int | str] = []
        texts = self._read_texts(islice(wires, start, None) if start else wires, values)
        if not texts:
            return None
        chunks = self._make(texts)
        names = self.names
        for place, name in enumerate(names):
            # An event that was given up half-way may have left more values.
            for chunk, value in zip(chunks, values[place :: len(names)], strict=False):
                setattr(chunk, name, value)
        return Alike(chunks, texts, self._growing)

    def _read_texts(self, wires: Iterable[Wire], values: list[int | str]) -> list[str]:
        """Read events up to the first one that is not like this.

        Args:
            wires: The events.
            values: The values of the fields that differ, event by event; added to.
        """
        first, last = self._first, self._last
        begin, end = len(first), -len(last)
        names, between = self.names, self._between
        texts = []
        for wire in wires:
            if type(wire) is not bytes or not wire.startswith(first) or not wire.endswith(last):
                break
            # Of an event that is too short to be like this, nothing is left.
            inner = wire[begin:end]
            if names:
                inner = self._take_fields(inner, values)
            if between:
                inner = half_of(inner, between)
            try:
                text = inner.decode()
            except UnicodeDecodeError:
                break
            if '"' in text or "\\" in text:
                text = unescaped(text)
            if not text:
                break
            texts.append(text)
        return texts

    def _take_fields(self, inner: bytes, values: list[int | str]) -> bytes:
        """Take the fields that differ from both ends; return what is left, nothing for a miss."""
        for constant, read in self._before:
            field, _, inner = inner.partition(constant)
            value = read(field)
            if not value:
                return b""
            values.append(value)
        for constant, read in self._after:
            inner, _, field = inner.rpartition(constant)
            value = read(field)
            if not value:
                return b""
            values.append(value)
        return inner


def _growing_text(document: Raw) -> list[str | int] | None:
    """Return the way to the one text that a chunk brings; None where there is none, or more."""
    choices = document.get("choices")
    if type(choices) is not list or len(choices) != 1 or type(choices[0]) is not dict:
        return None
    choice = choices[0]
    delta = choice.get("delta")
    is_end = choice.get("finish_reason") not in (None, "")
    if type(delta) is not dict or is_end or type(index_of(choice)) is not int:
        return None
    content, calls = delta.get("content"), delta.get("tool_calls")
    key = reasoning_key(delta)
    way: list[str | int] = ["choices", 0, "delta"]
    if calls is not None:
        is_alone = content in (None, "") and not delta.get(key) and _is_one_call(calls)
        return [*way, "tool_calls", 0, "function", "arguments"] if is_alone else None
    if delta.get(key):
        is_alone = content in (None, "") and type(delta[key]) is str
        return [*way, key] if is_alone else None
    return [*way, "content"] if type(content) is str and content else None


def _texts(document: Raw, path: Path) -> list[Path]:
    """Return the ways to the places where the text stands: reasoning may come with its details."""
    key = (
        None
        if path[-1] in ("content", "arguments")
        else detail_key(document["choices"][0]["delta"])
    )
    return [path] if key is None else [path, [*path[:-1], "reasoning_details", 0, key]]


def _is_one_call(calls: object) -> bool:
    """Return whether tool calls are the usual delta of one call, and nothing else."""
    if type(calls) is not list or len(calls) != 1 or type(calls[0]) is not dict:
        return False
    call: Raw = calls[0]
    function = call.get("function")
    if len(call) != 2 or type(call.get("index")) is not int or type(function) is not dict:
        return False
    return len(function) == 1 and type(function.get("arguments")) is str and function["arguments"]


def _maker(document: Raw, path: Path) -> Maker:
    field = path[-1]
    if field == "content":
        return with_content(document)
    if field == "arguments":
        return with_arguments(document)
    return with_reasoning(document, detail_key(document["choices"][0]["delta"]))


def _growing(document: Raw, path: Path) -> Growing | None:
    """Return which text grows; None where the choice or its delta has more that adds up."""
    choice = document["choices"][0]
    delta = choice["delta"]
    texts = {"tool_calls", "role", *map(str, path)}
    beside = [value for key, value in delta.items() if key not in texts and key != "content"]
    beside += [
        value for key, value in choice.items() if key not in ("index", "delta", "finish_reason")
    ]
    role = delta.get("role")
    if any(value is not None for value in beside) or not (role is None or type(role) is str):
        return None
    return Growing(index_of(choice), str(path[-1]))
