"""How stages change what a choice says: its slots, never the JSON object that was read.

The older completions endpoint has its text beside the delta or message, where it must change too.
"""

from __future__ import annotations

from ..models.chat import ChatChoice
from ..models.chunks import ChoiceDelta, ChunkChoice

__all__ = ["choice_index", "end_with", "put_content", "put_text", "take_details"]


def choice_index(index: object) -> int:
    """Return an index of a wrong type as a number: "1" is 1, what says nothing is 0."""
    try:
        return int(index)  # type: ignore[call-overload, no-any-return]
    except (TypeError, ValueError, OverflowError):
        return 0


def put_content(choice: ChunkChoice, content: str) -> None:
    """Put a text in the place of the content of a delta."""
    choice.delta.content = content
    _put_beside(choice, content)


def put_text(choice: ChatChoice, content: str) -> None:
    """Put a text in the place of the content of a message."""
    from ..models.completions import CompletionChoice  # chats without stages do not load it

    choice.message.content = content
    if isinstance(choice, CompletionChoice):
        choice.text = content
    _put_beside(choice, content)


def end_with(choice: ChatChoice | ChunkChoice, sequence: str) -> None:
    """Let a choice say that a stop sequence has ended it."""
    choice.finish_reason = "stop"
    choice.stop_reason = sequence
    # An assembly reads this one from the object, so the choice gets one of its own.
    choice._raw = {**choice._raw, "stop_reason": sequence}


def take_details(delta: ChoiceDelta) -> None:
    """Take the details of the reasoning out of a delta."""
    delta.reasoning_details = None
    # An assembly reads these from the object, so the delta gets one of its own.
    delta._raw = {key: sent for key, sent in delta._raw.items() if key != "reasoning_details"}


def _put_beside(choice: ChatChoice | ChunkChoice, content: str) -> None:
    raw = choice._raw
    if "text" not in raw:
        return
    from ..models.completions import CompletionChoice, CompletionChunkChoice  # as above

    if isinstance(choice, CompletionChoice | CompletionChunkChoice):
        choice._raw = {**raw, "text": content}
