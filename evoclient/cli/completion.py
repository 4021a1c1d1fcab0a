"""Completion in shells: what they load, and what they are offered. Click does the work."""

from __future__ import annotations

import os
from pathlib import PurePath
from typing import Final

import click
from click.shell_completion import CompletionItem, get_completion_class

__all__ = ["PROGRAM", "SHELLS", "own_shell", "providers", "script"]

#: The name that shells complete, however the program was started.
PROGRAM: Final = "evoclient"

#: What click asks the environment for before it runs a command.
_VARIABLE: Final = "_EVOCLIENT_COMPLETE"

SHELLS: Final = ("bash", "zsh", "fish")


def script(command: click.Command, shell: str) -> str:
    """Return what a shell has to load to complete a command.

    Args:
        command: The command.
        shell: One of `SHELLS`.
    """
    kind = get_completion_class(shell)
    assert kind is not None  # click knows all of ours
    return kind(command, {}, PROGRAM, _VARIABLE).source()


def own_shell() -> str | None:
    """Return the user's own shell, if it is one that can be completed in."""
    name = PurePath(os.environ.get("SHELL", "")).name
    return name if name in SHELLS else None


def providers(
    _context: click.Context, _parameter: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Return the presets that begin with what has been typed."""
    # Here, because most runs of the command complete nothing.
    from ..providers.presets import PRESETS

    return [
        CompletionItem(name, help=preset.base_url)
        for name, preset in PRESETS.items()
        if name.startswith(incomplete)
    ]
