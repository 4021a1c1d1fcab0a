"""A whole completion as the one chunk of a stream."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest

from evoclient.models.chunks import read_chunk
from evoclient.streaming.whole import chunk_document

COMPLETION: dict[str, Any] = {
    "id": "1",
    "object": "chat.completion",
    "model": "m",
    "usage": {"total_tokens": 3},
    "choices": [
        {
            "index": 1,
            "finish_reason": "stop",
            "stop_reason": 7,
            "message": {
                "role": "assistant",
                "content": "hi",
                "reasoning": "hm",
                "tool_calls": [{"id": "a", "x": 1}, {"id": "b", "index": 5}],
            },
        }
    ],
}


def test_every_field_is_there() -> None:
    """The chunk says what the completion says, and the completion is left as it was."""
    before = deepcopy(COMPLETION)
    document = chunk_document(COMPLETION)
    assert before == COMPLETION
    [choice] = document.pop("choices")
    expected = {**COMPLETION, "object": "chat.completion.chunk"}
    del expected["choices"]
    assert document == expected
    assert choice == {
        "index": 1,
        "finish_reason": "stop",
        "stop_reason": 7,
        "delta": {
            "role": "assistant",
            "content": "hi",
            "reasoning": "hm",
            "tool_calls": [{"index": 0, "id": "a", "x": 1}, {"id": "b", "index": 5}],
        },
    }


@pytest.mark.parametrize(
    ("choices", "expected"),
    [
        (None, []),
        ("x", []),
        ([], []),
        ([5], [5]),
        ([{"message": None}], [{"delta": {}}]),
        ([{"message": "x", "index": 0}], [{"delta": {}, "index": 0}]),
        ([{"message": {"tool_calls": "x"}}], [{"delta": {"tool_calls": "x"}}]),
        ([{"message": {"tool_calls": [1]}}], [{"delta": {"tool_calls": [1]}}]),
    ],
)
def test_odd_shapes(choices: object, expected: object) -> None:
    """No shape of an answer is too odd to be a chunk."""
    document = chunk_document({"choices": choices})
    assert document["choices"] == expected
    assert isinstance(read_chunk(document).text, str)


def test_without_choices() -> None:
    """An answer without choices is a chunk without choices."""
    assert chunk_document({"a": 1}) == {"a": 1, "object": "chat.completion.chunk", "choices": []}
