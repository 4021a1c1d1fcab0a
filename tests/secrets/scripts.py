"""What a server may say that has learnt every secret and shows them."""

from __future__ import annotations

import json
from typing import Any

from evoclient.transports.memory import MemoryReply
from tests.twins.scripts import chunk, cut

from .search import ECHO, KEY

__all__ = ["BROKEN_STREAMS", "REFUSALS", "WHOLE", "refusal"]

#: In fields that carry a meaning for the client.
HEADERS = {
    "X-Echo": ECHO,
    "X-Request-Id": f"req {KEY}",
    "Location": f"https://login.test/{ECHO}",
    "WWW-Authenticate": f'Bearer realm="{KEY}"',
    "Retry-After": KEY,
}
ERROR = {
    "message": f"bad key {ECHO}",
    "code": KEY,
    "type": ECHO,
    "param": ECHO,
    "metadata": {ECHO: [ECHO, {"x": ECHO}], "reasons": [ECHO], "previous_errors": [ECHO]},
    "access_token": "a token that nobody knew: 0123456789",
}
SSE = {"Content-Type": "text/event-stream", **HEADERS}


def refusal(status: int) -> MemoryReply:
    """Return a status with OpenAI's body."""
    return MemoryReply.json({"error": ERROR}, status=status, headers=HEADERS)


def _text(body: str | bytes, status: int = 400, **headers: str) -> MemoryReply:
    pieces = [body if isinstance(body, bytes) else body.encode()]
    return MemoryReply(status=status, headers={**HEADERS, **headers}, pieces=pieces)


_ESCAPED = json.dumps({"error": {"message": ECHO}}).replace("/", "\\/")

#: Statuses whose bodies show secrets, each in another form.
REFUSALS: dict[str, MemoryReply] = {
    "a redirect": _text("", 307),
    "a redirect with a body": _text(ECHO, 302),
    "plain text": _text(ECHO),
    "a web page": _text(f"<html><title>{ECHO}</title>{ECHO}</html>", 502),
    "escaped JSON": _text(_ESCAPED),
    "JSON that was cut": _text(_ESCAPED[:-2]),
    "a string": _text(json.dumps(ECHO)),
    "a list": _text(json.dumps([{"error": {"message": ECHO}}])),
    "FastAPI's form": _text(json.dumps({"detail": [{"loc": [ECHO], "msg": ECHO}]}), 422),
    "an object of its own": _text(json.dumps({ECHO: {ECHO: ECHO}})),
    "bad UTF-8": _text(b"\xff" + ECHO.encode()),
    "an unknown encoding": _text(ECHO, 400, **{"Content-Encoding": KEY}),
    "an encoding that is not so": _text(ECHO, 500, **{"Content-Encoding": "gzip"}),
    "more than is kept": _text("x" * 60_000 + ECHO + "x" * 20_000),
}

#: Answers under 200 that fail, each in another form.
WHOLE: dict[str, MemoryReply] = {
    "an error": _text(json.dumps({"error": ERROR}), 200),
    "an error as a string": _text(json.dumps({"error": ECHO}), 200),
    "an error beside an answer": _text(
        json.dumps({"error": ERROR, "choices": [{"message": {"content": ECHO}}]}), 200
    ),
    "an error as the reason": _text(
        json.dumps({"choices": [{"finish_reason": "error", "message": {"content": ECHO}}]}), 200
    ),
    "a web page": _text(f"<html>{ECHO}</html>", 200),
    "no JSON": _text(ECHO, 200),
    "JSON that was cut": _text(_ESCAPED[:-2], 200),
    "another encoding": _text(ECHO, 200, **{"Content-Encoding": KEY}),
    "an encoding that is not so": _text(ECHO, 200, **{"Content-Encoding": "gzip"}),
    "nothing": _text("", 200),
}


def _events(*events: Any, **fields: Any) -> MemoryReply:
    return MemoryReply.stream(*events, done=False, headers=SSE, **fields)


#: Streams that fail, each in another form.
BROKEN_STREAMS: dict[str, MemoryReply] = {
    "an error before the answer": _events({"error": ERROR}),
    "an error behind a piece": _events(chunk(f"Hi {ECHO}"), {"error": ERROR}),
    "an error as a string": _events(chunk("Hi"), {"error": ECHO}),
    "an error by name": _events(f"event: error\ndata: {ECHO}\n\n"),
    "an error by name, as JSON": _events(f"event: error\ndata: {json.dumps(ERROR)}\n\n"),
    "an error in a choice": _events({"choices": [{"index": 0, "error": ERROR}]}),
    "an error as the reason": _events(chunk(ECHO), chunk(ECHO, "error")),
    "bad JSON": _events(chunk("Hi"), f"data: {{{ECHO}\n\n"),
    "bad escaped JSON": _events(f"data: {_ESCAPED[:-2]}\n\n"),
    "bad UTF-8": MemoryReply(headers=SSE, pieces=[b"data: \xff" + ECHO.encode() + b"\n\n"]),
    "what is skipped": _events(
        f"data: {json.dumps(ECHO)}\n\n", f"data: :{ECHO}\n\n", f": {ECHO}\n\n"
    ),
    "a cut behind a piece": cut(f"Hi {ECHO}"),
    "an end without a reason": _events(chunk(ECHO)),
    "a cut event": _events(chunk("Hi"), f"data: {ECHO}"),
    "only comments": _events(f": {ECHO}\n\n"),
    "a web page": _text(f"<html>{ECHO}</html>", 200),
    "JSON that is no answer": _text(json.dumps({"status": ECHO}), 200),
    "a whole error": _text(json.dumps({"error": ERROR}), 200),
    "an encoding that is not so": _text(ECHO, 200, **{"Content-Encoding": "gzip"}),
    "another encoding": _text(ECHO, 200, **{"Content-Encoding": KEY}),
    "a long event": _events(f"data: {ECHO * 40}\n\n"),
    "silence": _events(chunk(ECHO), chunk("b"), pauses=[0, 30]),
}
