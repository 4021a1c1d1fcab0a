"""The command without the extra ``cli``: its version, its help, and what is missing."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from .._version import __version__
from .failures import MISUSED

__all__ = ["run_without"]

_INSTALL = 'pip install "evoclient[cli]"'


def run_without(missing: Sequence[str], arguments: Sequence[str]) -> int:
    """Answer ``--version`` and ``--help``; name the extra for everything else.

    Args:
        missing: The libraries that are not there.
        arguments: What stands behind the command's name.

    Returns:
        The exit status.
    """
    parser = argparse.ArgumentParser(
        prog="evoclient",
        usage="evoclient [--version] [--help] COMMAND ...",
        description="Talk to chat APIs that speak the OpenAI dialect.",
        epilog="The commands (chat, completion, models, record, replay, serve) need the extra "
        f"“cli”: {_INSTALL}",
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"evoclient {__version__}")
    try:
        parser.parse_known_args(arguments)
    except SystemExit as done:  # how argparse ends after --version and --help
        return done.code if isinstance(done.code, int) else MISUSED
    print(
        f"Error: the command needs {' and '.join(missing)}, which the extra “cli” brings: "
        f"{_INSTALL}",
        file=sys.stderr,
    )
    return MISUSED
