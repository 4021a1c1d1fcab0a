"""Whatever was recorded comes back from the file, and any cut keeps the bytes."""

from __future__ import annotations

import json

from hypothesis import given, settings
from hypothesis import strategies as st

from evoclient.models.codec import dumps
from evoclient.streaming.recording import (
    Block,
    Exchange,
    Failure,
    read_exchanges,
    write_exchanges,
)
from evoclient.testing import Cassette
from evoclient.transports.memory import MemoryReply
from evoclient.wire import Headers, Request

from .cuts import cut, cuts

SECONDS = st.floats(0, 1e6, allow_nan=False)
HEADERS = st.lists(st.tuples(st.text(), st.text())).map(Headers)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)
BODIES = (
    st.none()
    | st.binary()
    | JSON.map(lambda value: json.dumps(value).encode())
    | JSON.map(lambda value: dumps(value, allow_nan=True))
    | st.integers(200, 300).map(lambda depth: b"[" * depth + b"]" * depth)
)
BLOCKS = st.lists(st.builds(Block, after=SECONDS, data=st.binary() | st.text().map(str.encode)))
FAILURES = st.builds(
    Failure,
    kind=st.text(),
    message=st.text(),
    retryable=st.booleans(),
    limit=st.sampled_from(["connect", "first_chunk", "idle", "total", None]),
    seconds=st.none() | SECONDS,
)


@st.composite
def exchanges(draw: st.DrawFn) -> Exchange:
    """Draw an exchange; one without a reply has no head and no blocks."""
    failure = draw(st.none() | FAILURES)
    has_reply = draw(st.booleans())
    return Exchange(
        method=draw(st.text()),
        url=draw(st.text()),
        request_headers=draw(HEADERS),
        request_body=draw(BODIES),
        status=draw(st.integers(100, 999)) if has_reply else None,
        headers=draw(HEADERS) if has_reply else Headers(),
        after=draw(SECONDS) if has_reply else 0.0,
        blocks=tuple(draw(BLOCKS)) if has_reply else (),
        ending="failed" if failure else draw(st.sampled_from(["complete", "closed"])),
        ended_after=draw(SECONDS),
        failure=failure,
    )


def exact(exchange: Exchange) -> tuple[object, ...]:
    """Return what tells exchanges apart, repeated headers and their case included."""
    return exchange, exchange.request_headers.pairs, exchange.headers.pairs


@settings(max_examples=40)  # each holds several exchanges with all they may hold
@given(st.lists(exchanges(), max_size=3))
def test_what_is_written_is_read(recorded: list[Exchange]) -> None:
    """Reading gives back each exchange to the last byte, in lines of UTF-8 text."""
    written = write_exchanges(recorded)
    assert [exact(found) for found in read_exchanges(written, "x")] == [*map(exact, recorded)]
    assert all(line.startswith("{") for line in written.decode().split("\n")[:-1])
    # Some tools turn line ends around.
    assert read_exchanges(written.replace(b"\n", b"\r\n"), "x") == tuple(recorded)


@given(st.data())
def test_any_cut_keeps_the_bytes_and_the_time(data: st.DataObject) -> None:
    """However a body is cut anew, its bytes and the seconds until the last are the same."""
    body = data.draw(st.text("Ж…a\n", min_size=1).map(str.encode))
    blocks = tuple(
        Block(data.draw(st.integers(0, 9)) / 4, piece) for piece in data.draw(cuts(body))
    )
    places = data.draw(st.lists(st.integers(1, 50)))
    chosen = data.draw(st.sampled_from([None, 1, 2, 7, lambda whole: cut(whole, places)]))
    exchange = Exchange(method="POST", url="http://x/y", status=200, blocks=blocks)
    script = Cassette([exchange]).script(cut=chosen)
    reply: MemoryReply = script.reply_to(Request("POST", "http://x/y", Headers()))
    assert b"".join(reply.pieces) == body
    assert isinstance(reply.pauses, tuple)
    assert sum(reply.pauses) == sum(block.after for block in blocks)
    if isinstance(chosen, int):
        assert {len(piece) for piece in reply.pieces[:-1]} <= {chosen}
