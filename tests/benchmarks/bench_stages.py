"""What the stages of a stream cost per chunk: with and without them, by turns in one process."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from statistics import median
from typing import Any

import attrs
import pytest

from evoclient.models.chunks import read_chunk
from evoclient.streaming.metrics import StreamMetrics
from evoclient.streaming.pipeline import Pipeline, StreamTerms
from evoclient.streaming.stages import StageOptions
from evoclient.streaming.timing import Patience
from evoclient.wire import Timeouts

CHUNKS = 4000
ROUNDS = 25
WORDS = tuple(
    "The ordinary answer of a model goes on and on with words that are not long".split()  # noqa: SIM905
)


def event(number: int) -> bytes:
    """Return a chunk of OpenAI's with a word of an ordinary text."""
    chunk = {
        "id": "chatcmpl-A1b2C3d4",
        "object": "chat.completion.chunk",
        "created": 1763640000,
        "model": "gpt-4o-mini-2024-07-18",
        "system_fingerprint": "fp_0123456789",
        "choices": [
            {
                "index": 0,
                "delta": {"content": f" {WORDS[number % len(WORDS)]}"},
                "logprobs": None,
                "finish_reason": None,
            }
        ],
    }
    return b"data: " + json.dumps(chunk).encode() + b"\n\n"


#: Blocks as a fast server sends them, 32 chunks each.
BLOCKS = [
    b"".join(event(number) for number in range(first, first + 32)) for first in range(0, CHUNKS, 32)
]


def pipeline(options: StageOptions) -> Pipeline:
    """Return a pipeline as a client makes it."""
    patience = Patience(Timeouts(), clock=time.monotonic, started=time.monotonic(), total=None)
    return Pipeline(patience, None, StreamTerms(stages=options.begin()))


def seconds(options: StageOptions) -> float:
    """Return the CPU seconds of one stream."""
    pipe = pipeline(options)
    began = time.process_time()
    for block in BLOCKS:
        pipe.deadline()
        pipe.feed(block)
    return time.process_time() - began


def per_chunk(measured: Sequence[Callable[[], float]]) -> list[float]:
    """Return the microseconds per chunk of several measurements, which take turns."""
    figures: list[list[float]] = [[] for _ in measured]
    for _ in range(ROUNDS):
        for one, found in zip(measured, figures, strict=True):
            found.append(one())
    return [median(found) / CHUNKS * 1e6 for found in figures]


def sequences(count: int) -> tuple[str, ...]:
    """Return stop sequences that do not come in the text, with beginnings that do."""
    return tuple(f"{WORDS[number % len(WORDS)][:2]}#{number}" for number in range(count))


def test_stop_sequences() -> None:
    """One stop sequence adds at most a tenth to a chunk, and a thousand at most five times that."""
    plain, one, many = per_chunk(
        [
            lambda: seconds(StageOptions()),
            lambda: seconds(StageOptions(stops=("###",))),
            lambda: seconds(StageOptions(stops=sequences(1000))),
        ]
    )
    print(f"plain {plain:.2f} µs, one sequence {one:.2f}, a thousand {many:.2f}")
    print(f"one adds {(one - plain) / plain:.1%}; a thousand cost {many / one:.2f} times one")
    assert one <= plain * 1.10
    assert many <= one * 5


def test_a_long_search_is_linear() -> None:
    """Four times as much adversarial text takes less than eight times as long."""

    def search(length: int) -> float:
        options = StageOptions(stops=("a" * 500 + "b", "a" * 250 + "c"))
        stops: Any = options.begin().stops
        chunks = [read_chunk({"choices": [{"index": 0, "delta": {"content": "a"}}]})] * length
        began = time.process_time()
        for chunk in chunks:
            chunk.choices[0].delta.content = "a"
            stops.feed(chunk)
        return time.process_time() - began

    short, long = (median(search(length) for _ in range(5)) for length in (5_000, 20_000))
    print(f"5,000 characters {short * 1e3:.1f} ms, 20,000 {long * 1e3:.1f} ms")
    assert long < short * 8


@attrs.frozen
class Unmeasured:
    """In the place of metrics: takes what they are told, and does nothing with it."""

    def block(self, size: int, waiting_since: float) -> None:
        """Do nothing."""

    def feed(self, chunk: object) -> None:
        """Do nothing."""


def test_metrics() -> None:
    """Measuring itself costs a stream at most 0.3 µs per chunk, beside one that does not."""
    # As many as come at once: a chunk that was just read is in the processor's cache.
    block = [read_chunk(json.loads(event(number)[6:])) for number in range(32)]

    def told(metrics: Any) -> float:
        now = time.monotonic()
        began = time.process_time()
        for _ in range(CHUNKS // len(block)):
            metrics.block(9000, now)
            for chunk in block:
                metrics.feed(chunk)
        return time.process_time() - began

    without, measured = per_chunk([lambda: told(Unmeasured()), lambda: told(StreamMetrics())])
    print(f"metrics: {measured - without:.3f} µs per chunk")
    assert measured - without <= 0.3


@pytest.mark.parametrize("accumulate", [True, False])
def test_keeping(accumulate: bool) -> None:
    """A stream that keeps nothing costs no more than one that does, within a tenth."""
    kept, this = per_chunk(
        [
            lambda: seconds(StageOptions()),
            lambda: seconds(StageOptions(accumulate=accumulate)),
        ]
    )
    print(f"accumulate={accumulate}: {this:.2f} µs beside {kept:.2f}")
    assert this <= kept * 1.1
