"""How an answer is shown where no person looks, and what a terminal may be told."""

from __future__ import annotations

import io
import json

import pytest

from evoclient.cli.choice import choose
from evoclient.cli.show import JsonShow, PlainShow
from evoclient.cli.terminal import harmless, prepare
from evoclient.models.chat import ChatCompletion


class Terminal(io.StringIO):
    """Text that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def stream(encoding: str) -> io.TextIOWrapper:
    """Return a text stream over memory."""
    return io.TextIOWrapper(io.BytesIO(), encoding=encoding)


def written(out: io.TextIOWrapper) -> bytes:
    """Return what has been written to such a stream."""
    out.flush()
    assert isinstance(out.buffer, io.BytesIO)
    return out.buffer.getvalue()


def test_control_characters_are_pictures() -> None:
    """What could move a cursor or rename a window is shown and not obeyed; lines and tabs stay."""
    assert harmless("a\tb\r\nc\x1b]0;x\x07\x7f\x9b2J\x00") == "a\tb\nc␛]0;x␇␡\ufffd2J␀"


def test_only_a_terminal_is_protected() -> None:
    """A pipe gets the answer to the last byte, a terminal gets pictures of control characters."""
    pipe, terminal = io.StringIO(), Terminal()
    for out in (pipe, terminal):
        with PlainShow(out) as show:
            show.answer("a\x1b[31m\r\n")
    assert (pipe.getvalue(), terminal.getvalue()) == ("a\x1b[31m\r\n", "a␛[31m\n")


def test_pieces_are_written_at_once() -> None:
    """Each piece reaches the reader when it comes, not when a buffer is full."""
    out = stream("utf-8")
    show = PlainShow(out)
    show.answer("one")
    assert isinstance(out.buffer, io.BytesIO)
    assert out.buffer.getvalue() == b"one"


def test_no_encoding_is_too_small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Characters that stdout cannot hold, half of a pair included, are replaced."""
    monkeypatch.setattr("sys.stdin", stream("utf-8"))
    monkeypatch.setattr("sys.stdout", out := stream("ascii"))
    prepare()
    with PlainShow(out) as show:
        show.answer("Ж \ud83d")
    assert written(out) == b"? ?\n"


def test_broken_input_is_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    """Bytes on stdin that are no text do not end the command."""
    piped = io.TextIOWrapper(io.BytesIO(b"a\xffb"), encoding="utf-8")
    monkeypatch.setattr("sys.stdin", piped)
    prepare()
    assert piped.read() == "a\ufffdb"


@pytest.mark.parametrize(("encoding", "shown"), [("utf-8", "Ж"), ("ascii", "\\u0416")])
def test_json_loses_nothing(encoding: str, shown: str) -> None:
    """A document for an encoding that cannot hold a character has its escape."""
    out = stream(encoding)
    completion = ChatCompletion(choices=[{"index": 0, "message": {"content": "Ж"}}])
    with JsonShow(out) as show:
        show.answer("Ж")
        show.completion(completion)
    text = written(out).decode(encoding)
    assert f'"{shown}"' in text
    assert json.loads(text) == completion.to_dict()


@pytest.mark.parametrize(
    ("term", "plain", "kind"),
    [
        ("xterm", False, "LiveShow"),
        ("xterm", True, "PlainShow"),
        ("dumb", False, "PlainShow"),
    ],
)
def test_what_a_terminal_gets(
    term: str, plain: bool, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A terminal gets the live answer, unless it cannot or the user does not want it."""
    monkeypatch.setenv("TERM", term)
    monkeypatch.setattr("sys.stdout", Terminal())
    made = choose(as_json=False, plain=plain, waiting_for="demo")
    assert type(made).__name__ == kind
