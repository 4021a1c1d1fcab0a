"""Answers of the older completions endpoint."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import pytest

from evoclient.models.chat import ChatCompletion
from evoclient.models.completions import Completion, completion_of, read_completion_chunk

CHOICE: dict[str, Any] = {"index": 0, "text": "Hi", "logprobs": None, "finish_reason": "stop"}
RAW: dict[str, Any] = {"id": "c", "object": "text_completion", "choices": [CHOICE], "odd": 1}


def test_a_completion() -> None:
    """A text reads as a chat completion does, and is written as it was sent."""
    completion = Completion.from_dict(RAW)
    assert isinstance(completion, ChatCompletion)
    (choice,) = completion.choices
    assert (choice.text, choice.message.content, choice.message.role) == ("Hi", "Hi", "assistant")
    assert (completion.text, completion.finish, completion.odd) == ("Hi", "stop", 1)
    assert completion.to_dict() == RAW
    assert "text='Hi'" in repr(choice)


def test_copies() -> None:
    """Copies and pickles are equal to the completion and of its class."""
    completion = Completion.from_dict(RAW)
    for again in (copy.deepcopy(completion), pickle.loads(pickle.dumps(completion))):  # noqa: S301
        assert type(again) is Completion
        assert again == completion


@pytest.mark.parametrize("text", [None, 5, [], {}])
def test_odd_texts(text: Any) -> None:
    """A text of another type does no harm."""
    completion = Completion.from_dict({"choices": [{"text": text}, "no"]})
    assert completion.text == ""
    chunk = read_completion_chunk({"choices": [{"text": text}]})
    assert (chunk.text, chunk.choices[0].text) == ("", "")


def test_a_chunk() -> None:
    """The text of a chunk is that of its choice and of its delta, and it is written as sent."""
    chunk = read_completion_chunk(RAW)
    (choice,) = chunk.choices
    assert (chunk.text, choice.text, choice.delta.content) == ("Hi", "Hi", "Hi")
    assert (choice.index, choice.finish_reason) == (0, "stop")
    assert chunk.to_dict() == RAW


def test_what_an_assembly_comes_to() -> None:
    """What was put together gets the shape of a text, and keeps what came beside the text."""
    message = {"role": "assistant", "content": "Hi"}
    assembled = {
        "object": "chat.completion",
        "choices": [
            {"index": 0, "message": message, "finish_reason": "stop"},
            {"index": 1, "message": {**message, "content": None, "reasoning": "hm"}},
        ],
    }
    completion = completion_of(assembled)
    assert completion.object == "text_completion"
    first, second = completion.to_dict()["choices"]
    assert first == {"index": 0, "text": "Hi", "finish_reason": "stop"}
    assert (second["text"], second["message"]["reasoning"]) == ("", "hm")
