"""Scripts, and the faults that rewrite them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from evoclient.testing.faults import ERROR_EVENTS, FAULTS, Stage
from evoclient.testing.script import Abort, Hold, Pause, Script, Write, body, events, split

HEAD = {"id": "x", "object": "o", "created": 1, "model": "m"}
STREAM = events([{"n": number} for number in range(4)])
DOCUMENT = body({"text": "1234567890"})


def play(name: str, script: Script = STREAM, **options: Any) -> Script:
    """Apply one fault."""
    return FAULTS[name](script, Stage(HEAD), **options)


def sent(script: Script) -> bytes:
    """All bytes of a script."""
    return b"".join(action.data for action in script if isinstance(action, Write))


def numbers(script: Script) -> list[int]:
    """The chunks of a script."""
    return [
        json.loads(action.data.removeprefix(b"data: "))["n"]
        for action in script
        if isinstance(action, Write) and action.kind == "chunk"
    ]


def test_events_are_paced_but_for_the_first() -> None:
    """The first chunk comes at once, the end marker right behind the last."""
    assert [action.paced for action in STREAM if isinstance(action, Write)] == [
        False,
        True,
        True,
        True,
        False,
    ]
    assert sent(STREAM).endswith(b'data: {"n":3}\n\ndata: [DONE]\n\n')


def test_a_script_is_split_by_chunks() -> None:
    """The end marker stays behind the cut; a document is cut in the middle; nothing is lost."""
    before, rest = split(STREAM, 2)
    assert (numbers(before), numbers(rest)) == ([0, 1], [2, 3])
    before, rest = split(STREAM, 99)
    assert (len(before), len(rest)) == (4, 1)
    before, rest = split(DOCUMENT, 99)
    assert sent(before + rest) == sent(DOCUMENT)
    assert sent(before)
    assert split([], 1) == ([], [])


def test_cut_and_eof_leave_the_rest_out() -> None:
    """A cut ends in an abort, an early end in nothing."""
    assert play("cut", after=2)[2:] == [Abort(reset=True)]
    assert play("cut", after=0, reset=False) == [Abort(reset=False)]
    assert numbers(play("eof", after=3)) == [0, 1, 2]
    assert len(play("eof", after=3)) == 3


def test_a_stall_goes_on() -> None:
    """A stall is a pause between two chunks."""
    script = play("stall", after=1, seconds=9)
    assert script[1] == Pause(9)
    assert sent(script) == sent(STREAM)


@pytest.mark.parametrize("form", sorted(ERROR_EVENTS))
def test_error_events(form: str) -> None:
    """Every form of an error follows the chunks that were sent, and nothing but DONE follows it."""
    script = play("error_event", after=2, form=form, code=429, message="too much")
    assert numbers(script) == [0, 1]
    error = script[2]
    assert isinstance(error, Write)
    record = json.loads(error.data.removeprefix(b"data: "))
    assert ("too much" in str(record)) == (form not in ("finish", "ollama"))
    assert (form in ("finish", "vllm")) == sent(script).endswith(b"[DONE]\n\n")


def test_the_error_form_is_that_of_the_dialect() -> None:
    """Without a form the stage says which one; one document has no place for it."""
    script = FAULTS["error_event"](STREAM, Stage(HEAD, "openrouter"), after=0)
    assert b'"finish_reason":"error"' in sent(script)
    assert play("error_event", DOCUMENT) == DOCUMENT


def test_the_end_marker_can_be_left_out() -> None:
    """Without DONE all chunks still come."""
    assert numbers(play("no_done")) == [0, 1, 2, 3]
    assert b"[DONE]" not in sent(play("no_done"))


def test_the_connection_can_stay() -> None:
    """The reply is complete before the hold."""
    assert play("keep_open", seconds=5) == [*STREAM, Hold(5)]


def test_empty_sends_nothing() -> None:
    """An empty stream has no byte."""
    assert play("empty") == []


def test_comments_stand_between_events() -> None:
    """Two comments precede the first chunk; then one precedes every so many."""
    assert sent(play("comments")).startswith(b": OPENROUTER PROCESSING\n\n" * 2 + b"data:")
    assert sent(play("comments")).count(b": OPENROUTER") == 5
    assert sent(play("comments", every=2, text="ping")).count(b": ping") == 3
    assert numbers(play("comments")) == numbers(STREAM)


@pytest.mark.parametrize(("name", "end"), [("crlf", b"\r\n"), ("lone_cr", b"\r")])
def test_line_ends(name: str, end: bytes) -> None:
    """All line ends change, nothing else does, and pauses stay."""
    script = play(name, [*STREAM, Pause(1)])
    assert sent(script) == sent(STREAM).replace(b"\n", end)
    assert script[-1] == Pause(1)


def test_what_may_come_first() -> None:
    """A byte order mark or blank lines precede the rest."""
    assert sent(play("bom")) == b"\xef\xbb\xbf" + sent(STREAM)
    assert sent(play("pad", DOCUMENT, lines=2)) == b"\n\n" + sent(DOCUMENT)


def test_dripping() -> None:
    """Every byte is a write; chunks are still counted once, and pauses stay."""
    script = play("drip", [*STREAM, Pause(1)])
    assert sent(script) == sent(STREAM)
    assert all(len(action.data) == 1 for action in script if isinstance(action, Write))
    assert sent(play("cut", script, after=2)) == sent(split(STREAM, 2)[0])
