"""The faults that a fault server plays by name.

Unless the name says otherwise, the answer is a chunked event stream that says "Hello" in two
pieces, and goes wrong behind the first one.
"""

from __future__ import annotations

import gzip
import json
import zlib
from typing import Final

from .acts import Act, Close, Drip, Fault, HalfClose, Repeat, Reset, Send, Wait
from .raw_server import OK, chunk, sized

__all__ = ["ANSWER", "FAULTS", "FINISH", "FIRST", "REST", "STREAM", "WHOLE", "bomb"]


def _event(delta: dict[str, str], finish_reason: str | None = None) -> bytes:
    choice = {"index": 0, "delta": delta, "finish_reason": finish_reason}
    document = {"id": "gen-1", "object": "chat.completion.chunk", "choices": [choice]}
    return b"data: " + json.dumps(document).encode() + b"\n\n"


#: The head of a chunked event stream.
STREAM: Final = OK + b"Content-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
#: Its events: two pieces of text, and the end.
FIRST: Final = _event({"role": "assistant", "content": "Hel"})
REST: Final = _event({"content": "lo"})
FINISH: Final = _event({}, "stop") + b"data: [DONE]\n\n"
#: The events of a whole answer.
ANSWER: Final = FIRST + REST + FINISH
#: The same answer without streaming.
WHOLE: Final = json.dumps(
    {
        "id": "gen-1",
        "object": "chat.completion",
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": "Hello"},
                "finish_reason": "stop",
            }
        ],
    }
).encode()

_SSE: Final = b"Content-Type: text/event-stream\r\n"
_BUSY: Final = b'{"error":{"message":"busy","code":503}}'
_INTERIM: Final = b"HTTP/1.1 103 Early Hints\r\nLink: </style.css>\r\n\r\n"
_BEGUN: Final = STREAM + chunk(FIRST)
_MIB: Final = b"x" * 2**20


def bomb(wbits: int) -> bytes:
    """Return some 270 KB that hold 256 MiB.

    Args:
        wbits: zlib's word for the container: 31 for gzip, 15 for zlib.
    """
    deflater = zlib.compressobj(9, zlib.DEFLATED, wbits)
    zeros = bytes(2**20)
    first, again = (deflater.compress(zeros) + deflater.flush(zlib.Z_FULL_FLUSH) for _ in range(2))
    # To repeat what was flushed is a hundred times faster than to compress so much. The checksum at
    # the end is wrong, and nobody should read as far.
    return first + again * 255 + deflater.flush()


def _status(code: bytes, body: bytes, extra: bytes = b"") -> Send:
    return Send(sized(body, code, extra))


_GOOD: Final = Send(STREAM + chunk(ANSWER) + chunk(b""))

_ACTS: Final[dict[str, tuple[Act, ...]]] = {
    "good": (_GOOD,),
    "good_whole": (_status(b"200 OK", WHOLE, b"Content-Type: application/json\r\n"),),
    # The connection.
    "closed_at_once": (Close(),),
    "reset_at_once": (Reset(),),
    "silent": (Wait(),),
    "half_closed": (HalfClose(), Wait()),
    "cut": (Send(_BEGUN), Close()),
    "reset": (Send(_BEGUN), Wait(0.05), Reset()),
    "stall": (Send(_BEGUN), Wait()),
    "drip": (Drip(STREAM + chunk(ANSWER) + chunk(b"")),),
    # Ends.
    "no_finish": (Send(_BEGUN + chunk(REST) + chunk(b"")),),
    "done_alone": (Send(_BEGUN + chunk(REST) + chunk(b"data: [DONE]\n\n") + chunk(b"")),),
    "empty": (Send(STREAM + chunk(b"")),),
    "kept_open": (Send(STREAM + chunk(ANSWER)), Wait()),
    # Framing.
    "sized_too_long": (Send(OK + _SSE + b"Content-Length: 9999\r\n\r\n" + FIRST), Close()),
    "sized_negative": (Send(OK + _SSE + b"Content-Length: -1\r\n\r\n" + ANSWER), Close()),
    "bad_chunk_size": (Send(_BEGUN + b"zz\r\n" + REST + b"\r\n"), Close()),
    "huge_chunk_size": (Send(_BEGUN + b"f" * 40 + b"\r\n" + REST), Close()),
    "no_last_chunk": (Send(_BEGUN + chunk(REST)), Close()),
    # Floods.
    "endless_head": (Send(OK), Repeat(b"X-More: " + b"x" * 1000 + b"\r\n")),
    "endless_interim": (Repeat(_INTERIM),),
    "endless_line": (Send(_BEGUN + b"f" * 15 + b"\r\n"), Repeat(_MIB)),
    "endless_event": (Send(_BEGUN), Repeat(chunk(b"data: " + b"x" * 65536 + b"\n"))),
    "endless_comments": (Send(_BEGUN), Repeat(chunk(b": wait\n\n"), every=0.01)),
    "endless_trailers": (Send(_BEGUN + b"0\r\n"), Repeat(b"X-More: " + b"x" * 1000 + b"\r\n")),
    "endless_error": (
        Send(b"HTTP/1.1 500 Broken\r\nTransfer-Encoding: chunked\r\n\r\n"),
        Repeat(chunk(b"x" * 65536)),
    ),
    "gzip_bomb": (_status(b"200 OK", bomb(31), _SSE + b"Content-Encoding: gzip\r\n"),),
    "gzip_cut": (
        _status(b"200 OK", gzip.compress(ANSWER)[:-60], _SSE + b"Content-Encoding: gzip\r\n"),
    ),
    # What is no stream.
    "html": (
        _status(b"200 OK", b"<html><title>Log in</title></html>", b"Content-Type: text/html\r\n"),
    ),
    "json_error": (_status(b"200 OK", _BUSY, b"Content-Type: application/json\r\n"),),
    "error_event": (Send(_BEGUN + chunk(b"data: " + _BUSY + b"\n\n") + chunk(b"")),),
    "rubbish_event": (Send(_BEGUN + chunk(b"data: {rubbish\n\n") + chunk(b"")),),
    "not_http": (Send(b"SSH-2.0-OpenSSH_9.2\r\n"), Close()),
    "bad_status_line": (Send(b"HTTP/1.1 abc OK\r\n\r\n"), Close()),
    "switch_protocols": (Send(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n"),),
    # Statuses.
    "busy": (_status(b"503 Busy", _BUSY),),
    "busy_for_a_day": (_status(b"503 Busy", _BUSY, b"Retry-After: 86400\r\n"),),
    "error_stalls": (Send(b"HTTP/1.1 500 Broken\r\nContent-Length: 99\r\n\r\n{"), Wait()),
    "redirect": (_status(b"307 There", b"", b"Location: http://elsewhere.invalid/\r\n"),),
}

#: The faults by name.
FAULTS: Final[dict[str, Fault]] = {
    **{name: Fault((acts,)) for name, acts in _ACTS.items()},
    "busy_once": Fault(((_status(b"503 Busy", _BUSY),), (_GOOD,))),
    "cut_once": Fault(((Send(_BEGUN), Close()), (_GOOD,))),
    "closed_before_reuse": Fault(((_GOOD, Close()), (_GOOD,))),
    "answered_early": Fault(((_status(b"413 Too Large", b""), Close()),), reads="head"),
}
