"""The account of the soak notices what must not happen."""

from __future__ import annotations

from typing import Any

import pytest

from evoclient.errors.tree import StreamInterruptedError
from evoclient.models.chat import ChatCompletion

from .book import Book, Reading, Samples
from .crowd import leftovers
from .texts import text_of


def account(text: str, outcome: str | BaseException, ended_by_us: str = "") -> dict[str, Any]:
    """Return the account of one stream of answer 7."""
    book = Book(7)
    reading = book.begin()
    reading.text, reading.ended_by_us = text, ended_by_us
    if isinstance(outcome, str):
        book.ended(reading, outcome)
    else:
        book.failed(reading, outcome)
    return book.summary()


def cut(partial: str) -> StreamInterruptedError:
    """Return the error of a stream that was cut."""
    error = StreamInterruptedError("cut")
    message = {"role": "assistant", "content": partial}
    error.partial = ChatCompletion.from_dict({"choices": [{"index": 0, "message": message}]})
    return error


WHOLE = text_of(7)


@pytest.mark.parametrize(
    ("text", "outcome", "ended_by_us"),
    [
        (WHOLE, "complete", ""),
        (WHOLE[:5], "cancelled", "left"),
        (WHOLE[:5], cut(WHOLE[:5]), ""),
        (WHOLE[:5], cut(WHOLE[:9]), ""),
        ("", StreamInterruptedError("cut"), ""),
    ],
)
def test_what_is_right(text: str, outcome: str | BaseException, ended_by_us: str) -> None:
    """Whole answers, beginnings with an error, and what the reader ended are accounted for."""
    found = account(text, outcome, ended_by_us)
    assert (found["wrong"], found["wrong_streams"]) == ([], 0)
    assert sum(found["outcomes"].values()) == found["streams"] == 1


@pytest.mark.parametrize(
    ("text", "outcome", "ended_by_us"),
    [
        (WHOLE[:-1], "complete", ""),
        (WHOLE + "x", "complete", ""),
        (WHOLE[:5], "cancelled", ""),
        (WHOLE[:5], "truncated", ""),
        (WHOLE, "unconfirmed", ""),
        ("other", "cancelled", "left"),
        (WHOLE[:5], cut(WHOLE[:4]), ""),
        (WHOLE[:5], cut("other"), ""),
        ("", cut("other"), ""),
        (WHOLE[:5], ValueError("foreign"), ""),
        (WHOLE[:5], KeyError("foreign"), "client closed"),
    ],
)
def test_what_is_wrong(text: str, outcome: str | BaseException, ended_by_us: str) -> None:
    """Other texts, silent ends, lost text and foreign exceptions are told."""
    found = account(text, outcome, ended_by_us)
    assert found["wrong_streams"] == len(found["wrong"]) == 1
    assert "answer 7" in found["wrong"][0]


def test_streams_that_never_end() -> None:
    """A stream that was begun and is not accounted for is told."""
    book = Book(0)
    assert book.begin() == Reading(0)
    assert book.summary()["wrong"] == ["1 streams were begun, and 0 accounted for"]


@pytest.mark.parametrize(("by_the_end", "grown"), [(103.0, 0), (120.0, 1)])
def test_growth(by_the_end: float, grown: int) -> None:
    """The last quarter is held against the second one; the beginning does not count."""
    samples = Samples()
    samples.taken = [
        {"megabytes": megabytes, "threads": 9, "descriptors": 9, "seconds": 0}
        for megabytes in [50.0] * 10 + [100.0] * 20 + [by_the_end] * 10
    ]
    assert len(samples.summary()["grown"]) == grown


def test_leftovers() -> None:
    """What stays open when everything is closed is told."""
    before: dict[str, float] = {"threads": 1, "descriptors": 9}
    assert leftovers(before, {"threads": 2, "descriptors": 12}) == []
    assert len(leftovers(before, {"threads": 3, "descriptors": 13})) == 2
