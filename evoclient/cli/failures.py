"""Exit statuses, and how an error is told: one line on stderr, a traceback only for debugging."""

from __future__ import annotations

import contextlib
import logging
import os
import sys
import traceback
from collections.abc import Callable, Iterator
from typing import Final

from ..ground import ConfigurationError, EvoClientError
from ..log import logger
from .terminal import say

__all__ = ["FAILED", "INTERRUPTED", "MISUSED", "guarded", "line_of"]

FAILED: Final = 1
MISUSED: Final = 2
#: As shells count: 128 and the number of the signal (SIGINT, SIGPIPE).
INTERRUPTED: Final = 130
UNREAD: Final = 141

#: What an argument of the client is called on the command line.
_FLAGS: Final = {
    "base_url": "--base-url",
    "model": "-m",
    "provider": "--provider or --base-url, and --demo needs neither",
}


def guarded(work: Callable[[], int], *, debug: bool) -> int:
    """Do some work and turn whatever ends it into an exit status.

    Args:
        work: Returns an exit status, or raises.
        debug: Whether to show tracebacks and the records of evoclient's logger.
    """
    with _log_on_stderr() if debug else contextlib.nullcontext():
        status = _status_of(work, debug=debug)
    try:
        # Here and not at the interpreter's exit, where nobody could handle a reader that has left.
        sys.stdout.flush()
    except BrokenPipeError:
        _discard_output()
        return UNREAD
    return status


def _status_of(work: Callable[[], int], *, debug: bool) -> int:
    try:
        return work()
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:  # the reader of stdout has left; a server's end has errors of its own
        return UNREAD
    except Exception as error:
        if debug:
            traceback.print_exc()
        say(f"Error: {line_of(error)}")
        return MISUSED if isinstance(error, ConfigurationError) else FAILED


def line_of(error: Exception) -> str:
    """Return what to say about an error, in one line."""
    if isinstance(error, EvoClientError):
        line = " ".join(error.message.split())
        flag = _FLAGS.get(getattr(error, "argument", None) or "")
        return f"{line} (On the command line: {flag}.)" if flag else line
    if isinstance(error, OSError):
        return str(error)
    return f"unexpected {type(error).__name__}: {error} (--debug shows where)"


def _discard_output() -> None:
    """Send what is still buffered nowhere, or Python would complain about it at its exit."""
    # A stream without a descriptor has nobody behind it who could have left.
    with contextlib.suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)


class _Stderr(logging.Handler):
    """Writes records to what stderr is at the time: a live display puts itself in its place."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write one record."""
        say(self.format(record))


@contextlib.contextmanager
def _log_on_stderr() -> Iterator[None]:
    handler = _Stderr()
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    level = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.DEBUG)
    try:
        yield
    finally:
        logger.setLevel(level)
        logger.removeHandler(handler)
