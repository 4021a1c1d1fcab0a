"""Text between ``<think>`` and ``</think>`` is reasoning, wherever the chunks were cut.

Some servers leave the thinking of a model among its content. The tags vanish, and the text outside
stays as it is. A block that is not closed lasts to the end; a closing tag without a block is text.
"""

from __future__ import annotations

from typing import Any, Final

from ..models.chat import ChatCompletion
from ..models.chunks import ChatCompletionChunk, ChoiceDelta, ChunkChoice, read_chunk
from ..models.fields import adopt
from ..models.text import reasoning_key
from .rewriting import choice_index, put_content, put_text

__all__ = ["Thinking", "split_completion"]

_OPENING: Final = "<think>"
_CLOSING: Final = "</think>"


class Thinking:
    """A stage that moves ``<think>`` blocks from the content to the reasoning.

    Of the text of each choice, only what may be the beginning of a tag is held back.
    """

    __slots__ = ("_keys", "_splits")

    def __init__(self) -> None:
        """Start outside of a block."""
        # Of the choices that hold something, or are inside a block.
        self._splits: dict[int, _Split] = {}
        # Under which name a choice has its own reasoning, where it has any.
        self._keys: dict[int, str] = {}

    def feed(self, chunk: ChatCompletionChunk) -> bool:
        """Change a chunk in place; there is always something left to hand out."""
        for choice in chunk.choices:
            delta = choice.delta
            text: object = delta.content
            if self._splits or (type(text) is str and "<" in text):
                self._feed(choice, delta)
            elif not text and "reasoning_content" in delta._raw:
                self._notice(choice_index(choice.index), delta)
        return True

    def lets_pass(self, text: str) -> bool:
        """Return whether no block is open and no tag begins in a text."""
        return not self._splits and "<" not in text

    def finish(self) -> ChatCompletionChunk | None:
        """Learn that nothing more comes; return what was still held back, or None."""
        choices = []
        for index, split in self._splits.items():
            if split.held:
                name = self._keys.get(index, "reasoning") if split.is_inside else "content"
                delta = {name: split.held}
                choices.append({"index": index, "delta": delta, "finish_reason": None})
        self._splits.clear()
        if not choices:
            return None
        return read_chunk({"object": "chat.completion.chunk", "choices": choices})

    def is_within(self, choice: int) -> bool:
        """Return whether the text of a choice stands inside of a block, or of one of its tags."""
        return choice in self._splits

    def _feed(self, choice: ChunkChoice, delta: ChoiceDelta) -> None:
        index = choice_index(choice.index)
        self._notice(index, delta)
        content: Any = delta.content  # a server may send what is no text
        text: str = content if type(content) is str else ""
        is_last = bool(choice.finish_reason)
        split = self._splits.pop(index, None) or _Split()
        if text or (is_last and split.held):
            outside, inside = split.feed(text, is_last)
            if inside:
                key = self._keys.get(index) or reasoning_key(delta._raw)
                choice.delta = _with_reasoning(delta, key, inside)
            if outside != content:
                put_content(choice, outside)
        if not is_last and (split.is_inside or split.held):
            self._splits[index] = split

    def _notice(self, index: int, delta: ChoiceDelta) -> None:
        if delta.reasoning is not None:
            self._keys[index] = reasoning_key(delta._raw)


def split_completion(completion: ChatCompletion) -> None:
    """Move ``<think>`` blocks of a whole answer from the content to the reasoning.

    It does to `message.content` what `Thinking` does to a stream. The thinking of a block comes
    after reasoning that the message has already.

    Args:
        completion: The answer, which is changed in place.
    """
    for choice in completion.choices:
        message = choice.message
        text: object = message.content
        if isinstance(text, str) and _OPENING in text:
            outside, inside = _Split().feed(text, is_last=True)
            put_text(choice, outside)
            if inside:
                message.reasoning = _after(message.reasoning, inside)


class _Split:
    """Where the text of one choice stands.

    Attributes:
        is_inside: Whether a block is open.
        held: The end of the text, which may be the beginning of a tag.
    """

    __slots__ = ("held", "is_inside")

    def __init__(self) -> None:
        self.is_inside = False
        self.held = ""

    def feed(self, piece: str, is_last: bool) -> tuple[str, str]:
        """Take a piece of content; return what is known to be outside, and inside, of blocks."""
        found: tuple[list[str], list[str]] = ([], [])
        text = self.held + piece
        start = 0
        while (end := text.find(self._tag, start)) >= 0:
            found[self.is_inside].append(text[start:end])
            start = end + len(self._tag)
            self.is_inside = not self.is_inside
        # A tag has its "<" at its beginning only, so nothing before the last one can be in one.
        end = text.rfind("<", start)
        if is_last or end < 0 or not self._tag.startswith(text[end:]):
            end = len(text)
        found[self.is_inside].append(text[start:end])
        self.held = text[end:]
        return "".join(found[False]), "".join(found[True])

    @property
    def _tag(self) -> str:
        return _CLOSING if self.is_inside else _OPENING


def _with_reasoning(delta: ChoiceDelta, key: str, moved: str) -> ChoiceDelta:
    """Return a delta with more reasoning: a field that was not sent needs an object of its own."""
    if delta.reasoning or len(delta._raw) > 1:
        fields = {**delta.to_dict(), key: _after(delta.reasoning, moved)}
        return adopt(ChoiceDelta, fields)
    # The usual delta, content alone: most of a stream may be thinking.
    made = adopt(ChoiceDelta, {**delta._raw, key: moved})
    made.content, made.reasoning = delta.content, moved
    made.refusal = made.tool_calls = None
    return made


def _after(own: object, moved: str) -> str:
    return own + moved if isinstance(own, str) else moved
