"""The page on assembly shows the rules that run."""

from __future__ import annotations

import pytest

from evoclient.streaming.merging import CHOICE, CHUNK, DELTA, FUNCTION, UNKNOWN, Rule
from evoclient.streaming.tool_calls import CALL

from .pages import quoted, rows, section

PAGE = "topics/assembly.md"

TABLES: dict[str, dict[str, Rule]] = {
    "## The chunk": CHUNK,
    "## The choice": CHOICE,
    "## The delta": DELTA,
    "## A function": FUNCTION,
    "## A tool call": CALL,
}


def _plain(text: str) -> str:
    """Return a text without the marks of code."""
    return text.replace("`", "")


@pytest.mark.parametrize("heading", TABLES)
def test_each_field_has_its_rule_and_reason(heading: str) -> None:
    """A table of the page has the fields of the code in their order, each with rule and reason."""
    shown = [
        (quoted(field)[0], rule, _plain(reason))
        for field, rule, reason in rows(section(PAGE, heading))
    ]
    assert shown == [(field, rule.name, rule.why) for field, rule in TABLES[heading].items()]


def test_the_rule_for_the_rest_is_shown() -> None:
    """The page says what becomes of a field that is in no table."""
    ((field, rule, reason),) = rows(section(PAGE, "## What is in no table"))
    assert (field, rule, _plain(reason)) == ("any other", UNKNOWN.name, UNKNOWN.why)


def test_each_rule_is_explained() -> None:
    """The page explains each rule that a table names, and no other."""
    rules = [*(rule for table in TABLES.values() for rule in table.values()), UNKNOWN]
    explained = [row[0] for row in rows(section(PAGE, "## The rules"))]
    assert sorted(explained) == sorted({rule.name.partition(":")[0] for rule in rules})
