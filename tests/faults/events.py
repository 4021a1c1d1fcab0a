"""Events that are rubbish, and events that are odd."""

from __future__ import annotations

from typing import Any

from evoclient.errors.tree import (
    StreamDecodeError,
)

from .ends import read
from .scenario import Scenario
from .wire import ANSWER, FINISH, FIRST, REST, event, events

__all__ = ["SCENARIOS"]


def rubbish(name: str, data: bytes, **more: Any) -> Scenario:
    """Return a scenario with an event that cannot be read."""
    facts = {"error": StreamDecodeError, "partial": "Hel", "outcome": "failed", **more}
    return Scenario(
        name=name,
        wants="An event that cannot be read is an error, and what came before it is kept.",
        does=events(FIRST + b"data: " + data + b"\n\n" + REST + FINISH),
        **facts,
    )


RUBBISH = [
    rubbish("JSON that is cut", b'{"choices":[{"index"'),
    rubbish("plain text in an event", b"upstream connect error"),
    rubbish("a web page in an event", b"<html>502</html>"),
    rubbish("JSON with a comma too many", b'{"choices":[],}'),
    rubbish("two documents in one event", b'{"choices":[]}{"choices":[]}'),
    rubbish("JSON of Python", b"{'choices': []}"),
    rubbish("JSON nested too deeply", b'{"a":' * 300 + b"1" + b"}" * 300),
    rubbish("JSON nested without end", b"[" * 100_000),
    rubbish("binary in an event", bytes(range(128, 256))),
    rubbish("a number of many digits", b'{"created":' + b"9" * 10_000 + b"}"),
    rubbish("NUL in an event", b"\0\0\0"),
    rubbish("an echo of the key in rubbish", b"key planted-key-0123456789", says="key ***"),
    *(
        read(
            f"skipped: {name}",
            "What says nothing is skipped.",
            FIRST + body + REST + FINISH,
        )
        for name, body in {
            "a number": b"data: 42\n\n",
            "a list": b"data: [1, 2]\n\n",
            "null": b"data: null\n\n",
            "a string": b'data: "hello"\n\n',
            "a comment in data": b"data: : OPENROUTER PROCESSING\n\n",
            "a ping": b'data: {"type": "ping"}\n\n',
            "no data": b"data:\n\n",
            "an id alone": b"id: 7\n\n",
            "a field that nobody knows": b"colour: red\n\n",
            "a line without a colon": b"data\n\n",
            "a retry field": b"retry: 1000\n\n",
            "an object without choices": b'data: {"hello": 1}\n\n',
            "choices that are null": b'data: {"choices": null}\n\n',
            "choices that are a string": b'data: {"choices": "none"}\n\n',
            "a choice that is null": b'data: {"choices": [null]}\n\n',
            "a delta that is null": b'data: {"choices": [{"index": 0, "delta": null}]}\n\n',
            "text that is a number": b'data: {"choices": [{"index": 0, "delta": {"role": 5}}]}\n\n',
        }.items()
    ),
]

ODD = [
    read("CR LF", "Lines may end in CR LF.", ANSWER.replace(b"\n", b"\r\n")),
    read("CR alone", "Lines may end in CR.", ANSWER.replace(b"\n", b"\r")),
    read(
        "all line ends",
        "Line ends may be mixed.",
        FIRST.replace(b"\n\n", b"\r\n\r") + REST.replace(b"\n", b"\r") + FINISH,
    ),
    read("a byte order mark", "A byte order mark is dropped.", b"\xef\xbb\xbf" + ANSWER),
    read(
        "blank lines first",
        "Blank lines before the first event are no event.",
        b"\n\n\r\n" + ANSWER,
    ),
    read("no space behind the colon", "The space is not needed.", ANSWER.replace(b": {", b":{", 1)),
    read(
        "data in several lines",
        "The lines of an event belong together.",
        ANSWER.replace(b'"choices"', b'\ndata: "choices"'),
    ),
    read("ids", "Ids mean nothing here.", b"id: 1\n" + FIRST + b"id: 2\n" + REST + FINISH),
    read("names", "The name of an event means nothing.", b"event: chunk\n" + ANSWER),
    read(
        "comments between",
        "Comments are signs of life.",
        b": a\n\n: b\n\n" + FIRST + b": c\n" + REST + b":\n\n" + FINISH,
    ),
    read(
        "bad UTF-8",
        "A bad byte costs one character, not the answer.",
        event("Hel").replace(b"Hel", b"H\xffl") + event("lo", "stop"),
        text="H\ufffdllo",
    ),
    read(
        "half a character at the end of an event",
        "A cut character costs one character.",
        event("Hel").replace(b"Hel", b"H\xd0") + event("lo", "stop"),
        text="H\ufffdlo",
    ),
    read(
        "a lone surrogate",
        "Half of a pair costs one character, and the text can be encoded.",
        event("Hel").replace(b"Hel", rb"H\ud83d") + event("lo", "stop"),
        text="H\ufffdlo",
    ),
    read(
        "a pair in two events",
        "The halves of a character belong together.",
        event("x").replace(b'"x"', rb'"\ud83d"') + event("y", "stop").replace(b'"y"', rb'"\ude00"'),
        text="\U0001f600",
    ),
    read(
        "NUL in the text",
        "NUL is a character.",
        event("Hel\0") + event("lo", "stop"),
        text="Hel\0lo",
    ),
    read(
        "line separators in the text",
        "Only CR and LF end lines.",
        event("x", "stop").replace(b"x", "a\u2028b\u2029c\x85d\x0be".encode()),
        text="a\u2028b\u2029c\x85d\x0be",
    ),
    read(
        "control characters in JSON",
        "Servers forget to escape.",
        event("x", "stop").replace(b"x", b"a\tb"),
        text="a\tb",
    ),
    read(
        "keys twice",
        "Of equal keys the last counts.",
        event("x", "stop").replace(b'"x"', b'"x", "content": "y"'),
        text="y",
    ),
    read(
        "huge numbers",
        "A number that nobody can hold breaks nothing.",
        ANSWER.replace(b'"index": 0', b'"created": 1e999, "index": 0'),
    ),
    read("NaN", "What is no JSON number is tolerated.", ANSWER.replace(b'"id"', b'"x": NaN, "id"')),
    read(
        "an index as text",
        "An index may be text.",
        ANSWER.replace(b'"index": 0', b'"index": "0"'),
    ),
    read(
        "an index that is missing",
        "Without an index it is the first choice.",
        ANSWER.replace(b'"index": 0, ', b""),
    ),
    read(
        "a huge index",
        "A choice nobody asked for takes no memory.",
        event("x", "stop", 2**40) + event("Hello", "stop"),
    ),
    read(
        "an index below zero",
        "A choice with a negative index is not the first one.",
        event("x", "stop", -1) + event("Hello", "stop"),
    ),
    read(
        "text in parts",
        "Text may be a list of parts.",
        event("x", "stop").replace(b'"x"', b'[{"type": "text", "text": "Hello"}]'),
    ),
    read(
        "escaped solidus and letters",
        "JSON may escape what it likes.",
        event("x", "stop").replace(b"x", rb"\u0048el\u006c\u006f"),
    ),
    read(
        "ten thousand pieces",
        "A long answer is read whole.",
        event("a") * 10_000 + FINISH,
        text="a" * 10_000,
    ),
]

SCENARIOS = [*RUBBISH, *ODD]
