"""Where in the bytes of a JSON document one of its values stands, proved; what stands there later.

Another value of the same kind can then be put there: the document stays the same but for it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final, TypeAlias

from ..models.codec import loads
from .surrogates import may_hold_surrogates

__all__ = ["Path", "Span", "half_of", "reader_of", "span_of", "unescaped"]

#: The way to a value: keys of objects, places in lists.
Path: TypeAlias = Sequence[str | int]

#: Where a value begins, and where it ends. The quotes of a text are outside.
Span: TypeAlias = tuple[int, int]

#: So many places that look like the value are tried.
_MOST_TRIED: Final = 4

#: The most digits of a number that differs.
_MOST_DIGITS: Final = 15

_ZERO: Final = ord("0")
_BACKSLASH: Final = ord("\\")
_QUOTE: Final = ord('"')


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


def reader_of(value: int | str) -> Callable[[bytes], int | str]:
    """Return what reads values of the kind of this one."""
    return _number if type(value) is int else _word


def _number(written: bytes) -> int:
    """Return a number; 0 where it is none of the usual kind.

    A longer number, or one that begins with a zero, may be something else.
    """
    if not written.isdigit() or len(written) > _MOST_DIGITS or written[0] == _ZERO:
        return 0
    return int(written)


def _word(written: bytes) -> str:
    """Return a text; empty where it is none of the usual kind, without quotes and escapes."""
    if not written.isascii() or _QUOTE in written or _BACKSLASH in written:
        return ""
    return written.decode()


def half_of(both: bytes, between: bytes) -> bytes:
    """Return a text that stands in two places; nothing where they differ."""
    text = both[: (len(both) - len(between)) // 2]
    return text if text + between + text == both else b""


def unescaped(inner: str) -> str:
    """Return the text of a JSON string with escapes, without its quotes.

    What is no JSON string between quotes has more than a text in it. Halves of characters are
    for those who mend them. Both are empty here.
    """
    quotes = inner.count('\\"')
    # Most escapes are line feeds and quotes, and no parser is needed for those alone.
    if inner.count("\\") == quotes + inner.count("\\n") and inner.count('"') == quotes:
        return inner.replace('\\"', '"').replace("\\n", "\n")
    if may_hold_surrogates(inner):
        return ""
    try:
        text = loads(f'"{inner}"')
    except ValueError:
        return ""
    return text if type(text) is str else ""
