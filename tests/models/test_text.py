"""Text and reasoning in every shape."""

from __future__ import annotations

from typing import Any

import pytest

from evoclient.models.text import content_of, mended, reasoning_of


@pytest.mark.parametrize(
    ("text", "whole"),
    [
        ("plain", "plain"),
        ("ж", "ж"),
        ("\ud83d\ude00", "😀"),
        ("a\ud83db", "a\ufffdb"),
        ("\ude00\ud83d", "\ufffd\ufffd"),
    ],
)
def test_mended(text: str, whole: str) -> None:
    """Halves of characters are joined, or replaced."""
    assert mended(text) == whole


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ("a", "a"),
        (None, None),
        (7, 7),
        ([], ""),
        ([{"type": "text", "text": "a"}, "b", {"text": "c"}], "abc"),
        ([{"type": "output_text", "text": "d"}], "d"),
        ([{"type": "image_url", "text": "no"}, {"type": "thinking", "thinking": "no"}, 5], ""),
        ([{"type": "text", "text": 5}, {"type": "text"}], ""),
        ({"type": "text", "text": "one part"}, "one part"),
    ],
)
def test_content(content: Any, text: Any) -> None:
    """Content is text, parts of text joined; a scalar of another type stays."""
    assert content_of({"content": content}) == text


def test_content_absent() -> None:
    """Content that is not there is None."""
    assert content_of({}) is None


@pytest.mark.parametrize(
    ("raw", "reasoning"),
    [
        ({}, None),
        ({"reasoning": "a", "reasoning_content": "b"}, "a"),
        ({"reasoning": "", "reasoning_content": "b"}, "b"),
        ({"reasoning": ""}, ""),
        ({"reasoning_content": ""}, ""),
        ({"reasoning": 5}, 5),
        ({"content": [{"type": "text", "text": "no"}]}, None),
        (
            {"content": ["no", {"type": "thinking", "thinking": [{"type": "text", "text": "a"}]}]},
            "a",
        ),
        ({"content": [{"type": "reasoning", "text": "b"}, {"type": "thinking"}]}, "b"),
    ],
)
def test_reasoning(raw: dict[str, Any], reasoning: Any) -> None:
    """Reasoning is the first of its places that says something."""
    assert reasoning_of(raw) == reasoning
