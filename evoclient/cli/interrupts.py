"""Ctrl-C during a conversation: it stops what waits, an answer or a prompt, and nothing else."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

__all__ = ["deaf", "stoppable"]


@contextmanager
def deaf() -> Iterator[None]:
    """Ignore Ctrl-C: work done by half, such as giving a terminal back, would stay as it is."""
    before = signal.signal(signal.SIGINT, _ignore)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


@contextmanager
def stoppable() -> Iterator[None]:
    """Let Ctrl-C stop what is done inside a `deaf` block.

    Once: pressed again while an answer is being put away, it would lose the answer.

    Raises:
        KeyboardInterrupt: Ctrl-C was pressed.
    """
    before = signal.signal(signal.SIGINT, _stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _stop(_number: int, _frame: object) -> NoReturn:
    signal.signal(signal.SIGINT, _ignore)
    raise KeyboardInterrupt


def _ignore(_number: int, _frame: object) -> None:
    """Do nothing; with SIG_IGN, Python would complain about a second signal right after one."""
