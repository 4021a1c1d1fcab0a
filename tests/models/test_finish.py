"""Why a model stopped."""

from __future__ import annotations

import pytest

from evoclient.models.finish import Finish, finish_of


@pytest.mark.parametrize(
    ("reasons", "alone", "with_calls"),
    [
        (["stop", "eos", "end_turn", "STOP"], "stop", "tool_calls"),
        (["length", "max_tokens", "MAX_TOKENS", "model_length"], "length", "length"),
        (["tool_calls", "function_call", "tool_use"], "tool_calls", "tool_calls"),
        (["content_filter", "SAFETY", "refusal"], "content_filter", "content_filter"),
        (["error"], "error", "error"),
        (["abort", "нет такого"], "other", "other"),
        (["", None, 5, ["stop"]], None, None),
    ],
)
def test_judgement(reasons: list[object], alone: str | None, with_calls: str | None) -> None:
    """Each provider's word has one meaning; calls decide over a stop, and over nothing else."""
    for reason in reasons:
        assert finish_of(reason, False) == alone
        assert finish_of(reason, True) == with_calls


def test_members_are_strings() -> None:
    """A member is equal to its name, and prints as it."""
    assert all(member == member.name == str(member) for member in Finish)
