"""How streams end: finish reasons, end markers, errors in all spellings."""

from __future__ import annotations

import json
from typing import Any

from evoclient.errors.tree import (
    StreamInterruptedError,
    StreamProviderError,
)

from .scenario import Scenario
from .wire import ANSWER, DONE, FIRST, REST, error, event, events

__all__ = ["SCENARIOS", "read"]


def read(name: str, wants: str, body: bytes, **more: Any) -> Scenario:
    """Return a scenario whose stream is read whole."""
    facts = {"text": "Hello", "outcome": "complete", **more}
    return Scenario(name=name, wants=wants, does=events(body), **facts)


def ended(name: str, wants: str, body: bytes, **more: Any) -> Scenario:
    """Return a scenario whose stream ends too early."""
    facts = {
        "error": StreamInterruptedError,
        "partial": "Hel",
        "outcome": "truncated",
        "retryable": True,
        **more,
    }
    return Scenario(name=name, wants=wants, does=events(body), **facts)


def raised(name: str, body: bytes, **more: Any) -> Scenario:
    """Return a scenario whose stream holds an error."""
    facts = {"error": StreamProviderError, "partial": "Hel", "outcome": "failed", **more}
    return Scenario(
        name=name,
        wants="An error in a stream is raised, however it is spelt, and what came is kept.",
        does=events(FIRST + body),
        **facts,
    )


def two(*finished: int) -> bytes:
    """Return a stream of two choices, of which some are finished."""
    begun = event("Hello", None, 0) + event("Bye", None, 1)
    return begun + b"".join(event(None, "stop", index) for index in finished)


ENDS = [
    ended("no finish reason", "A clean end without a finish reason is short.", FIRST),
    ended(
        "finish reason of nothing",
        "An empty finish reason is none.",
        FIRST + event(None, ""),
    ),
    read(
        "finish reason alone",
        "The finish reason is enough.",
        FIRST + REST + event(None, "stop"),
    ),
    read(
        "finish reason with the last piece",
        "It may come with text.",
        FIRST + event("lo", "stop"),
    ),
    read(
        "finish reason that nobody knows",
        "A word that is new ends a choice as well.",
        FIRST + event("lo", "eos_token"),
    ),
    read(
        "end marker alone",
        "It is accepted, and the log says that it is not confirmed.",
        FIRST + REST + DONE,
        outcome="unconfirmed",
        logged="not every choice has a finish reason",
    ),
    ended(
        "end marker alone, strictly",
        "Who asks for strictness gets an error.",
        FIRST + DONE,
        outcome="unconfirmed",
        call={"incomplete": "strict"},
    ),
    read(
        "no finish reason, accepted",
        "Who accepts short answers gets them, and a warning.",
        FIRST + REST,
        outcome="truncated",
        call={"incomplete": "accept"},
        logged="truncated",
    ),
    read(
        "two choices",
        "Every choice has its finish reason.",
        two(0, 1) + DONE,
        call={"n": 2},
    ),
    ended(
        "two choices, one unfinished",
        "One finish reason does not finish two choices.",
        two(0),
        partial="Hello",
        call={"n": 2},
    ),
    read(
        "two choices, one unfinished, end marker",
        "It is accepted, and the log says that it is not confirmed.",
        two(1) + DONE,
        outcome="unconfirmed",
        call={"n": 2},
        logged="not every choice has a finish reason",
    ),
    ended(
        "two choices, one unfinished, strictly",
        "Who asks for strictness gets an error.",
        two(1) + DONE,
        partial="Hello",
        outcome="unconfirmed",
        call={"n": 2, "incomplete": "strict"},
    ),
    read(
        "no blank line at the end",
        "Some servers forget the last line end.",
        (FIRST + REST + event(None, "stop"))[:-2],
    ),
    ended(
        "cut in the last event",
        "Half of an event is not taken for one.",
        FIRST + event(None, "stop")[:-10],
    ),
    read(
        "events behind the end marker",
        "Behind the end marker nothing counts.",
        ANSWER + event(" more"),
    ),
    read(
        "rubbish behind the end marker",
        "Behind the end marker nothing is an error.",
        ANSWER + b"data: {rubbish\n\n",
    ),
    read(
        "an error behind the finish reason of all",
        "What is broken behind the end marker takes nothing away.",
        ANSWER + b"data: " + error("late") + b"\n\n",
    ),
    read(
        "end marker with spaces",
        "A marker is a marker.",
        ANSWER.replace(b"[DONE]", b" [DONE] "),
    ),
    ended(
        "an error without a word",
        "An event without data is none, so the answer is short.",
        FIRST + b"event: error\n\n",
    ),
    read(
        "end marker twice",
        "A marker may come twice.",
        ANSWER + DONE,
    ),
]

BAD_GATEWAY: dict[str, Any] = {"code": 502, "message": "Lost the model"}


def data(document: Any, name: str = "") -> bytes:
    """Return an event with a document."""
    head = f"event: {name}\n" if name else ""
    return f"{head}data: {json.dumps(document)}\n\n".encode()


LOST = {"index": 0, "delta": {"content": ""}, "finish_reason": "error"}

ERRORS = [
    raised(
        "error: an object",
        data({"error": BAD_GATEWAY}),
        says="Lost the model",
        retryable=True,
    ),
    raised("error: a string", data({"error": "Lost the model"}), says="Lost the model"),
    raised("error: by the name of the event", data(BAD_GATEWAY, "error"), says="Lost the model"),
    raised(
        "error: by name, in plain text",
        b"event: error\ndata: Lost the model\n\n",
        says="Lost the model",
    ),
    raised(
        "error: beside choices",
        data({"error": BAD_GATEWAY, "choices": [LOST]}),
        says="Lost the model",
    ),
    raised(
        "error: beside empty choices",
        data({"error": BAD_GATEWAY, "choices": []}),
        says="Lost the model",
    ),
    raised(
        "error: in a choice",
        data({"choices": [{**LOST, "error": BAD_GATEWAY}]}),
        says="Lost the model",
    ),
    raised("error: by the finish reason", data({"choices": [LOST]}) + DONE),
    raised(
        "error: of the kind of Groq",
        data({"choices": [], "x_groq": {"error": "Lost the model"}}),
        says="Lost the model",
    ),
    raised(
        "error: called an object",
        data({"object": "error", "message": "Lost the model", "code": 502}),
        says="Lost the model",
    ),
    raised(
        "error: a code that will not pass",
        data({"error": {"code": 400, "message": "Bad model"}}),
        retryable=False,
    ),
    raised(
        "error: a code as text",
        data({"error": {"code": "429", "message": "Slow down"}}),
        retryable=True,
    ),
    raised("error: a quota", data({"error": {"code": "insufficient_quota"}}), retryable=False),
    raised(
        "error: a list",
        data({"error": [BAD_GATEWAY]}),
        says="Lost the model",
    ),
    raised(
        "error: long",
        data({"error": {"message": "word " * 20_000}}),
        says="word word",
    ),
    raised(
        "error: an echo of the key",
        data({"error": {"message": "wrong key planted-key-0123456789"}}),
        says="wrong key ***",
    ),
    Scenario(
        name="error: before the first chunk",
        wants="An error before anything came is raised like one after it.",
        does=events(data({"error": BAD_GATEWAY})),
        error=StreamProviderError,
        retryable=True,
    ),
    read("error: none", "A null error is none.", ANSWER.replace(b'{"id"', b'{"error":null,"id"')),
    read(
        "error: empty",
        "An empty error is none.",
        ANSWER.replace(b'{"id"', b'{"error":{},"id"'),
    ),
]

SCENARIOS = [*ENDS, *ERRORS]
