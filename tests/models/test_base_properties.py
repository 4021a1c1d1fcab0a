"""What holds for every record over every object."""

from __future__ import annotations

import copy
import pickle
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from evoclient.models.base import Record
from evoclient.models.chat import ChatChoice, ChatCompletion, ChatMessage
from evoclient.models.chunks import ChatCompletionChunk, read_chunk
from evoclient.models.embeddings import CreateEmbeddingResponse
from evoclient.models.listing import ModelList
from evoclient.models.tools import ToolCall
from evoclient.models.usage import Usage

KINDS: tuple[type[Record], ...] = (
    ChatCompletion,
    ChatCompletionChunk,
    CreateEmbeddingResponse,
    ModelList,
    ToolCall,
    Usage,
)

NAMES = st.sampled_from(
    [
        *ChatCompletion._fields,
        *ChatChoice._fields,
        *ChatMessage._fields,
        *ToolCall._fields,
        *Usage._fields,
        "delta",
        "arguments",
        "data",
        "embedding",
        "reasoning_content",
        "x_groq",
        "text",
        "thinking",
        "unknown",
    ]
)
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-3, 3)
    | st.floats(allow_nan=False)
    | st.sampled_from(["", "text", "thinking", "null", "assistant", "я"])
)
JSON = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=25,
)
OBJECTS = st.dictionaries(NAMES, JSON, max_size=6)


def touch(value: Any) -> None:
    """Use every field and property of a record, and of the records in it."""
    if isinstance(value, list):
        for item in value:
            touch(item)
    elif isinstance(value, Record):
        for name in [*value._fields, "text", "finish", "finish_reason", "reasoning", "request_id"]:
            touch(getattr(value, name, None))
        repr(value)
        str(value)


@given(st.sampled_from(KINDS), OBJECTS)
def test_any_object_round_trips(kind: type[Record], raw: dict[str, Any]) -> None:
    """Of any shape, an object can be read at every place, and comes back as it was sent."""
    record = kind.from_dict(raw)
    assert record.to_dict() == raw
    touch(record)
    assert repr(record.to_dict()) == repr(raw)
    twin = pickle.loads(pickle.dumps(record))  # noqa: S301 - our own bytes
    assert type(twin) is kind
    assert twin == record == copy.deepcopy(record) == copy.copy(record)


@given(OBJECTS, st.lists(OBJECTS, max_size=3))
def test_any_chunk_is_read_alike(raw: dict[str, Any], choices: list[dict[str, Any]]) -> None:
    """A chunk that is read fast shows the same at every place as one that is read on use."""
    fast, slow = (
        read_chunk({**raw, "choices": choices}),
        ChatCompletionChunk.from_dict({**raw, "choices": choices}),
    )
    assert repr(_seen(fast)) == repr(_seen(slow))
    assert fast == slow
    assert repr(fast.to_dict()) == repr({**raw, "choices": choices})


def _seen(value: Any) -> Any:
    if isinstance(value, list):
        return [_seen(item) for item in value]
    if isinstance(value, Record):
        return {name: _seen(getattr(value, name)) for name in value._fields}
    return value
