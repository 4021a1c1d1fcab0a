"""`evoclient models`: a table for a person, lines and JSON for programs."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest

from evoclient.cli.models import models
from evoclient.models.listing import ModelList
from evoclient.testing import DemoServer

from .conftest import Run

pytestmark = pytest.mark.loopback


class Terminal(io.StringIO):
    """What a person looks at."""

    encoding = "utf-8"

    def isatty(self) -> bool:
        return True


@pytest.fixture
def listed(monkeypatch: pytest.MonkeyPatch, server: DemoServer) -> Any:
    """Have the server list what a test says."""

    def say(answer: Any) -> None:
        monkeypatch.setattr(
            "evoclient.sync.models.Models.list",
            lambda self, **options: ModelList.from_answer(answer),
        )

    return say


def test_lines(server: DemoServer, run: Run) -> None:
    """Into a pipe goes a line for each model: id, context, price in and out, between tabs."""
    ran = run("models")
    assert (ran.status, ran.err) == (0, "")
    assert ran.out == "demo\t8192\t1\t1\ndemo-mini\t8192\t1\t1\n"
    assert server.requests[-1].path.endswith("/models")


def test_a_filter(server: DemoServer, run: Run) -> None:
    """Only models with the text in their id or name are listed, in any case."""
    assert run("models", "--filter", "MINI").out == "demo-mini\t8192\t1\t1\n"


def test_nothing_found(server: DemoServer, run: Run) -> None:
    """Where nothing is left, stderr says so and the status stays 0."""
    ran = run("models", "--filter", "nobody")
    assert (ran.status, ran.out, ran.err) == (0, "", "There is no such model.\n")


def test_no_models(listed: Any, run: Run) -> None:
    """A server without models is told from a filter that leaves nothing."""
    listed({"data": []})
    assert run("models", "--filter", "x").err == "The server lists no models.\n"


def test_json(server: DemoServer, run: Run) -> None:
    """``--json`` writes what the server tells of each model, filtered or not."""
    ran = run("models", "--json", "--filter", "mini")
    (model,) = json.loads(ran.out)["data"]
    assert (model["id"], model["object"], ran.err) == ("demo-mini", "model", "")


def test_a_table(server: DemoServer, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a terminal there is a table with headings."""
    screen = Terminal()
    monkeypatch.setattr("sys.stdout", screen)
    monkeypatch.setenv("COLUMNS", "60")
    assert models(provider=None, base_url=None, demo=False, as_json=False, wanted=None) == 0
    first, second, *_ = (line.split() for line in screen.getvalue().splitlines())
    assert "Context" in " ".join(first)
    assert second == ["demo", "8192", "1", "1"]


ODD: list[tuple[dict[str, Any], str]] = [
    ({"id": "a"}, "a\t\t\t"),
    ({"id": "a", "max_model_len": 5}, "a\t5\t\t"),
    ({"id": "a", "context_length": "many", "context_window": 6}, "a\t6\t\t"),
    (
        {"id": "a", "pricing": {"prompt": "0.00000015", "completion": 6e-7}},
        "a\t\t0.15\t0.6",
    ),
    ({"id": "a", "pricing": {"prompt": "0.0001", "completion": "0"}}, "a\t\t100\t0"),
    ({"id": "a", "pricing": {"prompt": "-1", "completion": "-1"}}, "a\t\tvaries\tvaries"),
    ({"id": "a", "pricing": {"prompt": "free", "completion": None}}, "a\t\t\t"),
    ({"id": "a", "pricing": {"prompt": "NaN", "completion": "Infinity"}}, "a\t\t\t"),
    ({"id": "a", "pricing": "cheap"}, "a\t\t\t"),
    ({"id": "a\tb\nc\x1b[2J"}, "a b c␛[2J\t\t\t"),
    ({"id": None}, "None\t\t\t"),
]


@pytest.mark.parametrize(("model", "line"), ODD)
def test_what_servers_tell(model: dict[str, Any], line: str, listed: Any, run: Run) -> None:
    """Whatever a server tells is a line of four fields, and what it does not tell is empty."""
    listed([model])
    assert run("models").out == line + "\n"


def test_the_order(listed: Any, run: Run) -> None:
    """Models stand in the order of their ids."""
    listed([{"id": "b"}, {"id": "C"}, {"id": "a"}])
    assert [line[0] for line in run("models").out.splitlines()] == ["a", "b", "C"]


def test_the_demo_server(run: Run) -> None:
    """``--demo`` lists the models of a server of its own."""
    assert run("models", "--demo").out.startswith("demo\t")


def test_the_demo_server_alone(run: Run) -> None:
    """``--demo`` goes with no other server."""
    ran = run("models", "--demo", "--base-url", "http://h.test")
    assert ran.status == 2
    assert "--demo talks to a server of its own" in ran.err


def test_an_error(server: DemoServer, run: Run) -> None:
    """An error is told in one line, with the status 1."""
    server.play("status", code=403)
    ran = run("models")
    assert (ran.status, ran.out) == (1, "")
    assert ran.err.startswith("Error: 403")
