"""Sample strings and numbers."""

from __future__ import annotations

from typing import Any

import pytest

from evoclient.testing.merging import UnsupportedSchemaError
from evoclient.testing.samples import WORDS, number, text


@pytest.mark.parametrize(
    ("schema", "name", "hints", "made"),
    [
        ({}, "", (), WORDS[0]),
        ({}, "City", (), "Lisbon"),
        ({}, "city", ("Oslo",), "Oslo"),
        ({"maxLength": 3}, "city", (), "Lis"),
        ({"minLength": 8}, "city", (), "Lisbon grove"),
        ({"format": "date"}, "city", ("Oslo",), "2026-03-14"),
        ({"format": "unheard-of"}, "city", (), "Lisbon"),
        ({"pattern": r"^\d{4}$"}, "city", (), "1234"),
        ({"pattern": "^[a-z]+$", "minLength": 5}, "", (), "amber"),
    ],
    ids=str,
)
def test_strings(schema: dict[str, Any], name: str, hints: tuple[str, ...], made: str) -> None:
    """A hint, the name of the property, its format or its pattern choose the string."""
    assert text(schema, name=name, seed=0, hints=hints) == made


def test_serials_differ() -> None:
    """Strings of different serials differ even when they are short."""
    schema = {"maxLength": 1}
    made = {text(schema, name="", seed=0, hints=(), serial=serial) for serial in range(9)}
    assert len(made) == 9


@pytest.mark.parametrize(
    ("schema", "whole", "hints", "made"),
    [
        ({}, True, (), 1),
        ({"minimum": 18}, True, (), 18),
        ({"minimum": 18}, True, ("7", "2.5", "30"), 30),
        ({"minimum": 2}, False, ("2.5",), 2.5),
        ({"exclusiveMinimum": 0, "exclusiveMaximum": 1}, False, (), 0.5),
        ({"multipleOf": 5, "minimum": 1}, True, (), 5),
        ({"maximum": -3}, True, (), -3),
    ],
    ids=str,
)
def test_numbers(
    schema: dict[str, Any], whole: bool, hints: tuple[str, ...], made: int | float
) -> None:
    """A number of the question that fits is preferred, else one near the bound."""
    assert number(schema, whole=whole, seed=0, hints=hints) == made


def test_the_impossible_is_said() -> None:
    """No room between bounds, no sample for a pattern, no format of that length."""
    with pytest.raises(UnsupportedSchemaError, match="bounds"):
        number({"minimum": 2, "maximum": 1}, whole=True, seed=0, hints=())
    with pytest.raises(UnsupportedSchemaError, match="pattern"):
        text({"pattern": "^zzz$"}, name="", seed=0, hints=())
    with pytest.raises(UnsupportedSchemaError, match="length"):
        text({"format": "date", "minLength": 20}, name="", seed=0, hints=())
