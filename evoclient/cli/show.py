"""How an answer is shown as plain text and as JSON; `live` has it for a person."""

from __future__ import annotations

import json
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Self, TextIO

from ..models.chat import ChatCompletion
from .terminal import harmless

__all__ = ["JsonShow", "PlainShow", "Show"]


class Show(AbstractContextManager["Show"]):
    """Is told an answer while it arrives. Leaving the block makes what was shown stay."""

    def reasoning(self, text: str) -> None:
        """Take a piece of what the model thinks; by default it is not shown."""

    def answer(self, text: str) -> None:
        """Take a piece of the answer."""

    def completion(self, completion: ChatCompletion) -> None:
        """Take the whole answer at its end, or what there is of it at a bad end."""

    def __enter__(self) -> Self:
        """Begin."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """End, whether it went well or not."""


class PlainShow(Show):
    """Writes the text of the answer as it comes, and nothing else."""

    def __init__(self, out: TextIO) -> None:
        """Write to a stream."""
        self._out = out
        # What a program reads is passed on to the last byte; what a terminal would obey is not.
        self._is_terminal = out.isatty()
        self._last = "\n"

    def answer(self, text: str) -> None:
        """Write a piece of the answer."""
        if text:
            self._out.write(harmless(text) if self._is_terminal else text)
            self._out.flush()
            self._last = text[-1]

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """End the last line."""
        if self._last != "\n" and not isinstance(error, BrokenPipeError):
            self._out.write("\n")


class JsonShow(Show):
    """Writes the completion as one JSON document at the end."""

    def __init__(self, out: TextIO) -> None:
        """Write to a stream."""
        self._out = out

    def completion(self, completion: ChatCompletion) -> None:
        """Write the document."""
        # Escapes where the encoding could not hold all characters: replaced ones would be lost.
        is_unicode = (self._out.encoding or "").lower().replace("-", "").startswith("utf")
        document = json.dumps(completion.to_dict(), ensure_ascii=not is_unicode, indent=2)
        self._out.write(f"{document}\n")
