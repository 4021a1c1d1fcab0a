"""Which stages a stream has: chosen when it opens, so that what nobody asked for is absent."""

from __future__ import annotations

from copy import copy
from typing import TYPE_CHECKING, Protocol, TypeAlias

import attrs

from ..models.chat import ChatCompletion
from ..models.chunks import ChatCompletionChunk
from .assemble import Assembly
from .rewriting import choice_index
from .shapes import CHAT, Shape

if TYPE_CHECKING:
    from .seam import Seam
    from .skipping import Handed, Skipper
    from .stops import Stops
    from .tally import Tally
    from .thinking import Thinking

__all__ = ["Holder", "Stage", "StageOptions", "Stages"]

#: What a stream is put together by, or only counted.
Holder: TypeAlias = "Assembly | Tally"


class Stage(Protocol):
    """What changes chunks on their way from the parser to the reader.

    It assigns the slots of the records, never the JSON objects below them, which several chunks
    may share.
    """

    def feed(self, chunk: ChatCompletionChunk) -> bool:
        """Change a chunk in place; return False where nothing of it is left to hand out."""
        ...

    def lets_pass(self, text: str) -> bool:
        """Return whether chunks that bring this content in all, or none, would pass unchanged.

        A cheap look: False may also mean that only `feed` can tell.
        """
        ...

    def finish(self) -> ChatCompletionChunk | None:
        """Learn that nothing more comes; return what was still held back, or None."""
        ...


@attrs.frozen(kw_only=True, eq=False, repr=False)
class StageOptions:
    """What a call asks of the stages of its stream.

    Attributes:
        shape: What the endpoint streams.
        stops: The sequences that end a choice here; empty: only the server does.
        split_think: Whether ``<think>`` blocks of the content are reasoning.
        accumulate: Whether what is streamed is kept.
    """

    shape: Shape = CHAT
    stops: tuple[str, ...] = ()
    split_think: bool = False
    accumulate: bool = True

    def begin(self) -> Stages:
        """Return the stages of an answer that begins."""
        return Stages(
            options=self,
            assembly=self._holder(),
            thinking=self._thinking(),
            stops=self._stops(),
        )

    # What is not asked for is not loaded either.

    def _holder(self) -> Holder:
        if self.accumulate:
            return Assembly(self.shape.completion)
        from .tally import Tally

        return Tally(self.shape.completion)

    def _thinking(self) -> Thinking | None:
        if not self.split_think:
            return None
        from .thinking import Thinking

        return Thinking()

    def _stops(self) -> Stops | None:
        if not self.stops:
            return None
        from .stops import Stops

        return Stops(self.stops, read=self.shape.read)


@attrs.frozen(kw_only=True, eq=False, repr=False)
class Stages:
    """The stages of one reply, in the order in which chunks pass them.

    Attributes:
        options: What the call asks of them.
        thinking: Moves ``<think>`` blocks from the content to the reasoning, or None.
        seam: Joins the reply to what an earlier one gave, or None.
        stops: Enforces the stop sequences, or None.
        assembly: Puts the answer together.
        skipper: Leaves out what was handed out of an earlier answer, or None.
        shown: Where there is a skipper: all that was handed out, of earlier answers and, until
            it departs, of this one. Else None.
        is_muted: Whether this answer thinks differently, and its thoughts are not handed out, so
            that nothing that was is void.
    """

    options: StageOptions
    thinking: Thinking | None = None
    seam: Seam | None = None
    stops: Stops | None = None
    assembly: Holder
    skipper: Skipper | None = None
    shown: Holder | None = None
    is_muted: bool = False

    def before_assembly(self) -> tuple[Stage, ...]:
        """Return the stages before the assembly."""
        return tuple(stage for stage in (self.thinking, self.seam, self.stops) if stage is not None)

    @property
    def is_repeating(self) -> bool:
        """Whether the answer still repeats what was handed out of an earlier one."""
        return self.skipper is not None and (self.skipper.is_within or self.is_muted)

    @property
    def is_in_a_tag(self) -> bool:
        """Whether the answer broke within ``<think>`` or one of its tags."""
        return self.thinking is not None and self.thinking.is_within(0)

    def held_back(self) -> str:
        """Return the text of choice 0 that may be the beginning of a stop sequence."""
        return "" if self.stops is None else self.stops.held(0)

    def partial(self) -> ChatCompletion:
        """Return what the reader has: of a choice that repeats another one, the other one."""
        completion = self.assembly.completion()
        if self.is_muted and self.shown is not None:
            is_over = len(self.assembly.finish_reasons) >= len(self.shown.seen)
            return completion if is_over else self.shown.completion()
        behind = set() if self.skipper is None else self.skipper.behind - {*self.skipper.departures}
        if self.skipper is None or self.shown is None or not behind:
            return completion
        shown = self.shown.completion()
        if not self.skipper.departed:
            return shown
        came = [each for each in completion.choices if choice_index(each.index) not in behind]
        kept = [each for each in shown.choices if choice_index(each.index) in behind]
        mixed = copy(completion)  # the assembly keeps what it has built
        mixed.choices = sorted([*came, *kept], key=lambda each: choice_index(each.index))
        return mixed

    def seen(self) -> dict[int, Handed]:
        """Return by choice what was handed out."""
        from .skipping import handed_of  # loaded when a stream has broken

        if self.is_muted and self.shown is not None:
            return handed_of(self.shown.completion())
        came = self.assembly.completion()
        return handed_of(came) if self.skipper is None else self.skipper.seen(came)

    def begin_anew(self) -> Stages:
        """Return the stages of another answer in the place of this one."""
        from .skipping import Skipper  # as above

        is_one = self.is_muted or (self.skipper is not None and not self.skipper.departed)
        shown = self.shown if is_one and self.shown is not None else self.assembly
        return attrs.evolve(self.options.begin(), skipper=Skipper(self.seen()), shown=shown)

    def go_on(self, seam: Seam) -> Stages:
        """Return the stages of a reply that goes on with this answer."""
        return attrs.evolve(self, seam=seam, skipper=None, shown=None, is_muted=False)
