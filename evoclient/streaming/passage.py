"""The way of a chunk from the parser to the reader: the stages, the assembly, what is left out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeAlias

import attrs

from ..models.chunks import ChatCompletionChunk
from .ending import departed
from .metrics import StreamMetrics
from .rewriting import choice_index, take_details
from .sse import KeepAlive
from .stages import Stages
from .template import Alike

if TYPE_CHECKING:
    from .events import RestartEvent, RetryEvent
    from .skipping import Departure

__all__ = ["Item", "Passage"]

#: What a stream gives out.
Item: TypeAlias = "ChatCompletionChunk | KeepAlive | RetryEvent | RestartEvent"

#: Shared, as an empty set of its own takes a quarter of a kilobyte of each stream.
_NONE: Final[frozenset[int]] = frozenset()


class Passage:
    """Puts the chunks of one reply through its stages.

    Attributes:
        stages: The stages.
        assembly: Theirs.
        delivered: How many chunks have been given out.
        tells_all: Whether the reader is told more than chunks, such as signs of life.
        takes_back: Whether all who are told of chunks can be told that text is void.
    """

    def __init__(self, stages: Stages, metrics: StreamMetrics) -> None:
        """Begin before the first chunk.

        Args:
            stages: What the chunks pass.
            metrics: Learns of each chunk that is given out.
        """
        self.delivered = 0
        self.tells_all = False
        self.takes_back = False
        self._metrics = metrics
        self._last: ChatCompletionChunk | None = None
        # Choices whose second answer thinks something else: a reader who cannot take the first
        # thoughts back gets none of the second.
        self._muted = _NONE
        self._take_stages(stages)

    @property
    def is_thinking(self) -> bool:
        """Whether the last chunk brought a thought."""
        choices = [] if self._last is None else self._last.choices
        return any(choice.delta.reasoning for choice in choices)

    def take(
        self, chunk: ChatCompletionChunk, items: list[Item], *, is_handed_out: bool = True
    ) -> None:
        """Take a chunk, and give out what is left of it.

        Args:
            chunk: The chunk.
            items: What is given out; added to.
            is_handed_out: Whether the reader is to see it; the assembly always does.

        Raises:
            StreamInterruptedError: It belongs to another answer than what was given out, and the
                reader cannot take text back.
        """
        # The usual way in one frame: it is gone for each chunk.
        if not self._before or self._passes(chunk):
            self.assembly.feed(chunk)
            if is_handed_out and (self._skipper is None or self._is_new(chunk, items)):
                self.delivered += 1
                self._metrics.feed(chunk)
                self._last = chunk
                items.append(chunk)

    def take_alike(self, alike: Alike, items: list[Item]) -> bool:
        """Take chunks of a template all at once, where each of them only adds its text.

        Returns:
            Whether they were taken; else they are to be taken one by one.
        """
        growing = alike.growing
        if self._skipper is not None or growing is None:
            return False
        if self._before:
            text = "".join(alike.texts) if growing.field == "content" else ""
            if not all(stage.lets_pass(text) for stage in self._before):
                return False
        self.assembly.feed_alike(alike.chunks, alike.texts, growing)
        self._metrics.feed_alike(alike.chunks, alike.texts, growing)
        self.delivered += len(alike.chunks)
        self._last = alike.chunks[-1]
        items += alike.chunks
        return True

    def let_out(self, items: list[Item], *, is_broken: bool) -> None:
        """Give out what the stages still hold, now that nothing more comes.

        Args:
            items: What is given out; added to.
            is_broken: Whether the reply broke. A seam then cannot tell what it holds.

        Raises:
            StreamInterruptedError: As by `take`.
        """
        for place, stage in enumerate(self._before, 1):
            seam = self.stages.seam if stage is self.stages.seam else None
            chunk = None if seam is not None and is_broken else stage.finish()
            if chunk is None:
                continue
            if seam is not None and seam.departed:
                if self._begins_anew(chunk):
                    self._take_edited(chunk, items)
                self.let_out(items, is_broken=is_broken)  # of the stages of the other answer
                return
            if all(later.feed(chunk) for later in self._before[place:]):
                self._take_edited(chunk, items)
        if self._skipper is not None and not is_broken:
            rest = self._skipper.finish()
            self._tell_departures(items)
            if rest is not None:
                self._give(rest, items)

    def _take_stages(self, stages: Stages) -> None:
        """Keep at hand what each chunk passes."""
        self.stages = stages
        self.assembly = stages.assembly
        self._before = stages.before_assembly()
        self._skipper = stages.skipper

    def _passes(self, chunk: ChatCompletionChunk) -> bool:
        """Put a chunk through the stages; return whether anything is left of it."""
        for stage in self._before:
            if not stage.feed(chunk):
                return False
            if stage is self.stages.seam and self.stages.seam.departed:
                return self._begins_anew(chunk)
        return True

    def _begins_anew(self, chunk: ChatCompletionChunk) -> bool:
        """Learn that what was to go on with an answer is another one, begun with this chunk.

        What both have in common is kept, and the rest is for the skipper to judge.
        """
        anew = attrs.evolve(self.stages.begin_anew(), thinking=self.stages.thinking)
        self._take_stages(anew)
        return anew.stops is None or anew.stops.feed(chunk)

    def _take_edited(self, chunk: ChatCompletionChunk, items: list[Item]) -> None:
        """Take a chunk that has passed the stages."""
        self.assembly.feed(chunk)
        if self._skipper is None or self._is_new(chunk, items):
            self._give(chunk, items)

    def _give(self, chunk: ChatCompletionChunk, items: list[Item]) -> None:
        self.delivered += 1
        self._metrics.feed(chunk)
        self._last = chunk
        items.append(chunk)

    def _is_new(self, chunk: ChatCompletionChunk, items: list[Item]) -> bool:
        """Return whether the reader has not all of a chunk; what it has is taken out."""
        shown = self.stages.shown
        assert self._skipper is not None
        assert shown is not None
        is_left = self._skipper.feed(chunk)
        self._tell_departures(items)
        for choice in chunk.choices if self._muted else ():
            if choice_index(choice.index) in self._muted:
                choice.delta.reasoning = None
                take_details(choice.delta)
        if is_left:
            shown.feed(chunk)
        return is_left

    def _tell_departures(self, items: list[Item]) -> None:
        """Tell what of the answer that was given out is void.

        Raises:
            StreamInterruptedError: The reader cannot take text back.
        """
        for departure in [] if self._skipper is None else self._skipper.take_departures():
            if self.takes_back:
                from .events import RestartEvent  # loaded long since, with the reader of events

                items.append(RestartEvent(**attrs.asdict(departure)))
            elif self._is_of_thoughts_alone(departure):
                self._muted |= {departure.choice}
                self.stages = attrs.evolve(self.stages, is_muted=True)
            else:
                handed = None if self.stages.shown is None else self.stages.shown.completion()
                raise departed(handed, self.assembly.completion(), departure.keep)

    def _is_of_thoughts_alone(self, departure: Departure) -> bool:
        """Return whether nothing but the reasoning of a choice is void."""
        from .skipping import Handed, handed_of  # loaded long since, with the skipper

        shown = self.stages.shown
        had = {} if shown is None else handed_of(shown.completion())
        handed = had.get(departure.choice, Handed())
        return (
            departure.keep >= len(handed.content)
            and departure.refusal >= len(handed.refusal)
            and departure.tool_calls >= len(handed.tool_calls)
        )
