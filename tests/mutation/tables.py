"""Which modules are mutated, and which tests judge them: those that cover them fastest, first."""

from __future__ import annotations

from pathlib import Path
from typing import Final

__all__ = ["REPOSITORY", "modules", "tests_of"]

REPOSITORY: Final = Path(__file__).resolve().parents[2]

_MODULES: Final = (
    "evoclient/retry.py",
    "evoclient/exchange.py",
    "evoclient/reopen.py",
    "evoclient/auth/*.py",
    "evoclient/streaming/*.py",
)

_PIPELINE: Final = (
    "tests/streaming/test_pipeline.py",
    "tests/property/test_pipeline.py",
    "tests/twins/test_streams.py",
)
_RECOVERY: Final = (
    "tests/twins/test_recovery_answers.py",
    "tests/twins/test_recovery_seams.py",
    "tests/twins/test_recovery_closing.py",
    "tests/property/test_recovery.py",
)
_ASSEMBLY: Final = (
    "tests/streaming/test_assemble.py",
    "tests/streaming/test_merging.py",
    "tests/streaming/test_tally.py",
    "tests/streaming/test_assemble_samples.py",
    "tests/streaming/test_assemble_properties.py",
)
_CLIENTS: Final = (
    "tests/twins/test_conversations.py",
    "tests/twins/test_streams.py",
    "tests/twins/test_endpoints.py",
    "tests/twins/test_clients.py",
)

#: What judges a module besides the files that are named after it.
_TESTS: Final[dict[str, tuple[str, ...]]] = {
    "evoclient/exchange.py": (
        *_CLIENTS,
        "tests/twins/test_reading.py",
        "tests/twins/test_any_request.py",
        "tests/twins/test_timeouts.py",
        "tests/twins/test_limits.py",
        "tests/twins/test_callbacks.py",
        "tests/twins/test_metrics.py",
        "tests/twins/test_stop_sequences.py",
    ),
    "evoclient/reopen.py": (
        "tests/twins/test_streams.py",
        *_RECOVERY,
        "tests/twins/test_recovery.py",
        "tests/twins/test_recovery_limits.py",
        "tests/twins/test_limits.py",
    ),
    "evoclient/auth/base.py": ("tests/auth/test_bearer.py", "tests/auth/test_key_pair.py"),
    "evoclient/auth/bearer.py": ("tests/secrets/test_objects.py", "tests/life/test_pickles.py"),
    "evoclient/auth/key_pair.py": (
        "tests/secrets/test_objects.py",
        "tests/life/test_pickles.py",
        "tests/twins/test_limits.py",
    ),
    "evoclient/streaming/alike.py": (
        "tests/streaming/test_template.py",
        "tests/property/test_template.py",
    ),
    "evoclient/streaming/announcing.py": ("tests/twins/test_callbacks.py",),
    "evoclient/streaming/assemble.py": _ASSEMBLY,
    "evoclient/streaming/buffering.py": ("tests/twins/test_buffers.py",),
    "evoclient/streaming/callbacks.py": (
        "tests/streaming/test_announcing.py",
        "tests/twins/test_callbacks.py",
    ),
    "evoclient/streaming/collect.py": ("tests/twins/test_conversations.py",),
    "evoclient/streaming/comparing.py": (
        "tests/streaming/test_seam.py",
        "tests/property/test_seam.py",
    ),
    "evoclient/streaming/continuing.py": ("tests/streaming/test_seam.py", *_RECOVERY),
    "evoclient/streaming/echo.py": (
        "tests/streaming/test_skipping.py",
        "tests/property/test_skipping.py",
        *_RECOVERY,
    ),
    "evoclient/streaming/encode.py": (
        "tests/testing/test_encode.py",
        "tests/property/test_decoders.py",
    ),
    "evoclient/streaming/gaps.py": (
        "tests/streaming/test_metrics.py",
        "tests/property/test_metrics.py",
    ),
    "evoclient/streaming/gathering.py": ("tests/twins/test_many_streams.py",),
    "evoclient/streaming/graphemes.py": (
        "tests/streaming/test_buffering.py",
        "tests/property/test_buffering.py",
    ),
    "evoclient/streaming/holes.py": (
        "tests/streaming/test_template.py",
        "tests/property/test_template.py",
    ),
    "evoclient/streaming/intake.py": (
        "tests/streaming/test_collect.py",
        "tests/streaming/test_pipeline.py",
    ),
    "evoclient/streaming/matching.py": (
        "tests/streaming/test_stops.py",
        "tests/property/test_stops.py",
    ),
    "evoclient/streaming/merging.py": _ASSEMBLY,
    "evoclient/streaming/metrics.py": (
        "tests/test_display.py",
        "tests/twins/test_metrics.py",
    ),
    "evoclient/streaming/opening.py": ("tests/property/test_framing.py",),
    "evoclient/streaming/pace.py": (
        "tests/streaming/test_metrics.py",
        "tests/property/test_metrics.py",
    ),
    "evoclient/streaming/passage.py": (
        "tests/streaming/test_template.py",
        "tests/property/test_template.py",
        "tests/twins/test_stop_sequences.py",
        *_RECOVERY,
    ),
    "evoclient/streaming/pipeline.py": (
        "tests/twins/test_stop_sequences.py",
        "tests/twins/test_stop_closing.py",
        "tests/property/test_template.py",
    ),
    "evoclient/streaming/recording.py": ("tests/testing/test_cassette.py",),
    "evoclient/streaming/repeated_calls.py": (
        "tests/streaming/test_skipping.py",
        "tests/property/test_skipping.py",
    ),
    "evoclient/streaming/rewriting.py": (
        "tests/streaming/test_thinking.py",
        "tests/streaming/test_stops.py",
    ),
    "evoclient/streaming/seam.py": _RECOVERY,
    "evoclient/streaming/shapes.py": (
        "tests/streaming/test_tally.py",
        "tests/endpoints/test_others.py",
    ),
    "evoclient/streaming/skipping.py": _RECOVERY,
    "evoclient/streaming/sse.py": (
        "tests/property/test_decoders.py",
        "tests/property/test_framing.py",
    ),
    "evoclient/streaming/stages.py": (
        "tests/streaming/test_template.py",
        "tests/streaming/test_stops.py",
        *_RECOVERY,
    ),
    "evoclient/streaming/stopwatch.py": ("tests/property/test_metrics.py",),
    "evoclient/streaming/tally.py": _ASSEMBLY,
    "evoclient/streaming/telling.py": (
        "tests/streaming/test_events.py",
        "tests/property/test_events.py",
    ),
    "evoclient/streaming/template.py": ("tests/twins/test_samples.py",),
    "evoclient/streaming/timing.py": ("tests/twins/test_timeouts.py",),
    "evoclient/streaming/tool_calls.py": (*_ASSEMBLY, "tests/property/test_events.py"),
    "evoclient/streaming/units.py": (
        "tests/streaming/test_buffering.py",
        "tests/property/test_buffering.py",
    ),
}


def modules() -> list[str]:
    """Return the modules that are mutated, from the top of the repository."""
    found = [path for pattern in _MODULES for path in sorted(REPOSITORY.glob(pattern))]
    return [path.relative_to(REPOSITORY).as_posix() for path in found if path.stat().st_size > 200]


def tests_of(module: str) -> tuple[str, ...]:
    """Return the test files that judge a module, in the order in which they run."""
    path = Path(module)
    room = path.parent.relative_to("evoclient")
    named = [f"tests/{room}/test_{path.stem}.py", f"tests/property/test_{path.stem}.py"]
    found = [name for name in named if (REPOSITORY / name).exists()]
    found += _TESTS.get(module, ())
    if room.name == "streaming":
        found += _PIPELINE
    return tuple(dict.fromkeys(found))
