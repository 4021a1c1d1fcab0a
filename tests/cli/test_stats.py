"""The figures of an answer."""

from __future__ import annotations

import itertools

import pytest

from evoclient.cli.stats import Figures
from evoclient.models.chat import ChatCompletion

TEXT = [{"index": 0, "message": {"content": "x" * 30}, "finish_reason": "stop"}]


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let each look at the clock show one second more."""
    seconds = itertools.count(100.0)
    monkeypatch.setattr("evoclient.cli.stats.monotonic", lambda: next(seconds))


def test_the_first_text_counts() -> None:
    """Time to first text is that of the first piece, and speed is counted from there."""
    figures = Figures(started=98.0)
    for _ in range(3):
        figures.saw_text()
    figures.end(ChatCompletion(choices=TEXT))
    assert figures.lines() == [
        "time to first text: 2.00 s",
        "total time:         3.00 s",
        "characters/s:       30",
        "finish reason:      stop",
    ]


def test_nothing_came() -> None:
    """Where no answer began there is nothing to tell."""
    assert Figures().lines() == []


def test_money_and_thinking() -> None:
    """Cost, and tokens of reasoning, are told where the server tells them."""
    figures = Figures(started=100.0)
    usage = {
        "prompt_tokens": 3,
        "completion_tokens": 9,
        "completion_tokens_details": {"reasoning_tokens": 4},
        "cost": 0.25,
    }
    figures.end(ChatCompletion(model="m", choices=[], usage=usage))
    assert "tokens:             3 in, 9 out, 4 of them reasoning" in figures.lines()
    assert "cost:               0.25" in figures.lines()


def test_figures_of_nobody() -> None:
    """A usage record without numbers says nothing."""
    figures = Figures(started=100.0)
    figures.end(ChatCompletion(choices=[], usage={}))
    assert figures.lines() == ["total time:         0.00 s"]
