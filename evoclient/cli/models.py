"""`evoclient models`: what a server offers."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from decimal import Decimal, InvalidOperation
from typing import Any, Final, TextIO

from ..models.listing import Model
from .connection import connected
from .terminal import harmless, say

__all__ = ["models"]

#: Where servers say how many tokens a model takes; the first that is a number counts.
_CONTEXTS: Final = ("context_length", "max_model_len", "context_window", "max_context_length")

_HEADINGS: Final = ("Model", "Context", "In, $/M", "Out, $/M")
_MILLION: Final = 1_000_000


def models(
    *, provider: str | None, base_url: str | None, demo: bool, as_json: bool, wanted: str | None
) -> int:
    """List the models: a table on a terminal, lines of fields between tabs elsewhere.

    Args:
        provider: The preset, or None.
        base_url: The address, or None.
        demo: Whether to ask a demo server.
        as_json: Whether to write what the server tells as JSON.
        wanted: What the id or the name must hold, in any case, or None.

    Returns:
        The exit status.

    Raises:
        ConfigurationError: What is set does not fit together, or is not enough.
        APIError: There is no good answer.
    """
    with connected(provider=provider, base_url=base_url, demo=demo) as client:
        listed = client.models.list()
    found = [model for model in listed if _is_wanted(model, wanted or "")]
    if as_json:
        _write_json(found, sys.stdout)
        return 0
    rows = sorted(map(_row, found), key=lambda row: row[0].casefold())
    if sys.stdout.isatty():
        _draw(rows, sys.stdout)
    else:
        for row in rows:
            print("\t".join(row))
    if not rows:
        say("There is no such model." if wanted and len(listed) else "The server lists no models.")
    return 0


def _is_wanted(model: Model, wanted: str) -> bool:
    return any(wanted.casefold() in str(text).casefold() for text in (model.id, model.name or ""))


def _row(model: Model) -> tuple[str, str, str, str]:
    """Return what is shown of a model; a field is empty where the server does not tell."""
    # What a server sends must not begin another line or field.
    name = harmless(str(model.id)).replace("\n", " ").replace("\t", " ")
    return name, _context(model), _price(model, "prompt"), _price(model, "completion")


def _context(model: Model) -> str:
    for field in _CONTEXTS:
        tokens = getattr(model, field, None)
        if isinstance(tokens, int) and not isinstance(tokens, bool):
            return str(tokens)
    return ""


def _price(model: Model, kind: str) -> str:
    """Return what a million tokens cost, in dollars."""
    pricing: object = model.pricing  # a server may send what is no object
    given = pricing.get(kind) if isinstance(pricing, dict) else None
    try:
        price = Decimal(str(given)) * _MILLION
    except InvalidOperation:
        return ""
    if not price.is_finite():
        return ""
    # OpenRouter's routers cost what the model costs that they choose: they say -1.
    return "varies" if price < 0 else f"{price.normalize():f}"


def _draw(rows: Sequence[tuple[str, str, str, str]], out: TextIO) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="bold")
    for number, heading in enumerate(_HEADINGS):
        # An id is there to be copied: it goes on in the next line before it is cut.
        side: Any = "right" if number else "left"
        table.add_column(heading, justify=side, no_wrap=bool(number), overflow="fold")
    for row in rows:
        table.add_row(*map(Text, row))
    Console(file=out, highlight=False).print(table)


def _write_json(found: Sequence[Model], out: TextIO) -> None:
    """Write the models as the server tells them, in its envelope."""
    # Escapes where the encoding could not hold all characters: replaced ones would be lost.
    is_unicode = (out.encoding or "").lower().replace("-", "").startswith("utf")
    document = {"object": "list", "data": [model.to_dict() for model in found]}
    out.write(json.dumps(document, ensure_ascii=not is_unicode, indent=2) + "\n")
