"""The short form of the fuzzing: every input that is kept, and some thousand made of them.

What fails here is looked at by its repr in the message; ``tox -e fuzz`` searches for more.
"""

from __future__ import annotations

import random

import pytest

from .mutations import mutated
from .pumping import MOST_GROWTH, Pump, growth_of, pump_from
from .shape import Target
from .targets import TARGETS, seeds_of

#: How many inputs are made of the kept ones. The same ones each time: a change is judged by what
#: it changed.
MUTATIONS = {"stream": 60, "tool_calls": 100, "errors": 300}
PUMPS = 3


def tried(target: Target, data: bytes) -> None:
    """Run a target; a failure names its input."""
    try:
        target.run(data)
    except Exception as error:
        # Anything at all: that nothing foreign comes through is what is tested.
        pytest.fail(f"{target.name}: {data!r}: {type(error).__name__}: {error}")


@pytest.mark.parametrize("name", TARGETS)
def test_what_is_kept(name: str) -> None:
    """Every input of the corpus is read as the target promises."""
    target = TARGETS[name]
    seeds = seeds_of(target)
    assert len(seeds) >= 5
    for data in seeds:
        tried(target, data)


@pytest.mark.parametrize("name", TARGETS)
def test_what_is_made_of_it(name: str) -> None:
    """Inputs that are mutated, repeated, cut and joined are read as the target promises."""
    target, dice = TARGETS[name], random.Random(name)
    seeds = seeds_of(target)
    for _ in range(MUTATIONS.get(name, 700)):
        tried(target, mutated(seeds, target.words, target.most, dice))


@pytest.mark.parametrize("name", TARGETS)
def test_time(name: str) -> None:
    """Of an input with a piece repeated twice as often, the time about doubles."""
    target, dice = TARGETS[name], random.Random(name)
    seeds = [seed for seed in seeds_of(target) if len(seed) < 4096]
    for _ in range(PUMPS):
        pump = pump_from(seeds, target.words, dice)
        assert growth_of(target, pump, 4096) <= MOST_GROWTH, pump


def test_time_that_grows_faster_is_noticed() -> None:
    """What looks at every three bytes together is not taken for linear."""

    def triples(data: bytes) -> None:
        assert sum(a == b == c for a in data for b in data for c in data)

    assert growth_of(Target("triples", triples), Pump(b"", b"x", b""), 2**5) > MOST_GROWTH
