"""Usage."""

from __future__ import annotations

from typing import Any

import pytest

from evoclient.models.usage import Usage, find_usage


def test_usage_is_tolerant() -> None:
    """Details are records where they are objects, and wrong types are what was sent."""
    raw = {
        "prompt_tokens": "9",
        "cost": 0.5,
        "cost_details": {"upstream_inference_cost": None},
        "prompt_tokens_details": {"cached_tokens": 4, "odd": 1},
        "completion_tokens_details": [],
    }
    usage = Usage.from_dict(raw)
    assert [usage.prompt_tokens, usage.cost, usage.total_tokens] == ["9", 0.5, None]
    assert usage.prompt_tokens_details is not None
    assert usage.prompt_tokens_details.cached_tokens == 4
    assert usage.prompt_tokens_details.odd == 1
    assert usage.completion_tokens_details is None
    assert usage.cost_details == {"upstream_inference_cost": None}
    assert usage.to_dict() == raw


@pytest.mark.parametrize(
    ("raw", "found"),
    [
        ({}, None),
        ({"usage": None, "x_groq": None}, None),
        ({"usage": "x", "x_groq": {"usage": []}}, None),
        ({"usage": {"a": 1}, "x_groq": {"usage": {"a": 2}}}, {"a": 1}),
        ({"usage": None, "x_groq": {"usage": {"a": 2}}}, {"a": 2}),
    ],
)
def test_where_usage_stands(raw: dict[str, Any], found: Any) -> None:
    """Usage is found at its own place, else at Groq's."""
    assert find_usage(raw) == found
