"""The command `evoclient`.

The command itself stands on click and rich, the extra ``cli``. Without them there is just enough
to say so.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.util import find_spec

__all__ = ["main"]

#: What the extra ``cli`` brings.
_LIBRARIES = ("click", "rich")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit status.

    Args:
        arguments: What stands behind the command's name; default the process's own.

    Returns:
        0 where all went well, 1 after an error, 2 where the command was used wrongly, is not
        configured or lacks its extra, 130 after Ctrl-C, 141 where nobody reads on.
    """
    given = sys.argv[1:] if arguments is None else list(arguments)
    missing = [name for name in _LIBRARIES if not _is_installed(name)]
    if missing:
        from .fallback import run_without

        return run_without(missing, given)
    from .app import run

    return run(given)


def _is_installed(name: str) -> bool:
    try:
        return find_spec(name) is not None
    except (ImportError, ValueError):  # an import hook, or a half-removed module, says no
        return False
