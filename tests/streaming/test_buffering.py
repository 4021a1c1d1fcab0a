"""What of a growing text is shown, and when, by a clock that the test sets."""

from __future__ import annotations

import gc
import math
import re
import weakref
from contextlib import suppress
from typing import Any, get_args

import pytest

from evoclient.ground import ConfigurationError
from evoclient.streaming import buffering
from evoclient.streaming.buffering import Buffer, By, KeptError, pushed
from evoclient.streaming.graphemes import is_boundary
from evoclient.streaming.units import SPLITTERS


def units(text: str, by: By) -> list[str]:
    """Return what is shown of a text that comes character by character, without any interval."""
    buffer, shown = Buffer(interval=0, by=by), []
    for character in text:
        buffer.add(character)
        shown.append(buffer.ready(0))
    return [unit for unit in [*shown, buffer.flush()] if unit]


def test_first_text_at_once() -> None:
    """The first text is due at once, but for its last character."""
    buffer = Buffer(interval=5)
    assert buffer.due() is None
    buffer.add("Hello")
    assert buffer.due() == -math.inf
    assert buffer.ready(100) == "Hell"


def test_one_update_per_interval() -> None:
    """After an update, what comes waits until the interval has passed, and comes as one."""
    buffer = Buffer(interval=5)
    buffer.add("ab")
    assert buffer.ready(100) == "a"
    buffer.add("cd")
    buffer.add("ef")
    assert buffer.due() == 105
    assert buffer.ready(104.9) == ""
    assert buffer.ready(105) == "bcde"
    assert buffer.due() is None


def test_nothing_is_due_while_one_character_is_held() -> None:
    """The last character is held back until another one follows, however long that takes."""
    buffer = Buffer(interval=1)
    buffer.add("a")
    assert (buffer.due(), buffer.ready(100)) == (None, "")
    buffer.add("\u0301")
    assert (buffer.due(), buffer.ready(100)) == (None, "")
    buffer.add("b")
    assert buffer.ready(100) == "a\u0301"


def test_flush() -> None:
    """A flush gives what waits and what is held back, once."""
    buffer = Buffer(interval=5, by="line", min_chars=50)
    buffer.add("one\ntwo")
    assert not buffer.is_empty
    assert buffer.flush() == "one\ntwo"
    assert buffer.flush() == ""
    assert buffer.is_empty


def test_flush_counts_as_an_update() -> None:
    """With a time, a flush is an update after which the interval is kept; without, it is not."""
    buffer = Buffer(interval=5)
    buffer.add("a")
    assert buffer.flush(100) == "a"
    buffer.add("bc")
    assert buffer.due() == 105
    buffer.flush()
    buffer.add("de")
    assert buffer.due() == 105


def test_text_after_a_flush_is_a_new_one() -> None:
    """What was known of the last character before a flush does not bear on what follows it."""
    buffer = Buffer(interval=0)
    buffer.add("🇷")
    assert buffer.flush() == "🇷"
    buffer.add("🇺🇷x")
    assert buffer.ready(0) == "🇺🇷"


def test_min_chars() -> None:
    """No update has fewer characters than asked for, the first one included."""
    buffer = Buffer(interval=0, min_chars=3)
    buffer.add("abc")
    assert (buffer.due(), buffer.ready(9)) == (None, "")
    buffer.add("d")
    assert buffer.ready(9) == "abc"


def test_is_full(monkeypatch: pytest.MonkeyPatch) -> None:
    """A buffer is full with more than so many characters, if they may be shown."""
    monkeypatch.setattr(buffering, "MOST_WAITING", 10)
    buffer, patient = Buffer(), Buffer(min_chars=50)
    for each in (buffer, patient):
        each.add("x" * 11)
        assert not each.is_full
        each.add("x")
    assert buffer.is_full
    assert not patient.is_full
    buffer.ready(0)
    assert not buffer.is_full


def test_words() -> None:
    """A word comes with the white space after it, and the last one at the end."""
    assert units("Two  words,\nПривет мир", "word") == ["Two ", " words,\n", "Привет ", "мир"]


def test_lines() -> None:
    """A line comes with its line break, of whichever kind."""
    text = "one\ntwo\r\n\r\nthree\rfour\u2028five"
    assert units(text, "line") == ["one\n", "two\r\n", "\r\n", "three\r", "four\u2028", "five"]


def test_a_line_does_not_wait_for_the_next_one() -> None:
    """A line is shown as soon as its line break is there."""
    buffer = Buffer(by="line")
    buffer.add("one\n")
    assert buffer.ready(0) == "one\n"


SENTENCES = {
    "Latin": ["One. ", "Two! ", "Three?! ", "Four... ", "Five… ", "Six"],
    "Cyrillic": ["Раз. ", "Два! ", "Три? ", "«Четыре!» ", "Пять"],
    "Chinese": ["你好。", "我来了！", "好吗？", "“真的。”", "一；", "二"],
    "Japanese": ["「行こう。」", "彼は言った。", "はい"],
    "mixed": ["Он сказал: 你好。", "Да. ", "Нет"],
    "quotes and brackets": ['"Yes." ', "(No.) ", "**Bold.** ", "He said “no.” ", "End."],
    "numbers": ["It is 3.14 or 1.000. ", "v1.2.3 is out. ", "In 2024. ", "Done."],
    "numbers of a list": ["1. First. ", "2. Second.\n", "3. Third."],
    "initials": ["A. S. Pushkin wrote. ", "А. С. Пушкин писал. ", "J.R.R. Tolkien did. ", "So."],
    "abbreviations": ["See e.g. this, i.e. that. ", "Mr. Smith. ", "(cf. Dr. Who). ", "End"],
    "сокращения": ["Да, т.е. нет. ", "Это т. е. то. ", "См. рис. 5. ", "Напр. это. ", "Всё"],
    "blank lines": ["# Title\n\n", "Text\nwraps. ", "- item\n \n", "more"],
    "inside a word": ["www.example.com and a.b! ", "ok"],
}


@pytest.mark.parametrize("sentences", SENTENCES.values(), ids=SENTENCES)
def test_sentences(sentences: list[str]) -> None:
    """A sentence ends with its mark, what closes there, and white space."""
    assert units("".join(sentences), "sentence") == sentences


def test_several_units_in_one_update() -> None:
    """Units that came within one interval are one update, and an unfinished one waits."""
    buffer = Buffer(interval=5, by="sentence")
    buffer.add("One. Two. Thr")
    assert buffer.ready(0) == "One. Two. "
    buffer.add("ee. Four. F")
    assert buffer.ready(4) == ""
    assert buffer.ready(5) == "Three. Four. "
    assert buffer.flush() == "F"


def test_pattern() -> None:
    """A match of a pattern ends a unit, and what it looks ahead at may come later."""
    assert units("a;b;;c", re.compile(";+")) == ["a;", "b;;", "c"]
    assert units("aXbYc", re.compile("(?=[A-Z])")) == ["a", "Xb", "Yc"]


def test_units_do_not_cut_characters() -> None:
    """A unit does not end where that would part a mark from what it belongs to."""
    assert units("one \u0301two three", "word") == ["one \u0301two ", "three"]
    assert units("ae\u0301b", re.compile("e")) == ["ae\u0301b"]


@pytest.mark.parametrize("text", ["e" + "\u0301" * 400, " \u0301" * 400], ids=["one", "many"])
@pytest.mark.parametrize("by", SPLITTERS)
def test_the_work_is_linear(by: Any, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """However long a cluster grows, or a text in which no unit ends, it is looked at once."""
    split, looked_at = SPLITTERS[by], 0

    def counting_split(text: str, start: int, settled: int) -> tuple[list[int], int]:
        nonlocal looked_at
        looked_at += len(text) - start
        return split(text, start, settled)

    def counting_boundary(text: str, position: int) -> bool:
        nonlocal looked_at
        looked_at += position
        return is_boundary(text, position)

    monkeypatch.setitem(SPLITTERS, by, counting_split)
    monkeypatch.setattr(buffering, "is_boundary", counting_boundary)
    buffer = Buffer(by=by)
    for character in text:
        buffer.add(character)
    assert looked_at <= 4 * len(text)
    assert buffer.flush() == text


def test_an_error_is_raised_once() -> None:
    """A kept error is raised at the next occasion alone, the last one where there are two."""
    kept = KeptError()
    kept.raise_once()
    kept.keep(KeyError("first"))
    kept.keep(KeyError("second"))
    with pytest.raises(KeyError, match="second"):
        kept.raise_once()
    kept.raise_once()


def test_a_raised_error_is_freed_at_once() -> None:
    """No frame that raised an error keeps it alive in a circle."""

    class BrokenError(Exception):
        """One that can be referred to weakly."""

    error = BrokenError()
    freed = weakref.ref(error)
    kept = KeptError()
    kept.keep(error)
    del error
    gc.disable()
    try:
        with suppress(BrokenError):
            kept.raise_once()
        assert freed() is None
    finally:
        gc.enable()


BAD: list[tuple[str, Any]] = [
    *[("interval", value) for value in (-1, math.nan, math.inf, "1", True, None)],
    *[("min_chars", value) for value in (0, -1, 1.5, "1", True, None)],
    *[("by", value) for value in ("letter", "", r"\s", re.compile(b"x"), None, 3, ["char"])],
]


@pytest.mark.parametrize(("name", "value"), BAD)
def test_wrong_options(name: str, value: Any) -> None:
    """An option of the wrong kind or out of range is refused by name."""
    with pytest.raises(ConfigurationError) as caught:
        Buffer(**{name: value})
    assert caught.value.argument == name
    assert repr(value) in str(caught.value)


@pytest.mark.parametrize(
    ("name", "values"), [("update_callback", ("print", 0.1)), ("buffer_delay", (print, -1))]
)
def test_wrong_arguments_of_the_push_form(name: str, values: Any) -> None:
    """The push form refuses by its own names."""
    with pytest.raises(ConfigurationError) as caught:
        pushed(*values)
    assert caught.value.argument == name


def test_every_word_has_its_splitter() -> None:
    """The words that the types allow are those that are known."""
    words, _ = get_args(By)
    assert set(get_args(words)) == {"char", *SPLITTERS}
