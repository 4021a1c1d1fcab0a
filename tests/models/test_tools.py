"""Tool calls."""

from __future__ import annotations

from typing import Any

import pytest

from evoclient.models.tools import FunctionCall, ToolCall


@pytest.mark.parametrize(
    ("sent", "text"),
    [
        ('{"a": 1}', '{"a": 1}'),
        (None, ""),
        ({"город": "Омск", "n": [1.5]}, '{"город":"Омск","n":[1.5]}'),
        ({}, "{}"),
        ([1], "[1]"),
        ({"a": float("nan")}, '{"a":NaN}'),
        (5, 5),
    ],
)
def test_arguments_are_text(sent: Any, text: Any) -> None:
    """Arguments are text, and stay in the JSON as they were sent."""
    function = FunctionCall.from_dict({"arguments": sent})
    assert function.arguments == text
    assert function.to_dict() == {"arguments": sent}


def test_arguments_absent() -> None:
    """Arguments that are not there are the empty text."""
    assert FunctionCall().arguments == ""


def test_an_id_that_is_no_id() -> None:
    """The id "null" is read as none, stays in the JSON, and can be replaced."""
    call = ToolCall.from_dict({"id": "null", "index": 0})
    assert call.id is None
    assert call.to_dict() == {"id": "null", "index": 0}
    call.id = "own"
    assert call.to_dict() == {"id": "own", "index": 0}


def test_a_call_always_has_a_function() -> None:
    """A call whose function is missing has one without a name."""
    call = ToolCall.from_dict({"id": "a", "function": None})
    assert (call.function.name, call.id) == (None, "a")
    assert call.to_dict() == {"id": "a", "function": None}
