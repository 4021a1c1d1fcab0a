"""`evoclient record` and `evoclient replay`: what is written, shown and told."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from evoclient.testing import Cassette, DemoServer

from .conftest import Run

pytestmark = pytest.mark.loopback


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Where to record."""
    return tmp_path / "answer.jsonl"


def test_the_answer_is_shown_and_recorded(server: DemoServer, run: Run, file: Path) -> None:
    """Words are one question, its answer goes to stdout, and the file plays it without a server."""
    ran = run("record", str(file), "-m", "other", "-o", "seed", "7", "repeat:", "**one**", "Ж")
    assert (ran.status, ran.out) == (0, "**one** Ж\n")
    assert ran.err == f"Recorded in {file}. Play it: evoclient replay {file}\n"
    body = server.requests[-1].json
    assert (body["model"], body["seed"]) == ("other", 7)
    assert body["messages"] == [{"role": "user", "content": "repeat: **one** Ж"}]
    asked = len(server.requests)
    again = run("replay", str(file), "--no-wait")
    assert (again.status, again.out, again.err) == (0, "**one** Ж\n", "")
    assert len(server.requests) == asked


def test_options_of_chat(server: DemoServer, run: Run, file: Path) -> None:
    """What says how to ask and to show is taken as `chat` takes it."""
    ran = run("record", str(file), "--json", "--no-stream", "--stats", stdin="repeat: one\n")
    assert json.loads(ran.out)["choices"][0]["message"]["content"] == "one"
    assert "total time:" in ran.err
    again = run("replay", str(file), "--no-wait")
    assert (again.status, again.out) == (0, "one\n")


def test_no_key_is_recorded(
    server: DemoServer, run: Run, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The key of the environment is sent and not in the file."""
    monkeypatch.setenv("EVOCLIENT_API_KEY", "sk-not-for-eyes")
    run("record", str(file), "repeat: sk-not-for-eyes")
    assert server.requests[-1].headers["Authorization"] == "Bearer sk-not-for-eyes"
    assert "sk-not-for-eyes" not in file.read_text("utf-8")


def test_a_failure_is_recorded(server: DemoServer, run: Run, file: Path) -> None:
    """A stream that is cut is told as by `chat`, and the file plays it with its error."""
    server.play("cut", after=5)
    ran = run("record", str(file), "count to 99")
    assert ran.status == 1
    recorded, error = ran.err.splitlines()
    assert recorded.startswith("Recorded in ")
    assert error.startswith("Error: ")
    again = run("replay", str(file), "--no-wait")
    assert (again.status, again.out, again.err) == (1, ran.out, f"{error}\n")


def test_an_interruption_is_recorded(
    server: DemoServer, run: Run, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After Ctrl-C the file has what came, the status is 130, and playing says where it ends."""
    pieces = iter(range(5))

    def interrupt(*_: object) -> None:
        if next(pieces, None) is None:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("evoclient.cli.show.PlainShow.answer", interrupt)
        server.pace = 0.01
        assert run("record", str(file), "count to 99").status == 130
        server.pace = 0
    (exchange,) = Cassette.load(file).exchanges
    assert exchange.ending == "closed"
    again = run("replay", str(file), "--no-wait")
    assert again.status == 1
    assert again.out.startswith("1 2 3")
    assert "its reader closed the body" in again.err


def test_attempts_are_played_one_by_one(server: DemoServer, run: Run, file: Path) -> None:
    """A failed attempt is told on stderr, and the status is that of the last exchange."""
    server.play("status", code=503, message="too busy", retry_after=0)
    assert run("record", str(file), "repeat: one").status == 0
    again = run("replay", str(file), "--no-wait")
    assert (again.status, again.out) == (0, "one\n")
    assert again.err.startswith("Error: ")
    assert "too busy" in again.err


def test_raw(server: DemoServer, run: Run, file: Path) -> None:
    """With --raw the bytes of the replies are written, and nothing else."""
    run("record", str(file), "repeat: one")
    (exchange,) = Cassette.load(file).exchanges
    ran = run("replay", str(file), "--no-wait", "--raw")
    assert (ran.status, ran.out, ran.err) == (0, exchange.body.decode(), "")
    assert ran.out.endswith("data: [DONE]\n\n")


LINES = """\
{"cassette":"evoclient","version":1}
{"request":"GET","url":"http://x/v1/models","headers":[]}
{"reply":200,"after":0,"headers":[]}
{"after":0.2,"text":"{}"}
{"end":"complete","after":0}
{"request":"GET","url":"http://x/v1/models","headers":[]}
{"end":"failed","after":0,"error":{"kind":"APIConnectionError","message":"no way"}}
"""


def test_other_exchanges_are_told(run: Run, file: Path) -> None:
    """What is no chat has no text: a line tells what it was."""
    file.write_text(LINES, "utf-8")
    ran = run("replay", str(file))
    assert (ran.status, ran.out) == (0, "")
    assert ran.err == (
        "GET http://x/v1/models: 200, 2 bytes (--raw shows them)\n"
        "GET http://x/v1/models: no reply\n"
    )
    ran = run("replay", str(file), "--raw", "--no-wait")
    assert (ran.status, ran.out, ran.err) == (1, "{}", "Error: no way\n")


@pytest.mark.parametrize(
    ("how", "least", "most"), [((), 0.2, 5), (("--speed", "100"), 0.002, 0.19)]
)
def test_speed(how: tuple[str, ...], least: float, most: float, run: Run, file: Path) -> None:
    """An answer takes as long as it took, or as much less as --speed says."""
    file.write_text("".join(LINES.splitlines(keepends=True)[:5]), "utf-8")
    began = time.monotonic()
    assert run("replay", str(file), "--raw", *how).out == "{}"
    assert least <= time.monotonic() - began <= most


def test_a_file_is_not_lost(server: DemoServer, run: Run, file: Path) -> None:
    """A file that is there is recorded over with --overwrite alone."""
    file.write_text("mine", "utf-8")
    ran = run("record", str(file), "hi")
    assert (ran.status, ran.out) == (2, "")
    assert "--overwrite" in ran.err
    assert file.read_text("utf-8") == "mine"
    assert run("record", str(file), "--overwrite", "repeat: one").status == 0
    assert len(Cassette.load(file).exchanges) == 1


def test_a_place_where_nothing_can_be_written(server: DemoServer, run: Run, file: Path) -> None:
    """It is told before anybody is asked."""
    asked = len(server.requests)
    ran = run("record", str(file.parent / "nowhere" / "c.jsonl"), "hi")
    assert (ran.status, ran.out) == (2, "")
    assert "There is no folder" in ran.err
    assert len(server.requests) == asked


def test_nothing_asked_leaves_no_file(run: Run, file: Path) -> None:
    """What fails before a request is an error as with `chat`, without a file."""
    ran = run("record", str(file), "--provider", "openai", "hi")
    assert ran.status == 2
    assert "OPENAI_API_KEY" in ran.err
    assert not file.exists()


@pytest.mark.parametrize(
    ("text", "named"), [(None, "cannot be read"), ("{}\n", "answer.jsonl, line 1: ")]
)
def test_what_cannot_be_played(text: str | None, named: str, run: Run, file: Path) -> None:
    """A file that is missing or no cassette is named, and the status is 2."""
    if text is not None:
        file.write_text(text, "utf-8")
    ran = run("replay", str(file))
    assert (ran.status, ran.out) == (2, "")
    assert ran.err.startswith("Error: ")
    assert named in ran.err
    assert "Traceback" not in ran.err


@pytest.mark.parametrize("arguments", [("record",), ("replay",), ("replay", "x", "--speed", "0")])
def test_wrong_usage(arguments: tuple[str, ...], run: Run) -> None:
    """A missing file and a speed of nothing are mistakes of usage."""
    ran = run(*arguments)
    assert (ran.status, ran.out) == (2, "")
    assert "Usage: evoclient" in ran.err


@pytest.mark.parametrize(
    ("arguments", "stdin", "named"),
    [
        (("Why?",), "", 'evoclient record FILE "Why?"'),
        (("Write a line.",), "of this\n", 'evoclient record FILE "Write a line."'),
        (("answer.jsonl",), " \n", 'evoclient record FILE "…"'),
    ],
)
def test_a_forgotten_file_or_question(
    arguments: tuple[str, ...], stdin: str, named: str, server: DemoServer, run: Run
) -> None:
    """Where one of the two is missing, the line to type is told, and nobody is asked."""
    asked = len(server.requests)
    ran = run("record", *arguments, stdin=stdin)
    assert (ran.status, ran.out) == (2, "")
    assert named in ran.err
    assert f"“{arguments[0]}” is taken as FILE" in ran.err
    assert len(server.requests) == asked


def test_a_file_with_a_blank_in_its_name(server: DemoServer, run: Run, tmp_path: Path) -> None:
    """With an ending it is a file, also where the question is piped in."""
    file = tmp_path / "my answer.jsonl"
    assert run("record", str(file), stdin="repeat: one").status == 0
    assert file.exists()
