"""Bodies that are compressed: cut, bombs, wrongly labelled."""

from __future__ import annotations

import gzip
import zlib
from typing import Any

from evoclient.errors.tree import (
    InternalServerError,
    ResponseDecodeError,
    StreamDecodeError,
    StreamInterruptedError,
)
from evoclient.testing.acts import Send, Wait
from evoclient.testing.fault_catalog import bomb

from .scenario import BOTH, Scenario, does
from .scenario import WHOLE as AS_WHOLE
from .wire import (
    ANSWER,
    FIRST,
    JSON,
    LAST,
    SSE,
    STREAM,
    WHOLE,
    chunk,
    deflated,
    gzipped,
    raw_deflated,
    sized,
)

__all__ = ["SCENARIOS", "read", "wrong"]

GZIP = b"Content-Encoding: gzip\r\n"


def read(name: str, wants: str, body: bytes, **more: Any) -> Scenario:
    """Return a scenario whose answer is read whole."""
    facts = {"text": "Hello", "outcome": "complete", **more}
    return Scenario(name=name, wants=wants, does=does(Send(body)), **facts)


def wrong(name: str, wants: str, kind: type[Exception], body: bytes, **more: Any) -> Scenario:
    """Return a scenario that ends in an error."""
    return Scenario(name=name, wants=wants, does=does(Send(body)), error=kind, **more)


def gzipped_in_two(first: bytes, rest: bytes) -> tuple[bytes, bytes]:
    """Return a gzip body in two parts, of which the first can be read by itself."""
    deflater = zlib.compressobj(wbits=31)
    head = deflater.compress(first) + deflater.flush(zlib.Z_SYNC_FLUSH)
    return head, deflater.compress(rest) + deflater.flush()


BEGUN, ENDED = gzipped_in_two(FIRST, ANSWER[len(FIRST) :])
CODED = STREAM.replace(SSE, SSE + GZIP)

ENCODED = [
    read("gzip", "A server may compress unasked.", gzipped(ANSWER)),
    read(
        "gzip in capitals",
        "The name of an encoding may be written in any case.",
        sized(gzip.compress(ANSWER), extra=b"content-encoding: GZip\r\n"),
    ),
    read(
        "x-gzip",
        "The old name of gzip is a name of it.",
        sized(gzip.compress(ANSWER), extra=b"Content-Encoding: x-gzip\r\n"),
    ),
    read(
        "gzip byte by byte",
        "A compressed body may be cut anywhere.",
        CODED + b"".join(chunk(bytes([byte])) for byte in gzip.compress(ANSWER)) + LAST,
    ),
    read(
        "gzip of two members",
        "A gzip body may have several members.",
        sized(gzip.compress(FIRST) + gzip.compress(ANSWER[len(FIRST) :]), extra=SSE + GZIP),
    ),
    read("deflate", "A server may compress by deflate.", deflated(ANSWER)),
    read("deflate without a header", "Some servers leave it out.", raw_deflated(ANSWER)),
    read(
        "identity named",
        "To name no encoding is to have none.",
        sized(ANSWER, extra=b"Content-Encoding: identity\r\n"),
    ),
    read(
        "encoding without a name",
        "An empty name is none.",
        sized(ANSWER, extra=b"Content-Encoding:\r\n"),
    ),
    read(
        "gzip of a whole answer",
        "Whole answers may be compressed as well.",
        sized(gzip.compress(WHOLE), extra=JSON + GZIP),
        asks=AS_WHOLE,
    ),
    read(
        "gzip behind the end marker",
        "Rubbish behind the compressed end takes nothing from the answer.",
        sized(gzip.compress(ANSWER) + b"rubbish", extra=SSE + GZIP),
    ),
    Scenario(
        name="gzip cut behind the first piece",
        wants="A compressed stream that is cut was cut, and what came is kept.",
        does=does(Send(CODED + chunk(BEGUN) + LAST)),
        error=StreamInterruptedError,
        partial="Hel",
        outcome="truncated",
        retryable=True,
    ),
    wrong(
        "gzip cut in its header",
        "A compressed stream that ends before it begins is no empty answer.",
        StreamInterruptedError,
        CODED + chunk(gzip.compress(ANSWER)[:8]) + LAST,
        retryable=True,
    ),
    wrong(
        "gzip of a whole answer, cut",
        "A compressed answer that is cut is an error.",
        ResponseDecodeError,
        sized(gzip.compress(WHOLE)[:-20], extra=JSON + GZIP),
        asks=AS_WHOLE,
        says="cannot be decompressed",
    ),
    Scenario(
        name="gzip spoilt behind the first piece",
        wants="What was read before the compressed bytes went wrong is kept.",
        does=does(Send(CODED + chunk(BEGUN)), Wait(0.05), Send(chunk(b"\xff" * 50) + LAST)),
        error=StreamDecodeError,
        partial="Hel",
        outcome="failed",
    ),
    wrong(
        "gzip with a wrong checksum",
        "A checksum that does not fit is an error, and what came before it is kept.",
        StreamDecodeError,
        sized(gzip.compress(FIRST)[:-8] + bytes(8), extra=SSE + GZIP),
        partial="Hel",
    ),
    *(
        wrong(
            name,
            "A body that is not encoded as it says cannot be read, and the error says why.",
            StreamDecodeError,
            body,
            says="decompress",
        )
        for name, body in {
            "gzip that is none": sized(ANSWER, extra=SSE + GZIP),
            "gzip that is deflate": sized(zlib.compress(ANSWER), extra=SSE + GZIP),
            "deflate that is none": sized(ANSWER, extra=SSE + b"Content-Encoding: deflate\r\n"),
        }.items()
    ),
    *(
        wrong(
            f"encoding {name}",
            "An encoding that was not asked for and is not known is named.",
            ResponseDecodeError,
            sized(ANSWER, extra=b"Content-Encoding: %b\r\n" % name.encode()),
            asks=BOTH,
            says="content encoding",
        )
        for name in ("br", "zstd", "compress", "gzip, gzip", "nonsense")
    ),
    wrong(
        "gzip bomb",
        "A small body that holds a large one is left in time.",
        StreamDecodeError,
        sized(bomb(31), extra=SSE + GZIP),
        is_bounded=True,
    ),
    wrong(
        "gzip bomb in a whole answer",
        "A small body that holds a large one is left in time.",
        ResponseDecodeError,
        sized(bomb(31), extra=JSON + GZIP),
        asks=AS_WHOLE,
        says="larger than",
        is_bounded=True,
    ),
    wrong(
        "deflate bomb",
        "A small body that holds a large one is left in time.",
        StreamDecodeError,
        sized(bomb(15), extra=SSE + b"Content-Encoding: deflate\r\n"),
        is_bounded=True,
    ),
    wrong(
        "gzip bomb in an error",
        "No more is read of an error than is of use.",
        InternalServerError,
        sized(bomb(31), b"500 Broken", GZIP),
        status=500,
        asks=BOTH,
        is_bounded=True,
    ),
]

SCENARIOS = ENCODED
