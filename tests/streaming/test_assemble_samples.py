"""Assembling what servers send: the samples of streams without an error."""

from __future__ import annotations

import re
from typing import Any

import pytest

from evoclient.models.chat import ChatCompletion
from evoclient.models.chunks import read_chunk
from evoclient.models.codec import loads
from evoclient.streaming.assemble import Assembly

from ..samples import Sample, all_samples
from ..samples.judging import differences

STREAMS = [s for s in all_samples() if s.stream and s.expected["error"] is None]

Raw = dict[str, Any]


def documents(body: bytes) -> list[Raw]:
    """Split a stream naively: what is no JSON object is left out, [DONE] ends it."""
    text = re.sub("\r\n|\r", "\n", body.decode("utf-8", "replace").removeprefix("\ufeff"))
    if text.startswith("{"):  # a whole completion instead of a stream
        whole = loads(text)
        choices = [
            {"delta" if k == "message" else k: v for k, v in choice.items()}
            for choice in whole["choices"]
        ]
        return [{**whole, "choices": choices}]
    found: list[Raw] = []
    for block in text.split("\n\n"):
        data = "\n".join(re.findall(r"^data: ?([^\n]*)", block, re.MULTILINE))
        if data == "[DONE]":
            break
        if data and not data.startswith(":"):
            document = loads(data)
            if isinstance(document, dict) and document.get("type") != "ping":
                found.append(document)
    return found


def assembled(*chunks: Raw) -> ChatCompletion:
    """Return the completion of some raw chunks."""
    assembly = Assembly()
    for raw in chunks:
        assembly.feed(read_chunk(raw))
    return assembly.completion()


@pytest.mark.parametrize("sample", STREAMS, ids=lambda sample: sample.name)
def test_each_sample_gives_what_is_wanted(sample: Sample) -> None:
    """Every sample of a stream without an error is assembled as its folder says."""
    assert sample.stream is not None
    chunks = documents(sample.stream)
    assert differences(assembled(*chunks), sample.expected) == {}
    assert len(chunks) == sample.expected["chunks"]


@pytest.mark.parametrize(
    "sample", [s for s in STREAMS if s.whole and "usage" not in s.name], ids=lambda s: s.name
)
def test_streamed_and_whole_are_alike(sample: Sample) -> None:
    """A stream gives the text, reasoning and calls of the whole answer beside it."""
    assert sample.stream is not None
    whole = ChatCompletion.from_dict(loads(sample.whole or b""))
    stream = assembled(*documents(sample.stream))
    for name in ("text", "finish_reason", "finish"):
        assert getattr(stream, name) == getattr(whole, name)
    assert (stream.reasoning or None) == (whole.reasoning or None)
    assert [(c.id, c.function.name, c.function.arguments) for c in stream.tool_calls] == [
        (c.id, c.function.name, c.function.arguments) for c in whole.tool_calls
    ]
