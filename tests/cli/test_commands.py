"""What a person may say to the program in a conversation; lines come from a list here."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from evoclient.cli import main
from evoclient.testing import DemoServer

from .conftest import Ran

pytestmark = pytest.mark.loopback

Say: TypeAlias = Callable[..., Ran]


class Terminal(io.StringIO):
    """Input that says it is a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.fixture
def say(
    server: DemoServer,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> Say:
    """Have a conversation of these lines, with stdout in a pipe."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))

    def converse(*lines: str, arguments: tuple[str, ...] = ()) -> Ran:
        monkeypatch.setattr("sys.stdin", Terminal("".join(f"{line}\n" for line in lines)))
        status = main(["chat", *arguments])
        out, err = capsys.readouterr()
        return Ran(status, out, err)

    return converse


def sent(server: DemoServer) -> Any:
    """Return the body of the newest request."""
    return server.requests[-1].json


def test_answers_alone_are_on_stdout(say: Say) -> None:
    """With stdout in a pipe it gets the answers alone; the prompts stand on stderr."""
    ran = say("repeat: **one**", "repeat: two")
    assert (ran.status, ran.out) == (0, "**one**\ntwo\n")
    assert ran.err == "Talking to demo. /help lists the commands, Ctrl-D ends.\n> \n> \n> \n"


def test_help_names_each_command(say: Say) -> None:
    """The help lists every command, in lines that a narrow terminal holds."""
    told = say("/help").err
    for name in ("help", "clear", "model", "system", "undo", "save", "stats", "quit"):
        assert f"\n/{name} " in told.replace("> /", "\n/")
    assert max(map(len, told.splitlines())) < 60


def test_quit_ends(say: Say, server: DemoServer) -> None:
    """Nothing is read after /quit."""
    before = len(server.requests)
    assert say("/quit", "repeat: one").status == 0
    assert len(server.requests) == before


@pytest.mark.parametrize("line", ["/sing a song", "/"])
def test_an_unknown_command(line: str, say: Say, server: DemoServer) -> None:
    """A command that is not known is said to be so, and the model is not asked."""
    before = len(server.requests)
    assert f"There is no command {line.split()[0]}." in say(line).err
    assert len(server.requests) == before


def test_a_slash_for_the_model(say: Say, server: DemoServer) -> None:
    """A space before a slash sends the line to the model."""
    say(" /etc")
    assert sent(server)["messages"] == [{"role": "user", "content": " /etc"}]


def test_model(say: Say, server: DemoServer) -> None:
    """The model is told, and another one can be asked from there on."""
    ran = say("/model", "/model other", "repeat: one")
    assert "(The model is demo.)" in ran.err
    assert "(The model is other.)" in ran.err
    assert sent(server)["model"] == "other"


def test_instructions(say: Say, server: DemoServer) -> None:
    """Instructions are replaced in their place, outlive /clear, and can be taken away."""
    say("repeat: one", "/system  Be kind. ", "repeat: two", arguments=("-s", "Be brief."))
    assert [message["role"] for message in sent(server)["messages"]] == [
        *("system", "user", "assistant", "user"),
    ]
    assert sent(server)["messages"][0]["content"] == "Be kind."
    say("repeat: one", "/clear", "repeat: two", arguments=("-s", "Be brief."))
    assert [message["content"] for message in sent(server)["messages"]] == [
        *("Be brief.", "repeat: two"),
    ]
    say("repeat: one", "/system", "repeat: two", arguments=("-s", "Be brief."))
    assert sent(server)["messages"][0]["content"] == "repeat: one"


def test_undo(say: Say, server: DemoServer) -> None:
    """The last exchange is taken back, long questions are shortened, and instructions stay."""
    ran = say("repeat: " + "x" * 99, "/undo", "/undo", "hi", arguments=("-s", "Be brief."))
    assert f"(Taken back: “repeat: {'x' * 32}… " in ran.err
    assert "(There is nothing to take back.)" in ran.err
    assert [message["content"] for message in sent(server)["messages"]] == ["Be brief.", "hi"]


def test_save(say: Say, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The messages are written as JSON lines, below the home where asked, never over a file."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    ran = say("repeat: Ж", "/save ~/a talk", "/clear", "/save ~/a talk", "/save")
    text = (tmp_path / "a talk").read_text("utf-8")
    assert [json.loads(line) for line in text.splitlines()] == [
        {"role": "user", "content": "repeat: Ж"},
        {"role": "assistant", "content": "Ж"},
    ]
    assert "Ж" in text
    assert "(Saved in ~/a talk: 2 messages.)" in ran.err
    assert "Error: [Errno 17] File exists" in ran.err
    assert "Name a file: /save FILE" in ran.err


def test_stats(say: Say) -> None:
    """The figures of the last answer are told when asked, or after each answer."""
    ran = say("/stats", "repeat: one", "/stats")
    assert "(There is no answer to tell about.)" in ran.err
    assert ran.err.count("finish reason:      stop") == 1
    ran = say("repeat: one", "repeat: two", arguments=("--stats",))
    assert ran.err.count("finish reason:      stop") == 2
    assert "tokens: " in ran.err


def test_an_answer_without_text(say: Say, server: DemoServer) -> None:
    """An answer that holds no text says so and is not kept, since servers refuse empty ones."""
    ran = say("repeat: ", "repeat: two")
    assert "The answer holds no text" in ran.err
    assert sent(server)["messages"] == [{"role": "user", "content": "repeat: two"}]


def test_debug_shows_where(say: Say, server: DemoServer) -> None:
    """With --debug an error shows its traceback, and the conversation goes on."""
    server.play("status", code=400)
    ran = say("repeat: one", "repeat: two", arguments=("--debug",))
    assert "Traceback (most recent call last)" in ran.err
    assert (ran.status, ran.out) == (0, "two\n")


def test_no_documents(say: Say) -> None:
    """A conversation is not one document: --json is refused with the status 2."""
    ran = say("repeat: one", arguments=("--json",))
    assert (ran.status, ran.out) == (2, "")
    assert ran.err.startswith("Error: --json writes one answer")


def test_a_blank_question_begins_nothing(say: Say) -> None:
    """A question that was given and is blank is a mistake, and no conversation."""
    ran = say("repeat: one", arguments=(" ",))
    assert ran.status == 2
    assert "nothing to ask" in ran.err


def test_without_a_line_editor(say: Say, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where Python has no readline, lines are read without editing, and Ctrl-C ends."""
    monkeypatch.setitem(__import__("sys").modules, "readline", None)
    assert say("repeat: one\\", "two").out == "one\ntwo\n"
    monkeypatch.setattr("evoclient.cli.lines._SOON", 0)
    monkeypatch.setattr("builtins.input", interrupted)
    assert say().status == 0


def interrupted(*_: object) -> str:
    """Stand in for a person who presses Ctrl-C."""
    raise KeyboardInterrupt


def test_ctrl_c_too_soon(say: Say, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C right after the prompt has come was meant for the answer before, and ends nothing."""
    typed = iter(["", "", "repeat: one"])

    def press(*_: object) -> str:
        line = next(typed, "/quit")
        return line or interrupted()

    monkeypatch.setattr("builtins.input", press)
    assert say().out == "one\n"


def test_the_end_of_input_sends_what_there_is(say: Say) -> None:
    """Where input ends after a backslash, what was typed is sent."""
    assert say("repeat: one\\").out == "one\n"
