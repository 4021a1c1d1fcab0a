"""Which way of showing an answer fits: what the user wants, and where stdout leads."""

from __future__ import annotations

import sys

from .show import JsonShow, PlainShow, Show

__all__ = ["choose"]


def choose(*, as_json: bool, plain: bool, waiting_for: str) -> Show:
    """Return how to show an answer on stdout.

    Args:
        as_json: Whether a JSON document is wanted.
        plain: Whether plain text is wanted although a person may be looking.
        waiting_for: Whom a person waits for before the first text comes.
    """
    out = sys.stdout
    if as_json:
        return JsonShow(out)
    # The stream is asked and not rich alone: FORCE_COLOR makes rich see a terminal in every pipe.
    if plain or not out.isatty():
        return PlainShow(out)
    from rich.console import Console

    console = Console(file=out, highlight=False)
    if not console.is_interactive:  # TERM=dumb and the like
        return PlainShow(out)
    from .live import LiveShow

    return LiveShow(console, waiting_for=waiting_for)
