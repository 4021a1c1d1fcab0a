"""The examples under docs/examples are programs that do what they say."""

from __future__ import annotations

import os
import re
import runpy
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from evoclient.providers.presets import PRESETS
from evoclient.testing import DemoServer

from .pages import DOCS, quoted, rows, section
from .test_blocks import WIDEST

EXAMPLES = {path.stem: path for path in sorted((DOCS / "examples").glob("*.py"))}

TO_FIVE = "1 2 3 4 5"
TO_TWELVE = "1 2 3 4 5 6 7 8 9 10 11 12"
TO_TWENTY = f"{TO_TWELVE} 13 14 15 16 17 18 19 20"


@dataclass(frozen=True)
class Case:
    """One claim about one example.

    Attributes:
        example: Its name.
        claim: What it does, in a sentence.
        shows: What it must print, in this order, and log.
        plays: What the server does to its requests, one after another.
        pace: Seconds between the pieces of a stream.
        settings: What its environment has besides.
        at_most: How often it may print a text.
    """

    example: str
    claim: str
    shows: tuple[str, ...]
    plays: tuple[str, ...] = ()
    pace: float = 0.0
    settings: dict[str, str] = field(default_factory=dict)
    at_most: dict[str, int] = field(default_factory=dict)


CASES = [
    Case(
        "stream_text",
        "The text is printed.",
        ("Tell me a long story about space.", "demo server"),
    ),
    Case(
        "stream_text_async",
        "The text is printed.",
        ("Explain quantum physics.", "demo server"),
    ),
    Case(
        "chunk_kinds",
        "Role, pieces and finish reason are told apart, and the whole is there.",
        ("role: assistant", "text: '1'", "text: ' 2'", "finish reason: stop", f"whole: {TO_FIVE}"),
    ),
    Case(
        "stream_statistics",
        "Figures follow the text.",
        ("future", "Time: ", "Chunks: 9", "Characters: 5", "Tokens: 1"),
    ),
    Case(
        "stop_sequences",
        "The text ends before the word, and the word is known.",
        ("2. Write small programs.\n[stopped at КОНЕЦ; the stream is stopped]",),
    ),
    Case("catch_errors", "An answer without a fault is printed.", (TO_TWENTY,)),
    Case(
        "catch_errors",
        "The text before a cut is kept.",
        ("1 2 3\nStreamInterruptedError", "So far: '1 2 3'"),
        plays=("cut;after=4",),
    ),
    Case(
        "robust_streaming",
        "A refused request and a cut stream give one text, no part of it twice.",
        (
            "[attempt 1: InternalServerError]\n1 2 3\n[attempt 2: StreamInterruptedError]\n",
            f" 4 5 6 7 8 9 10 11 12\nThe answer: {TO_TWELVE}\n",
        ),
        plays=("status;code=503;retry_after=0", "cut;after=4"),
    ),
    Case(
        "robust_streaming",
        "A failure that no retry mends is told.",
        ("No answer: ", "The answer: None"),
        plays=("status;code=401",),
    ),
    Case(
        "robust_streaming_async",
        "What is kept is known after a cut, and the text is whole.",
        ("again in 0.00 s: InternalServerError", "kept: 1 2 3\n", f"shown: {TO_TWELVE}\n"),
        plays=("status;code=503;retry_after=0", "cut;after=4"),
    ),
    Case(
        "ui_buffer",
        "The first text comes at once, the rest in few updates.",
        ("update: '1", "30'"),
        pace=0.002,
        at_most={"update: ": 15},
    ),
    Case(
        "ui_buffer_async",
        "The first text comes at once, the rest in few updates.",
        ("update: '1", "30'"),
        pace=0.002,
        at_most={"update: ": 15},
    ),
    Case("typing_effect", "The text is printed whole.", ("sunrise", "demo server", "chunks")),
    Case(
        "many_streams",
        "Pieces bear the number of their question, and all answers are there.",
        ("[", "What is Python? 3", "Explain machine learning. 3", "Tell me about the web. 3"),
    ),
    Case(
        "many_streams",
        "A failure is told with its number, and the others go on.",
        ("] failed: ", "characters\n", "characters\n"),
        plays=("status;code=400",),
    ),
    Case(
        "many_streams_async",
        "Answers come in the order of the questions.",
        ("What is Python? 3", "Explain machine learning. 3", "Tell me about the web. 3"),
    ),
    Case(
        "stopwatch",
        "The totals count all chunks, not those of the window.",
        ("total_chunks: 50.00", "total_chars: 140.00", "recent_chunks_per_second: "),
    ),
    Case(
        "callbacks_chain",
        "The callbacks hear of start, chunks and end.",
        ("asking demo with 1 messages", "quantum", "completed by demo in", "total tokens: 1"),
    ),
    Case(
        "callbacks_chain",
        "Where the server tells the cost, it is shown.",
        ("completed by demo in", "cost: $0.000"),
        plays=("openrouter",),
    ),
    Case("callbacks_async", "Coroutines get the text.", (TO_TWENTY, "27 tokens")),
    Case(
        "tool_call_chunks",
        "Pieces of arguments are seen, and the tool runs before the answer ends.",
        ("piece: get_weather", "result: 18 degrees", "in Tokyo", "called: get_weather"),
    ),
    Case(
        "content_or_tools",
        "Chunks without text are told apart.",
        ("nothing to show: 2", "text: 20", "usage: 1"),
    ),
    Case(
        "without_keeping",
        "All is handled, and nothing is kept.",
        ("198 199 200\n200 pieces, 691 characters", "kept: ''"),
    ),
    Case("accumulate", "The completion has all.", ("robot", "total tokens: 1", "cost: None")),
    Case(
        "whole_after_failure",
        "A cut stream is replaced by a whole answer.",
        (TO_TWENTY, "streaming failed: The stream was cut"),
        plays=("cut;after=4",),
    ),
    Case(
        "whole_after_failure",
        "A silent stream is replaced by a whole answer.",
        (TO_TWENTY, "silent for 0.5 s behind"),
        plays=("stall;after=3;seconds=20",),
        settings={"IDLE_LIMIT": "0.5"},
    ),
    Case(
        "errors_by_class",
        "An error is told to the functions of its class, and to those of all.",
        ("server: StreamInterruptedError\nnote: ", "the program goes on"),
        plays=("cut;after=2",),
    ),
    Case(
        "errors_by_class",
        "A status is told to the functions of its class, and to those of all.",
        ("server: InternalServerError\nnote: ", "the program goes on"),
        plays=("status;code=500",),
    ),
    Case(
        "watch_speed",
        "The rate is told while the stream runs, and at its end.",
        ("now: ", "characters per second", "107 tokens in", "102 gaps"),
        pace=0.001,
    ),
    Case(
        "slow_answers",
        "A slow answer is logged, and seen by the callback.",
        ("slow: ", "ms\n", "a slow answer: demo"),
        pace=0.03,
    ),
    Case(
        "batches",
        "All batches are done.",
        ("batch 1: 3 of 3 done", "batch 2: 3 of 3 done", "batch 3: 3 of 3 done"),
    ),
    Case(
        "fallback_models",
        "Another model takes over.",
        (f"demo-mini: {TO_TWELVE}\n2 attempts",),
        plays=("cut;after=4",),
    ),
    Case(
        "fallback_models",
        "Where nothing breaks, the first model answers.",
        (f"demo: {TO_TWELVE}\n1 attempts",),
    ),
    Case(
        "leave_early",
        "The stream ends in the middle.",
        ("[cancelled behind ",),
        pace=0.02,
    ),
]


@pytest.fixture(scope="module")
def demo() -> Iterator[DemoServer]:
    """A demo server that checks its key."""
    with DemoServer(api_key="demo-key", pace=0) as server:
        yield server


@pytest.fixture
def environment(demo: DemoServer, monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """The environment of a reader who tries the examples with the demo server."""
    monkeypatch.setenv("EVOCLIENT_BASE_URL", demo.base_url)
    monkeypatch.setenv("EVOCLIENT_API_KEY", "demo-key")
    monkeypatch.setenv("EVOCLIENT_MODEL", "demo")
    return monkeypatch


@pytest.mark.loopback
@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.example}: {case.claim}")
def test_examples(
    case: Case,
    demo: DemoServer,
    environment: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Each example does what the table claims."""
    for name, value in case.settings.items():
        environment.setenv(name, value)
    demo.clear_plays()
    for play in case.plays:
        demo.play(play)
    demo.pace = case.pace
    runpy.run_path(str(EXAMPLES[case.example]), run_name="__main__")
    said = f"{capsys.readouterr().out}\n{caplog.text}"
    place = 0
    for wanted in case.shows:
        found = said.find(wanted, place)
        assert found >= 0, f"{wanted!r} is not in what follows:\n{said[place:]}"
        place = found + len(wanted)
    for text, most in case.at_most.items():
        assert said.count(text) <= most


@pytest.mark.loopback
@pytest.mark.parametrize("example", ["typing_effect", "callbacks_async"])
def test_examples_are_programs(
    example: str, demo: DemoServer, environment: pytest.MonkeyPatch
) -> None:
    """An example runs in an interpreter of its own, and complains of nothing."""
    demo.clear_plays()
    demo.pace = 0.0
    # The examples read their settings from it. Development mode lets asyncio tell of slow steps.
    variables = {**os.environ, "PYTHONPATH": str(DOCS.parent), "PYTHONWARNINGS": "default"}
    variables.pop("PYTHONDEVMODE", None)
    ended = subprocess.run(
        [sys.executable, EXAMPLES[example]],
        env=variables,
        capture_output=True,
        check=True,
        timeout=30,
    )
    assert ended.stdout
    assert ended.stderr == b""


def test_every_example_is_tried() -> None:
    """No example is without a claim, and no claim without an example."""
    assert {case.example for case in CASES} == set(EXAMPLES)


def test_every_example_is_listed() -> None:
    """The page on streaming has each example in its table, and no other."""
    table = rows(section("howto/streaming.md", "## Examples"))
    assert sorted(name for row in table for name in quoted(row[1])) == sorted(
        path.name for path in EXAMPLES.values()
    )


@pytest.mark.parametrize("example", EXAMPLES)
def test_examples_say_what_they_show(example: str) -> None:
    """An example begins with a sentence, fits the page, takes no key, and names no server."""
    code = EXAMPLES[example].read_text("utf-8")
    assert re.match(r'"""[A-Z].*\.', code)
    assert max(map(len, code.splitlines())) <= WIDEST
    assert re.search(r"\b(api_key|base_url|provider)=|https?://", code) is None


def test_the_page_on_recovery_knows_the_presets() -> None:
    """The table says of each preset whether it continues an assistant message."""
    table = rows(section("howto/recovery.md", "## Which servers continue"))
    assert {quoted(row[0])[0]: row[1] == "is continued" for row in table} == {
        name: preset.prefill == "continues" for name, preset in PRESETS.items()
    }


def test_the_page_on_stop_sequences_knows_the_presets() -> None:
    """All presets take four sequences but the three that the page names."""
    names = {"ollama", "vllm", "llamacpp"}
    assert {name: preset.stop_sequences for name, preset in PRESETS.items()} == {
        name: None if name in names else 4 for name in PRESETS
    }
    text = section("howto/stop-sequences.md", "## Who stops")
    assert "4 for most and without a limit for\nOllama, vLLM and llama.cpp" in text
