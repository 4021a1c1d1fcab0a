"""What holds for every record."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import pytest

from evoclient.models.base import Record
from evoclient.models.chat import ChatChoice, ChatCompletion, ChatMessage
from evoclient.models.chunks import read_chunk
from evoclient.models.tools import ToolCall
from evoclient.models.usage import Usage
from evoclient.wire import Headers, Response

RAW = {
    "id": "a",
    "choices": [{"message": {"content": "x", "odd": {"deep": [1]}}}, "no object"],
    "usage": {"total_tokens": 1},
    "extra": {"k": [1]},
}


def test_unknown_fields_are_attributes() -> None:
    """Fields that a record does not know can be read as attributes, as copies."""
    completion = ChatCompletion.from_dict(RAW)
    assert completion.extra == {"k": [1]}
    assert completion.choices[0].message.odd == {"deep": [1]}
    completion.extra["k"].append(2)
    assert completion.extra == {"k": [1]}


def test_no_such_field() -> None:
    """A field that is neither known nor sent is an AttributeError that says what was sent."""
    with pytest.raises(AttributeError, match=r"no field 'nothing'.*id, choices, usage, extra"):
        ChatCompletion.from_dict(RAW).nothing  # noqa: B018
    with pytest.raises(AttributeError, match="an empty object"):
        Usage().nothing  # noqa: B018
    with pytest.raises(AttributeError):
        Record.__new__(Record)._raw  # noqa: B018


def test_nothing_is_shared() -> None:
    """Neither the source, nor what is handed out, nor what is assigned can change a record."""
    source: dict[str, Any] = copy.deepcopy(RAW)
    completion = ChatCompletion.from_dict(source)
    source["extra"]["k"].append("source")
    completion.to_dict()["choices"][0]["message"]["odd"]["deep"].append("handed out")
    assert completion.to_dict() == RAW
    images = [{"n": 1}]
    completion.choices[0].message.images = images
    out = completion.to_dict()
    images.append({"n": 2})
    assert out["choices"][0]["message"]["images"] == [{"n": 1}]


def test_chunks_that_share_their_mapping() -> None:
    """Of two chunks over one mapping, changing one at any place leaves the other as it was."""
    raw = {
        "choices": [
            {
                "delta": {"content": "t", "images": [{"n": 1}]},
                "logprobs": {"content": []},
                "finish_reason": [],
            }
        ]
    }
    first, second = read_chunk(raw), read_chunk(raw)
    first.choices[0].delta.content = "other"
    (first.choices[0].delta.images or []).append({"n": 2})
    (first.choices[0].logprobs or {})["content"].append(1)
    first.choices[0].finish_reason.append(2)  # type: ignore[union-attr]
    first.choices.append(second.choices[0])
    assert second.to_dict() == raw
    assert first.to_dict() == {
        "choices": [
            {
                "delta": {"content": "other", "images": [{"n": 1}, {"n": 2}]},
                "logprobs": {"content": [1]},
                "finish_reason": [2],
            },
            raw["choices"][0],
        ]
    }


def test_assigned_fields_are_written() -> None:
    """What was assigned, at any level, is in `to_dict`; the rest stays as sent."""
    completion = ChatCompletion.from_dict(RAW)
    completion.model = "m"
    completion.choices[0].message.content = None
    assert completion.usage is not None
    completion.usage.total_tokens = 2
    completion.choices[0].message.tool_calls = [ToolCall(id="c")]
    assert completion.to_dict() == {
        "id": "a",
        "choices": [
            {
                "message": {
                    "content": None,
                    "odd": {"deep": [1]},
                    "tool_calls": [{"id": "c"}],
                }
            },
            "no object",
        ],
        "usage": {"total_tokens": 2},
        "extra": {"k": [1]},
        "model": "m",
    }
    completion.usage = None
    completion.choices = []
    completion.id = None
    assert completion.to_dict() == {
        "id": None,
        "choices": [],
        "usage": None,
        "extra": {"k": [1]},
        "model": "m",
    }


def test_assigned_records_replace() -> None:
    """A record, a list or a mapping that is assigned for a record is written in its place."""
    choice = ChatChoice.from_dict({"index": 0, "message": {"content": "a"}})
    choice.message = ChatMessage(content="b")
    assert choice.to_dict() == {"index": 0, "message": {"content": "b"}}
    choice.index = True
    assert choice.to_dict()["index"] is True
    choice.index = 0
    choice.message = {"content": "c"}  # type: ignore[assignment]  # as users do
    assert choice.to_dict() == {"index": 0, "message": {"content": "c"}}
    message = ChatMessage.from_dict({"tool_calls": [{"id": "a"}]})
    message.tool_calls = None
    assert message.to_dict() == {"tool_calls": None}


def test_made_by_hand() -> None:
    """A record made of keywords, unknown ones and records among them, is like one that was read."""
    message = ChatMessage(role="assistant", tool_calls=[ToolCall(id="a", odd=1)], extra=(1, 2))
    assert message.to_dict() == {
        "role": "assistant",
        "tool_calls": [{"id": "a", "odd": 1}],
        "extra": [1, 2],
    }
    assert message.tool_calls == [ToolCall(id="a", odd=1)]
    assert message.content is None


def test_equality() -> None:
    """Records are equal by class and content, and cannot be keys."""
    assert Usage(cost=1) == Usage(cost=1)
    assert Usage(cost=1) != Usage(cost=2)
    assert Usage() != ChatMessage()
    assert Usage() != {}
    with pytest.raises(TypeError, match="unhashable"):
        hash(Usage())


def test_json_and_the_names_of_pydantic() -> None:
    """JSON is compact and keeps what servers send; `model_dump` and its like do the same."""
    usage = Usage.from_dict(
        {"cost": float("inf"), "odd": "ж\ud83d", "prompt_tokens": None, "n": [{"m": None}]}
    )
    assert usage.to_json() == (
        '{"cost":Infinity,"odd":"\\u0436\\ud83d","prompt_tokens":null,"n":[{"m":null}]}'
    )
    assert usage.model_dump_json() == usage.to_json()
    assert Usage(cost=1).to_json(indent=2) == '{\n  "cost": 1\n}'
    assert usage.model_dump() == usage.to_dict()
    assert usage.model_dump(exclude_none=True) == {
        "cost": float("inf"),
        "odd": "ж\ud83d",
        "n": [{}],
    }


def test_repr_is_short() -> None:
    """A repr names the class and a few fields, and cuts long text and data."""
    message = ChatMessage(role="user", content="слово " * 100, odd=1)
    assert repr(message).startswith("ChatMessage(role='user', content='слово слово")
    assert len(repr(message)) < 160
    data = ChatMessage(content="data:image/png;base64," + "QUJD" * 100)
    assert "QUJDQUJD" not in repr(data)
    assert repr(Usage()) == "Usage()"


def test_slots_and_no_dict() -> None:
    """A record has no dictionary of its own, so that a name with a typo cannot be assigned."""
    with pytest.raises(AttributeError):
        Usage().totl_tokens = 1  # type: ignore[attr-defined]  # the checker sees it too


def test_the_response_goes_along() -> None:
    """The reply is kept by pickle and copy, and is neither in the JSON nor in comparisons."""
    completion = ChatCompletion.from_dict(RAW)
    bare = ChatCompletion.from_dict(RAW)
    assert completion.response is None
    response = Response(200, Headers({"X-Request-Id": "r1"}), "http://x", 0.5)
    completion.response = response
    completion.response_time = 1.5
    assert completion.to_dict() == RAW
    assert completion == bare
    for twin in (
        pickle.loads(pickle.dumps(completion)),  # noqa: S301 - our own bytes
        copy.copy(completion),
        copy.deepcopy(completion),
    ):
        assert twin.response is not None
        assert twin.response.status_code == 200
        assert (twin.request_id, bare.request_id) == ("r1", None)
        assert (twin.response_time, bare.response_time) == (1.5, None)
    assert pickle.loads(pickle.dumps(bare)).response is None  # noqa: S301 - our own bytes
