"""Servers that fall silent, or talk without end, at every point of an answer."""

from __future__ import annotations

from typing import Any

from evoclient.errors.tree import (
    APITimeoutError,
)
from evoclient.testing.acts import Act, Repeat, Send, Wait
from evoclient.wire import Timeouts

from .scenario import BOTH, Ask, Scenario, does
from .scenario import STREAM as AS_STREAM
from .scenario import WHOLE as AS_WHOLE
from .wire import (
    ANSWER,
    BEGUN,
    FINISH,
    FIRST,
    JSON,
    LAST,
    OK,
    REST,
    SSE,
    STREAM,
    chunk,
    event,
    streamed,
)

__all__ = ["SCENARIOS", "SILENT", "SOON", "TRICKLE", "done"]

#: The one limit that is short.
SOON = 0.5


def late(
    name: str, *acts: Act, limit: str = "idle", asks: tuple[Ask, ...] = AS_STREAM, **more: Any
) -> Scenario:
    """Return a scenario that runs into a limit."""
    long: dict[str, Any] = {"connect": 5, "first_chunk": 10, "idle": 10, "total": 20, limit: SOON}
    limits = Timeouts(**long, keepalive_counts=more.pop("keepalive_counts", True))
    facts = {
        "error": APITimeoutError,
        "partial": "Hel" if limit == "idle" and asks == AS_STREAM else "",
        "outcome": "failed",
        "retryable": limit != "total",
        "leaves": True,
        **more,
    }
    return Scenario(
        name=f"{name}, {limit}",
        wants="The limit ends the call in time, is named, and closes the connection.",
        does=does(*acts),
        asks=asks,
        options={"timeout": limits},
        limit=limit,
        least=SOON,
        most=2 * SOON + 0.5,
        **facts,
    )


SILENT = Wait()
TRICKLE = 0.05

STALLS = [
    late("silent", SILENT, limit="first_chunk", asks=BOTH),
    late("silent", SILENT, limit="total", asks=AS_WHOLE),
    late("stalls in the status line", Send(b"HTTP/1"), SILENT, limit="first_chunk"),
    late("stalls in the head", Send(OK + b"X-Half"), SILENT, limit="first_chunk", asks=AS_WHOLE),
    late("stalls behind the head", Send(STREAM), SILENT, limit="first_chunk"),
    late(
        "stalls behind the head of a whole answer",
        Send(OK + JSON + b"Content-Length: 9\r\n\r\n"),
        SILENT,
        limit="first_chunk",
        asks=AS_WHOLE,
    ),
    late("stalls in the first size", Send(STREAM + b"1"), SILENT, limit="first_chunk"),
    late("stalls in the first line", streamed(FIRST[:20]), SILENT, limit="first_chunk"),
    late("stalls in a whole answer", streamed(b'{"id":'), SILENT, limit="first_chunk", asks=BOTH),
    late(
        "stalls behind the first line",
        streamed(b"event: message\n"),
        SILENT,
        partial="",
    ),
    late("stalls behind the first event", Send(BEGUN), SILENT),
    late("stalls in a line", streamed(FIRST, REST[:20]), SILENT),
    late("stalls between two lines of an event", streamed(FIRST, b"event: message\n"), SILENT),
    late("stalls in a chunk", Send(BEGUN + chunk(REST)[:20]), SILENT),
    late("stalls in a chunk size", Send(BEGUN + b"1"), SILENT),
    late("stalls behind a comment", streamed(FIRST, b": wait\n\n"), SILENT),
    late(
        "stalls in a sized body",
        Send(OK + SSE + b"Content-Length: 999\r\n\r\n" + FIRST),
        SILENT,
    ),
    late("stalls in a body to the close", Send(OK + SSE + b"\r\n" + FIRST), SILENT),
    late("stalls behind the first event", Send(BEGUN), SILENT, limit="total", partial="Hel"),
]

TRICKLES = [
    late(
        "a head byte by byte",
        Send(OK + b"X: "),
        Repeat(b"x", every=TRICKLE),
        limit="first_chunk",
        asks=AS_WHOLE,
    ),
    late(
        "a chunk size byte by byte",
        Send(STREAM + b"5;"),
        Repeat(b"x", every=TRICKLE),
        limit="first_chunk",
    ),
    late(
        "trailers without end",
        Send(BEGUN + b"0\r\n"),
        Repeat(b"X: 1\r\n", every=TRICKLE),
    ),
    late(
        "the first line byte by byte",
        Send(STREAM),
        Repeat(chunk(b"x"), every=TRICKLE),
        limit="first_chunk",
    ),
    late("a line byte by byte", Send(BEGUN), Repeat(chunk(b"x"), every=TRICKLE)),
    late(
        "a whole answer byte by byte",
        Send(STREAM + chunk(b"{")),
        Repeat(chunk(b" "), every=TRICKLE),
        limit="first_chunk",
        asks=BOTH,
    ),
    late(
        "comments that do not count",
        Send(BEGUN),
        Repeat(chunk(b": wait\n\n"), every=TRICKLE),
        keepalive_counts=False,
    ),
    late(
        "comments before the first chunk that do not count",
        Send(STREAM),
        Repeat(chunk(b": wait\n\n"), every=TRICKLE),
        limit="first_chunk",
        keepalive_counts=False,
    ),
    late(
        "comments without end",
        Send(BEGUN),
        Repeat(chunk(b": wait\n\n"), every=TRICKLE),
        limit="total",
        partial="Hel",
    ),
    late(
        "pings without end",
        Send(BEGUN),
        Repeat(chunk(b"event: ping\ndata:\n\n"), every=TRICKLE),
        limit="total",
        partial="Hel",
    ),
    late(
        "blank lines before a whole answer without end",
        Send(STREAM),
        Repeat(chunk(b"\n"), every=TRICKLE),
        limit="total",
        asks=AS_WHOLE,
    ),
    Scenario(
        name="an answer without end, total",
        wants="An answer may not go on for longer than the call may take.",
        does=does(Send(BEGUN), Repeat(chunk(event("")), every=TRICKLE)),
        options={"timeout": Timeouts(total=SOON)},
        error=APITimeoutError,
        partial="Hel",
        limit="total",
        retryable=False,
        least=SOON,
        most=2 * SOON + 0.5,
        leaves=True,
    ),
]


def done(name: str, wants: str, *acts: Act, **more: Any) -> Scenario:
    """Return a scenario that is complete all the same, and soon."""
    facts = {"most": 3.0, **more}
    return Scenario(
        name=name, wants=wants, does=does(*acts), text="Hello", outcome="complete", **facts
    )


ENDS = [
    done(
        "stalls behind the end marker",
        "Nobody waits for the end of a body whose end marker has come.",
        Send(STREAM + chunk(ANSWER)),
        SILENT,
        leaves=True,
        most=1.5,
    ),
    done(
        "stalls behind the finish reason",
        "Behind the last finish reason only usage is waited for, and not for long.",
        streamed(FIRST, REST, event(None, "stop")),
        SILENT,
        leaves=True,
        least=1.5,
        most=4.0,
    ),
    done(
        "stalls behind usage",
        "Behind finish reason and usage nothing is waited for.",
        streamed(
            FIRST,
            REST,
            event(None, "stop"),
            b'data: {"choices":[],"usage":{"prompt_tokens":1,"completion_tokens":2}}\n\n',
        ),
        SILENT,
        leaves=True,
        most=1.5,
    ),
    done(
        "stalls in the last chunk",
        "The framing behind the end marker is not waited for.",
        Send(STREAM + chunk(ANSWER) + b"0\r\n"),
        SILENT,
        leaves=True,
        most=1.5,
    ),
    done(
        "stalls in the trailers",
        "Trailers behind the end marker are not waited for.",
        Send(STREAM + chunk(ANSWER) + b"0\r\nX-Sum"),
        SILENT,
        leaves=True,
        most=1.5,
    ),
    done(
        "drips behind the end marker",
        "A server that goes on and on behind the end marker is left.",
        Send(STREAM + chunk(ANSWER)),
        Repeat(chunk(b": more\n\n"), every=0.02),
        leaves=True,
        most=1.5,
    ),
    done(
        "floods behind the end marker",
        "A server that floods behind the end marker is left.",
        Send(STREAM + chunk(ANSWER)),
        Repeat(chunk(b"x" * 65536)),
        leaves=True,
        most=1.5,
        is_bounded=True,
    ),
    done(
        "trailers without end behind the end marker",
        "Trailers behind the end marker take nothing from the answer.",
        Send(STREAM + chunk(ANSWER) + b"0\r\n"),
        Repeat(b"X-More: " + b"y" * 1000 + b"\r\n"),
        leaves=True,
        is_bounded=True,
    ),
    done(
        "comments that keep it alive",
        "A model that thinks for long is waited for while comments come.",
        Send(STREAM),
        Repeat(chunk(b": PROCESSING\n\n"), 8, 0.1),
        Send(chunk(ANSWER) + LAST),
        options={"timeout": Timeouts(first_chunk=0.5, idle=0.5)},
        least=0.7,
    ),
    done(
        "blank lines that keep it alive",
        "Blank lines before an answer show that the server works on it.",
        Send(STREAM),
        Repeat(chunk(b"\n"), 8, 0.1),
        Send(chunk(ANSWER) + LAST),
        options={"timeout": Timeouts(first_chunk=0.5, idle=0.5)},
        least=0.7,
    ),
    done(
        "pieces slower than a limit in all",
        "A limit runs anew with each line.",
        Send(STREAM),
        *(act for piece in (FIRST, REST, FINISH) for act in (Wait(0.3), Send(chunk(piece)))),
        Send(LAST),
        options={"timeout": Timeouts(first_chunk=5, idle=0.6)},
        least=0.9,
    ),
]


SCENARIOS = [*STALLS, *TRICKLES, *ENDS]
