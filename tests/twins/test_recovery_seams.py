"""Streams that break twice, and stop sequences that a break cuts in two."""

from __future__ import annotations

from typing import Any

import pytest

from evoclient.errors.tree import APIConnectionError
from evoclient.transports.memory import MemoryReply
from tests.colours import Colour
from tests.twins.recovering import (
    ENGLISH,
    MANNERS,
    READERS,
    Breaking,
    Manner,
    broken,
    in_pieces,
    named,
    read,
    reply,
    streaming,
)
from tests.twins.scripts import chunk, cut

AnyColour = Colour[Any, Any]


@pytest.mark.parametrize("recover", ["continue", "restart"])
@pytest.mark.parametrize("reader", READERS)
def test_broken_twice(colour: AnyColour, recover: str, reader: str) -> None:
    """A second break is recovered from like the first one, wherever the two are."""
    for manner in MANNERS:
        server = Breaking(ENGLISH, manner.anew)
        for first in (1, 2, 30, 150):
            for second in (0, 1, 3, 60):
                opened = streaming(colour, server, provider=manner.provider)
                server.cuts = [first, second]
                stream = opened(recover=recover)
                got = (first, second, read(colour, stream, reader))
                assert got == (first, second, ENGLISH), manner.name
                assert stream.completion.text == ENGLISH
                assert (stream.metrics.attempts, stream.outcome) == (3, "complete")


SEQUENCES = ["STOP", "конец!", "停止了", "🛑🏁", "### END"]


@pytest.mark.parametrize("manner", MANNERS, ids=named)
@pytest.mark.parametrize("sequence", SEQUENCES)
def test_a_stop_sequence_across_the_seam(colour: AnyColour, manner: Manner, sequence: str) -> None:
    """A sequence that begins before the break and ends after it cuts the text exactly."""
    text = ENGLISH[:200]
    for split in range(len(sequence) + 1):
        came = text + sequence[:split]
        rest = sequence[split:] + " and more"
        for reader in READERS:
            script = [broken(in_pieces(came, 9)), reply(in_pieces(manner.anew(came, rest), 40))]
            got: list[str] = []
            if split == len(sequence):  # it ended before the break: nothing more is asked
                del script[1:]
            opened = streaming(colour, script, provider=manner.provider)
            stream = opened(recover="continue", stop=[sequence], on_text=got.append)
            assert read(colour, stream, reader) == text
            assert "".join(got) == text
            assert (stream.outcome, stream.stop_sequence) == ("stopped", sequence)
            assert (stream.completion.text, stream.finish_reason) == (text, "stop")


@pytest.mark.parametrize("manner", MANNERS, ids=named)
def test_no_stop_sequence_across_the_seam(colour: AnyColour, manner: Manner) -> None:
    """What only looked like the beginning of a sequence before the break comes out after it."""
    text = ENGLISH[:200]
    for split in range(1, 4):
        came, rest = text + "STOP"[:split], "op, he said."
        script = [broken(in_pieces(came, 9)), reply(in_pieces(manner.anew(came, rest), 40))]
        opened = streaming(colour, script, provider=manner.provider)
        stream = opened(recover="continue", stop=["STOP"])
        assert read(colour, stream, READERS[split % 3]) == came + rest
        assert (stream.outcome, stream.stop_sequence) == ("complete", None)


@pytest.mark.parametrize("reader", READERS)
def test_a_stop_sequence_across_a_restart(colour: AnyColour, reader: str) -> None:
    """An answer that is begun anew is cut at the sequence as well, and nothing is shown twice."""
    text = ENGLISH[:200]
    for split in range(1, 4):
        pieces = in_pieces(text + "STOP and more", 40)
        script = [broken([text, "STOP"[:split]]), reply(pieces)]
        stream = streaming(colour, script)(recover="restart", stop=["STOP"])
        assert read(colour, stream, reader) == text
        assert (stream.outcome, stream.stop_sequence) == ("stopped", "STOP")


def test_a_connection_that_breaks(colour: AnyColour) -> None:
    """A reset is recovered from like an end of the body, whatever came of the last event."""
    opened = streaming(colour, [cut("One two", " three"), reply(["One two three", " four"])])
    assert "".join(colour.text(opened(recover="restart"))) == "One two three four"
    half = MemoryReply.stream(
        chunk("One two"),
        'data: {"choices":[{"ind',
        done=False,
        error=APIConnectionError("reset"),
        error_after=2,
    )
    opened = streaming(colour, [half, reply(["One two three", " four"])])
    assert "".join(colour.text(opened(recover="restart"))) == "One two three four"
