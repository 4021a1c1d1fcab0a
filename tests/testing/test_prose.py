"""The text engine."""

from __future__ import annotations

import pytest

from evoclient.testing.prose import compose, obey, ponder, report
from evoclient.testing.tokens import split_pieces


@pytest.mark.parametrize("number", range(30))
def test_an_answer_is_pleasant_to_watch(number: int) -> None:
    """At the usual pace an answer takes 1.5 to 3 seconds, in at least 40 pieces."""
    question = f"How many streams run through house number {number}, and where do they all end?"
    text = compose(question)
    assert 85 <= len(text.split()) <= 150
    assert 50 <= len(split_pieces(text)) <= 98
    assert text.startswith("## ")
    assert text.count("\n- **") == 3
    assert question[:35] in text


def test_questions_differ() -> None:
    """Equal questions get equal answers; choices of one question differ."""
    assert compose("hello") == compose("hello")
    assert len({compose("hello", choice=index) for index in range(4)}) == 4


@pytest.mark.parametrize(("question", "letter"), [("Что такое поток?", "ё"), ("什么是流？", "的")])
def test_the_language_of_the_question(question: str, letter: str) -> None:
    """Russian and Chinese questions are answered in kind, with an emoji."""
    text = compose(question)
    assert question in text
    assert letter in text
    assert "🚀" in text or "✨" in text
    assert len(split_pieces(text)) >= 40
    assert question in ponder(question)


@pytest.mark.parametrize(
    ("question", "instructions", "text"),
    [
        ("repeat: one  two\n three ", "", "one  two\n three "),
        ("Repeat:x", "", "x"),
        ("hello", "repeat: fixed", "fixed"),
        ("hello", "Please repeat what the user says.", "hello"),
        ("please count to 5", "", "1 2 3 4 5"),
        ("hello", "be kind", None),
    ],
)
def test_orders_are_obeyed(question: str, instructions: str, text: str | None) -> None:
    """`repeat:` and `count to` give exact texts; anything else is no order."""
    assert obey(question, instructions) == text


def test_a_result_is_quoted() -> None:
    """The answer after tool calls holds what every tool returned."""
    text = report("weather?", ['{"sky": "clear"}', "12 degrees"])
    assert '{"sky": "clear"}; 12 degrees' in text
