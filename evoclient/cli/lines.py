"""What a person types: with line editing and history where Python has `readline`."""

from __future__ import annotations

import sys
from time import monotonic
from types import ModuleType
from typing import Final

from .history import History
from .interrupts import stoppable
from .terminal import say

__all__ = ["Lines"]

_PROMPT: Final = "> "
_MORE: Final = ". "

#: Seconds; Ctrl-C so soon was meant for the answer before, and pressed twice.
_SOON: Final = 0.5


class Lines:
    """Reads one message after the other."""

    def __init__(self, history: History | None) -> None:
        """Prepare the line editor.

        Args:
            history: What was typed before, and where to keep what will be; None keeps nothing.
        """
        self._history = history
        self._editor = _editor()
        if self._editor is not None and history is not None:
            for entry in history.entries():
                self._editor.add_history(entry)

    def read(self) -> str | None:
        """Return the next message, or None where the person ends the conversation.

        Ctrl-C throws away what has been typed; where nothing has, it ends, as Ctrl-D does.
        """
        began = monotonic()
        while True:
            parts: list[str] = []
            try:
                with stoppable():
                    self._read_into(parts)
            except KeyboardInterrupt:
                say("")
                if parts or self._has_typed() or monotonic() < began + _SOON:
                    continue
                return None
            except EOFError:
                say("")
                if not parts:
                    return None
            text = "\n".join(parts)
            if text.strip():
                self._remember(text)
                return text

    def _read_into(self, parts: list[str]) -> None:
        """Read a line, and those that follow while a backslash stands at the end."""
        line = _ask(_PROMPT)
        while line.endswith("\\"):
            parts.append(line[:-1])
            line = _ask(_MORE)
        parts.append(line)

    def _has_typed(self) -> bool:
        """Whether something stood in the line that Ctrl-C has ended."""
        return self._editor is not None and bool(self._editor.get_line_buffer())

    def _remember(self, text: str) -> None:
        if self._editor is not None:
            self._editor.add_history(text)
        if self._history is not None:
            self._history.remember(text)


def _ask(prompt: str) -> str:
    if sys.stdout.isatty():
        return input(prompt)
    # The answers go somewhere else, and a prompt would stand among them.
    print(prompt, end="", file=sys.stderr, flush=True)
    return input()


def _editor() -> ModuleType | None:
    """Return `readline`, set up, or None where this Python has none."""
    try:
        import readline
    except ImportError:  # Windows
        return None
    # We add entries ourselves: one for each message, however many lines it has.
    readline.set_auto_history(False)
    # Pasted lines arrive as one text then. What does not know the setting passes over it.
    readline.parse_and_bind("set enable-bracketed-paste on")
    return readline
