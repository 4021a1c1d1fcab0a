"""Sample values for JSON schemas: readable strings in every format, numbers in every range."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterator
from fractions import Fraction
from typing import Any

from .merging import Schema, UnsupportedSchemaError

__all__ = ["WORDS", "number", "text"]

WORDS = ("amber", "birch", "cedar", "delta", "ember", "fjord", "grove", "harbour")

# How many different numbers an open range gives; small, because small numbers read well.
_VARIETY = 60

# What a property of that name usually holds, so that a demo reads well.
_BY_NAME = {
    "name": "Ada Lovelace",
    "author": "Ada Lovelace",
    "title": "A short note",
    "city": "Lisbon",
    "location": "Lisbon",
    "country": "Portugal",
    "language": "en",
    "summary": "A short summary in one line.",
    "description": "A short description in one line.",
    "answer": "It arrives piece by piece.",
    "email": "ada@example.com",
}

_FORMATS = {
    "date": "2026-03-14",
    "date-time": "2026-03-14T09:26:53Z",
    "time": "09:26:53Z",
    "duration": "PT15M",
    "email": "ada@example.com",
    "idn-email": "ada@example.com",
    "hostname": "www.example.com",
    "idn-hostname": "www.example.com",
    "ipv4": "192.0.2.1",
    "ipv6": "2001:db8::1",
    "uri": "https://example.com/notes/1",
    "uri-reference": "/notes/1",
    "iri": "https://example.com/notes/1",
    "uuid": "123e4567-e89b-42d3-a456-426614174000",
    "json-pointer": "/notes/1",
    "regex": "^a+$",
}

# Tried in turn for a `pattern`: making a string from any expression is another library's work.
_SHAPES = ("a", "A", "abc", "ABC", "Abc", "1", "12", "123", "1234", "12345", "123456", "A1",
           "ABC-123", "abc-123", "+15550100", "555-0100", "#a1b2c3", "1.0", "1.0.0", "EUR",
           "12:30", "note.txt", *WORDS, *_FORMATS.values())  # fmt: skip


def text(schema: Schema, *, name: str, seed: int, hints: tuple[str, ...], serial: int = 0) -> str:
    """Make a string: a word of the question if there is one, else one that suits the name.

    A ``serial`` above 0 makes the string differ from those of other serials.

    Raises:
        UnsupportedSchemaError: A length or a pattern that none of the samples meets.
    """
    if "pattern" in schema:
        return _shaped(schema)
    if schema.get("format") in _FORMATS:
        sample = _FORMATS[schema["format"]]
        if not _fits(sample, schema):
            raise UnsupportedSchemaError(f"no {schema['format']} of the wanted length")
        return sample
    if hints:
        sample = hints[seed % len(hints)]
    else:
        sample = _BY_NAME.get(name.lower(), WORDS[seed % len(WORDS)])
    if serial:
        sample = f"{serial} {sample}"  # in front, where a maxLength does not cut it off
    least = schema.get("minLength", 0)
    while len(sample) < least:
        sample += " " + WORDS[len(sample) % len(WORDS)]
    return sample[: schema.get("maxLength", len(sample))]


def _shaped(schema: Schema) -> str:
    for sample in _SHAPES:
        if re.search(schema["pattern"], sample) and _fits(sample, schema):
            return sample
    raise UnsupportedSchemaError(f"no sample matches the pattern {schema['pattern']!r}")


def _fits(sample: str, schema: Schema) -> bool:
    least: int = schema.get("minLength", 0)
    most: int = schema.get("maxLength", len(sample))
    return least <= len(sample) <= most


def number(schema: Schema, *, whole: bool, seed: int, hints: tuple[str, ...]) -> int | float:
    """Make a number inside the bounds: one of the question if it fits, else a small one.

    Raises:
        UnsupportedSchemaError: The bounds leave no room.
    """
    low, high = _bounds(schema)
    if low is not None and high is not None and low > high:
        raise UnsupportedSchemaError("no number between the bounds")
    for value in (*map(Fraction, hints), *_steps(schema, whole, seed), _middle(schema)):
        if value is not None and not (whole and value % 1) and _inside(value, schema):
            sample = int(value) if value % 1 == 0 else float(value)
            if _is_multiple(sample, schema):
                return sample
    raise UnsupportedSchemaError("no number between the bounds")


def _steps(schema: Schema, whole: bool, seed: int) -> Iterator[Fraction]:
    """Walk a few multiples of the step, beginning with the one the seed chooses."""
    step = Fraction(str(schema.get("multipleOf", 1)))
    if whole:
        step = Fraction(step.numerator)  # the integers among the multiples of p/q are those of p
    low, high = _bounds(schema)
    wish = seed % _VARIETY * step
    if low is not None and high is not None:
        first = low + wish % (high - low + step)
    elif high is not None:
        first = high - wish
    else:
        first = (step if low is None else low) + wish
    nearest = first // step
    # A bound may be exclusive and a float multiple may not divide evenly, so neighbours are tried.
    yield from ((nearest + offset) * step for offset in (0, 1, -1, 2, -2, 3, -3, 4, -4))


def _middle(schema: Schema) -> Fraction | None:
    low, high = _bounds(schema)
    return None if low is None or high is None else (low + high) / 2


def _bounds(schema: Schema) -> tuple[Fraction | None, Fraction | None]:
    low = [schema[key] for key in ("minimum", "exclusiveMinimum") if key in schema]
    high = [schema[key] for key in ("maximum", "exclusiveMaximum") if key in schema]
    return Fraction(max(low)) if low else None, Fraction(min(high)) if high else None


def _inside(value: Fraction, schema: Schema) -> bool:
    return all(check(value, schema[key]) for key, check in _CHECKS.items() if key in schema)


def _is_multiple(sample: int | float, schema: Schema) -> bool:
    # Divided as a validator does it: 0.3 / 0.1 is not whole in floating point.
    return "multipleOf" not in schema or (sample / schema["multipleOf"]) % 1 == 0


_CHECKS: dict[str, Callable[[Any, Any], bool]] = {
    "minimum": operator.ge,
    "maximum": operator.le,
    "exclusiveMinimum": operator.gt,
    "exclusiveMaximum": operator.lt,
}
