"""What each contender can do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

__all__ = ["KEY", "MESSAGES", "Contender", "Note"]

KEY = "k"
MESSAGES = [{"role": "user", "content": "Hello"}]

#: Is told each piece of text of a stream at once.
Note = Callable[[str], object]


class Contender(Protocol):
    """A way to read streams and answers.

    A client is whatever it needs for many calls. `model` says what the server sends, see
    `rendered.py`; the kind before its first colon says where the pieces are: in the content, the
    reasoning or the arguments of tool calls.
    """

    def load(self, colour: str) -> object:
        """Import what a program needs, for "sync" or "async"."""

    def open_sync(self, base_url: str) -> Any:
        """Make a client."""

    def close_sync(self, client: Any) -> None:
        """Close a client."""

    def count_sync(self, client: Any, model: str) -> int:
        """Read a stream in the shortest loop that looks at each piece, and return their number."""

    def note_sync(self, client: Any, model: str, note: Note) -> None:
        """Read a stream and tell each piece of text."""

    def keep_sync(self, client: Any, model: str) -> list[Any]:
        """Read a stream and return its chunks."""

    def whole_sync(self, client: Any) -> str:
        """Return the text of an answer that is no stream."""

    async def open_async(self, base_url: str) -> Any:
        """Make a client."""

    async def close_async(self, client: Any) -> None:
        """Close a client."""

    async def count_async(self, client: Any, model: str) -> int:
        """Read a stream in the shortest loop that looks at each piece, and return their number."""

    async def note_async(self, client: Any, model: str, note: Note) -> None:
        """Read a stream and tell each piece of text."""

    async def whole_async(self, client: Any) -> str:
        """Return the text of an answer that is no stream."""
