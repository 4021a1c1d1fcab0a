"""Comparing a completion with what a sample expects."""

from __future__ import annotations

from typing import Any

from evoclient.models.chat import ChatCompletion

from . import contains


def differences(completion: ChatCompletion, expected: dict[str, Any]) -> dict[str, Any]:
    """Return what a completion shows otherwise than expected, by the key of `expected.json`."""
    found: dict[str, Any] = {
        "text": completion.text,
        "reasoning": completion.reasoning,
        "finish_reason": completion.finish_reason,
        "finish": completion.finish,
        "usage": completion.usage.to_dict() if completion.usage else None,
        "tool_calls": [
            {"id": call.id, "name": call.function.name, "arguments": call.function.arguments}
            for call in completion.tool_calls
        ],
        "choices": {
            str(choice.index): {
                "text": choice.message.content,
                "finish_reason": choice.finish_reason,
            }
            for choice in completion.choices
            if choice.index != 0
        },
    }
    other = {
        key: value for key, value in found.items() if key in expected and value != expected[key]
    }
    raw = completion.to_dict()
    if not contains(raw, expected.get("contains", {})):
        other["contains"] = raw
    return other
