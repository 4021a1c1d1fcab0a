"""What a reader of a stream can count on, in both colours."""

from __future__ import annotations

import gc
import warnings
from time import monotonic
from typing import Any

import attrs
import pytest

from evoclient.errors.tree import APITimeoutError, ClientClosedError, StreamInterruptedError
from evoclient.streaming.events import (
    ContentEvent,
    FinishEvent,
    KeepAliveEvent,
    ReasoningEvent,
    ToolCallDeltaEvent,
    ToolCallDoneEvent,
    ToolCallStartEvent,
    UsageEvent,
)
from evoclient.transports.memory import MemoryReply
from evoclient.wire import Timeouts
from tests.colours import Colour
from tests.twins.scripts import chunk, cut, streamed

AnyColour = Colour[Any, Any]


def opened(colour: AnyColour, *script: MemoryReply, **options: Any) -> tuple[Any, Any]:
    """Return a transport that plays a script, and the stream opened through it."""
    transport = colour.memory(script)
    client = colour.client(transport=transport, model="m", max_retries=0)
    return transport, colour.stream(client, **options)


def test_text(colour: AnyColour) -> None:
    """`text` gives the pieces of text, and no empty ones."""
    _, stream = opened(colour, streamed("Hel", "", "lo"))
    assert colour.text(stream) == ["Hel", "lo"]


def test_events(colour: AnyColour) -> None:
    """`events` tells kinds apart, signs of life among them, in the order of the wire."""
    call = {"index": 0, "id": "t1", "function": {"name": "f", "arguments": "{}"}}
    reply = MemoryReply.stream(
        ": OPENROUTER PROCESSING\n\n",
        {"choices": [{"index": 0, "delta": {"reasoning": "Hm"}}]},
        chunk("Hi"),
        {"choices": [{"index": 0, "delta": {"tool_calls": [call]}}]},
        "event: ping\ndata:\n\n",
        chunk(None, "stop"),
        {"choices": [], "usage": {"total_tokens": 3}},
    )
    _, stream = opened(colour, reply)
    kinds = [type(event) for event in colour.events(stream)]
    assert kinds == [
        KeepAliveEvent,
        ReasoningEvent,
        ContentEvent,
        ToolCallStartEvent,
        ToolCallDeltaEvent,
        ToolCallDoneEvent,
        KeepAliveEvent,
        FinishEvent,
        UsageEvent,
    ]


def test_chunks_hold_no_signs_of_life(colour: AnyColour) -> None:
    """A loop over chunks sees chunks only."""
    _, stream = opened(colour, MemoryReply.stream(": ping\n\n", chunk("Hi"), chunk(None, "stop")))
    assert [piece.text for piece in colour.chunks(stream)] == ["Hi", ""]


def test_next_then_loop(colour: AnyColour) -> None:
    """A chunk taken by `next` is not seen again by the loop after it, and none is lost."""
    _, stream = opened(colour, streamed("a", "b", "c"))
    assert colour.next(stream).text == "a"
    assert "".join(piece.text for piece in colour.chunks(stream)) == "bc"
    assert stream.outcome == "complete"


def test_next_then_text(colour: AnyColour) -> None:
    """Text asked for after `next` goes on behind it, also where a block held several chunks."""
    reply = streamed("a", "b", "c")
    _, stream = opened(colour, attrs.evolve(reply, pieces=[b"".join(reply.pieces)]))
    assert colour.next(stream).text == "a"
    assert colour.text(stream) == ["b", "c"]


def test_completion_grows(colour: AnyColour) -> None:
    """`completion` is what has come so far, and `finish_reason` is None before the end."""
    _, stream = opened(colour, streamed("Hel", "lo"))
    colour.next(stream)
    assert (stream.completion.text, stream.finish_reason, stream.outcome) == ("Hel", None, None)
    list(colour.chunks(stream))
    assert (stream.completion.text, stream.finish_reason) == ("Hello", "stop")
    assert stream.finish == "stop"
    assert stream.completion.response.status_code == 200


def test_leaving_the_loop_closes(colour: AnyColour) -> None:
    """Leaving a loop early closes the body, and the stream counts as cancelled."""
    transport, stream = opened(colour, streamed("a", "b", "c"))
    assert [piece.text for piece in colour.first(stream)] == ["a"]
    assert transport.open_bodies == 0
    assert stream.outcome == "cancelled"
    assert list(colour.chunks(stream)) == []
    assert stream.completion.text == "a"


def test_close_twice(colour: AnyColour) -> None:
    """Closing again, and closing after the end, does nothing."""
    transport, stream = opened(colour, streamed("a"))
    list(colour.chunks(stream))
    colour.close(stream)
    colour.close(stream)
    assert (transport.open_bodies, stream.outcome) == (0, "complete")


def test_cancel_frees_a_blocked_reader(colour: AnyColour) -> None:
    """A stream cancelled from elsewhere, while its reader waits, ends the reader's loop."""
    reply = MemoryReply.stream(chunk("a"), chunk("b"), pauses=[0, 30, 30])
    transport, stream = opened(colour, reply)
    began = monotonic()
    texts = colour.beside(
        lambda: [piece.text for piece in colour.chunks(stream)], stream.cancel, after=0.1
    )
    assert monotonic() - began < 5
    assert (texts, stream.outcome, transport.open_bodies) == (["a"], "cancelled", 0)


def test_an_error_is_raised_again(colour: AnyColour) -> None:
    """A second loop over a broken stream does not end as if nothing had happened."""
    _, stream = opened(colour, cut("a"))
    for _ in range(2):
        with pytest.raises(StreamInterruptedError) as caught:
            list(colour.chunks(stream))
        assert caught.value.partial_text == "a"
    assert caught.value.response is not None
    assert caught.value.response.status_code == 200
    assert caught.value.status_code is None


def test_first_chunk_timeout(colour: AnyColour) -> None:
    """A server that stays silent is left after `first_chunk`, and the error says which limit."""
    _, stream = opened(
        colour, MemoryReply.stream(chunk("a"), pauses=30), timeout=Timeouts(first_chunk=0.05)
    )
    with pytest.raises(APITimeoutError) as caught:
        list(colour.chunks(stream))
    assert (caught.value.limit, stream.outcome) == ("first_chunk", "failed")


def test_idle_timeout(colour: AnyColour) -> None:
    """A server that falls silent is left after `idle`, and the error keeps what had come."""
    reply = MemoryReply.stream(chunk("a"), chunk("b"), pauses=[0, 30, 0])
    _, stream = opened(colour, reply, timeout=Timeouts(idle=0.05))
    with pytest.raises(APITimeoutError) as caught:
        list(colour.chunks(stream))
    assert (caught.value.limit, caught.value.partial_text) == ("idle", "a")


def test_comments_keep_alive(colour: AnyColour) -> None:
    """Comments count as activity, unless the user says that they do not."""
    script = MemoryReply.stream(
        *[": ping\n\n"] * 8, *[chunk("a"), chunk(None, "stop")], pauses=0.05
    )
    patient = Timeouts(first_chunk=0.2, idle=0.2)
    _, stream = opened(colour, script, timeout=patient)
    assert colour.text(stream) == ["a"]
    strict = Timeouts(first_chunk=0.2, idle=0.2, keepalive_counts=False)
    _, stream = opened(colour, script, timeout=strict)
    with pytest.raises(APITimeoutError):
        colour.text(stream)


def test_end_marker_and_an_open_body(colour: AnyColour) -> None:
    """After the end marker the stream is over, though the server keeps the body open."""
    reply = MemoryReply.stream(chunk("a"), chunk(None, "stop"))
    reply = MemoryReply(
        headers=reply.headers, pieces=[*reply.pieces, b":\n\n"], pauses=[0] * 3 + [30]
    )
    transport, stream = opened(colour, reply)
    began = monotonic()
    assert colour.text(stream) == ["a"]
    assert monotonic() - began < 2
    assert (transport.open_bodies, stream.outcome) == (0, "complete")


def test_usage_after_the_finish_reason(colour: AnyColour) -> None:
    """Without an end marker, a usage chunk that follows the finish reason is waited for."""
    usage = {"choices": [], "usage": {"total_tokens": 7}}
    reply = MemoryReply.stream(
        chunk("a"), chunk(None, "stop"), usage, done=False, pauses=[0, 0, 0.3]
    )
    _, stream = opened(colour, reply)
    list(colour.chunks(stream))
    assert stream.usage.total_tokens == 7


def test_closing_the_client_ends_its_streams(colour: AnyColour) -> None:
    """A client that is closed closes its open streams, and refuses further calls."""
    transport = colour.memory([streamed("a", "b")])
    client = colour.client(transport=transport, model="m")
    stream = colour.stream(client)
    colour.next(stream)
    colour.close(client)
    colour.close(client)
    assert (transport.open_bodies, stream.outcome) == (0, "cancelled")
    assert client.is_closed
    with pytest.raises(ClientClosedError):
        colour.create(client)


def test_a_forgotten_stream_warns(colour: AnyColour) -> None:
    """A stream that is dropped unread warns, names itself, and closes its body."""
    transport, stream = opened(colour, streamed("a"))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", ResourceWarning)
        del stream
        gc.collect()
    colour.settle()
    assert [str(warning.message) for warning in caught if "unclosed" in str(warning.message)]
    assert transport.open_bodies == 0


def test_surrogates_cut_in_two(colour: AnyColour) -> None:
    """A character whose halves come in two chunks is handed out whole."""
    reply = MemoryReply.stream(
        'data: {"choices":[{"index":0,"delta":{"content":"a\\ud83d"}}]}\n\n',
        'data: {"choices":[{"index":0,"delta":{"content":"\\ude00b"}}]}\n\n',
        chunk(None, "stop"),
    )
    _, stream = opened(colour, reply)
    assert colour.text(stream) == ["a", "\U0001f600b"]
    assert stream.completion.text == "a\U0001f600b"


def test_several_choices(colour: AnyColour) -> None:
    """Choices that interleave are kept apart, and all of them must finish."""

    def of(index: int, text: str | None, finish: str | None = None) -> dict[str, Any]:
        delta = {} if text is None else {"content": text}
        return {"choices": [{"index": index, "delta": delta, "finish_reason": finish}]}

    reply = MemoryReply.stream(
        of(1, "x"), of(0, "a"), of(1, None, "stop"), of(0, "b"), of(0, None, "length")
    )
    _, stream = opened(colour, reply, n=2)
    list(colour.chunks(stream))
    assert [choice.message.content for choice in stream.completion.choices] == ["ab", "x"]
    assert [choice.finish_reason for choice in stream.completion.choices] == ["length", "stop"]
    assert stream.outcome == "complete"
