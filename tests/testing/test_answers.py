"""What is answered, and where it ends."""

from __future__ import annotations

import json
from typing import Any

import pytest

from evoclient.testing.answers import Answer, answer
from evoclient.testing.question import BadRequest, read_chat

WEATHER = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string"}},
            "required": ["city"],
        },
    },
}
CLOCK = {"type": "function", "function": {"name": "readClock"}}


def ask(text: str, **fields: Any) -> Answer:
    """Answer a user message."""
    messages = fields.pop("messages", [{"role": "user", "content": text}])
    return answer(read_chat({"model": "m", "messages": messages, **fields}), id="x")


def test_stop_cuts_before_the_first_occurrence() -> None:
    """The earliest stop sequence wins, is not part of the text, and is remembered."""
    choice = ask("count to 9", stop=["7", " 4", "9"]).choices[0]
    assert (choice.text, choice.finish, choice.stop_sequence) == ("1 2 3", "stop", " 4")


def test_the_limit_is_exact() -> None:
    """`max_tokens` gives that many tokens and says so."""
    made = ask("count to 9", max_tokens=4)
    assert made.choices[0].text == "1 2 3 4"
    assert made.choices[0].finish == "length"
    assert made.usage["completion_tokens"] == 4


def test_a_stop_before_the_limit_is_a_stop() -> None:
    """A text that a stop sequence has shortened enough does not meet the limit."""
    assert ask("count to 9", stop=["3"], max_tokens=4).choices[0].finish == "stop"
    assert ask("count to 9", stop="7", max_tokens=4).choices[0].finish == "length"


def test_usage_adds_up() -> None:
    """The total is the sum, choices and reasoning included."""
    made = ask("count to 3", n=2, reasoning_effort="low")
    usage = made.usage
    thought = usage["completion_tokens_details"]["reasoning_tokens"]
    assert thought > 0
    assert usage["completion_tokens"] == 6 + thought
    assert usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"]


@pytest.mark.parametrize(
    ("text", "fields", "names"),
    [
        ("What is the weather in Oslo?", {}, ["get_weather"]),
        ("Use get_weather now", {}, ["get_weather"]),
        ("Get me the answer", {}, []),
        ("Which clock shows the weather?", {}, ["get_weather", "readClock"]),
        ("Which clock shows the weather?", {"parallel_tool_calls": False}, ["get_weather"]),
        ("weather", {"tool_choice": "none"}, []),
        ("hello", {"tool_choice": "required"}, ["get_weather"]),
        ("the clock", {"tool_choice": "required"}, ["readClock"]),
        ("hello", {"tool_choice": {"function": {"name": "readClock"}}}, ["readClock"]),
    ],
)
def test_when_tools_are_called(text: str, fields: dict[str, Any], names: list[str]) -> None:
    """A tool is called when it is wanted or mentioned, several when several are."""
    choice = ask(text, tools=[WEATHER, CLOCK], **fields).choices[0]
    assert [call.name for call in choice.calls] == names
    assert choice.finish == ("tool_calls" if names else "stop")


def test_arguments_follow_the_question() -> None:
    """Arguments are JSON of the tool's schema, with the name the question mentions."""
    call = ask("What is the weather in Oslo?", tools=[WEATHER]).choices[0].calls[0]
    assert json.loads(call.arguments) == {"city": "Oslo"}


def test_calls_have_ids_of_their_own() -> None:
    """Ids differ between calls, choices and turns."""
    first = ask("clock and weather", tools=[WEATHER, CLOCK], n=2)
    user = {"role": "user", "content": "clock and weather"}
    later = ask("", messages=[user, user], tools=[WEATHER, CLOCK])
    ids = [call.id for made in (first, later) for choice in made.choices for call in choice.calls]
    assert len(set(ids)) == 6


def test_arguments_can_be_cut() -> None:
    """`max_tokens` cuts arguments, too, and calls behind the cut are not made."""
    made = ask("clock and weather", tools=[WEATHER, CLOCK], max_tokens=2)
    choice = made.choices[0]
    assert choice.finish == "length"
    assert [call.name for call in choice.calls] == ["get_weather"]
    with pytest.raises(ValueError, match=r"Unterminated|Expecting"):
        json.loads(choice.calls[0].arguments)


def test_results_are_reported() -> None:
    """After tool results comes a text that quotes them, even if a tool is required."""
    history = [
        {"role": "user", "content": "weather?"},
        {"role": "assistant", "content": None},
        {"role": "tool", "tool_call_id": "1", "content": "clear sky"},
    ]
    choice = ask("", messages=history, tools=[WEATHER], tool_choice="required").choices[0]
    assert "clear sky" in choice.text
    assert choice.finish == "stop"


def test_documents_are_made() -> None:
    """A wanted schema or any JSON object is answered by a document."""
    schema = {"type": "object", "properties": {"ok": {"const": True}}}
    wanted = {"type": "json_schema", "json_schema": {"name": "x", "schema": schema}}
    assert json.loads(ask("hi", response_format=wanted).choices[0].text) == {"ok": True}
    free = ask("hi", response_format={"type": "json_object"}).choices[0].text
    assert isinstance(json.loads(free), dict)
    assert ask("hi", response_format={"type": "text"}).choices[0].text.startswith("## ")


def test_an_impossible_schema_is_a_bad_request() -> None:
    """A schema that no value fits is refused with the field it came in."""
    wanted = {"type": "json_schema", "json_schema": {"name": "x", "schema": False}}
    with pytest.raises(BadRequest) as caught:
        ask("hi", response_format=wanted)
    assert caught.value.param == "response_format"
