"""Whether a request is the one that was recorded, and if not, where they differ."""

from __future__ import annotations

from typing import Any, Final, Literal, TypeAlias, get_args
from urllib.parse import urlsplit

import attrs

from ..ground import MASK, ConfigurationError, elide
from ..models.codec import loads
from ..streaming.recording import Exchange
from ..wire import Request
from .redaction import shown_document, shown_path

__all__ = ["Difference", "Match", "check_match", "difference", "is_same_path"]

#: What of a request must be as recorded: "body" is method, path and JSON body; "path" is without
#: the body.
Match: TypeAlias = Literal["body", "path"]

#: Characters of a value in an error, and of what both values begin with.
_SHOWN: Final = 60
_COMMON: Final = 20

_MISSING: Final = object()

#: Names of members and numbers of items, from the outside in.
_Keys: TypeAlias = tuple[str | int, ...]


@attrs.frozen
class Difference:
    """The first place where two documents differ.

    Attributes:
        path: The keys that lead there, such as ``messages[0].content``; "" for the whole.
        recorded: What was recorded there, fit for an error.
        asked: What is asked now, fit for an error.
    """

    path: str
    recorded: str
    asked: str


def check_match(match: object) -> None:
    """Refuse a manner of comparing that means nothing.

    Raises:
        ConfigurationError: It is neither "body" nor "path".
    """
    if match not in get_args(Match):
        raise ConfigurationError(
            'match is "body" (method, path and JSON body must be as recorded) or "path" (the body '
            f"is not compared), not {match!r}.",
            argument="match",
        )


def is_same_path(request: Request, exchange: Exchange) -> bool:
    """Whether a request has the method and the path of a recorded one.

    Where one path is longer at its beginning, it is that of another base URL.
    """
    one, other = shown_path(request), urlsplit(exchange.url).path
    return request.method == exchange.method and (one.endswith(other) or other.endswith(one))


def difference(request: Request, exchange: Exchange) -> Difference | None:
    """Return where the JSON bodies of a request and a recorded one differ.

    What was masked when it was recorded may be anything. None: they do not differ, or one of them
    is not JSON.
    """
    try:
        asked, recorded = loads(request.body or b""), loads(exchange.request_body or b"")
    except ValueError:
        return None
    keys = _compare(recorded, asked)
    if keys is None:
        return None
    # Compared as it is, but shown without what an error may not hold.
    now = _value(shown_document(request), keys)
    return Difference(_path(keys), *_shown(_value(recorded, keys), now))


def _compare(recorded: Any, asked: Any) -> _Keys | None:
    """Return the keys that lead to the first difference; None where there is none."""
    match recorded, asked:
        case str(), _ if recorded == MASK:
            return None
        case dict(), dict():
            return _compare_members(recorded, asked)
        case list(), list():
            return _compare_items(recorded, asked)
        case str(), str():
            is_same = _fits(recorded, asked)
        case bool(), _:
            is_same = recorded is asked
        case _, bool():
            is_same = False
        case _:
            is_same = recorded == asked
    return None if is_same else ()


def _compare_members(recorded: dict[str, Any], asked: dict[str, Any]) -> _Keys | None:
    left = dict(asked)
    for name, value in recorded.items():
        partner = name if name in left else next((key for key in left if _fits(name, key)), None)
        if partner is None:
            return (name,)
        if (keys := _compare(value, left.pop(partner))) is not None:
            return (name, *keys)
    return next(((name,) for name in left), None)


def _compare_items(recorded: list[Any], asked: list[Any]) -> _Keys | None:
    for number, (one, other) in enumerate(zip(recorded, asked, strict=False)):
        if (keys := _compare(one, other)) is not None:
            return (number, *keys)
    return None if len(recorded) == len(asked) else (min(len(recorded), len(asked)),)


def _value(document: Any, keys: _Keys) -> Any:
    """Return what stands in a document behind some keys."""
    for key in keys:
        try:
            document = document[key]
        except (LookupError, TypeError):
            return _MISSING
    return document


def _path(keys: _Keys) -> str:
    """Return keys as people write them, such as ``messages[0].content``."""
    return "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in keys).lstrip(".")


def _fits(recorded: str, asked: str) -> bool:
    """Whether a text is the recorded one, with anything in place of what was masked."""
    if recorded == asked:
        return True
    first, *middle = recorded.split(MASK)
    if not middle:
        return False
    last = middle.pop()
    if len(asked) < len(first) + len(last):
        return False
    place, end = len(first), len(asked) - len(last)
    for part in middle:
        place = asked.find(part, place, end)
        if place < 0:
            return False
        place += len(part)
    return asked.startswith(first) and asked.endswith(last)


def _shown(recorded: Any, asked: Any) -> tuple[str, str]:
    """Return two values for people; of long texts what is there where they begin to differ."""
    skipped = 0
    if isinstance(recorded, str) and isinstance(asked, str):
        pairs = zip(recorded, asked, strict=False)
        shared = next((at for at, (one, other) in enumerate(pairs) if one != other), None)
        length = min(len(recorded), len(asked)) if shared is None else shared
        skipped = max(0, length - _COMMON) if length > _SHOWN - _COMMON else 0
    return _text(recorded, skipped), _text(asked, skipped)


def _text(value: Any, skipped: int) -> str:
    if value is _MISSING:
        return "not there"
    shown = f"…{value[skipped:]}" if skipped else value
    return elide(repr(shown), _SHOWN)
