"""How a stream ended, and which error that is."""

from __future__ import annotations

import pytest

from evoclient.errors.tree import (
    APIConnectionError,
    APITimeoutError,
    StreamDecodeError,
    StreamInterruptedError,
)
from evoclient.streaming.ending import INCOMPLETE_WORDS, Outcome, interrupted


def test_words() -> None:
    """Outcomes equal their names, and the words of `incomplete` are the three promised ones."""
    assert all(outcome == outcome.name for outcome in Outcome)
    words = {"complete", "unconfirmed", "stopped", "cancelled", "truncated", "failed"}
    assert set(Outcome) == words
    assert INCOMPLETE_WORDS == ("raise", "accept", "strict")


@pytest.mark.parametrize(
    "cause",
    [APITimeoutError("late", limit="idle", seconds=60), StreamDecodeError("rubbish")],
)
def test_errors_that_stay(cause: APITimeoutError | StreamDecodeError) -> None:
    """A limit that passed and rubbish are raised as they are."""
    assert interrupted(cause, True, "") is cause


def test_a_cut() -> None:
    """A cut is an interruption of the stream, with the library's own error as its cause."""
    cause = APIConnectionError("reset by peer")
    cause.__cause__ = OSError("104")
    error = interrupted(cause, True, "")
    assert isinstance(error, StreamInterruptedError)
    assert "reset by peer" in error.message
    assert error.retryable
    assert error.__cause__ is cause.__cause__


def test_a_cut_without_a_cause() -> None:
    """Where no library raised, our own error is the cause."""
    cause = APIConnectionError("cut")
    assert interrupted(cause, False, "").__cause__ is cause


@pytest.mark.parametrize(
    ("has_begun", "beginning", "words"),
    [
        (True, "x", "without a finish reason and without .DONE."),
        (False, "", "before it began: the body held no chunk. Try"),
        (False, "Service busy", "but began with 'Service busy'"),
    ],
)
def test_an_early_end(has_begun: bool, beginning: str, words: str) -> None:
    """A body that simply ended is an interruption too; the message says what there was."""
    error = interrupted(None, has_begun, beginning)
    assert isinstance(error, StreamInterruptedError)
    assert error.retryable
    with pytest.raises(StreamInterruptedError, match=words):
        raise error
