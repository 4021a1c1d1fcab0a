"""The samples, read: what servers send, and what a careful user wants to get (see README.md)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import attrs

FOLDER = Path(__file__).parent


@attrs.frozen
class Sample:
    """One folder.

    Attributes:
        name: The folder's name.
        stream: The body of a streamed answer, or None.
        whole: The body of an answer without streaming, or None.
        expected: What is wanted, for the stream; under "whole" for the other.
        status: The status that goes with `whole`.
        content_type: The content type, or None for the usual one.
    """

    name: str
    stream: bytes | None
    whole: bytes | None
    expected: dict[str, Any]
    status: int
    content_type: str | None


def read_sample(folder: Path) -> Sample:
    """Return the sample in a folder."""
    found = {path.name: path.read_bytes() for path in folder.iterdir()}
    content_type = found.get("content_type")
    return Sample(
        name=folder.name,
        stream=found.get("stream.sse"),
        whole=found.get("whole.json"),
        expected=json.loads(found["expected.json"]),
        status=int(found.get("status", b"200")),
        content_type=content_type.decode().strip() if content_type else None,
    )


def all_samples() -> list[Sample]:
    """Return every sample, by name."""
    return [read_sample(path.parent) for path in sorted(FOLDER.glob("*/expected.json"))]


def contains(whole: Any, part: Any) -> bool:
    """Say whether a JSON value has all that another has: `contains` of the README."""
    if isinstance(part, dict):
        return isinstance(whole, dict) and all(
            key in whole and contains(whole[key], value) for key, value in part.items()
        )
    if isinstance(part, list):
        return (
            isinstance(whole, list)
            and len(whole) >= len(part)
            and all(contains(a, b) for a, b in zip(whole, part, strict=False))
        )
    return type(whole) is type(part) and bool(whole == part)
