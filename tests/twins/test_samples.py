"""Every sample of `tests/samples/`, through both clients."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from evoclient.errors.tree import APIError
from evoclient.models.chat import ChatCompletion
from evoclient.streaming.events import KeepAliveEvent
from evoclient.transports.memory import MemoryReply
from tests.colours import Colour

AnyColour = Colour[Any, Any]

SAMPLES = Path(__file__).parent.parent / "samples"
FOLDERS = sorted(folder.parent for folder in SAMPLES.glob("*/expected.json"))
STREAMED = [folder for folder in FOLDERS if (folder / "stream.sse").exists()]
WHOLE = [folder for folder in FOLDERS if (folder / "whole.json").exists()]


def expected_of(folder: Path) -> dict[str, Any]:
    """Return what a careful user wants to get."""
    expected: dict[str, Any] = json.loads((folder / "expected.json").read_text("utf-8"))
    return expected


def counts_keep_alives(folder: Path) -> bool:
    """Return whether a sample that ends well says how many signs of life it holds."""
    expected = expected_of(folder)
    return not expected["error"] and "keep_alives" in expected


ALIVE = [folder for folder in STREAMED if counts_keep_alives(folder)]


def setting(folder: Path, name: str, default: str) -> str:
    """Return what a small file of a sample says."""
    path = folder / name
    return path.read_text("utf-8").strip() if path.exists() else default


def stream_reply(folder: Path, size: int, *, stays_open: bool) -> MemoryReply:
    """Return the stream of a sample, cut into pieces of a size."""
    body = (folder / "stream.sse").read_bytes()
    pieces = [body[start : start + size] for start in range(0, len(body), size)]
    pauses: list[float] = [0.0] * len(pieces)
    if stays_open:
        pieces.append(b":\n\n")
        pauses.append(30.0)
    headers = {"content-type": setting(folder, "content_type", "text/event-stream")}
    return MemoryReply(headers=headers, pieces=pieces, pauses=pauses)


def whole_reply(folder: Path) -> MemoryReply:
    """Return the whole answer of a sample."""
    return MemoryReply(
        status=int(setting(folder, "status", "200")),
        headers={"content-type": setting(folder, "content_type", "application/json")},
        pieces=[(folder / "whole.json").read_bytes()],
    )


def contains(found: Any, part: Any) -> bool:
    """Return whether a document holds a part: all members named, list items one by one."""
    if isinstance(part, dict):
        return isinstance(found, dict) and all(
            name in found and contains(found[name], value) for name, value in part.items()
        )
    if isinstance(part, list):
        return (
            isinstance(found, list) and len(found) >= len(part) and all(map(contains, found, part))
        )
    return bool(found == part)


def result(completion: ChatCompletion | None) -> dict[str, Any]:
    """Return what the keys of a sample speak about."""
    if completion is None:
        return {"text": "", "tool_calls": [], "reasoning": None, "choices": {}}
    calls = [
        {"id": call.id, "name": call.function.name, "arguments": call.function.arguments}
        for call in completion.tool_calls
    ]
    return {
        "text": completion.text,
        "reasoning": completion.reasoning,
        "finish_reason": completion.finish_reason,
        "finish": completion.finish,
        "tool_calls": calls,
        "usage": None if completion.usage is None else completion.usage.to_dict(),
        "choices": {
            str(choice.index): {
                "text": choice.message.content,
                "finish_reason": choice.finish_reason,
            }
            for choice in completion.choices
        },
    }


def check(
    expected: dict[str, Any], completion: ChatCompletion | None, error: APIError | None
) -> None:
    """Compare what came with what was wanted."""
    assert (type(error).__name__ if error else None) == expected["error"], error
    if error is not None:
        completion = error.partial
        assert {"error_code": error.code, "status_code": error.status_code}.items() >= {
            name: expected[name] for name in ("error_code", "status_code") if name in expected
        }.items()
    found = result(completion)
    for name in ("text", "finish_reason", "finish", "tool_calls", "usage"):
        if name in expected:
            assert found[name] == expected[name], name
    if "reasoning" in expected:
        assert (found["reasoning"] or "") == (expected["reasoning"] or "")
    for index, choice in expected.get("choices", {}).items():
        assert contains(found["choices"].get(index), choice)
    if "contains" in expected:
        assert completion is not None
        assert contains(completion.to_dict(), expected["contains"])


@pytest.mark.parametrize("size", [1 << 20, 5], ids=["whole", "cut"])
@pytest.mark.parametrize("folder", STREAMED, ids=lambda folder: folder.name)
def test_streamed(colour: AnyColour, folder: Path, size: int) -> None:
    """A streamed sample gives what a careful user wants, however its bytes are cut."""
    expected = expected_of(folder)
    reply = stream_reply(folder, size, stays_open=expected.get("stays_open", False))
    client = colour.client(transport=colour.memory([reply]), model="m", max_retries=0)
    stream = colour.stream(client)
    error, count = None, 0
    try:
        for _ in colour.chunks(stream):
            count += 1
    except APIError as raised:
        error = raised
    check(expected, stream.completion, error)
    assert stream.outcome == expected["outcome"]
    if "chunks" in expected:
        assert count == expected["chunks"]


@pytest.mark.parametrize("folder", ALIVE, ids=lambda folder: folder.name)
def test_keep_alives(colour: AnyColour, folder: Path) -> None:
    """Comments of a sample are events for those who ask for events."""
    expected = expected_of(folder)
    reply = stream_reply(folder, 1 << 20, stays_open=expected.get("stays_open", False))
    client = colour.client(transport=colour.memory([reply]), model="m", max_retries=0)
    events = colour.events(colour.stream(client))
    comments = [event for event in events if isinstance(event, KeepAliveEvent) and event.comment]
    assert len(comments) == expected["keep_alives"]


@pytest.mark.parametrize("folder", WHOLE, ids=lambda folder: folder.name)
def test_whole(colour: AnyColour, folder: Path) -> None:
    """A whole sample gives what a careful user wants."""
    expected = expected_of(folder)["whole"]
    client = colour.client(transport=colour.memory([whole_reply(folder)]), model="m", max_retries=0)
    completion, error = None, None
    try:
        completion = colour.create(client)
    except APIError as raised:
        error = raised
    check(expected, completion, error)


def test_samples_are_complete() -> None:
    """Every folder that says what is wanted holds an answer."""
    assert FOLDERS
    assert [folder.name for folder in FOLDERS if folder not in STREAMED + WHOLE] == []
