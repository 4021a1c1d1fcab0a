"""A stream gives the same with templates and without, for any events, cuts and dialects."""

from __future__ import annotations

import copy
import json
import pickle
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from evoclient.models.base import Record
from evoclient.models.chunks import ChatCompletionChunk
from evoclient.streaming.holes import unescaped
from evoclient.streaming.pipeline import Pipeline
from evoclient.streaming.stages import StageOptions
from evoclient.streaming.template import use_templates

from ..streaming.driving import DONE, Clock, drive, pipeline
from .cuts import cuts

Raw = dict[str, Any]

#: Texts as they are written in JSON: what ends a string, or seems to, in all its forms.
WRITTEN = [
    "a", " word", "é", "😀", "", "error", '\\"', "\\\\", "\\\\\\\\", "\\n", "\\u00e9", "\\/", "\\b",
    "\\ud83d", "\\ude00", "\\ud83d\\ude00", "\\u0000", "\t", "\x01", "\u2028", "data: ", "{", "}]",
    '\\"},\\"finish_reason\\":null', '"', '","role":"user', '"},{"content":"b', "\\", "\\x", "?",
    '"},"finish_reason":"stop","x":{"y":"', "<think>", "</think>", "STOP", "ST",
]  # fmt: skip
ODD = st.lists(st.sampled_from(WRITTEN), min_size=1, max_size=3).map("".join).map(str.encode)
BROKEN = [b"\xff", b"\xe2\x82", b"\xed\xa0\x80", b"\xc0\x80"]
PLAIN = st.sampled_from([b"a", b" word", "é".encode(), b"\\n"])
TEXTS = st.lists(PLAIN, min_size=4, max_size=8) | st.lists(
    PLAIN | ODD | st.sampled_from(BROKEN), min_size=4, max_size=8
)

#: The deltas of the dialects: @ is the place of a text.
DELTAS = [
    '{"content":"@"}',
    '{"role":"assistant","content":"@"}',
    '{"tool_calls":[{"index":0,"function":{"arguments":"@"}}]}',
    '{"content": "@"}',
    '{"content":"@","role":"assistant","refusal":null,"reasoning":null}',
    '{"content":"a","content":"@"}',
    '{"content":"@","content":"a"}',
    '{"content":null,"reasoning":"@"}',
    '{"reasoning_content":"@"}',
    '{"content":"","reasoning_content":"@"}',
    '{"reasoning":"@","reasoning_content":"@"}',
    '{"reasoning":"@","reasoning_details":[{"type":"reasoning.text","text":"@"}]}',
    '{"content":"","reasoning_details":[{"summary":"@","index":0}],"reasoning_content":"@"}',
    '{"reasoning":"@","reasoning_details":[{"text":"@","summary":"@"}]}',
    '{"reasoning":"@","reasoning_details":[{"text":"@"},{"text":"@"}]}',
    '{"content":null,"tool_calls":[{"index":1,"function":{"arguments":"@"}}]}',
    '{"tool_calls":[{"index":0,"id":"c","type":"function","function":{"name":"f","arguments":"@"}}]}',
    '{"tool_calls":[{"index":0,"function":{"arguments":"@"}},{"index":1,"function":{}}]}',
    '{"content":"@","tool_calls":[]}',
    '{"content":"@","x":{"y":["@"]}}',
    '{"content":["@"]}',
    '{"content":[{"type":"text","text":"@"}]}',
    '{"@":"content"}',
    '{"content":"@","refusal":"no"}',
    '{"content":"@","annotations":[{"a":[1]}]}',
    "{}",
]
CHOICES = [
    '{"index":0,"delta":#,"finish_reason":null}',
    '{"delta":#}',
    '{"index":0,"delta":#,"logprobs":null,"finish_reason":""}',
    '{"index":0,"delta":#,"logprobs":{"content":[{"token":"t"}]},"finish_reason":null}',
    '{"index":0,"delta":#,"content_filter_results":{"hate":{"filtered":false}}}',
    '{"index":1,"delta":#}',
    '{"index":null,"delta":#}',
    '{"index":true,"delta":#}',
    '{"index":0,"delta":#,"finish_reason":"stop"}',
    '{"index":0,"delta":#},{"index":1,"delta":{"content":"b"}}',
    '{"index":0,"delta":{"content":"lost"},"delta":#}',
]
CHUNKS = [
    '{"id":"$","object":"chat.completion.chunk","created":%,"model":"m","choices":[&]}',
    '{"choices":[&],"created":%,"id":"$"}',
    '{ "choices" : [ & ] , "obfuscation" : "$" }',
    '{"id":"$","created":%,"choices":[&],"obfuscation":"$","x":{"y":[1,{"z":2}]}}',
    '{"id":"a","created":1,"id":"$","choices":[&],"created":%}',
    '{"id":"a","choices":[&],"usage":{"prompt_tokens":3,"completion_tokens":%}}',
    '{"id":"a","choices":[&],"usage":{"prompt_tokens":3,"x":[1]},"created":%}',
    '{"choices":[{}],"choices":[&],"nan":NaN,"obfuscation":"@"}',
    '\ufeff{"choices":[&]}',
]
OTHERS = [
    b": PROCESSING\n\n",
    b'data: {"choices":[],"usage":{"total_tokens":3}}\n\n',
    b'data: {"error":{"message":"boom","code":500}}\n\n',
    b"event: ping\ndata:\n\n",
    b"data: 5\n\n",
    b'data: {"choices":\ndata: []}\n\n',
    DONE,
]
NUMBERS = ["1763640000", "1763640001", "0", "-1", "01", "7.5", "1e3", "true", "1" * 20]
IDS = ["a", "b", "é", "", "\\n", "\x01"]


#: What most servers send, half of the time, and all else.
ANY_DELTA, ANY_CHOICE, ANY_CHUNK = (
    st.sampled_from(known[:3]) | st.sampled_from(known) for known in (DELTAS, CHOICES, CHUNKS)
)


@st.composite
def events(draw: st.DrawFn) -> list[bytes]:
    """Draw a run of events that differ little, as those of a stream do."""
    chunk = draw(ANY_CHUNK).replace("&", draw(ANY_CHOICE)).replace("#", draw(ANY_DELTA))
    start = draw(st.sampled_from(["data: ", "data: ", "data:", "id: 1\ndata: "]))
    numbers = draw(st.sampled_from([NUMBERS[:1], NUMBERS[:1], NUMBERS[:2], NUMBERS]))
    ids = draw(st.sampled_from([IDS[:1], IDS[:1], IDS[:2], IDS]))
    found = []
    for text in draw(TEXTS):
        made = chunk.replace("%", draw(st.sampled_from(numbers)))
        made = made.replace("$", draw(st.sampled_from(ids)))
        found.append((start + made + "\n\n").encode().replace(b"@", text))
    return found


@st.composite
def interleaved(draw: st.DrawFn) -> list[bytes]:
    """Draw two runs of events by turns, as those of two choices, or of two kinds of deltas."""
    return [event for pair in zip(draw(events()), draw(events()), strict=False) for event in pair]


OTHER = st.sampled_from(OTHERS).map(lambda event: [event])
RUNS = st.lists(events() | interleaved() | OTHER, min_size=1, max_size=5)
BODIES = RUNS.map(lambda runs: b"".join(event for run in runs for event in run))
OPTIONS = st.builds(
    StageOptions,
    stops=st.sampled_from([(), (), ("STOP",)]),
    split_think=st.booleans(),
    accumulate=st.sampled_from([True, True, False]),
)


@contextmanager
def templates(are_on: bool) -> Iterator[None]:
    """Turn templates on or off for a while."""
    use_templates(are_on)
    try:
        yield
    finally:
        use_templates(True)


def shown(item: Any) -> Any:
    """Return all that can be seen of an item."""
    if not isinstance(item, Record):
        return repr(item)
    names = [*type(item)._fields, *item.to_dict()]
    found = {name: value_of(getattr(item, name, None)) for name in names if str.isidentifier(name)}
    return type(item), item.to_dict(), json.dumps(item.to_dict()), repr(item), found


def value_of(value: Any) -> Any:
    """Return all that can be seen of a value of a record."""
    if isinstance(value, list):
        return [value_of(each) for each in value]
    return shown(value) if isinstance(value, Record) else (type(value), repr(value))


def result(pipe: Pipeline, blocks: Iterable[bytes]) -> Any:
    """Return everything that a reader of a stream sees."""
    items = drive(pipe, blocks) + pipe.let_out()
    assert pipe.end is not None
    error = pipe.end.error
    seen = None if error is None else (type(error), str(error), error.details)
    figures = pipe._metrics.to_dict()
    completion = pipe.stages.assembly.completion()
    # Text first: NaN is not equal to itself.
    return [
        repr([shown(item) for item in items]),
        repr([shown(pickle.loads(pickle.dumps(item))) for item in items]),  # noqa: S301 (our own)
        (pipe.end.outcome, seen, pipe.delivered),
        repr(shown(completion)),
        [figures[name] for name in ("chunks", "characters")],
    ]


def begin(options: StageOptions, choices: int) -> Pipeline:
    """Return a pipeline at the beginning of a body."""
    return pipeline(Clock(), stages=options.begin(), choices=choices)


@given(BODIES, OPTIONS, st.integers(1, 2), st.data())
def test_equal_with_templates_and_without(
    body: bytes, options: StageOptions, choices: int, data: st.DataObject
) -> None:
    """Chunks, completion, outcome, error and figures do not depend on templates."""
    for blocks in ([body], data.draw(cuts(body))):
        with templates(are_on=False):
            plain = result(begin(options, choices), blocks)
        assert result(begin(options, choices), blocks) == plain


@given(st.text(alphabet='\\"nbu/0é{', max_size=8))
def test_escapes_are_read_as_a_parser_reads_them(inner: str) -> None:
    """Escapes are read as a parser reads them between quotes; what is no text is empty."""
    try:
        wanted = json.loads(f'"{inner}"')
    except ValueError:
        wanted = ""
    assert unescaped(inner) == wanted


def spoil(value: Any) -> None:
    """Change everything in a value that can be changed, at every level."""
    if isinstance(value, Record):
        for name in [*type(value)._fields, *value._raw]:
            spoil(getattr(value, name, None))
        spoil(value.to_dict())
        for name in type(value)._fields:
            setattr(value, name, "spoilt")
    elif isinstance(value, dict):
        for each in list(value.values()):
            spoil(each)
        value.clear()
    elif isinstance(value, list):
        for each in value:
            spoil(each)
        value.append("spoilt")


@given(BODIES)
def test_nothing_is_shared(body: bytes) -> None:
    """Whatever a reader does to one chunk, no other chunk and no completion changes by it."""
    pipe = begin(StageOptions(), 1)
    chunks = [item for item in drive(pipe, [body]) if isinstance(item, ChatCompletionChunk)]
    before = [repr(chunk.to_dict()) for chunk in chunks]
    completion = repr(pipe.stages.assembly.completion().to_dict())
    while chunks:
        spoil(chunks.pop())
        assert [repr(chunk.to_dict()) for chunk in chunks] == before[: len(chunks)]
    assert repr(pipe.stages.assembly.completion().to_dict()) == completion


@given(BODIES)
def test_copies_are_equal(body: bytes) -> None:
    """A chunk of a template is copied and compared as any chunk is."""
    for item in drive(begin(StageOptions(), 1), [body]):
        if isinstance(item, ChatCompletionChunk):
            assert repr(copy.deepcopy(item).to_dict()) == repr(item.to_dict())
            assert repr(ChatCompletionChunk.from_dict(item.to_dict()).to_dict()) == repr(
                item.to_dict()
            )
