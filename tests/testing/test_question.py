"""Reading request bodies."""

from __future__ import annotations

from typing import Any

import pytest

from evoclient.testing.question import BadRequest, read_chat, read_completion

USER = {"role": "user", "content": "hi"}
WEATHER = {"type": "function", "function": {"name": "get_weather"}}


def body(**fields: Any) -> dict[str, Any]:
    """A chat request with these fields."""
    return {"model": "m", "messages": [USER], **fields}


def test_a_history_is_read() -> None:
    """The last user message, all instructions and the last results are found."""
    question = read_chat(
        body(
            messages=[
                {"role": "system", "content": "be kind"},
                {"role": "developer", "content": "be brief"},
                {"role": "user", "content": "first"},
                {"role": "tool", "content": "old", "tool_call_id": "0"},
                {"role": "user", "content": [{"type": "text", "text": "a"}, {"type": "image_url"}]},
                {"role": "assistant", "content": None},
                {"role": "tool", "content": "one", "tool_call_id": "1"},
                {"role": "tool", "content": "two", "tool_call_id": "2"},
            ]
        )
    )
    assert question.text == "a"
    assert question.instructions == "be kind\nbe brief"
    assert question.results == ("one", "two")
    assert question.turns == 8
    lone = read_chat(body(messages=[{"role": "tool", "content": "one"}]))
    assert (lone.text, lone.results) == ("", ("one",))


def test_the_limit_has_two_names() -> None:
    """`max_completion_tokens` goes before the older `max_tokens`."""
    assert read_chat(body(max_tokens=5)).limit == 5
    assert read_chat(body(max_tokens=5, max_completion_tokens=7)).limit == 7


def test_prompt_tokens_grow_with_the_prompt() -> None:
    """Longer messages and tools count for more."""
    short = read_chat(body()).prompt_tokens
    longer = read_chat(body(messages=[USER, {"role": "user", "content": "word " * 10}]))
    assert 0 < short < longer.prompt_tokens
    assert short < read_chat(body(tools=[WEATHER])).prompt_tokens


@pytest.mark.parametrize(
    ("fields", "thinking"),
    [
        ({}, None),
        ({"thinking": {"type": "enabled"}}, True),
        ({"thinking": {"type": "disabled"}}, False),
        ({"reasoning_effort": "low"}, True),
        ({"reasoning_effort": "none"}, False),
        ({"reasoning": {"effort": "high"}}, True),
    ],
)
def test_thinking_has_many_switches(fields: dict[str, Any], thinking: bool | None) -> None:
    """Every provider's way to ask for reasoning is understood."""
    assert read_chat(body(**fields)).thinking is thinking


def test_a_named_tool_is_found() -> None:
    """A named tool choice becomes the tool itself."""
    choice = {"type": "function", "function": {"name": "get_weather"}}
    question = read_chat(body(tools=[WEATHER], tool_choice=choice))
    assert question.tool_choice == question.tools[0]


@pytest.mark.parametrize(
    ("wrong", "param"),
    [
        ([], None),
        (body(model=""), "model"),
        (body(messages=[]), "messages"),
        (body(messages=["hi"]), "messages[0].role"),
        (body(n=0), "n"),
        (body(n=True), "n"),
        (body(n=1000), "n"),
        (body(max_tokens="7"), "max_tokens"),
        (body(stop=[1]), "stop"),
        (body(tools=[{"type": "function"}]), "tools[0].function"),
        (body(tools=["get_weather"]), "tools[0].function"),
        (body(tools=[WEATHER], tool_choice={"function": {"name": "x"}}), "tool_choice"),
        (body(tool_choice="sometimes"), "tool_choice"),
        (body(response_format={"type": "xml"}), "response_format"),
        (body(response_format="json"), "response_format"),
        (body(response_format={"type": "json_schema"}), "response_format"),
    ],
    ids=str,
)
def test_the_wrong_field_is_named(wrong: Any, param: str | None) -> None:
    """A body that cannot be answered is refused with the name of its wrong field."""
    with pytest.raises(BadRequest) as caught:
        read_chat(wrong)
    assert caught.value.param == param


def test_a_prompt_is_a_question() -> None:
    """The prompt of a legacy completion is a text or a list with one."""
    assert read_completion({"model": "m", "prompt": "hi"}).text == "hi"
    assert read_completion({"model": "m", "prompt": ["hi"]}).text == "hi"
    with pytest.raises(BadRequest, match="prompt"):
        read_completion({"model": "m", "prompt": ["a", "b"]})
