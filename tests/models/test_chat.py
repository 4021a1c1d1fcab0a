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
    completion = completion_of(first, second)
    assert (completion.text, completion.reasoning) == ("a", "r")
    assert (completion.finish_reason, completion.finish) == ("stop", Finish.stop)
    assert str(completion) == "a"


def test_without_index_0_the_first_is_meant() -> None:
    """Where no choice has index 0, the first of the list stands in."""
    assert completion_of({"index": 5, "message": {"content": "x"}}).text == "x"


def test_without_choices() -> None:
    """A completion without choices has no text, no calls and no reasons."""
    completion = completion_of()
    assert (completion.text, completion.tool_calls) == ("", [])
    assert (completion.reasoning, completion.finish_reason, completion.finish) == (None,) * 3


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
