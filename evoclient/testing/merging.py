"""Joining two JSON schemas into one that asks for both, as ``allOf`` and ``$ref`` need."""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction
from typing import Any

__all__ = ["Schema", "UnsupportedSchemaError", "merge"]

Schema = dict[str, Any]


class UnsupportedSchemaError(ValueError):
    """The schema asks for something no value fits, or that the generator cannot make."""


def merge(left: Schema, right: Schema) -> Schema:
    """Return a schema whose every value fits both.

    Keywords that only one side has are taken over; where both have one, a rule for that keyword
    joins them, and without a rule the right side wins.

    Raises:
        UnsupportedSchemaError: Nothing can fit both.
    """
    joined = {**left, **right}
    for keyword in left.keys() & right.keys():
        rule = _RULES.get(keyword)
        if rule is not None:
            joined[keyword] = rule(left[keyword], right[keyword])
    if "properties" in joined:
        joined["properties"] = {
            name: _either(schema, _either(_for_others(left, name), _for_others(right, name)))
            for name, schema in joined["properties"].items()
        }
    return joined


def _for_others(schema: Schema, name: str) -> Any:
    """What a schema asks of a property that only the other one declares."""
    declared = name in schema.get("properties", {})
    return True if declared else schema.get("additionalProperties", True)


def _types(left: str | list[str], right: str | list[str]) -> list[str]:
    ours = [left] if isinstance(left, str) else left
    theirs = [right] if isinstance(right, str) else right
    common = [name for name in ours if name in theirs]
    if "integer" not in common and "integer" in {*ours, *theirs} and "number" in {*ours, *theirs}:
        common.append("integer")  # every integer is a number
    if not common:
        raise UnsupportedSchemaError(f"no type is both {left} and {right}")
    return common


def _choices(left: list[Any], right: list[Any]) -> list[Any]:
    common = [value for value in left if value in right]
    if not common:
        raise UnsupportedSchemaError("two enumerations without a common value")
    return common


def _properties(left: Schema, right: Schema) -> Schema:
    joined = {**left, **right}
    for name in left.keys() & right.keys():
        joined[name] = _either(left[name], right[name])
    return joined


def _either(left: Any, right: Any) -> Any:
    if left is True or right is True:
        return right if left is True else left
    if left is False or right is False:
        return False
    return {"allOf": [left, right]}  # a $ref on one side is only followed when needed


def _union(left: list[Any], right: list[Any]) -> list[Any]:
    return [*left, *(item for item in right if item not in left)]


def _multiple(left: float, right: float) -> float:
    ours, theirs = Fraction(str(left)), Fraction(str(right))
    common = Fraction(
        math.lcm(ours.numerator, theirs.numerator), math.gcd(ours.denominator, theirs.denominator)
    )
    return int(common) if common % 1 == 0 else float(common)


def _same(left: Any, right: Any) -> Any:
    if left != right:
        raise UnsupportedSchemaError(f"two constants, {left!r} and {right!r}")
    return left


_RULES: dict[str, Callable[[Any, Any], Any]] = {
    "type": _types,
    "enum": _choices,
    "const": _same,
    "properties": _properties,
    "required": _union,
    "items": _either,
    "additionalProperties": _either,
    "multipleOf": _multiple,
    "allOf": list.__add__,
    **dict.fromkeys(["minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties"], max),
    **dict.fromkeys(["maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties"], min),
}
