"""Bodies in chunks that are framed wrongly."""

from __future__ import annotations

from typing import Any

from evoclient.errors.tree import (
    APIConnectionError,
)
from evoclient.testing.acts import Close, Repeat, Send, Wait
from evoclient.wire import Timeouts

from .framing import PAUSE, cut, good
from .scenario import WHOLE, Scenario, does
from .wire import (
    ANSWER,
    BEGUN,
    CHUNKED,
    LAST,
    REST,
    STREAM,
    chunk,
)
from .wire import WHOLE as ANSWERED

__all__ = ["SCENARIOS"]


def malformed(name: str, *rest: bytes, **more: Any) -> Scenario:
    """Return a scenario whose framing goes wrong behind the first piece."""
    more["options"] = {"timeout": Timeouts(idle=0.5)}
    apart = [act for part in rest for act in (Wait(0.15), Send(part))]
    return cut(
        f"chunks: {name}",
        "A body that is framed wrongly is cut there, never guessed at.",
        does(Send(BEGUN), *apart, Wait(0.2), Close()),
        **more,
    )


CHUNKS = [
    malformed("size not hexadecimal", b"zz\r\n" + REST),
    malformed("size negative", b"-5\r\n" + REST),
    malformed("size empty", b"\r\n" + REST),
    malformed("size with a prefix", b"0x10\r\n" + REST),
    malformed("size behind a space", b" 10\r\n" + REST),
    malformed("size of forty digits", b"f" * 40 + b"\r\n" + REST),
    malformed("size beyond every memory", b"7" + b"f" * 15 + b"\r\n"),
    malformed("content longer than its size", b"5\r\n" + REST[:5], REST[5:]),
    malformed("content shorter than its size", b"fff\r\n" + REST + b"\r\n", partial="Hello"),
    malformed(
        "no line end behind the content", b"%x\r\n%b" % (len(REST), REST), b"X", partial="Hello"
    ),
    malformed("no chunks at all", REST),
    cut(
        "chunks: no last chunk",
        "A chunked body without its last chunk was cut.",
        does(Send(BEGUN), Close()),
    ),
    cut(
        "chunks: half of the last chunk",
        "A cut in the last chunk is a cut.",
        does(Send(BEGUN + b"0\r\n"), Close()),
    ),
    cut(
        "chunks: cut in a size",
        "A cut in a chunk size is a cut.",
        does(Send(BEGUN + b"1"), Close()),
    ),
    cut(
        "chunks: the end before the answer's",
        "A body that ends as it should may still hold half an answer.",
        does(Send(BEGUN + LAST)),
        says="without a finish reason",
        connections=1,
    ),
    cut(
        "chunks: rubbish in the same packet",
        "What came before the rubbish is kept, however the packets fell.",
        does(Send(BEGUN + b"zz\r\n" + REST), Close()),
    ),
    cut(
        "chunks: rubbish in the same packet, and silence",
        "Nothing is waited for behind rubbish.",
        does(Send(BEGUN + b"zz\r\n"), Wait()),
        leaves=True,
        most=4.0,
    ),
    cut(
        "chunks: none where they were announced",
        "A body without any framing is an error.",
        does(Send(STREAM + ANSWER), Close()),
        partial="",
    ),
    good(
        "chunks: no last chunk behind the end marker",
        "Behind the end marker it is of no matter how the body ends.",
        does(Send(STREAM + chunk(ANSWER)), Close()),
    ),
    good(
        "chunks: rubbish behind the end marker",
        "Behind the end marker rubbish takes nothing from the answer.",
        does(Send(STREAM + chunk(ANSWER)), PAUSE, Send(b"zz\r\n"), Wait(0.2), Close()),
    ),
    good(
        "chunks: rubbish behind the last chunk",
        "What follows the body is not read as the next answer.",
        does(Send(STREAM + chunk(ANSWER) + LAST + b"rubbish")),
        calls=2,
        requests=2,
        connections=2,
    ),
    Scenario(
        name="chunks: whole answer, size not hexadecimal",
        wants="A whole answer that is framed wrongly is an error that is worth a retry.",
        does=does(Send(CHUNKED + b"zz\r\n" + ANSWERED), Wait()),
        asks=WHOLE,
        error=APIConnectionError,
        retryable=True,
        leaves=True,
    ),
    Scenario(
        name="chunks: whole answer without the last chunk",
        wants="A whole answer without its last chunk was cut, though its JSON is whole.",
        does=does(Send(CHUNKED + chunk(ANSWERED)), Close()),
        asks=WHOLE,
        error=APIConnectionError,
        retryable=True,
    ),
    cut(
        "chunks: endless size",
        "The line of a chunk size is bounded.",
        does(Send(BEGUN), Wait(0.15), Repeat(b"0" * 65536)),
        leaves=True,
        is_bounded=True,
        options={"timeout": Timeouts(idle=0.5)},
    ),
    cut(
        "chunks: endless extension",
        "The extensions of a chunk are bounded.",
        does(Send(BEGUN), Wait(0.15), Send(b"5;"), Repeat(b"x" * 65536)),
        leaves=True,
        is_bounded=True,
        options={"timeout": Timeouts(idle=0.5)},
    ),
]

SCENARIOS = CHUNKS
