"""JSON in and out: one behaviour, whether a compiled decoder is installed or not.

`loads` uses msgspec where the extra ``fast`` has brought it. What msgspec refuses is given to the
standard library, whose answer counts, so the two differ in speed only. `dumps` always uses the
standard library: it runs once for a request, and its bytes then never depend on what is installed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from itertools import accumulate
from typing import TYPE_CHECKING, Any, Final

from ..ground import ConfigurationError

if TYPE_CHECKING:
    from json import JSONDecoder, JSONEncoder

__all__ = ["HasDict", "dumps", "loads", "plain", "use_stdlib"]

#: The deepest nesting that is read. Real answers stay below 30; deeper ones could be parsed, but
#: then break whoever walks, compares or pickles them, by Python's limit of 1000 frames.
MAX_DEPTH: Final = 256

_STRING = re.compile(rb'"(?:[^"\\]|\\.)*+"?', re.DOTALL)
_NOT_BRACKETS: Final = bytes(set(range(256)) - set(b"[]{}"))
_STEP: Final = {ord("["): 1, ord("{"): 1, ord("]"): -1, ord("}"): -1}


class HasDict:
    """What `dumps` and `plain` turn into a mapping by asking it: the records."""

    __slots__ = ()

    def to_dict(self) -> dict[str, Any]:
        """Return the mapping that stands for this object in JSON."""
        raise NotImplementedError


def loads(data: bytes | str) -> Any:
    """Read a JSON document as a server sends it.

    Tolerated, because servers do it: a byte order mark, bad UTF-8 (replaced by U+FFFD), control
    characters inside strings, escapes of lone surrogates, NaN and Infinity. Of equal keys in one
    object the last wins.

    Raises:
        ValueError: It is not JSON, or is nested deeper than 256 levels.
    """
    if len(data) > 2 * MAX_DEPTH:  # a shorter document cannot be nested too deeply and be closed
        _check_depth(data)
    try:
        return _decode(data)
    except _refusals:
        return _stdlib_loads(data)


def _first_decode(data: bytes | str) -> Any:
    """Decide for a decoder at the first document: importing one takes milliseconds."""
    global _decode, _refusals
    try:
        from msgspec import MsgspecError
        from msgspec.json import decode
    except ImportError:
        _decode = _stdlib_loads
    else:
        _decode = decode
        # In older releases it is no ValueError.
        _refusals = (ValueError, RecursionError, MsgspecError)
    return loads(data)


_decode: Callable[[bytes | str], Any] = _first_decode
#: What a decoder raises where the standard library is asked instead.
_refusals: tuple[type[Exception], ...] = (ValueError, RecursionError)


def use_stdlib(only: bool) -> None:
    """Read JSON by the standard library alone, or choose again; for tests and comparisons."""
    global _decode
    _decode = _stdlib_loads if only else _first_decode


def _stdlib_loads(data: bytes | str) -> Any:
    text = data if isinstance(data, str) else data.decode("utf-8", "replace")
    try:
        return _decoder().decode(text.removeprefix("\ufeff"))
    except RecursionError:
        raise ValueError("The JSON document is nested too deeply.") from None


@cache
def _decoder() -> JSONDecoder:
    from json import JSONDecoder

    # Not strict: servers leave control characters in strings unescaped.
    return JSONDecoder(strict=False)


def _check_depth(data: bytes | str) -> None:
    """Raise ValueError where the brackets outside strings are nested too deeply."""
    raw = data.encode("utf-8", "replace") if isinstance(data, str) else data
    if raw.count(b"[") + raw.count(b"{") <= MAX_DEPTH:
        return
    brackets = _STRING.sub(b"", raw).translate(None, _NOT_BRACKETS)
    deepest = max(accumulate(map(_STEP.__getitem__, brackets)), default=0)
    if deepest > MAX_DEPTH:
        raise ValueError(f"The JSON document is nested {deepest} levels deep, over {MAX_DEPTH}.")


def plain(value: Any) -> Any:
    """Return a JSON value that shares no list or mapping with the one given.

    Records become mappings, tuples lists; anything that is not JSON stays as it is.
    """
    if isinstance(value, (str, int, float)) or value is None:
        return value
    if isinstance(value, Mapping):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [item if type(item) in _SCALARS else plain(item) for item in value]
    if isinstance(value, HasDict):
        return value.to_dict()
    return value


_SCALARS: Final = frozenset({str, int, float, bool, type(None)})


def dumps(value: Any, *, allow_nan: bool = False, indent: int | None = None) -> bytes:
    """Write a value as compact JSON in UTF-8. Records inside are written by their `to_dict`.

    Text that UTF-8 cannot carry (lone surrogates) is written as escapes.

    Args:
        value: What to write.
        allow_nan: Write NaN and Infinity by these names, which no standard allows, but `loads`
            reads: for giving back what a server sent. Requests do not use it.
        indent: Spaces for each level; None writes one line.

    Raises:
        ConfigurationError: Something in the value is not JSON; the message names the place.
    """
    try:
        try:
            return _encoder(False, allow_nan, indent).encode(value).encode()
        except UnicodeEncodeError:
            return _encoder(True, allow_nan, indent).encode(value).encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise _explained(value, error, allow_nan) from None


@cache
def _encoder(ensure_ascii: bool, allow_nan: bool, indent: int | None) -> JSONEncoder:
    from json import JSONEncoder

    return JSONEncoder(
        ensure_ascii=ensure_ascii,
        allow_nan=allow_nan,
        indent=indent,
        separators=(",", ":" if indent is None else ": "),
        default=_default,
    )


def _default(value: object) -> Any:
    if isinstance(value, HasDict):
        return value.to_dict()
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"{type(value).__name__} is not JSON")


def _explained(value: Any, error: Exception, allow_nan: bool) -> ConfigurationError:
    """Return the error for the user: where the first thing is that cannot be written."""
    try:
        place, what = next(_culprits(value, "", allow_nan), ("", str(error)))
    except RecursionError:
        place, what = "", "it is nested too deeply, or holds itself"
    where = place or "the value itself"
    return ConfigurationError(f"This cannot be written as JSON: {where}: {what}.", argument=place)


def _culprits(value: Any, place: str, allow_nan: bool) -> Iterator[tuple[str, str]]:
    """Yield the place of each value that is not JSON, and what it is."""
    if isinstance(value, HasDict):
        value = value.to_dict()
    if isinstance(value, Mapping):
        for key, item in value.items():
            inner = f"{place}.{key}" if place else str(key)
            if not isinstance(key, (str, int, float)) and key is not None:
                yield inner, f"a key of type {type(key).__name__}"
            yield from _culprits(item, inner, allow_nan)
    elif isinstance(value, (list, tuple)):
        for number, item in enumerate(value):
            yield from _culprits(item, f"{place}[{number}]", allow_nan)
    elif isinstance(value, float):
        if not allow_nan and not -float("inf") < value < float("inf"):
            yield place, f"{value!r} is not a number of JSON"
    elif not isinstance(value, (str, int)) and value is not None:
        yield place, f"an object of type {type(value).__name__}"
