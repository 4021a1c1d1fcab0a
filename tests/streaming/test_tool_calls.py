"""Tool calls, put together from the deltas of every dialect."""

from __future__ import annotations

from typing import Any

import pytest

from evoclient.models.tools import ToolCall
from evoclient.streaming.tool_calls import ToolCalls

Raw = dict[str, Any]


def delta(name: object = None, arguments: object = None, **more: Any) -> Raw:
    """Return a raw delta; what is None is left out."""
    function = {"name": name, "arguments": arguments}
    return {**more, "function": {key: v for key, v in function.items() if v is not None}}


def fed(*deltas: Raw) -> ToolCalls:
    """Return the calls that were fed some deltas."""
    calls = ToolCalls()
    for raw in deltas:
        calls.feed(ToolCall.from_dict(raw))
    return calls


def put_together(*deltas: Raw) -> list[Raw]:
    """Return the calls that some deltas give."""
    return fed(*deltas).to_list()


@pytest.mark.parametrize(
    ("deltas", "wanted"),
    [
        pytest.param(
            [delta("f", "", index=0, id="a"), delta(None, "{", index=0), delta(None, "}", index=0)],
            [("a", "f", "{}")],
            id="the usual one",
        ),
        pytest.param(
            [delta("f", "{}", index=0, id="a"), delta("f", "{}", index=0, id="b")],
            [("a", "f", "{}"), ("b", "f", "{}")],
            id="one index for two ids",
        ),
        pytest.param(
            [delta("f", "{}", index=0, id="a"), delta("g", "{}", index=1, id="a")],
            [("a", "f", "{}"), ("a", "g", "{}")],
            id="one id for two indices",
        ),
        pytest.param(
            [
                delta("g", "{", index=2, id="b"),
                delta("f", "{}", index=1, id="a"),
                delta(None, "}", index=2),
            ],
            [("a", "f", "{}"), ("b", "g", "{}")],
            id="indices from 1, in reverse",
        ),
        pytest.param(
            [delta("g", "{}", id="b"), delta("f", "{}", id="a")],
            [("b", "g", "{}"), ("a", "f", "{}")],
            id="no index, in the order they came",
        ),
        pytest.param(
            [delta("f", "{", index=0, id="a"), delta(None, "}", index=0, id="z")],
            [("a", "f", "{}")],
            id="an id invented for each delta",
        ),
        pytest.param(
            [delta("f", id="a"), delta(None, "{}", index=0)],
            [("a", "f", "{}")],
            id="an index on later deltas only",
        ),
        pytest.param(
            [delta("f", "{}", index=0, id="a"), delta(None, "{}", index=1)],
            [("a", "f", "{}"), (None, None, "{}")],
            id="a new index without a word",
        ),
        pytest.param(
            [
                delta("f", id="a"),
                delta("g", id="b"),
                delta(None, "{", id="a"),
                delta(None, "}", id="a"),
            ],
            [("a", "f", "{}"), ("b", "g", "")],
            id="no index, pieces by id",
        ),
        pytest.param(
            [delta("f", "{", id="a"), delta(None, "}")],
            [("a", "f", "{}")],
            id="no index, pieces by place",
        ),
        pytest.param(
            [delta(None, "{", id="a"), delta("f", "}")],
            [("a", "f", "{}")],
            id="arguments before the name",
        ),
        pytest.param(
            [delta("f", id="a"), delta(None, "{}", id="b")],
            [("a", "f", ""), ("b", None, "{}")],
            id="no index, another id without a name",
        ),
        pytest.param(
            [delta("f", "{}", id="a"), delta("g", "{}", index=0, id="b")],
            [("a", "f", "{}"), ("b", "g", "{}")],
            id="an index on later calls only",
        ),
        pytest.param(
            [
                delta("f", "", index=0, id="a"),
                delta("g", "", index=1, id="b"),
                delta(None, "{", index=0),
                delta(None, "}"),
            ],
            [("a", "f", "{}"), ("b", "g", "")],
            id="an index on earlier deltas only",
        ),
        pytest.param(
            [delta("f", {"щ": [1]}, id="null", index=0), delta("f", {}, id="null", index=0)],
            [(None, "f", '{"щ":[1]}'), (None, "f", "{}")],
            id="arguments as objects, ids null",
        ),
        pytest.param(
            [delta("f", '{"a', index=0), delta("f", '":1}', index=0), delta("f", "", index=0)],
            [(None, "f", '{"a":1}')],
            id="the name on every delta, no id",
        ),
        pytest.param(
            [delta("f", "{", index=0, id="a"), delta("f", "}", index=0, id="a")],
            [("a", "f", "{}")],
            id="id and name on every delta",
        ),
        pytest.param(
            [delta("f", "{", index=0), delta("g", "{}", index=0)],
            [(None, "f", "{"), (None, "g", "{}")],
            id="another name at the same index",
        ),
        pytest.param(
            [delta("f", "{}", index=0), delta("f", "{}", index=0, id="b")],
            [(None, "f", "{}"), ("b", "f", "{}")],
            id="an id for the second only",
        ),
        pytest.param(
            [delta("f", "{", index=0), delta(None, "}", index=0, id="late")],
            [("late", "f", "{}")],
            id="the id comes late",
        ),
        pytest.param(
            [{"index": "x", "id": 5, "function": "f"}, {"index": 0, "function": {"name": 5}}],
            [(None, None, ""), (None, 5, "")],
            id="wrong types",
        ),
        pytest.param(
            [delta("f", 7, index=0, id="a"), delta(None, 8, index=0)],
            [("a", "f", "")],
            id="arguments of wrong types",
        ),
    ],
)
def test_every_dialect(deltas: list[Raw], wanted: list[tuple[str | None, str | None, str]]) -> None:
    """Deltas become the calls that were meant, however a server numbers and names them."""
    found = put_together(*deltas)
    assert [
        (call.get("id"), call["function"]["name"], call["function"]["arguments"]) for call in found
    ] == wanted
    assert all(call["type"] == "function" and "index" not in call for call in found)


def test_a_signature_that_comes_alone() -> None:
    """What is not a name or an argument belongs to its call, and is merged."""
    call = {"id": "a", **delta("f", "{}"), "extra_content": {"google": {"thought_signature": "1"}}}
    later = {"extra_content": {"google": {"more": 2}}}
    (found,) = put_together(call, later)
    assert found["extra_content"] == {"google": {"thought_signature": "1", "more": 2}}


def test_a_custom_tool() -> None:
    """A call of a custom tool has its input, and no function."""
    assert put_together(
        {"index": 0, "id": "a", "type": "custom", "custom": {"name": "sh", "input": "l"}},
        {"index": 0, "custom": {"input": "s"}},
    ) == [{"id": "a", "type": "custom", "custom": {"name": "sh", "input": "ls"}}]


def test_the_call_of_a_delta() -> None:
    """Feeding a delta returns the call it belongs to."""
    calls = ToolCalls()
    first = calls.feed(ToolCall.from_dict(delta("f", "", index=0, id="a")))
    assert calls.feed(ToolCall.from_dict(delta(None, "{}", index=0))) is first
    assert calls.feed(ToolCall.from_dict(delta("g", "", index=1, id="b"))) is not first


TWO = (delta("f", "{", index=0, id="a"), delta("g", "[", index=1, id="b"))


@pytest.mark.parametrize("again", [{"index": 1}, {"id": "b"}, {"index": 1, "id": "b"}, {}])
def test_calls_that_are_not_kept_are_forgotten(again: Raw) -> None:
    """After a cut, what names a forgotten call, or goes on with the last one, is not of it."""
    calls = fed(*TWO)
    calls.keep(1)
    kept, new = calls.calls[0], calls.feed(ToolCall.from_dict(delta("h", "{}", **again)))
    assert calls.calls == [kept, new]
    assert [call["function"]["name"] for call in calls.to_list()] == ["f", "h"]
    assert new.function["arguments"] == ["{}"]


def test_calls_that_are_kept_go_on() -> None:
    """After a cut, a call that stays is found by its index, its id, and as the last one."""
    for again in ({"index": 0}, {"id": "a"}, {}):
        calls = fed(*TWO)
        calls.keep(1)
        calls.feed(ToolCall.from_dict(delta(None, "}", **again)))
        assert calls.to_list()[0]["function"] == {"name": "f", "arguments": "{}"}
    calls.keep(0)
    assert calls.to_list() == []
