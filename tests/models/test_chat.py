"""Whole answers."""

from __future__ import annotations

from typing import Any

import pytest

from evoclient.models.chat import ChatCompletion, ChatMessage
from evoclient.models.codec import loads
from evoclient.models.finish import Finish

from ..samples import Sample, all_samples
from ..samples.judging import differences

WHOLE = [s for s in all_samples() if s.whole and not s.expected["whole"]["error"]]


@pytest.mark.parametrize("sample", WHOLE, ids=lambda sample: sample.name)
def test_each_sample_gives_what_is_wanted(sample: Sample) -> None:
    """Every sample of a whole answer is read as its folder says, and comes back as sent."""
    assert sample.whole is not None
    raw = loads(sample.whole)
    completion = ChatCompletion.from_dict(raw)
    assert differences(completion, sample.expected["whole"]) == {}
    assert completion.to_dict() == raw


def completion_of(*choices: Any, **more: Any) -> ChatCompletion:
    """Return a completion of raw choices."""
    return ChatCompletion.from_dict({"choices": list(choices), **more})


def test_choice_0_is_meant() -> None:
    """The properties are about the choice with index 0, wherever it stands in the list."""
    first = {"index": 1, "message": {"content": "b"}, "finish_reason": "length"}
    second = {"index": 0, "message": {"content": "a", "reasoning": "r"}, "finish_reason": "stop"}
    first |= {"native_finish_reason": "MAX", "stop_reason": "b"}
    second |= {"native_finish_reason": "STOP", "stop_reason": "a"}
    completion = completion_of(first, second)
    assert (completion.text, completion.reasoning) == ("a", "r")
    assert (completion.native_finish_reason, completion.stop_sequence) == ("STOP", "a")
    assert (completion.finish_reason, completion.finish) == ("stop", Finish.stop)
    assert str(completion) == "a"


def test_without_index_0_the_first_is_meant() -> None:
    """Where no choice has index 0, the first of the list stands in."""
    assert completion_of({"index": 5, "message": {"content": "x"}}).text == "x"


def test_an_index_as_text() -> None:
    """An index that is a string of digits is that number, and is sent back as it came."""
    first = {"index": "1", "message": {"content": "b"}}
    completion = completion_of(first, {"index": "0", "message": {"content": "a"}})
    assert completion.text == "a"
    assert [choice.index for choice in completion.choices] == [1, 0]
    assert completion.choices[0].to_dict() == first


@pytest.mark.parametrize("odd", ["", "first", "-1", "1.0", "9" * 5000, [], True])
def test_an_index_that_is_no_number(odd: object) -> None:
    """Text that is no index stays as it was sent."""
    assert completion_of({"index": odd, "message": {}}).choices[0].index == odd


def test_without_choices() -> None:
    """A completion without choices has no text, no calls and no reasons."""
    completion = completion_of()
    assert (completion.text, completion.tool_calls) == ("", [])
    assert (completion.reasoning, completion.finish_reason, completion.finish) == (None,) * 3
    assert (completion.native_finish_reason, completion.stop_sequence) == (None, None)
    assert completion.has_tool_calls is False


def test_whether_tools_are_asked_for() -> None:
    """`has_tool_calls` goes by the tool calls of choice 0."""
    calls = {"tool_calls": [{"id": "c", "function": {"name": "f"}}]}
    assert completion_of({"message": calls}).has_tool_calls is True
    assert completion_of({"message": {"tool_calls": []}}).has_tool_calls is False
    other = completion_of({"index": 0, "message": {}}, {"index": 1, "message": calls})
    assert other.has_tool_calls is False


def test_a_stop_sequence_is_text() -> None:
    """A stop reason that is a token's number is no stop sequence."""
    assert completion_of({"stop_reason": "###"}).stop_sequence == "###"
    assert completion_of({"stop_reason": 128001}).stop_sequence is None
    assert completion_of({"stop_reason": None}).stop_sequence is None


def test_tokens_and_cost() -> None:
    """Tokens and cost are those of the usage, and None where it tells no number."""
    told = completion_of(usage={"total_tokens": 7, "cost": 0.5})
    assert (told.total_tokens, told.cost) == (7, 0.5)
    assert completion_of(usage={"cost": 0}).cost == 0
    assert completion_of(x_groq={"usage": {"total_tokens": 2}}).total_tokens == 2
    silent: list[dict[str, Any]] = [
        {},
        {"usage": None},
        {"usage": {}},
        {"usage": {"total_tokens": "7", "cost": {"total_cost": 1}}},
        {"usage": {"total_tokens": True, "cost": True}},
    ]
    for raw in silent:
        completion = completion_of(**raw)
        assert (completion.total_tokens, completion.cost) == (None, None)


def test_known_names_win() -> None:
    """A member that a server names like one of our properties changes none, and comes back."""
    raw = {"cost": 9, "total_tokens": 9, "response_time": 9, "stop_sequence": "x"}
    completion = completion_of(**raw, usage={"cost": 0.5})
    assert (completion.cost, completion.total_tokens, completion.stop_sequence) == (0.5, None, None)
    assert completion.response_time is None
    completion.response_time = 1.5
    assert completion.to_dict() == {"choices": [], **raw, "usage": {"cost": 0.5}}
    assert completion_of(**completion.to_dict()).response_time is None


def test_text_is_always_text() -> None:
    """The text is a string without halves of characters, whatever the content is."""
    assert completion_of({"message": {"content": 5}}).text == ""
    assert completion_of({"message": None}).text == ""
    assert completion_of({"message": {"content": "a\ud83d"}}).text == "a\ufffd"


def test_calls_decide_over_stop() -> None:
    """Tool calls, or the call of the older protocol, make of a stop what was meant."""
    new = {"message": {"tool_calls": [{"id": "a"}]}, "finish_reason": "stop"}
    old = {"message": {"function_call": {"name": "f"}}, "finish_reason": "stop"}
    assert completion_of(new).finish is Finish.tool_calls
    assert completion_of(old).finish is Finish.tool_calls
    assert [call.id for call in completion_of(new).tool_calls] == ["a"]


def test_a_message_goes_back_as_it_came() -> None:
    """A message taken from a completion is, for the next request, what the server sent."""
    raw = {
        "role": "assistant",
        "content": [{"type": "thinking", "thinking": []}, {"type": "text", "text": "да"}],
        "tool_calls": [{"id": "null", "function": {"arguments": {"a": 1}}, "extra_content": {}}],
        "reasoning_details": [{"signature": "s"}],
    }
    message = completion_of({"message": raw}).choices[0].message
    assert (message.content, message.reasoning) == ("да", "")
    assert message.tool_calls is not None
    assert message.tool_calls[0].function.arguments == '{"a":1}'
    assert message.to_dict() == raw


def test_a_changed_reasoning_keeps_its_name() -> None:
    """An assigned reasoning is written under the name that the server uses."""
    for name in ("reasoning", "reasoning_content"):
        message = ChatMessage.from_dict({name: "old"})
        message.reasoning = "new"
        assert message.to_dict() == {name: "new"}
    message = ChatMessage()
    message.reasoning = "new"
    assert message.to_dict() == {"reasoning": "new"}


def test_usage_wherever_it_stands() -> None:
    """Usage is found at its own place and at Groq's, and written only where it was changed."""
    beside = {"x_groq": {"usage": {"total_tokens": 2}}}
    completion = completion_of(**beside)
    assert completion.usage is not None
    assert completion.usage.total_tokens == 2
    assert completion.to_dict() == {"choices": [], **beside}
    completion.usage.total_tokens = 3
    assert completion.to_dict() == {"choices": [], **beside, "usage": {"total_tokens": 3}}
