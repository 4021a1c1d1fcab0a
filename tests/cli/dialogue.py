"""A person who talks to the command in a pseudo-terminal: looks, types, and looks again."""

from __future__ import annotations

import codecs
import os
import select
import struct
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

from .screen import Screen

# What decides how rich draws and how Python buffers, and is not set for most people.
NOT_A_PERSONS = (
    *("COLUMNS", "LINES", "NO_COLOR", "FORCE_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE"),
    "PYTHONUNBUFFERED",
)
COMMAND = [sys.executable, "-m", "evoclient", "chat"]

CTRL_C = "\x03"
CTRL_D = "\x04"
UP = "\x1b[A"
ENTER = "\r"

# Seconds; only a command that hangs is waited for so long.
PATIENCE = 15.0


def environment(**more: str) -> dict[str, str]:
    """Return the environment of a person at a terminal."""
    kept = {name: value for name, value in os.environ.items() if name not in NOT_A_PERSONS}
    return {**kept, "TERM": "xterm-256color", **more}


class Dialogue:
    """The command in a terminal of its own, which is its controlling one: Ctrl-C works."""

    def __init__(self, *arguments: str, state: Path, width: int = 80, height: int = 24) -> None:
        """Start `evoclient chat`.

        Args:
            arguments: What stands behind `evoclient chat`.
            state: The folder for what programs remember.
            width: Of the terminal.
            height: Of the terminal.
        """
        import fcntl
        import termios

        self._ours, theirs = os.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", height, width, 0, 0))
        self._process = subprocess.Popen(
            # A new session has no controlling terminal yet; the command takes this one.
            [sys.executable, "-c", _TAKE_TERMINAL, *COMMAND, *arguments],
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            env=environment(XDG_STATE_HOME=str(state)),
            start_new_session=True,
        )
        os.close(theirs)
        self._decoder = codecs.getincrementaldecoder("utf-8")()
        self._screen = Screen(width, height)
        self._written = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._process.kill()
        self._process.wait()
        os.close(self._ours)

    @property
    def text(self) -> str:
        """What the person sees, scrollback included."""
        return self._screen.text

    def sees(self, text: str, *, at_prompt: bool = False) -> None:
        """Look until a text is there, and if so wished an empty prompt below it."""
        self._look(lambda: text in self.text and (not at_prompt or self._is_at_prompt()))

    def says(self, *lines: str) -> None:
        """Type some lines, each at an empty prompt, and look until the prompt is back."""
        for line in lines:
            self._look(self._is_at_prompt)
            self._say(line)

    def _say(self, line: str) -> None:
        before = self.text
        self.types(line + ENTER)
        self._look(lambda: self.text != before and self._is_at_prompt())

    def types(self, keys: str) -> None:
        """Press some keys."""
        os.write(self._ours, keys.encode())

    def interrupts(self, after: float = 0.1) -> None:
        """Press Ctrl-C at a prompt.

        No sooner than a person could: a signal between readline's last look at its input and its
        waiting for more is seen by CPython with the next key only.
        """
        time.sleep(after)
        self.types(CTRL_C)

    def status(self) -> int:
        """Look until the command ends, and return its exit status."""
        self._look(lambda: False, until_end=True)
        return self._process.wait(timeout=PATIENCE)

    def _is_at_prompt(self) -> bool:
        return self.text.endswith("\n>")

    def _look(self, is_there: Callable[[], bool], *, until_end: bool = False) -> None:
        end = time.monotonic() + PATIENCE
        while not is_there():
            assert time.monotonic() < end, f"not seen:\n{self.text}"
            if not select.select([self._ours], [], [], 0.1)[0]:
                continue
            try:
                block = os.read(self._ours, 65536)
            except OSError:  # how Linux says that the program has ended
                block = b""
            if not block:
                assert until_end, f"ended early:\n{self.text}"
                return
            self._written = self._screen.write(self._written + self._decoder.decode(block))


_TAKE_TERMINAL = (
    "import fcntl, os, sys, termios\n"
    "fcntl.ioctl(0, termios.TIOCSCTTY, 0)\n"
    "os.execv(sys.argv[1], sys.argv[1:])\n"
)
