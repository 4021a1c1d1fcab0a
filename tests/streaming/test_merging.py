"""The rules for putting fields together."""

from __future__ import annotations

from typing import Any

import pytest

from evoclient.streaming.merging import (
    CHOICE,
    CHUNK,
    DELTA,
    FUNCTION,
    UNKNOWN,
    Rule,
    append,
    by_index,
    drop,
    extend,
    joined,
    last,
    members,
    merge,
    once,
    parts_in_a_row,
    result,
    update,
)
from evoclient.streaming.tool_calls import CALL


@pytest.mark.parametrize(
    ("rule", "values", "whole"),
    [
        (append(""), ["a", 5, "б", None], "aб"),
        (append(""), [5], None),
        (once(""), ["", 0, "a", "b"], "a"),
        (last(""), ["a", "b", None], "b"),
        (extend(""), [[1], 2, [3]], [1, 2, 3]),
        (
            update(""),
            [{"a": 1}, {"a": None, "b": {"c": 1}}, {"b": {"d": 2}}],
            {"a": 1, "b": {"c": 1, "d": 2}},
        ),
        (update(""), [{"a": 1}, "other"], "other"),
        (drop(""), ["a"], None),
        (
            members("", {"x": append("")}),
            [{"x": "a"}, {"x": "b", "y": 1}, "none"],
            {"x": "ab", "y": 1},
        ),
        (members("", {}), ["none"], None),
        (
            by_index("", {"t": append("")}),
            [[{"index": 0, "t": "a"}], {"index": 1, "t": "c"}, [{"index": 0, "t": "b"}]],
            [{"index": 0, "t": "ab"}, {"index": 1, "t": "c"}],
        ),
        (
            by_index("", {}),
            [[{"index": 0, "type": "a"}, {"index": 0, "type": "b"}]],
            [{"index": 0, "type": "a"}, {"index": 0, "type": "b"}],
        ),
        (by_index("", {}), ["x", {"a": 1}, {"b": 2}], ["x", {"a": 1, "b": 2}]),
    ],
)
def test_each_rule(rule: Rule, values: list[Any], whole: Any) -> None:
    """A rule makes one value of several; null changes nothing."""
    held: dict[str, Any] = {}
    for value in values:
        merge(held, {"field": value}, {"field": rule})
    assert result(held, {"field": rule}).get("field") == whole


def test_pieces_are_kept_as_they_came() -> None:
    """Half a character is replaced in the text, but its other half may still come."""
    pieces = ["a", "\ud83d"]
    assert joined(pieces) == "a\ufffd"
    pieces.append("\ude00")
    assert joined(pieces) == "a😀"


def test_parts_that_are_alone() -> None:
    """Parts that cannot be joined stay as they came, in their order."""
    parts = [{"type": "text", "text": "a", "extra": 1}, {"type": "thinking", "thinking": "s"}, 5]
    assert parts_in_a_row(parts) == parts


def test_the_tables_explain_themselves() -> None:
    """Each rule of each table has a name and a reason, for the documentation."""
    for table in (CHUNK, CHOICE, DELTA, CALL, FUNCTION, {"unknown": UNKNOWN}):
        assert all(rule.name and rule.why for rule in table.values())
