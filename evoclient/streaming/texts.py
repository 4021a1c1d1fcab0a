"""What the older completions endpoint streams. Chats need none of its records."""

from __future__ import annotations

from typing import Final

from ..models.completions import completion_of, read_completion_chunk
from .shapes import Shape

__all__ = ["TEXT"]

#: The older completions endpoint.
TEXT: Final = Shape(read=read_completion_chunk, completion=completion_of)
