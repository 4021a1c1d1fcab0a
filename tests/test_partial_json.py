"""JSON that arrives in pieces: closed or not, valid or not, and its value so far."""

from __future__ import annotations

from itertools import repeat
from typing import Any

import pytest

from evoclient.models.codec import MAX_DEPTH
from evoclient.partial_json import Scanner

from .streaming.driving import growth


def scanned(*pieces: str) -> Scanner:
    """Return a scanner that was fed some pieces."""
    scanner = Scanner()
    for piece in pieces:
        scanner.feed(piece)
    return scanner


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('{"a": {"b": [1, 2', {"a": {"b": [1]}}),
        ('{"a": {"b": [1, 2 ', {"a": {"b": [1, 2]}}),
        ('{"a": {"b": [1, 2]', {"a": {"b": [1, 2]}}),
        ('{"a": 1, "b', {"a": 1}),
        ('{"a": 1, "b"', {"a": 1}),
        ('{"a": 1, "b": ', {"a": 1}),
        ('{"a": 1, "b": "', {"a": 1, "b": ""}),
        ('{"a": 1, "b": "При', {"a": 1, "b": "При"}),
        ('{"a": 1,', {"a": 1}),
        ('{"a": tru', {}),
        ('{"a": true', {"a": True}),
        ("[nul", []),
        ("[null, -", [None]),
        ("[-Infinity, 1.5e", [float("-inf")]),
        ('["a\\', ["a"]),
        ('["a\\u04', ["a"]),
        ('["a\\u0416', ["aЖ"]),
        ('["a\\\\', ["a\\"]),
        ('["a\\ud83d', ["a"]),
        ('["a\\ud83d\\ude', ["a"]),
        ('["a\\ud83d\\ude00', ["a😀"]),
        ('["a\\\\ud83d', ["a\\ud83d"]),
        ('["a\\\\\\ud83d', ["a\\"]),
        ('["a\ud83d', ["a"]),
        ('["a\ud83d\ude00', ["a😀"]),
        ('["a\x01\n', ["a\x01\n"]),
        ("\ufeff[1,", [1]),
        (' "abc', "abc"),
        ("", None),
        (" \n", None),
        ("\ufeff", None),
        ("12", None),
        ("12 ", 12),
        ("nul", None),
        ("[1, }", [1]),
        ('["a\\x', ["a"]),
        ('{"a": 1} rest', {"a": 1}),
    ],
)
def test_the_value_so_far(text: str, value: Any) -> None:
    """What is open is closed, and what has no value yet is left out."""
    assert scanned(text).value_so_far() == value
    assert scanned(*text).value_so_far() == value


def test_the_document_so_far() -> None:
    """The shortest document has the text as it came, and brackets and quotes that close it."""
    assert scanned('{"a": [ 1.0, "b').completed() == '{"a": [ 1.0, "b"]}'
    assert scanned('{"a": [1.0').completed() == '{"a": []}'
    assert scanned(' {"a": 1} \n').completed() == ' {"a": 1}'
    assert scanned("tru").completed() is None


def test_the_value_may_be_asked_for_at_any_time() -> None:
    """To look at the value between two pieces changes nothing."""
    scanner = Scanner()
    seen = []
    for piece in ('{"a', '": "x\\', 'n", "b', '": [1', "2]", "}"):
        scanner.feed(piece)
        seen.append(scanner.value_so_far())
    assert seen == [
        {},
        {"a": "x"},
        {"a": "x\n"},
        {"a": "x\n", "b": []},
        {"a": "x\n", "b": [12]},
        {"a": "x\n", "b": [12]},
    ]


@pytest.mark.parametrize(
    ("document", "is_container"),
    [
        ("{}", True),
        ("[]", True),
        (' {"a": [{}, []]}', True),
        ('"a"', False),
        ('"a\\""', False),
        ("null", False),
        ("-Infinity", False),
    ],
)
def test_closed_at_the_last_character(document: str, is_container: bool) -> None:
    """A document is closed with its last character, neither before nor by what follows."""
    assert not scanned(document[:-1]).is_closed
    scanner = scanned(document)
    assert scanner.is_closed
    assert scanner.is_container is is_container


@pytest.mark.parametrize("number", ["0", "-0", "12", "1.50", "2e3", "-2E+30"])
def test_a_number_is_closed_by_what_follows(number: str) -> None:
    """A number may go on, so white space or the end of the input closes it."""
    for pieces in ([number], list(number)):
        scanner = scanned(*pieces)
        assert (scanner.is_valid, scanner.is_closed) == (True, False)
        assert scanned(*pieces, "\n").is_closed
        scanner.finish()
        assert (scanner.is_valid, scanner.is_closed) == (True, True)
        assert scanner.value_so_far() == float(number)


@pytest.mark.parametrize("text", ["", " ", "[", '{"a": 1', '"a', "-", "1.", "2e", "2e+", "tru"])
def test_an_end_that_comes_too_early(text: str) -> None:
    """The beginning of a document is valid, until nothing more comes."""
    scanner = scanned(text)
    assert scanner.is_valid
    scanner.finish()
    assert (scanner.is_valid, scanner.is_closed) == (False, False)


@pytest.mark.parametrize(
    "text",
    [
        *("]", "}", ",", ":", "x", "'a'", "+1", ".5", "Inf1", "nulL", "\u00a0"),
        *("01", "-a", "--1", "1.e", "1.5.", "2ee", "2e+-", "1-", "-Infinitx"),
        *("[,", "[1,]", "[1 2", "[1}", "[1,,", '[1"', "[1:"),
        *("{,", "{1", '{"a"}', '{"a",', '{"a": }', '{"a": 1,}', '{"a": 1]', '{"a": 1 "', "{]"),
        *('"\\x', '"\\u12g', '"\\u 123', '"a" 1', "{} {", "null,", "\ufeff\ufeff{"),
    ],
)
def test_what_is_no_json(text: str) -> None:
    """What cannot become JSON is not valid, whatever comes later."""
    for pieces in ([text], list(text)):
        scanner = scanned(*pieces)
        assert not scanner.is_valid
        scanner.feed("{}")
        assert not scanner.is_valid


def test_padding_behind_the_end() -> None:
    """White space may follow, without end, and is not kept."""
    scanner = scanned("{}", *repeat(" \n", 1000))
    assert (scanner.is_valid, scanner.is_closed) == (True, True)
    assert sum(map(len, scanner._pieces)) == 2


def test_what_follows_the_end() -> None:
    """More than one document is not JSON, and the first one stays closed."""
    scanner = scanned("{}", "[")
    assert (scanner.is_valid, scanner.is_closed) == (False, True)
    assert scanner.value_so_far() == {}


def test_the_deepest_nesting() -> None:
    """Nesting is read as deep as the codec reads it."""
    assert scanned("[" * MAX_DEPTH).is_valid
    assert scanned("[" * MAX_DEPTH + "]" * MAX_DEPTH).value_so_far() is not None
    assert not scanned("[" * (MAX_DEPTH + 1)).is_valid


@pytest.mark.parametrize(
    ("unit", "size"), [("a", 1), ('\\"', 1), ("é", 7), ("\\u00e9", 5), ("\\\\", 1000)]
)
def test_long_strings_take_linear_time(unit: str, size: int) -> None:
    """Twice the text takes twice as long, in small pieces and in large ones."""

    def read(count: int) -> None:
        text = '{"a": "' + unit * count
        scanner = scanned(*(text[at : at + size] for at in range(0, len(text), size)))
        assert scanner.is_valid

    assert growth(read, 20_000) < 3


@pytest.mark.parametrize(("begin", "unit"), [("", "1"), ("[", "1,"), ("", " "), ("{", '"a":{},')])
def test_long_documents_take_linear_time(begin: str, unit: str) -> None:
    """Twice the document takes twice as long: numbers of any length, many values, white space."""

    def read(count: int) -> None:
        assert scanned(begin, *repeat(unit, count)).is_valid

    assert growth(read, 20_000) < 3
