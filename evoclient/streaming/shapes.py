"""What an endpoint streams: how its documents are read as chunks, and what they come to."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import attrs

from ..models.chat import ChatCompletion
from ..models.chunks import ChatCompletionChunk, read_chunk
from ..models.fields import adopt

__all__ = ["ANY", "CHAT", "Shape", "chat_completion_of"]


def chat_completion_of(assembled: dict[str, Any]) -> ChatCompletion:
    """Return the completion over a JSON object, which the caller gives away."""
    return adopt(ChatCompletion, assembled)


@attrs.frozen(kw_only=True, eq=False, repr=False)
class Shape:
    """What an endpoint streams.

    Attributes:
        read: Makes a chunk of a document.
        completion: Makes the record of what the chunks have been put together to.
        has_choices: Whether what is streamed has choices, and is whole when these have finish
            reasons. Else a stream that never had any is whole when its body ends as it should.
    """

    read: Callable[[dict[str, Any]], ChatCompletionChunk] = read_chunk
    completion: Callable[[dict[str, Any]], ChatCompletion] = chat_completion_of
    has_choices: bool = True


#: The chat endpoint.
CHAT: Final = Shape()

#: An endpoint that we know nothing of.
ANY: Final = Shape(has_choices=False)
