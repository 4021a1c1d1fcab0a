"""Reading environment variables: the first of several that is set, and not blank, counts."""

from __future__ import annotations

import os
from collections.abc import Iterable

__all__ = ["first_set", "variable"]


def first_set(variables: Iterable[str]) -> str | None:
    """Return the name of the first variable that is set, or None."""
    return next((name for name in variables if os.environ.get(name, "").strip()), None)


def variable(variables: Iterable[str]) -> str | None:
    """Return the value of the first variable that is set, or None."""
    name = first_set(variables)
    return None if name is None else os.environ[name].strip()
