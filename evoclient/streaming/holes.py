"""Where in the bytes of a JSON document one of its values stands, proved.

Another value of the same kind can then be put there: the document stays the same but for it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final, TypeAlias

from ..models.codec import loads

__all__ = ["Path", "Span", "span_of"]

#: The way to a value: keys of objects, places in lists.
Path: TypeAlias = Sequence[str | int]

#: Where a value begins, and where it ends. The quotes of a text are outside.
Span: TypeAlias = tuple[int, int]

#: So many places that look like the value are tried.
_MOST_TRIED: Final = 4


def span_of(payload: bytes, document: dict[str, Any], path: Path) -> Span | None:
    """Return where a text or a whole number stands.

    It is proved with another value in its place: parsed, this must be found at the path, and all
    else be as it was. So a twin under a key that comes twice, or within another text, is not taken
    for it.

    Args:
        payload: The document's bytes.
        document: The document, parsed.
        path: The way to the value, which must be there.

    Returns:
        The span; None where it is not found: there are many ways to write a text.
    """
    *way, last = path
    holder = _walk(document, way)
    value = holder[last]
    is_text = isinstance(value, str)
    other = f"{value}?" if is_text else value + 1
    instead = b"?" if is_text else str(other).encode()
    for start, end in _candidates(payload, value):
        changed = payload[: end if is_text else start] + instead + payload[end:]
        try:
            parsed = loads(changed)
            there = _walk(parsed, way)
            found = there[last]
        except (ValueError, LookupError, TypeError):
            continue
        if type(found) is type(other) and found == other:
            there[last] = value
            if parsed == document:
                return start, end
    return None


def _walk(document: Any, way: Path) -> Any:
    for step in way:
        document = document[step]
    return document


def _candidates(payload: bytes, value: str | int) -> Iterator[Span]:
    """Yield the places where the bytes of a value may stand."""
    width = int(isinstance(value, str))  # of a quote
    for token in _written(value):
        start = -1
        for _ in range(_MOST_TRIED):
            start = payload.find(token, start + 1)
            if start < 0:
                break
            yield start + width, start + len(token) - width


def _written(value: str | int) -> list[bytes]:
    """Return a value as servers write it: with escapes for what is not ASCII, or without."""
    import json

    plain = json.dumps(value, ensure_ascii=False).encode("utf-8", "surrogatepass")
    escaped = json.dumps(value).encode()
    return [plain] if plain == escaped else [plain, escaped]
