"""Plays: reading them, queueing them, sorting them; and the replies they put in place."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from evoclient.testing.dialects import DIALECTS, OPENAI
from evoclient.testing.faults import Stage
from evoclient.testing.plays import Play, PlayQueue, Program, names, read_plays
from evoclient.testing.script import Abort, events
from evoclient.testing.substitutes import Substitute

CUT = Play("cut", {"after": 3})


@pytest.mark.parametrize(
    ("wanted", "plays"),
    [
        ("", []),
        ("cut; after=3", [CUT]),
        ("vllm, cut;after=3", [Play("vllm"), CUT]),
        ("cut;reset=false", [Play("cut", {"reset": False})]),
        ("error_event;message=so sad", [Play("error_event", {"message": "so sad"})]),
        ("error_event;message=404", [Play("error_event", {"message": "404"})]),
        ("status;message=null;body=[1]", [Play("status", {"message": None, "body": [1]})]),
        ('{"name": "cut", "after": 3}', [CUT]),
        ('["vllm", {"name": "cut", "after": 3}]', [Play("vllm"), CUT]),
        ({"name": "cut", "after": 3}, [CUT]),
        (["vllm", {"name": "cut", "after": 3}], [Play("vllm"), CUT]),
    ],
    ids=str,
)
def test_plays_are_read(wanted: Any, plays: list[Play]) -> None:
    """Text with options, JSON text, objects and lists all name plays."""
    assert read_plays(wanted) == plays


@pytest.mark.parametrize(
    "wanted",
    ["explode", "cut;when=3", "vllm;after=3", "error_event;form=x", "{", 7, [{"after": 3}]],
    ids=str,
)
def test_unknown_plays_are_refused(wanted: Any) -> None:
    """An unknown name, option or form is a ValueError at once."""
    with pytest.raises(ValueError, match=r"."):
        read_plays(wanted)


@pytest.mark.parametrize(
    ("wanted", "told"),
    [
        ("cut;reset=1", "reset of cut is true or false; it is 1"),
        ("cut;reset=True", "reset of cut is true or false; it is 'True'"),
        ('cut;reset="1"', "reset of cut is true or false; it is '1'"),
        ("cut;reset", "reset of cut is true or false; it is ''"),
        ("cut;after=x", "after of cut is a whole number, 0 or more; it is 'x'"),
        ("cut;after=1.5", "after of cut is a whole number, 0 or more; it is 1.5"),
        ("cut;after=true", "after of cut is a whole number, 0 or more; it is True"),
        ("cut;after=-1", "after of cut is a whole number, 0 or more; it is -1"),
        ("cut;times=0", "times of cut is a whole number, 1 or more; it is 0"),
        ("whole;times=x", "times of whole is a whole number, 1 or more; it is 'x'"),
        ("stall;seconds=long", "seconds of stall is a number, 0 or more; it is 'long'"),
        ("stall;seconds=NaN", "seconds of stall is a number, 0 or more; it is nan"),
        ("status;retry_after=soon", "retry_after of status is a number, 0 or more; it is 'soon'"),
        ("status;headers=x", "headers of status is an object of names and values; it is 'x'"),
        ({"name": "status", "message": 7}, "message of status is a text; it is 7"),
        ({"name": "redirect", "to": 7}, "to of redirect is a text; it is 7"),
        ("cut;when=3", "cut has no option 'when'; it takes after, reset, times"),
    ],
    ids=str,
)
def test_a_wrong_option_is_told(wanted: Any, told: str) -> None:
    """A value that a play cannot use is refused at once, with what the option takes."""
    with pytest.raises(ValueError, match=re.escape(told)):
        read_plays(wanted)


def test_all_names_can_be_played() -> None:
    """Every name that is told can be used, and the issue's names are among them."""
    assert [Play(name).name for name in names()] == names()
    assert {"status", "cut", "eof", "stall", "whole", "gemini", "redirect"} <= set(names())


def test_the_queue_is_taken_in_order() -> None:
    """Plays go to the next requests under /v1, or to those of their own path."""
    queue = PlayQueue()
    queue.add([Play("html")], times=1, path="/token")
    queue.add([CUT], times=2, path=None)
    queue.add([Play("eof")], times=1, path=None)
    assert queue.take("/v1/models") == [CUT]
    assert queue.take("/other") == []
    assert queue.take("/token") == [Play("html")]
    assert queue.take("/v1/models") == [CUT]
    assert queue.take("/v1/models") == [Play("eof")]
    assert queue.take("/v1/models") == []
    queue.add([CUT], times=2, path=None)
    queue.clear()
    assert queue.take("/v1/models") == []


def test_a_program_sorts_its_plays() -> None:
    """The last dialect and substitute count, faults keep their order."""
    plays = read_plays("vllm, cut;after=0, html, no_done, azure, status, whole")
    program = Program.of(plays, OPENAI)
    assert program.dialect is DIALECTS["azure"]
    assert program.substitute == Play("status")
    assert [play.name for play in program.faults] == ["cut", "no_done"]
    assert program.whole
    assert program.spoil(events([{}]), Stage({})) == [Abort(reset=True)]
    plain = Program.of([], DIALECTS["groq"])
    assert plain.dialect is DIALECTS["groq"]
    assert plain.replace_reply("/") is None


def reply(text: str, **options: Any) -> Substitute:
    """The reply that a play puts in place."""
    plays = [Play(play.name, {**play.options, **options}) for play in read_plays(text)]
    made = Program.of(plays, OPENAI).replace_reply("/v1/x")
    assert made is not None
    return made


def test_a_status_can_be_played() -> None:
    """Code, headers and body are those asked for, and a body is made when there is none."""
    plain = reply("status;code=429;retry_after=1.5")
    assert (plain.status, plain.headers) == (429, {"Retry-After": "1.5"})
    assert "Too Many Requests" in json.loads(plain.body)["error"]["message"]
    assert b"529" in reply("status;code=529;message=").body
    assert reply("status", body={"a": 1}, headers={"x": 1}).body == b'{"a":1}'
    text = reply("status", body="busy", headers={"x": 1})
    assert (text.body, text.content_type, text.headers) == (b"busy", "text/plain", {"x": "1"})


def test_pages_errors_and_redirects_can_be_played() -> None:
    """A page for people, an error under 200, and a redirect that ends."""
    assert reply("html").content_type == "text/html"
    assert reply("html").status == reply("json_error").status == 200
    assert json.loads(reply("json_error;code=402").body)["error"]["code"] == 402
    assert reply("redirect").headers == {"Location": "/v1/x?redirected=1"}
    assert reply("redirect;to=http://other.invalid/;code=308").status == 308
