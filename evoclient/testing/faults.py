"""Faults: functions that rewrite the script of a reply.

Every fault takes the script and the stage and returns another script; its options are keyword
arguments. ``after`` counts chunks, the one with the role included. The table `FAULTS` gives the
names they are played by.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ..streaming.encode import encode_comment, encode_event
from .chunks import Record
from .script import Abort, Hold, Pause, Script, Write, dump, split

__all__ = ["ERROR_EVENTS", "FAULTS", "Stage", "comments"]

_BOM = b"\xef\xbb\xbf"

Fault = Callable[..., Script]


@dataclass(frozen=True)
class Stage:
    """What a fault may know of the reply it spoils.

    Attributes:
        head: The members that begin every chunk: id, object, created, model.
        error_form: The dialect's form of an error inside a stream, a name of `ERROR_EVENTS`.
    """

    head: Record
    error_form: str = "openai"


def cut(script: Script, _stage: Stage, *, after: int = 3, reset: bool = True) -> Script:
    """Break the connection behind ``after`` chunks, by a reset or by a silent end."""
    return [*split(script, after)[0], Abort(reset)]


def eof(script: Script, _stage: Stage, *, after: int = 3) -> Script:
    """End the body cleanly behind ``after`` chunks: no finish reason, no end marker."""
    return split(script, after)[0]


def stall(script: Script, _stage: Stage, *, after: int = 3, seconds: float = 30.0) -> Script:
    """Say nothing for some seconds behind ``after`` chunks, then go on."""
    before, rest = split(script, after)
    return [*before, Pause(seconds), *rest]


def error_event(
    script: Script,
    stage: Stage,
    *,
    after: int = 3,
    form: str | None = None,
    code: int = 502,
    message: str = "Provider disconnected",
) -> Script:
    """Send an error inside the stream behind ``after`` chunks and end it.

    ``form`` is one of `ERROR_EVENTS`; without it the dialect's own form is used.
    """
    if all(isinstance(action, Write) and action.kind == "body" for action in script):
        return script  # one document has no events
    made = ERROR_EVENTS[form or stage.error_form](stage, code, message)
    return [*split(script, after)[0], *made]


def no_done(script: Script, _stage: Stage) -> Script:
    """Leave out the end marker."""
    return [action for action in script if not (isinstance(action, Write) and _is_done(action))]


def keep_open(script: Script, _stage: Stage, *, seconds: float = 60.0) -> Script:
    """Keep the connection open when all is said."""
    return [*script, Hold(seconds)]


def empty(_script: Script, _stage: Stage) -> Script:
    """Send no body at all."""
    return []


def comments(
    script: Script, _stage: Stage, *, every: int = 1, text: str = "OPENROUTER PROCESSING"
) -> Script:
    """Put a keep-alive comment before every ``every``-th chunk, and two before the first."""
    comment = Write(encode_comment(text), "comment")
    noisy: Script = [comment]
    count = 0
    for action in script:
        if isinstance(action, Write) and action.kind == "chunk":
            if count % max(1, every) == 0:
                noisy.append(comment)
            count += 1
        noisy.append(action)
    return noisy


def crlf(script: Script, _stage: Stage) -> Script:
    """End lines with CR LF."""
    return _on_data(script, lambda data: data.replace(b"\n", b"\r\n"))


def lone_cr(script: Script, _stage: Stage) -> Script:
    """End lines with CR alone."""
    return _on_data(script, lambda data: data.replace(b"\n", b"\r"))


def bom(script: Script, _stage: Stage) -> Script:
    """Begin with a byte order mark."""
    return [Write(_BOM, "part"), *script]


def pad(script: Script, _stage: Stage, *, lines: int = 3) -> Script:
    """Begin with blank lines, as servers do that keep a waiting connection alive."""
    return [Write(b"\n", "part") for _ in range(lines)] + script


def drip(script: Script, _stage: Stage) -> Script:
    """Send one byte at a time."""
    dripping: Script = []
    for action in script:
        if isinstance(action, Write):
            first, *rest = (action.data[i : i + 1] for i in range(len(action.data)))
            dripping.append(Write(first, action.kind, action.paced))
            dripping.extend(Write(byte, "part") for byte in rest)
        else:
            dripping.append(action)
    return dripping


def _is_done(write: Write) -> bool:
    return write.kind == "done"


def _on_data(script: Script, change: Callable[[bytes], bytes]) -> Script:
    return [
        Write(change(action.data), action.kind, action.paced)
        if isinstance(action, Write)
        else action
        for action in script
    ]


def _event(value: Any) -> Write:
    return Write(encode_event(dump(value)), "error")


_DONE = Write(encode_event("[DONE]"), "done")


def _openrouter(stage: Stage, code: int, message: str, *, bare: bool = False) -> Script:
    details = {"code": code, "message": message, "metadata": {"error_type": "unmapped"}}
    ended = {
        "index": 0,
        "delta": {"content": ""},
        "finish_reason": "error",
        "native_finish_reason": "error",
    }
    choices = [] if bare else [ended]
    return [_event({**stage.head, "provider": "Demo", "error": details, "choices": choices})]


def _openrouter_bare(stage: Stage, code: int, message: str) -> Script:
    return _openrouter(stage, code, message, bare=True)


def _finish_only(stage: Stage, _code: int, _message: str) -> Script:
    ended = {"index": 0, "delta": {}, "finish_reason": "error"}
    return [_event({**stage.head, "choices": [ended]}), _DONE]


def _vllm(_stage: Stage, code: int, message: str) -> Script:
    error = {"message": message, "type": "InternalServerError", "param": None, "code": code}
    return [_event({"error": error}), _DONE]


def _llamacpp(_stage: Stage, code: int, message: str) -> Script:
    return [_event({"error": {"code": code, "message": message, "type": "server_error"}})]


def _openai(_stage: Stage, _code: int, message: str) -> Script:
    error = {"message": message, "type": "server_error", "param": None, "code": None}
    return [_event({"error": error})]


def _string(_stage: Stage, _code: int, message: str) -> Script:
    return [_event({"error": message})]


def _ollama(stage: Stage, _code: int, _message: str) -> Script:
    # The layer above the model loses the text of the error; only the early end shows it.
    lost = {"index": 0, "delta": {"role": "assistant", "content": ""}, "finish_reason": None}
    return [_event({**stage.head, "choices": [lost]})]


ERROR_EVENTS: dict[str, Callable[[Stage, int, str], Script]] = {
    "openai": _openai,
    "openrouter": _openrouter,
    "openrouter_bare": _openrouter_bare,
    "finish": _finish_only,
    "vllm": _vllm,
    "llamacpp": _llamacpp,
    "ollama": _ollama,
    "string": _string,
}

FAULTS: dict[str, Fault] = {
    fault.__name__: fault
    for fault in (
        bom,
        comments,
        crlf,
        cut,
        drip,
        empty,
        eof,
        error_event,
        keep_open,
        lone_cr,
        no_done,
        pad,
        stall,
    )
}
