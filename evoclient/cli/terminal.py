"""The three standard streams: what comes in, and what may safely go out."""

from __future__ import annotations

import io
import sys
from typing import Final, TextIO

from ..ground import ConfigurationError

__all__ = ["harmless", "prepare", "question", "say"]

#: Control characters could move the cursor, rename the window or answer for the user. They are
#: shown by their pictures; line feeds and tabs stay, carriage returns go.
_PICTURES: Final[dict[int, int | None]] = {
    **{code: 0x2400 + code for code in range(0x20) if chr(code) not in "\t\n"},
    ord("\r"): None,
    0x7F: 0x2421,
    **dict.fromkeys(range(0x80, 0xA0), 0xFFFD),
}


def harmless(text: str) -> str:
    """Return a text that a terminal only shows, whatever a server has put into it."""
    return text.translate(_PICTURES)


def say(text: str) -> None:
    """Write a line for the person, beside the answer: to stderr."""
    print(harmless(text), file=sys.stderr, flush=True)


def prepare() -> None:
    """Make input and output replace what their encoding cannot hold, in place of failing."""
    for stream in (sys.stdin, sys.stdout):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


def question(argument: str | None, stdin: TextIO | None) -> str:
    """Return what to ask: the argument, then what is piped in, a blank line between them.

    Args:
        argument: The argument of the command, or None.
        stdin: Standard input, or None where the process has none.

    Raises:
        ConfigurationError: There is neither.
    """
    piped = "" if stdin is None or stdin.isatty() else stdin.read().removeprefix("\ufeff")
    parts = [part for part in (argument or "", piped.rstrip()) if part.strip()]
    if not parts:
        raise ConfigurationError(
            "There is nothing to ask. Give the question as an argument, "
            'evoclient chat "Why is the sky blue?", or pipe it in.'
        )
    return "\n\n".join(parts)
