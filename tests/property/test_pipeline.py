"""A stream ends alike, and gives the same chunks, for any cut of its bytes."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from evoclient.models.chunks import ChatCompletionChunk
from evoclient.streaming.pipeline import Pipeline

from ..streaming.driving import DONE, chunk, drive, event, pipeline, said
from .cuts import cuts

REPLY = {"choices": [{"message": {"content": "whole"}, "finish_reason": "stop"}]}
EVENTS = [
    said("a"),
    said("é😀\u2028"),
    said("\ud83d"),
    said("\ude00"),
    said(None, "stop"),
    said("b", index=1),
    said("b", "length", index=1),
    said("", "error"),
    event({"choices": [], "usage": {"total_tokens": 3}}),
    event({"error": {"message": "boom", "code": 500}}),
    event({**chunk("c"), "error": "boom"}),
    b"event: error\ndata: boom\n\n",
    b"event: ping\ndata:\n\n",
    b": PROCESSING\n\n",
    b'id: 7\ndata: {\ndata: "choices": []}\n\n',
    b"data: : wrapped\n\n",
    b"data: oops\n\n",
    b"data: 5\n\n",
    b"\n",
    DONE,
]
FIRST = [b"", b"", b"\xef\xbb\xbf", b"\n\n", json.dumps(REPLY).encode(), b'{"error": "x"}']
LINE_ENDS = [b"\n", b"\r\n", b"\r"]

BODIES = st.builds(
    lambda first, events, end, cut: (first + b"".join(events).replace(b"\n", end))[: cut or None],
    st.sampled_from(FIRST),
    st.lists(st.sampled_from(EVENTS), max_size=8),
    st.sampled_from(LINE_ENDS),
    st.integers(-9, 0),
)
TERMS = st.fixed_dictionaries(
    {
        "choices": st.sampled_from([1, 2]),
        "incomplete": st.sampled_from(["raise", "accept", "strict"]),
    }
)


def result(pipe: Pipeline, blocks: Iterable[bytes]) -> Any:
    """Return everything that a reader of a stream sees."""
    items = drive(pipe, blocks)
    chunks = [item.to_dict() for item in items if isinstance(item, ChatCompletionChunk)]
    texts = [item.text for item in items if isinstance(item, ChatCompletionChunk)]
    assert pipe.end is not None
    error = pipe.end.error
    seen = None
    if error is not None:
        assert error.partial is not None
        seen = (type(error), error.code, error.retryable, error.partial.to_dict())
    return chunks, texts, pipe.end.outcome, seen, pipe.stages.assembly.completion().to_dict()


@given(BODIES, TERMS, st.data())
def test_any_cut(body: bytes, terms: dict[str, Any], data: st.DataObject) -> None:
    """Chunks, completion, outcome and error do not depend on where the bytes were cut."""
    whole = result(pipeline(**terms), [body])
    assert result(pipeline(**terms), data.draw(cuts(body))) == whole


@given(BODIES, st.data())
def test_any_cut_of_a_compressed_body(body: bytes, data: st.DataObject) -> None:
    """A content encoding changes nothing about it."""
    sent = gzip.compress(body)
    whole = result(pipeline(), [body])
    assert result(pipeline(encoding="gzip"), data.draw(cuts(sent))) == whole


@given(st.binary(max_size=200))
def test_any_bytes(body: bytes) -> None:
    """Any bytes end with an outcome and, where they are no stream, with an error of ours."""
    pipe = pipeline()
    drive(pipe, [body])
    assert pipe.end is not None
    assert pipe.end.outcome in ("complete", "unconfirmed", "truncated", "failed")


KEYS = [
    "choices", "delta", "message", "content", "error", "index", "finish_reason", "usage",
    "tool_calls", "function", "arguments", "code", "object", "reasoning", "type",
]  # fmt: skip
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(KEYS),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(st.lists(st.dictionaries(st.sampled_from(["choices", "error", "usage"]), JSON), max_size=4))
def test_any_shape(documents: list[dict[str, Any]]) -> None:
    """No shape of a document is fatal: the stream ends with an outcome."""
    pipe = pipeline()
    drive(pipe, [event(document) for document in documents])
    assert pipe.end is not None
