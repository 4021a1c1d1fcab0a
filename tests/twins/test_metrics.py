"""What a stream measures of itself, in both colours."""

from __future__ import annotations

import logging
from itertools import pairwise
from time import monotonic
from typing import Any

import attrs
import pytest

from evoclient.errors.tree import APIStatusError, StreamInterruptedError
from evoclient.ground import ConfigurationError
from evoclient.transports.memory import MemoryReply
from tests.colours import Colour
from tests.twins.scripts import chunk, cut, failing, refusing, streamed, whole

AnyColour = Colour[Any, Any]


def client_of(colour: AnyColour, *script: MemoryReply, **options: Any) -> Any:
    """Return a client that is played a script, and waits for nothing before a retry."""
    options = {"model": "m", "retry_delay": 0, **options}
    return colour.client(transport=colour.memory(list(script)), **options)


def opened(colour: AnyColour, *script: MemoryReply, **asked: Any) -> Any:
    """Return a stream that is played by a script."""
    return colour.stream(client_of(colour, *script), **asked)


def slow(reply: MemoryReply, pause: float = 0.06) -> MemoryReply:
    """Return a reply that waits before its last piece."""
    return attrs.evolve(reply, pauses=[*[0.0] * (len(reply.pieces) - 1), pause])


def test_counts(colour: AnyColour) -> None:
    """It counts chunks, characters of content, bytes of the body, and the server's tokens."""
    usage = {"completion_tokens": 3, "total_tokens": 9}
    reply = MemoryReply.stream(
        chunk("Кот "), chunk("и 👍🏽"), chunk(None, "stop"), chunk(usage=usage)
    )
    stream = opened(colour, reply)
    chunks = list(colour.chunks(stream))
    metrics = stream.metrics
    assert (metrics.chunks, metrics.characters, metrics.tokens) == (len(chunks), 8, 3)
    assert metrics.bytes == sum(map(len, reply.pieces))
    assert (metrics.attempts, metrics.retries, metrics.waited_for_retries) == (1, (), 0)
    assert metrics.stalls == 0


@pytest.mark.parametrize("reads", ["text", "events", "chunks"])
def test_all_readers_count_alike(colour: AnyColour, reads: str) -> None:
    """The figures do not depend on how the stream is read."""
    stream = opened(colour, streamed("a", "b", "c"))
    list(getattr(colour, reads)(stream))
    assert (stream.metrics.chunks, stream.metrics.characters) == (4, 3)


def test_what_is_counted_is_what_is_handed_out(colour: AnyColour) -> None:
    """Text behind a stop sequence is not counted, and held text once it comes out."""
    stream = opened(colour, streamed("one ", "END two"), stop="END")
    colour.text(stream)
    assert stream.metrics.characters == 4
    stream = opened(colour, streamed("one EN"), stop="END")
    colour.text(stream)
    assert stream.metrics.characters == 6


def test_times(colour: AnyColour) -> None:
    """The times are those of the call, one behind the other, and wait for what they name."""
    reply = MemoryReply.stream(
        {"choices": [{"index": 0, "delta": {"role": "assistant"}}]},
        {"choices": [{"index": 0, "delta": {"reasoning": "Hm"}}]},
        chunk("a"),
        chunk(None, "stop"),
        pause_before=0.02,
        pauses=0.02,
    )
    began = monotonic()
    stream = opened(colour, reply)
    list(colour.chunks(stream))
    took = monotonic() - began
    metrics = stream.metrics
    times = [
        0.0,
        metrics.time_to_headers,
        metrics.time_to_first_event,
        metrics.time_to_first_reasoning,
        metrics.time_to_first_text,
        metrics.duration,
        took,
    ]
    assert times == sorted(times)
    assert min(later - earlier for earlier, later in pairwise(times[:-1])) >= 0.015
    assert metrics.waited <= metrics.duration
    assert metrics.gaps.maximum >= 0.015


def test_the_readers_own_time(colour: AnyColour) -> None:
    """Time that the reader takes is part of the duration, and no wait."""
    stream = opened(colour, streamed("a", "b"))
    for _ in colour.chunks(stream):
        until = monotonic() + 0.02
        while monotonic() < until:
            pass
    assert stream.metrics.duration >= 0.06
    assert stream.metrics.waited < stream.metrics.duration - 0.05


def test_finished_figures_stand_still(colour: AnyColour) -> None:
    """After the end, and after the completion was asked for, nothing moves any more."""
    stream = opened(colour, streamed("a"))
    colour.text(stream)
    figures = stream.metrics.to_dict()
    assert stream.completion.response_time == figures["duration"]
    assert stream.metrics.to_dict() == figures


def test_attempts(colour: AnyColour) -> None:
    """Attempts that failed are kept with their waits, before and after the head of a reply."""
    script = (refusing(429, headers={"retry-after": "0.03"}), MemoryReply.stream(done=False))
    stream = opened(colour, *script, streamed("a"))
    assert stream.metrics.attempts == 2
    colour.text(stream)
    metrics = stream.metrics
    assert metrics.attempts == 3
    assert [type(failed.error) for failed in metrics.retries][1] is StreamInterruptedError
    assert [failed.wait for failed in metrics.retries] == [0.03, 0]
    assert metrics.waited_for_retries == 0.03
    assert metrics.time_to_headers is not None
    assert metrics.time_to_headers >= 0.03
    assert metrics.chunks == 2


def test_a_stream_that_fails(colour: AnyColour) -> None:
    """The figures of a broken stream are those of what came."""
    stream = opened(colour, cut("ab"))
    with pytest.raises(StreamInterruptedError):
        colour.text(stream)
    assert (stream.metrics.chunks, stream.metrics.characters) == (1, 2)
    assert stream.metrics.duration == stream.metrics.duration


@pytest.mark.parametrize("how", ["close", "leave", "leave the last block"])
def test_a_stream_that_is_left(colour: AnyColour, how: str) -> None:
    """The figures of a stream that its reader leaves are those until then."""
    reply = streamed("ab", "c END")
    if how == "leave the last block":
        reply = MemoryReply(pieces=[b"".join(reply.pieces)])
    stream = opened(colour, reply, stop="END")
    if how == "close":
        colour.next(stream)
        colour.close(stream)
    else:
        colour.first(stream)
    metrics = stream.metrics
    assert metrics.duration == metrics.duration
    assert metrics.characters == (2 if how != "leave the last block" else 4)
    assert stream.outcome == ("cancelled" if how != "leave the last block" else "stopped")


def test_chunks_without_callbacks_carry_none(colour: AnyColour) -> None:
    """Live figures are put on chunks where a callback may look at them, and not in their JSON."""
    stream = opened(colour, streamed("a"), on_chunk=lambda _: None)
    for found in colour.chunks(stream):
        assert found.metrics is stream.metrics
        assert "metrics" not in found.to_dict()


# Slow answers.


def warnings_of(caplog: pytest.LogCaptureFixture) -> list[str]:
    """Return what was said of slow answers."""
    return [record.message for record in caplog.records if "slow_after" in record.message]


def test_a_slow_stream_is_logged(colour: AnyColour, caplog: pytest.LogCaptureFixture) -> None:
    """A stream that was waited for too long is logged once, at its end."""
    client = client_of(colour, slow(streamed("a")), slow_after=0.03)
    stream = colour.stream(client)
    colour.next(stream)
    assert warnings_of(caplog) == []
    for _ in range(2):
        list(colour.chunks(stream))
    (message,) = warnings_of(caplog)
    assert message.startswith("a slow answer: m was waited for 0.")
    assert caplog.records[-1].levelno == logging.WARNING


def test_a_slow_answer_is_logged(colour: AnyColour, caplog: pytest.LogCaptureFixture) -> None:
    """The same holds for whole answers, and for those that fail, streamed or not."""
    late = attrs.evolve(whole(), pause_before=0.06)
    refused = attrs.evolve(refusing(400), pause_before=0.06)
    client = client_of(colour, late, refused, refused, slow_after=0.03)
    colour.create(client)
    assert len(warnings_of(caplog)) == 1
    with pytest.raises(APIStatusError):
        colour.create(client)
    assert len(warnings_of(caplog)) == 2
    with pytest.raises(APIStatusError):
        colour.stream(client)
    assert len(warnings_of(caplog)) == 3


def test_a_stream_that_breaks_late_is_logged(
    colour: AnyColour, caplog: pytest.LogCaptureFixture
) -> None:
    """A stream that fails after a long wait was slow too."""
    reply = attrs.evolve(cut("a"), pauses=[0.06])
    with pytest.raises(StreamInterruptedError):
        colour.text(colour.stream(client_of(colour, reply, slow_after=0.03)))
    assert len(warnings_of(caplog)) == 1


def test_fast_answers_are_not_logged(colour: AnyColour, caplog: pytest.LogCaptureFixture) -> None:
    """Below the limit, and without one, nothing is said; a slow reader makes no slow stream."""
    client = client_of(colour, streamed("a"), whole(), failing(), streamed("a"), slow_after=5)
    colour.text(colour.stream(client))
    colour.create(client)
    colour.text(colour.stream(client))
    colour.text(colour.stream(client_of(colour, slow(streamed("a")))))
    stream = colour.stream(client_of(colour, streamed("a"), slow_after=0.05))
    for _ in colour.chunks(stream):
        until = monotonic() + 0.06
        while monotonic() < until:
            pass
    assert warnings_of(caplog) == []


@pytest.mark.parametrize("limit", [-1, "5", True, float("nan")])
def test_a_wrong_limit(colour: AnyColour, limit: Any) -> None:
    """What is no number of seconds is refused when the client is made."""
    with pytest.raises(ConfigurationError) as caught:
        client_of(colour, slow_after=limit)
    assert caught.value.argument == "slow_after"


def test_a_copy_with_another_limit(colour: AnyColour, caplog: pytest.LogCaptureFixture) -> None:
    """A copy has the limit of its client, or one of its own."""
    client = client_of(colour, *[slow(streamed("a"))] * 3, slow_after=0.03)
    for limit in (5, float("inf")):
        colour.text(colour.stream(client.with_options(slow_after=limit)))
    assert warnings_of(caplog) == []
    colour.text(colour.stream(client.with_options(timeout=5)))
    assert len(warnings_of(caplog)) == 1
