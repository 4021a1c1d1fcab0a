"""Our decoder of event streams beside two others: one from the standard's text, sseclient-py.

Where they differ by design, a table says so, with an example that shows that they still do.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping

import attrs
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st
from sseclient import SSEClient

from evoclient.streaming.encode import encode_comment, encode_event
from evoclient.streaming.sse import KeepAlive, ServerEvent

from .cuts import cuts
from .standard import Dispatched, interpreted
from .test_framing import STREAMS, framed, opened

#: What makes a stream's last event whole, behind any bytes.
END = b"\n\n"

ANY = STREAMS | st.binary(max_size=80)


def ours(blocks: Iterable[bytes]) -> list[ServerEvent]:
    """Return the events that our framing finds."""
    return [found for found in framed(blocks) if isinstance(found, ServerEvent)]


def theirs(blocks: Iterable[bytes]) -> list[ServerEvent]:
    """Return the events that sseclient-py finds."""
    return [
        ServerEvent(found.data, found.event, found.id, found.retry)
        for found in SSEClient(iter(blocks)).events()
    ]


def with_data(events: Iterable[ServerEvent]) -> list[ServerEvent]:
    """Return the events that have data."""
    return [event for event in events if event.data]


def agrees(event: ServerEvent, standard: Dispatched) -> bool:
    """Return whether an event is what the standard dispatches, by the fields that it sent."""
    if (event.data, event.event) != (standard.data, standard.type):
        return False
    if event.id is not None and event.id != standard.last_event_id:
        return False
    is_number = re.fullmatch("[0-9]+", event.retry or "")
    return not is_number or int(event.retry or "") == standard.reconnection_time


@given(ANY, st.data())
@example(b"\n\n\ndata: a\r\rdata: b\r\n\rdata:c\n\n", None)
@example(b"id: 1\ndata: a\n\ndata: b\n\nid\ndata: c\n\n", None)
@example(b"retry: 5\nretry: x\ndata: a\n\n", None)
@example(b"data\n\ndata: \xe2\x80", None)
def test_the_standard(stream: bytes, data: st.DataObject | None) -> None:
    """Events with data are those of the standard's own steps, for any bytes and any cut."""
    # The byte order mark is for the opening, which has its own test.
    assume(not stream.startswith(b"\xef\xbb\xbf"))
    blocks = [stream] if data is None else data.draw(cuts(stream))
    standard = [event for event in interpreted([stream + END]) if event.data]
    found = with_data(ours(blocks))
    assert len(found) == len(standard)
    assert all(map(agrees, found, standard))


@given(STREAMS, st.data())
def test_the_standard_behind_a_byte_order_mark(stream: bytes, data: st.DataObject) -> None:
    """One byte order mark at the beginning is dropped; a second one belongs to the first line."""
    stream = b"\xef\xbb\xbf" + b"data: first\n\n" + stream
    standard = [event for event in interpreted([stream + END]) if event.data]
    events = [found for found in opened(data.draw(cuts(stream))) if isinstance(found, ServerEvent)]
    found = with_data(events)
    assert len(found) == len(standard)
    assert all(map(agrees, found, standard))


@given(ANY, st.data())
def test_the_standards_steps_do_not_depend_on_cuts(stream: bytes, data: st.DataObject) -> None:
    """The second decoder itself gives the same for any cut, or it could not judge."""
    assert interpreted(data.draw(cuts(stream))) == interpreted([stream])


@attrs.frozen
class Difference:
    """A way in which ours differs from another decoder by design.

    Attributes:
        may_show: Whether a stream has what the two read differently.
        example: A stream of which they do give different events.
        why: Why ours does as it does.
    """

    may_show: Callable[[bytes], object]
    example: bytes
    why: str


def _lines(stream: bytes) -> list[bytes]:
    return re.split(b"\r\n|\n|\r", stream)


def _has_empty_event(stream: bytes) -> bool:
    """Return whether an event has data lines, and no data."""
    return any(not event.data for event in interpreted([stream + END]))


def _is_not_utf8(stream: bytes) -> bool:
    return "\ufffd" in stream.decode("utf-8", "replace")


#: Where ours differs from the standard.
FROM_THE_STANDARD: Mapping[str, Difference] = {
    "a half event at the end": Difference(
        lambda stream: interpreted([stream]) != interpreted([stream + END]),
        b"data: a\n\ndata: b",
        "some servers leave the last empty line out; whether the event is whole, its JSON tells",
    ),
    "an event whose data is empty": Difference(
        _has_empty_event,
        b"data:\n\n",
        "there is no JSON in it: it only shows that the server is alive (but for an error)",
    ),
}

#: Where ours differs from sseclient-py, which reads the fields of unusual events for us.
FROM_SSECLIENT: Mapping[str, Difference] = {
    "bytes that are not UTF-8": Difference(
        _is_not_utf8, b"data: \xff\n\n", "the standard replaces them; sseclient-py raises"
    ),
    "line ends of two kinds around an empty line": Difference(
        lambda stream: re.search(rb"(?<!\r)\n\r|\r\n\r(?!\n)|\r\r\n", stream),
        b"data: a\n\rdata: b\n\n",
        "each of the three ends a line; sseclient-py does not see the empty one, and joins events",
    ),
    "a NUL in an id": Difference(
        lambda stream: any(line.startswith(b"id:") and b"\0" in line for line in _lines(stream)),
        b"id: \0\ndata: a\n\n",
        "the standard ignores such an id",
    ),
    "an event whose data is empty": Difference(
        _has_empty_event, b"data:\n\n", "as above; sseclient-py hands it out"
    ),
}


@pytest.mark.parametrize("name", FROM_THE_STANDARD)
def test_known_differences_from_the_standard(name: str) -> None:
    """Each difference in the table is there, and the table knows it when it sees it."""
    stream = FROM_THE_STANDARD[name].example
    plain = [(event.data, event.event) for event in ours([stream])]
    assert plain != [(event.data, event.type) for event in interpreted([stream])]
    assert FROM_THE_STANDARD[name].may_show(stream)


@pytest.mark.parametrize("name", FROM_SSECLIENT)
def test_known_differences_from_sseclient(name: str) -> None:
    """Each difference in the table is there, and the table knows it when it sees it."""
    stream = FROM_SSECLIENT[name].example
    try:
        other = theirs([stream])
    except UnicodeDecodeError:
        other = []
    assert ours([stream]) != other
    assert FROM_SSECLIENT[name].may_show(stream)


@given(ANY)
def test_no_other_difference_from_the_standard(stream: bytes) -> None:
    """But for the table, what we find is exactly what the standard dispatches."""
    assume(not stream.startswith(b"\xef\xbb\xbf"))
    if not any(difference.may_show(stream) for difference in FROM_THE_STANDARD.values()):
        standard = interpreted([stream])
        found = ours([stream])
        assert len(found) == len(standard)
        assert all(map(agrees, found, standard))


@given(ANY, st.data())
def test_no_other_difference_from_sseclient(stream: bytes, data: st.DataObject) -> None:
    """But for the table, what we find is exactly what sseclient-py finds."""
    assume(not stream.startswith(b"\xef\xbb\xbf"))
    if not any(difference.may_show(stream) for difference in FROM_SSECLIENT.values()):
        assert ours(data.draw(cuts(stream))) == theirs([stream])


TEXT = st.text(st.characters(exclude_categories=["Cs"]))
NAME = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\n\0"), min_size=1)
EVENTS = st.tuples(TEXT, st.none() | NAME, st.none() | NAME, st.none() | st.integers(0, 10**9))


def as_read(data: str) -> str:
    """Return data as a reader gets it: only line feeds are left of its line ends."""
    return re.sub("\r\n|\r", "\n", data)


@given(st.lists(EVENTS | TEXT, max_size=5), st.data())
def test_round_trip(
    sent: list[tuple[str, str | None, str | None, int | None] | str], data: st.DataObject
) -> None:
    """What our encoder writes, events and comments, our decoder reads, however it is cut."""
    stream = b""
    expected: list[ServerEvent | KeepAlive] = []
    for item in sent:
        if isinstance(item, str):
            stream += encode_comment(item)
            expected += [KeepAlive(line.strip()) for line in as_read(item).split("\n")]
            continue
        text, event, id, retry = item
        stream += encode_event(text, event=event, id=id, retry=retry)
        if as_read(text) or event == "error":
            told = None if retry is None else str(retry)
            expected.append(ServerEvent(as_read(text), event or "message", id, told))
        # An event without data is a sign of life, which `framed` leaves out.
    found = framed(data.draw(cuts(stream)))
    assert found == [item for item in expected if item != KeepAlive("")]


@given(TEXT, st.none() | NAME, st.none() | NAME, st.none() | st.integers(0, 10**9))
def test_the_standard_reads_what_we_write(
    text: str, event: str | None, id: str | None, retry: int | None
) -> None:
    """A browser gets data, name, id and retry as they were given, of empty data too."""
    stream = encode_comment(text) + encode_event(text, event=event, id=id, retry=retry)
    assert interpreted([stream]) == [Dispatched(as_read(text), event or "message", id or "", retry)]
