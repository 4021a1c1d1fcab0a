"""A conversation with a person at a real pseudo-terminal."""

from __future__ import annotations

import json
import stat
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from evoclient.testing import DemoServer

from .dialogue import CTRL_C, CTRL_D, ENTER, UP, Dialogue

readline = pytest.importorskip("readline", reason="lines are edited with it")
pytestmark = [
    pytest.mark.loopback,
    pytest.mark.skipif(sys.platform != "linux", reason="terminals of other systems differ"),
    pytest.mark.skipif("libedit" in (readline.__doc__ or ""), reason="it draws in another way"),
]

INSTRUCTIONS = {"role": "system", "content": "Be brief."}


@pytest.fixture
def server(demo_server: DemoServer) -> DemoServer:
    """A server that does not wait between pieces."""
    demo_server.clear_plays()
    return demo_server


@pytest.fixture
def slow_server() -> Iterator[DemoServer]:
    """A server slow enough to be interrupted."""
    with DemoServer(pace=0.01) as server:
        yield server


def talk(server: DemoServer, state: Path, *arguments: str, **size: int) -> Dialogue:
    """Begin a conversation with a server."""
    asked = ("--base-url", server.base_url, "-m", "demo", *arguments)
    return Dialogue(*asked, state=state, **size)


def sent(server: DemoServer) -> Any:
    """Return the messages of the newest request."""
    return server.requests[-1].json["messages"]


def user(text: str) -> dict[str, str]:
    """Return a question."""
    return {"role": "user", "content": text}


def assistant(text: str) -> dict[str, str]:
    """Return an answer."""
    return {"role": "assistant", "content": text}


@pytest.mark.parametrize("size", [(80, 24), (60, 20)], ids=str)
def test_two_turns(size: tuple[int, int], server: DemoServer, tmp_path: Path) -> None:
    """The second request carries the first exchange, and Ctrl-D ends with the status 0."""
    width, height = size
    with talk(server, tmp_path, "-s", "Be brief.", width=width, height=height) as person:
        person.says("repeat: **one**")
        assert sent(server) == [INSTRUCTIONS, user("repeat: **one**")]
        person.says("repeat: two")
        assert sent(server) == [
            INSTRUCTIONS,
            user("repeat: **one**"),
            assistant("**one**"),
            user("repeat: two"),
        ]
        person.types(CTRL_D)
        assert person.status() == 0
    assert person.text == (
        "Talking to demo. /help lists the commands, Ctrl-D ends.\n"
        "> repeat: **one**\none\n\n> repeat: two\ntwo\n\n>"
    )


def test_ctrl_c_stops_an_answer(slow_server: DemoServer, tmp_path: Path) -> None:
    """Ctrl-C, however often, stops the answer alone; what came of it is kept, and can be undone."""
    with talk(slow_server, tmp_path) as person:
        person.says("repeat: one")
        person.types("count to 5000" + ENTER)
        person.sees("5 6 7")
        person.types(CTRL_C * 3)
        person.sees("(Stopped; this much is kept.)", at_prompt=True)
        assert slow_server.wait_until(lambda: slow_server.cancelled == 1)
        person.says("repeat: two")
        kept = sent(slow_server)[3]
        assert kept["role"] == "assistant"
        assert kept["content"].startswith("1 2 3 4 5 6 7")
        person.says("/undo", "/undo", "repeat: three")
        assert sent(slow_server) == [user("repeat: one"), assistant("one"), user("repeat: three")]
        assert "(Taken back: “count to 5000” and its answer.)" in person.text


def test_ctrl_c_before_an_answer(server: DemoServer, tmp_path: Path) -> None:
    """Where nothing has come, Ctrl-C takes the question back too."""
    server.play("stall", after=0, seconds=30)
    with talk(server, tmp_path) as person:
        person.sees("Ctrl-D ends", at_prompt=True)
        before = len(server.requests)
        person.types("repeat: one" + ENTER)
        assert server.wait_until(lambda: len(server.requests) > before)
        person.types(CTRL_C)
        person.sees("Your message is taken back", at_prompt=True)
        person.says("repeat: two")
        assert sent(server) == [user("repeat: two")]


def test_ctrl_c_at_the_prompt(server: DemoServer, tmp_path: Path) -> None:
    """Ctrl-C throws away what is being typed, continued lines too, and ends an empty prompt."""
    asked = len(server.requests)
    with talk(server, tmp_path) as person:
        person.sees("Ctrl-D ends", at_prompt=True)
        person.types("half a")
        person.sees("> half a")
        person.interrupts()
        person.sees("> half a\n>", at_prompt=True)
        person.types("first \\" + ENTER)
        person.sees("\n.")
        person.interrupts()
        person.sees("first", at_prompt=True)
        person.interrupts(after=0.6)  # sooner, it would have been meant for an answer
        assert person.status() == 0
    assert "Traceback" not in person.text
    assert len(server.requests) == asked


def test_an_error_and_on(server: DemoServer, tmp_path: Path) -> None:
    """An error is told in one line, and the question can be sent again with the arrow key."""
    server.play("status", code=400, body="not today")
    with talk(server, tmp_path) as person:
        person.says("repeat: one")
        assert person.text.count("Error: 400 Bad Request") == 1
        person.types(UP + ENTER)
        person.sees("\none\n", at_prompt=True)
        assert sent(server) == [user("repeat: one")]
        server.play("cut", after=5)
        person.says("count to 99", "repeat: two")
        assert sent(server)[2:] == [user("repeat: two")]


def test_several_lines(server: DemoServer, tmp_path: Path) -> None:
    """A backslash at the end of a line goes on, and pasted lines are one message."""
    with talk(server, tmp_path) as person:
        person.sees("Ctrl-D ends", at_prompt=True)
        person.types("repeat: one\\" + ENTER)
        person.sees("\n.")
        person.types("two" + ENTER)
        person.sees("one\ntwo\n", at_prompt=True)
        assert sent(server) == [user("repeat: one\ntwo")]
        person.types("\x1b[200~/three\n\nfour\x1b[201~" + ENTER)
        assert server.wait_until(lambda: sent(server)[-1] == user("/three\n\nfour"))


def test_history(server: DemoServer, tmp_path: Path) -> None:
    """What was typed is kept for its owner alone, and a second conversation begins with it."""
    with talk(server, tmp_path) as person:
        person.says("repeat: one")
        person.types("/quit" + ENTER)
        assert person.status() == 0
    file = tmp_path / "evoclient" / "history"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [json.loads(line) for line in file.read_text().splitlines()] == ["repeat: one", "/quit"]
    with talk(server, tmp_path) as person:
        person.sees("Ctrl-D ends", at_prompt=True)
        person.types(UP + UP + ENTER)
        person.sees("> repeat: one\none\n", at_prompt=True)
    assert len(file.read_text().splitlines()) == 3


def test_no_history(server: DemoServer, tmp_path: Path) -> None:
    """With --no-history nothing is kept."""
    with talk(server, tmp_path, "--no-history") as person:
        person.says("repeat: one")
    assert list(tmp_path.iterdir()) == []


def test_the_demo(tmp_path: Path) -> None:
    """The demo can be talked to as well, plainly and with its figures."""
    with Dialogue("--demo", "--plain", "--stats", "--no-stream", state=tmp_path) as person:
        person.says("repeat: **one**")
        assert "**one**\nmodel:              demo\n" in person.text
