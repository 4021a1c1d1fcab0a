"""All targets by name, and the inputs that each begins with."""

from __future__ import annotations

from pathlib import Path

from . import answer_targets, asking_targets, bytes_targets
from .shape import Target

__all__ = ["TARGETS", "seeds_of"]

HERE = Path(__file__).parent
SAMPLES = HERE.parent / "samples"

TARGETS: dict[str, Target] = {
    target.name: target
    for target in (
        bytes_targets.EVENTS,
        bytes_targets.CHUNKED,
        bytes_targets.HEADS,
        bytes_targets.INFLATE,
        answer_targets.STREAM,
        answer_targets.ERRORS,
        answer_targets.TOOL_CALLS,
        answer_targets.PARTIAL_JSON,
        asking_targets.HEADERS,
        asking_targets.URLS,
        asking_targets.RETRY_AFTER,
    )
}


def seeds_of(target: Target) -> list[bytes]:
    """Return the corpus of a target: its folder, and for streams the samples of real ones."""
    files = sorted((HERE / "corpus" / target.name).iterdir())
    if target is answer_targets.STREAM:
        files += sorted(SAMPLES.glob("*/stream.sse")) + sorted(SAMPLES.glob("*/whole.json"))
    return [file.read_bytes() for file in files]
