"""`evoclient chat` into a pipe: what is sent, what is written, and how it ends."""

from __future__ import annotations

import io
import json
import re
from typing import Any

import pytest

from evoclient.testing import DemoServer

from .conftest import Run

pytestmark = pytest.mark.loopback


def sent(server: DemoServer) -> Any:
    """Return the body of the newest request."""
    return server.requests[-1].json


def test_the_answer_is_plain_text(server: DemoServer, run: Run) -> None:
    """The text of the answer, Markdown as it came, is all that is written."""
    ran = run("chat", "repeat: **one**\ntwo")
    assert (ran.status, ran.out, ran.err) == (0, "**one**\ntwo\n", "")
    assert sent(server)["stream"] is True
    assert "stream_options" not in sent(server)


def test_a_small_encoding(server: DemoServer, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Characters that stdout cannot hold are replaced, and the answer goes on."""
    out = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    monkeypatch.setattr("sys.stdout", out)
    assert run("chat", "repeat: Ж one").status == 0
    assert isinstance(out.buffer, io.BytesIO)
    assert out.buffer.getvalue() == b"? one\n"


def test_a_last_line_end_is_not_doubled(server: DemoServer, run: Run) -> None:
    """An answer that ends its last line itself gets no further line end."""
    assert run("chat", "repeat: one\n\n").out == "one\n\n"


def test_forced_colours_stay_out_of_a_pipe(
    server: DemoServer, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """FORCE_COLOR, which CI systems set, does not bring escape sequences into a pipe."""
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TTY_INTERACTIVE", "1")
    assert run("chat", "repeat: **one**").out == "**one**\n"


@pytest.mark.parametrize(
    ("arguments", "stdin", "asked"),
    [
        (["summarise"], "", "summarise"),
        ([], "piped in\n", "piped in"),
        (["summarise"], "\ufeffa file\n  of lines\n", "summarise\n\na file\n  of lines"),
    ],
)
def test_the_question(
    arguments: list[str], stdin: str, asked: str, server: DemoServer, run: Run
) -> None:
    """The question is the argument, what is piped in, or both with a blank line between them."""
    assert run("chat", *arguments, stdin=stdin).status == 0
    assert sent(server)["messages"] == [{"role": "user", "content": asked}]


@pytest.mark.parametrize("arguments", [[], [" "]])
def test_nothing_to_ask(arguments: list[str], run: Run) -> None:
    """Without a question there is a hint and the status 2, and nothing is sent."""
    ran = run("chat", *arguments, stdin="\n")
    assert (ran.status, ran.out) == (2, "")
    assert ran.err.startswith("Error: There is nothing to ask. Give the question as an argument")


def test_options_reach_the_request(server: DemoServer, run: Run) -> None:
    """Model, system prompt and options are sent, values as JSON where they are JSON."""
    ran = run(
        *("chat", "hi", "-m", "other", "-s", "Be brief."),
        *("-o", "temperature", "0.5", "-o", "stop", '["x", "y"]', "-o", "user", "me"),
        *("-o", "seed", "NaN", "-o", "custom", '{"a": null}'),
    )
    assert ran.status == 0
    body = sent(server)
    assert body["model"] == "other"
    assert body["messages"][0] == {"role": "system", "content": "Be brief."}
    assert body["temperature"] == 0.5
    assert body["stop"] == ["x", "y"]
    assert body["user"] == "me"
    assert body["seed"] == "NaN"
    assert body["custom"] == {"a": None}


@pytest.mark.parametrize("name", ["messages", "model", "stream"])
def test_options_that_have_another_way(name: str, run: Run) -> None:
    """An option that the command sets otherwise is refused with the right way to set it."""
    ran = run("chat", "--demo", "-o", name, "x", "hi")
    assert ran.status == 2
    assert f"-o {name}: use " in ran.err


def test_whole_answers(server: DemoServer, run: Run) -> None:
    """With --no-stream the answer is asked for and written whole."""
    assert run("chat", "--no-stream", "repeat: one").out == "one\n"
    assert "stream" not in sent(server)


@pytest.mark.parametrize("form", [[], ["--no-stream"]])
def test_json(form: list[str], server: DemoServer, run: Run) -> None:
    """With --json the completion is one document, with its tokens, streamed or not."""
    ran = run("chat", "--json", *form, "repeat: Ж one")
    completion = json.loads(ran.out)
    assert completion["object"] == "chat.completion"
    assert completion["choices"][0]["message"]["content"] == "Ж one"
    assert completion["usage"]["completion_tokens"] > 0
    assert "Ж one" in ran.out
    assert ran.err == ""


def test_usage_can_be_left_out(server: DemoServer, run: Run) -> None:
    """An option wins over what --json asks for by itself, for servers that refuse it."""
    run("chat", "--json", "-o", "usage", "false", "hi")
    assert "stream_options" not in sent(server)


def test_stats(server: DemoServer, run: Run) -> None:
    """With --stats the figures of the answer are told on stderr, and stdout stays as it is."""
    ran = run("chat", "--stats", "count to 9")
    assert ran.out == "1 2 3 4 5 6 7 8 9\n"
    told = dict(re.split(r":\s+", line, maxsplit=1) for line in ran.err.splitlines())
    assert list(told) == [
        "model",
        "chunks",
        "time to first text",
        "total time",
        "characters/s",
        "tokens",
        "finish reason",
        "outcome",
    ]
    assert told["model"] == "demo"
    assert int(told["chunks"]) > 9
    assert re.fullmatch(r"\d+ in, 9 out", told["tokens"])
    assert (told["finish reason"], told["outcome"]) == ("stop", "complete")


def test_stats_of_a_whole_answer(server: DemoServer, run: Run) -> None:
    """An answer that came whole has no chunks and no outcome of a stream."""
    ran = run("chat", "--stats", "--no-stream", "count to 9")
    names = [line.partition(":")[0] for line in ran.err.splitlines()]
    assert names == ["model", "total time", "characters/s", "tokens", "finish reason"]


def test_reasoning_stays_out_of_a_pipe(server: DemoServer, run: Run) -> None:
    """What the model thinks is counted, and not written into a pipe."""
    server.play("deepseek")
    ran = run("chat", "--stats", "-o", "thinking", '{"type": "enabled"}', "repeat: one")
    assert ran.out == "one\n"
    assert "of them reasoning" in ran.err


@pytest.mark.parametrize("form", [[], ["--no-stream"]])
def test_a_refusal_is_the_answer(form: list[str], server: DemoServer, run: Run) -> None:
    """The words with which a model refuses are written as its answer."""
    message = {"role": "assistant", "content": None, "refusal": "I will not."}
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    server.play("status", code=200, body={"object": "chat.completion", "choices": [choice]})
    ran = run("chat", *form, "hi")
    assert (ran.status, ran.out, ran.err) == (0, "I will not.\n", "")


def test_tool_calls_are_told(server: DemoServer, run: Run) -> None:
    """A model that only asks for tools is told on stderr, and stdout stays empty."""
    tool = {"type": "function", "function": {"name": "get_weather", "parameters": {}}}
    ran = run("chat", "-o", "tools", json.dumps([tool]), "-o", "tool_choice", "required", "hi")
    assert (ran.status, ran.out) == (0, "")
    assert ran.err.startswith("The model asks for get_weather(")


def test_an_empty_answer_is_explained(server: DemoServer, run: Run) -> None:
    """An answer without text says why it ended."""
    ran = run("chat", "repeat: ")
    assert (ran.status, ran.out) == (0, "")
    assert ran.err == "The answer holds no text (finish reason: stop).\n"


def test_a_partial_answer_stays(server: DemoServer, run: Run) -> None:
    """What came before a stream was cut stays, the error follows on stderr, the status is 1."""
    server.play("cut", after=5)
    ran = run("chat", "--stats", "count to 99")
    assert ran.status == 1
    assert re.fullmatch(r"1 2 .*\d\n", ran.out)
    assert "outcome:            truncated\nError: " in ran.err
    assert "Traceback" not in ran.err


def test_a_partial_json(server: DemoServer, run: Run) -> None:
    """The document of a stream that was cut holds what came."""
    server.play("cut", after=5)
    ran = run("chat", "--json", "count to 99")
    assert ran.status == 1
    assert json.loads(ran.out)["choices"][0]["message"]["content"].startswith("1 2 ")
    assert ran.err.startswith("Error: ")


def test_an_interrupted_json(server: DemoServer, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """After Ctrl-C the document holds what came, and the status is 130."""
    pieces = iter(range(5))

    def interrupt(*_: object) -> None:
        if next(pieces, None) is None:
            raise KeyboardInterrupt

    monkeypatch.setattr("evoclient.cli.show.JsonShow.answer", interrupt)
    ran = run("chat", "--json", "count to 99")
    assert (ran.status, ran.err) == (130, "")
    assert json.loads(ran.out)["choices"][0]["message"]["content"].startswith("1 2 3")


def test_an_error_is_one_line(server: DemoServer, run: Run) -> None:
    """A refusal of the server is one line without control characters, and the status is 1."""
    server.play("status", code=400, body="first\nsecond \x1b[31m")
    ran = run("chat", "hi")
    assert (ran.status, ran.out) == (1, "")
    assert ran.err.startswith("Error: ")
    assert ran.err.count("\n") == 1
    assert "first second" in ran.err
    assert "\x1b" not in ran.err


def test_debug_shows_where(server: DemoServer, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """With --debug, before or behind the command's name, there is a traceback but no key."""
    monkeypatch.setenv("EVOCLIENT_API_KEY", "sk-not-for-eyes")
    server.play("status", code=401, times=2)
    for arguments in (["--debug", "chat", "hi"], ["chat", "--debug", "hi"]):
        ran = run(*arguments)
        assert ran.status == 1
        assert "Traceback (most recent call last)" in ran.err
        assert "sk-not-for-eyes" not in ran.err
    assert sent(server)
    assert server.requests[-1].headers["Authorization"] == "Bearer sk-not-for-eyes"


def test_records_of_the_logger(server: DemoServer, run: Run) -> None:
    """The logger's records are shown with --debug, and only then."""
    server.play("status", code=503, retry_after=0, times=1)
    loud = run("chat", "--debug", "repeat: one")
    assert loud.out == "one\n"
    assert "WARNING evoclient: attempt 1 failed" in loud.err
    server.play("status", code=503, retry_after=0, times=1)
    quiet = run("chat", "repeat: one")
    assert (quiet.out, quiet.err) == ("one\n", "")


def test_what_nobody_expected(
    server: DemoServer, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A bug of ours is one line too, and says how to see more."""

    def fail(*_: object) -> None:
        raise LookupError("lost")

    monkeypatch.setattr("evoclient.cli.show.PlainShow.answer", fail)
    ran = run("chat", "hi")
    assert ran.status == 1
    assert ran.err == "Error: unexpected LookupError: lost (--debug shows where)\n"


@pytest.mark.parametrize(
    ("arguments", "advice"),
    [
        ([], "--demo"),
        (["--provider", "nope"], "--provider"),
        (["--provider", "vllm"], "use -m MODEL or set VLLM_MODEL"),
        (["--base-url", "example.com/v1", "-m", "x"], "--base-url"),
        (["--provider", "openai"], "OPENAI_API_KEY"),
        (["--demo", "--provider", "ollama"], "leave out --provider"),
        (["--demo", "--base-url", "http://127.0.0.1:9"], "leave out --provider and --base-url"),
    ],
)
def test_what_is_not_configured(arguments: list[str], advice: str, run: Run) -> None:
    """A setting that is missing or wrong ends with the status 2 and says what to give."""
    ran = run("chat", *arguments, "hi")
    assert (ran.status, ran.out) == (2, "")
    assert ran.err.startswith("Error: ")
    assert advice in ran.err
    assert ran.err.count("\n") == 1


def test_the_base_url_is_enough(demo_server: DemoServer, run: Run) -> None:
    """A server is named by its address and the model alone."""
    ran = run("chat", "--base-url", demo_server.base_url, "-m", "demo", "repeat: one")
    assert (ran.status, ran.out) == (0, "one\n")


def test_a_preset_has_a_model(
    demo_server: DemoServer, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A preset with a default model needs no -m."""
    monkeypatch.setenv("OLLAMA_BASE_URL", demo_server.base_url)
    assert run("chat", "--provider", "ollama", "repeat: one").out == "one\n"
    assert sent(demo_server)["model"] == "llama3.2"
