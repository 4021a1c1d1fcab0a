"""The stages in a row: blocks in, chunks out, and how the stream ended."""

from __future__ import annotations

import gzip
import json
import logging
import zlib
from typing import Any

import attrs
import pytest

from evoclient.errors.tree import (
    APIConnectionError,
    APIError,
    APITimeoutError,
    StreamDecodeError,
    StreamError,
    StreamInterruptedError,
    StreamProviderError,
)
from evoclient.ground import Secrets
from evoclient.models.chunks import ChatCompletionChunk
from evoclient.streaming.ending import Outcome
from evoclient.streaming.inflate import InflateError
from evoclient.streaming.pipeline import MOST_AFTER_DONE, Pipeline
from evoclient.streaming.sse import KeepAlive
from evoclient.wire import Deadline, Timeouts

from .driving import DONE, Clock, chunk, drive, event, pieces, pipeline, said, text_of

USAGE: dict[str, Any] = {"choices": [], "usage": {"total_tokens": 3}}
REPLY: dict[str, Any] = {
    "id": "1",
    "object": "chat.completion",
    "choices": [
        {"index": 0, "message": {"role": "assistant", "content": "hi"}, "finish_reason": "stop"}
    ],
}


@attrs.frozen(kw_only=True)
class Case:
    """A body, and how a careful user wants it to end."""

    body: bytes
    outcome: str
    text: str = ""
    error: type[APIError] | None = None
    words: str = ""
    code: object = None
    chunks: int | None = None
    terms: dict[str, Any] = attrs.field(factory=dict)


def failed(body: bytes, words: str, text: str = "", code: object = None, **more: Any) -> Case:
    """Return a case in which the provider reports an error."""
    return Case(
        body=body,
        outcome="failed",
        text=text,
        error=StreamProviderError,
        words=words,
        code=code,
        **more,
    )


def cut(body: bytes, words: str, text: str = "", **more: Any) -> Case:
    """Return a case in which the stream ends too early."""
    return Case(
        body=body,
        outcome="truncated",
        text=text,
        error=StreamInterruptedError,
        words=words,
        **more,
    )


def rubbish(body: bytes, words: str, text: str = "", **more: Any) -> Case:
    """Return a case in which the body is not what a stream may hold."""
    return Case(
        body=body, outcome="failed", text=text, error=StreamDecodeError, words=words, **more
    )


HI = said("h") + said("i")
STOP = said(None, "stop")
Q11 = {
    **chunk("", "error"),
    "error": {
        "code": 429,
        "message": "Rate limit exceeded",
        "metadata": {"error_type": "rate_limit_exceeded", "provider_code": "rate_limited"},
    },
}

CASES: dict[str, Case] = {
    # Ends that are good.
    "finish and DONE": Case(body=HI + STOP + DONE, outcome="complete", text="hi", chunks=3),
    "finish, no DONE": Case(body=HI + STOP, outcome="complete", text="hi"),
    "finish with content": Case(body=said("hi", "stop"), outcome="complete", text="hi"),
    "usage after finish": Case(body=HI + STOP + event(USAGE) + DONE, outcome="complete", text="hi"),
    "unfinished last event": Case(body=HI + STOP.rstrip(), outcome="complete", text="hi"),
    "cut behind the finish": Case(body=HI + STOP + b'data: {"cho', outcome="complete", text="hi"),
    "DONE without its blank line": Case(
        body=HI + STOP + b"data: [DONE]", outcome="complete", text="hi"
    ),
    "two choices": Case(
        body=said("a") + said("b", index=1) + said(None, "stop", 1) + STOP + DONE,
        outcome="complete",
        text="a",
        terms={"choices": 2},
    ),
    "one choice of two seen": Case(
        body=said("a", "stop"), outcome="complete", text="a", terms={"choices": 2}
    ),
    "rubbish behind DONE": Case(
        body=HI + STOP + DONE + b"data: oops\n\n<html>", outcome="complete", text="hi"
    ),
    "chunks behind DONE": Case(body=HI + STOP + DONE + said("x"), outcome="complete", text="hi"),
    "comments and pings between": Case(
        body=b": P\n\n" + said("h") + b'data: {"type":"ping"}\n\nevent: ping\ndata:\n\n: P\n'
        b"data: : P\n\ndata: 5\n\n" + said("i", "stop"),
        outcome="complete",
        text="hi",
        chunks=2,
    ),
    "Azure's first chunk (Q43)": Case(
        body=event({"id": "", "choices": [], "prompt_filter_results": []}) + said("hi", "stop"),
        outcome="complete",
        text="hi",
    ),
    "BOM": Case(body=b"\xef\xbb\xbf" + HI + STOP, outcome="complete", text="hi"),
    # Unconfirmed.
    "DONE, no finish": Case(body=HI + DONE, outcome="unconfirmed", text="hi"),
    "DONE, one of two finished": Case(
        body=said("a", "stop") + said("b", index=1) + DONE,
        outcome="unconfirmed",
        text="a",
        terms={"choices": 2},
    ),
    "DONE, empty finish (Q59)": Case(body=said("hi", "") + DONE, outcome="unconfirmed", text="hi"),
    "DONE, no finish, accept": Case(
        body=HI + DONE, outcome="unconfirmed", text="hi", terms={"incomplete": "accept"}
    ),
    "DONE, no finish, strict": Case(
        body=HI + DONE,
        outcome="unconfirmed",
        text="hi",
        error=StreamInterruptedError,
        words="without a finish reason for every choice",
        terms={"incomplete": "strict"},
    ),
    "usage only and DONE": Case(body=event(USAGE) + DONE, outcome="unconfirmed"),
    # Truncated.
    "no finish, no DONE": cut(HI, "without a finish reason and without", "hi"),
    "empty chunk, then the end (Q31)": cut(HI + said(""), "without a finish reason", "hi"),
    "cut in an event": cut(HI + b'data: {"cho', "without a finish reason", "hi"),
    "no finish, accept": Case(
        body=HI, outcome="truncated", text="hi", terms={"incomplete": "accept"}
    ),
    "no finish, strict": cut(HI, "without a finish", "hi", terms={"incomplete": "strict"}),
    "one of two finished": cut(
        said("a", "stop") + said("b", index=1),
        "without a finish",
        "a",
        terms={"choices": 2},
    ),
    # Nothing at all.
    "empty": cut(b"", "held no chunk"),
    "blank lines": cut(b"\n\r\n\n", "held no chunk"),
    "only comments": cut(b": P\n\n: P\n\n", "held no chunk"),
    "only DONE": cut(DONE, "held no chunk"),
    "only pings": cut(b'event: ping\ndata:\n\ndata: {"type":"ping"}\n\n', "held no chunk"),
    "plain text": cut(b"Service busy\n\n", "began with 'Service busy'"),
    "empty, accept": cut(b"", "held no chunk", terms={"incomplete": "accept"}),
    "only DONE, accept": cut(DONE, "held no chunk", terms={"incomplete": "accept"}),
    # The provider's errors.
    "Q11": failed(said("hi") + event(Q11), "Rate limit exceeded .code 429", "hi", 429, chunks=1),
    "Q11 first": failed(event(Q11), "Rate limit exceeded", code=429, chunks=0),
    "Q12": failed(
        said("hi") + event({**Q11, "choices": []}), "Rate limit exceeded", "hi", 429, chunks=1
    ),
    "Q13": failed(said("hi") + said("", "error"), "finish reason is “error”", "hi", chunks=1),
    "Q24": failed(
        said("hi") + event({"error": {"message": "boom", "type": "E", "code": 500}}) + DONE,
        "boom .code 500",
        "hi",
        500,
    ),
    "Q24, older": failed(
        event({"error": {"object": "error", "message": "boom", "code": 400}}), "boom", code=400
    ),
    "flat": failed(event({"object": "error", "message": "boom", "code": 40}), "boom", code=40),
    "Q57": failed(said("hi") + event({"error": "plain string"}), "plain string", "hi"),
    "event: error": failed(
        said("hi") + b'event: error\ndata: {"message":"boom"}\n\n', "boom", "hi"
    ),
    "event: error, text": failed(b"event: error\ndata: boom\n\n", "boom"),
    "event: error, cut": failed(b'event: error\ndata: {"mess', "mess"),
    "in a choice": failed(
        event({"choices": [{"index": 0, "delta": {}, "error": {"message": "boom", "code": 502}}]}),
        "boom",
        code=502,
    ),
    "Groq (Q46)": failed(event({"x_groq": {"error": "over_capacity"}}), "over_capacity"),
    "with content beside it": failed(
        event({**chunk("hi", "error"), "error": {"message": "boom"}}), "boom", "hi", chunks=1
    ),
    "an error behind DONE": Case(
        body=HI + STOP + DONE + event({"error": "late"}), outcome="complete", text="hi"
    ),
    "an error is no end to accept": failed(
        said("hi") + event({"error": "x"}), "x", "hi", terms={"incomplete": "accept"}
    ),
    "an error after the finish": failed(HI + STOP + event({"error": "late"}), "late", "hi"),
    # Whole answers.
    "a whole answer": Case(
        body=json.dumps(REPLY, indent=2).encode(), outcome="complete", text="hi", chunks=1
    ),
    "a padded whole answer (Q5)": Case(
        body=b"\n\n\n " + json.dumps(REPLY).encode() + b"\n", outcome="complete", text="hi"
    ),
    "a whole answer, no finish (Q35)": Case(
        body=json.dumps(REPLY).replace('"stop"', "null").encode(), outcome="unconfirmed", text="hi"
    ),
    "a whole answer that failed (Q14)": failed(
        json.dumps(REPLY).replace('"stop"', '"error", "error": {"message": "boom"}').encode(),
        "boom",
        "hi",
    ),
    "JSON error": failed(b'{"error": {"message": "boom", "code": 402}}', "boom", code=402),
    "JSON error, a string": failed(b'{"error": "boom"}', "boom"),
    "JSON error, flat (Q28)": failed(b'{"object": "error", "message": "boom"}', "boom"),
    "cut whole answer": rubbish(b'{"choices": [{"mess', "not JSON"),
    "two documents (Q34)": rubbish(b'{"a": 1}\n{"b": 2}\n', "not JSON"),
    # Rubbish.
    "HTML": rubbish(b"<!DOCTYPE html><html>", "a web page came"),
    "not JSON": rubbish(said("hi") + b"data: oops\n\n" + STOP, "not JSON.*oops", "hi", chunks=1),
    "too large": rubbish(
        said("hi") + b"data: " + b"x" * 3000 + b"\n\n",
        "larger than 2000 bytes",
        "hi",
        terms={"max_event_bytes": 2000},
    ),
}


@pytest.mark.parametrize("size", [10**6, 1, 13])
@pytest.mark.parametrize("name", CASES)
def test_endings(name: str, size: int) -> None:
    """Each body ends as it should, gives out all its text, and its error has what came."""
    case = CASES[name]
    described: list[APIError] = []
    pipe = pipeline(describe=described.append, **case.terms)
    size = min(size, 1000) if "max_event_bytes" in case.terms else size
    items = drive(pipe, pieces(case.body, size))
    assert pipe.end is not None
    assert pipe.end.outcome == case.outcome
    assert text_of(items) == case.text
    assert pipe.stages.assembly.completion().text == case.text
    assert pipe.delivered == len(items)
    assert case.chunks is None or len(items) == case.chunks
    error = pipe.end.error
    assert described == ([] if error is None else [error])
    if case.error is None:
        assert error is None
        return
    assert type(error) is case.error
    assert error.partial is not None
    assert error.partial_text == case.text
    assert error.code == case.code
    assert error.status_code is None
    with pytest.raises(case.error, match=case.words):
        raise error


@pytest.mark.parametrize(
    ("terms", "logged"),
    [({}, True), ({"incomplete": "accept"}, True), ({"incomplete": "strict"}, False)],
)
def test_unconfirmed_is_logged(
    terms: dict[str, Any], logged: bool, caplog: pytest.LogCaptureFixture
) -> None:
    """[DONE] alone is a record of the logger, unless it raises."""
    drive(pipeline(**terms), [HI, DONE])
    assert any("[DONE]" in record.message for record in caplog.records) is logged


def test_accepted_truncation_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    """An end that the user accepts beforehand leaves a record."""
    with caplog.at_level(logging.WARNING, "evoclient"):
        drive(pipeline(incomplete="accept"), [HI])
    assert "truncated" in caplog.text


@pytest.mark.parametrize(
    ("body", "outcome", "kind"),
    [
        (HI, "truncated", StreamInterruptedError),
        (HI + STOP, "complete", None),
        (HI + DONE, "unconfirmed", None),
        (DONE, "truncated", StreamInterruptedError),
        (b"", "truncated", StreamInterruptedError),
        (b'{"choices": [', "truncated", StreamInterruptedError),
        (json.dumps(REPLY).encode(), "complete", None),
        (HI + b'data: {"cho', "truncated", StreamInterruptedError),
        (b'event: error\ndata: "boom"', "failed", StreamProviderError),
    ],
)
def test_cut_connections(body: bytes, outcome: str, kind: type[APIError] | None) -> None:
    """A connection that breaks is judged by what had come before."""
    pipe = pipeline()
    drive(pipe, [body] if body else [], APIConnectionError("reset by peer"))
    assert pipe.end is not None
    assert pipe.end.outcome == outcome
    assert (pipe.end.error and type(pipe.end.error)) == kind


@pytest.mark.parametrize(
    ("body", "outcome", "kind"),
    [
        (HI, "failed", APITimeoutError),
        (b"", "failed", APITimeoutError),
        (HI + STOP, "complete", None),
        (HI + DONE, "unconfirmed", None),
        (DONE, "truncated", StreamInterruptedError),
    ],
)
def test_limits_that_pass(body: bytes, outcome: str, kind: type[APIError] | None) -> None:
    """A limit that passes is raised as it is, with the partial, unless all had come."""
    late = APITimeoutError("late", limit="idle", seconds=60)
    pipe = pipeline(incomplete="accept")
    drive(pipe, [body] if body else [], late)
    assert pipe.end is not None
    assert pipe.end.outcome == outcome
    assert (pipe.end.error and type(pipe.end.error)) == kind
    if pipe.end.error is late:
        assert late.partial is not None
        assert late.partial_text == ("hi" if body else "")


def test_cancelled() -> None:
    """Nobody wants the rest: no error, and what came stays."""
    pipe = pipeline()
    pipe.feed(HI)
    pipe.cancel()
    assert pipe.end is not None
    assert (pipe.end.outcome, pipe.end.error) == (Outcome.cancelled, None)
    assert pipe.over
    assert pipe.stages.assembly.completion().text == "hi"
    pipe.finish()
    assert pipe.end.outcome == "cancelled"


def test_cancel_after_the_end() -> None:
    """An end that has been judged is not judged again."""
    pipe = pipeline()
    drive(pipe, [HI, STOP])
    pipe.cancel()
    assert pipe.end is not None
    assert pipe.end.outcome == "complete"


def test_items_before_an_error_in_the_same_block() -> None:
    """What was decoded before an error in the same block is still given out."""
    pipe = pipeline()
    items = pipe.feed(HI + event(Q11) + said("never"))
    assert text_of(items) == "hi"
    assert pipe.over


def test_the_partial_has_the_whole_story() -> None:
    """The partial of an error has finish reason and usage of the chunk that reported it."""
    pipe = pipeline()
    drive(pipe, [said("hi"), event({**Q11, "usage": {"total_tokens": 9}})])
    assert pipe.end is not None
    assert pipe.end.error is not None
    partial = pipe.end.error.partial
    assert partial is not None
    assert partial.usage is not None
    assert (partial.finish_reason, partial.usage.total_tokens) == ("error", 9)


# --- time


def limit_of(pipe: Pipeline, clock: Clock) -> tuple[str, float]:
    """Return the limit of the next read and how long it is."""
    found = pipe.deadline()
    assert found is not None
    return found.limit, round(found.when - clock.now, 6)


def test_deadlines_of_a_usual_stream() -> None:
    """first_chunk, then idle, 2 s for usage after the finish, 0.1 s for the end after usage."""
    clock = Clock()
    pipe = pipeline(clock, timeouts=Timeouts(first_chunk=600, idle=60))
    seen = [limit_of(pipe, clock)]
    for block in (said("hi"), STOP, event(USAGE), DONE):
        pipe.feed(block)
        seen.append(limit_of(pipe, clock))
    assert seen == [
        ("first_chunk", 600),
        ("idle", 60),
        ("idle", 2.0),
        ("idle", 0.1),
        ("idle", 0.1),
    ]
    assert not pipe.over
    pipe.finish()
    assert pipe.over


def test_done_settles_at_once() -> None:
    """After [DONE], 0.1 s are spent on the end of the body."""
    clock = Clock()
    pipe = pipeline(clock)
    pipe.feed(HI + DONE)
    assert limit_of(pipe, clock) == ("idle", 0.1)


def test_done_settles_after_the_finish() -> None:
    """[DONE] behind a finish shortens the 2 s that usage was given."""
    clock = Clock()
    pipe = pipeline(clock)
    pipe.feed(STOP)
    pipe.feed(DONE)
    assert limit_of(pipe, clock) == ("idle", 0.1)


def test_a_slow_reader_still_gets_the_usage() -> None:
    """The 2 s are spent on waiting: a reader who is slow with the last chunk loses nothing."""
    clock = Clock()
    pipe = pipeline(clock)
    pipe.feed(said("hi", "stop"))
    clock.now += 30
    assert limit_of(pipe, clock) == ("idle", 2.0)


def test_settling_is_not_prolonged() -> None:
    """Bytes that trickle in behind [DONE] use up the 0.1 s."""
    clock = Clock()
    pipe = pipeline(clock)
    pipe.feed(HI + STOP + DONE)
    pipe.deadline()
    clock.now += 0.06
    pipe.feed(b"\n")
    assert limit_of(pipe, clock) == ("idle", 0.04)


def test_waiting_for_all_choices() -> None:
    """With n > 1 the wait for usage begins when every choice asked for has finished."""
    clock = Clock()
    pipe = pipeline(clock, choices=2)
    pipe.feed(said("a", "stop"))
    assert limit_of(pipe, clock) == ("idle", 60)
    pipe.feed(said("b", "stop", index=1))
    assert limit_of(pipe, clock) == ("idle", 2.0)


def test_usage_of_every_chunk() -> None:
    """A server that counts in each chunk (Q25) is not waited for after the finish."""
    clock = Clock()
    pipe = pipeline(clock)
    pipe.feed(said("hi", "stop", usage={"total_tokens": 3}))
    assert limit_of(pipe, clock) == ("idle", 0.1)


def test_too_much_behind_done() -> None:
    """A server that goes on behind [DONE] is left, and the answer is good."""
    pipe = pipeline()
    pipe.feed(HI + STOP + DONE)
    for _ in range(MOST_AFTER_DONE // 1024):
        pipe.feed(b"x" * 1024)
        assert not pipe.over
    pipe.feed(b"x")
    assert pipe.end is not None
    assert pipe.end.outcome == "complete"


@pytest.mark.parametrize(
    ("counts", "block", "limit"),
    [
        (True, b": P\n", "idle"),
        (True, b"\n", "idle"),
        (True, b"\r", "idle"),
        (True, b"data: {", "first_chunk"),
        (True, b"event: ping\n\n", "idle"),
        (False, b": P\n\n", "first_chunk"),
        (False, b"\n\n", "first_chunk"),
        (False, b"event: ping\n\n", "first_chunk"),
        (False, b": P\n\n" + said("a"), "idle"),
        (False, said("a"), "idle"),
    ],
)
def test_what_counts_as_activity(counts: bool, block: bytes, limit: str) -> None:
    """Comments and blank lines count unless `keepalive_counts` is false."""
    clock = Clock()
    pipe = pipeline(clock, keepalive_counts=counts)
    pipe.deadline()
    clock.now += 10
    pipe.feed(block)
    expected = (limit, 60) if limit == "idle" else (limit, 590)
    assert limit_of(pipe, clock) == expected


def test_compressed_bytes_are_no_lines() -> None:
    """A byte of a compressed stream that looks like a line end is no activity."""
    clock = Clock()
    pipe = pipeline(clock, encoding="gzip")
    pipe.deadline()
    pipe.feed(gzip.compress(b"data: {", mtime=0x0A0A0A0A)[:10])
    assert limit_of(pipe, clock) == ("first_chunk", 600)


def test_total_bounds_the_end_too() -> None:
    """The end of the whole call comes before any wait for usage."""
    clock = Clock()
    from evoclient.streaming.pipeline import StreamTerms
    from evoclient.streaming.timing import Patience

    total = Deadline(clock.now + 1, "total", 1)
    waiting = Patience(Timeouts(), clock=clock, started=clock.now, total=total)
    pipe = Pipeline(waiting, None, StreamTerms())
    pipe.feed(said("hi", "stop"))
    assert limit_of(pipe, clock) == ("total", 1)


# --- keep-alives


def test_keep_alives_are_given_out_on_demand() -> None:
    """Signs of life are among the items where the reader asked for events, and not counted."""
    body = b": P\n\n" + said("hi", "stop") + b": Q\n\n"
    silent = pipeline()
    assert [type(item) for item in drive(silent, [body])] == [ChatCompletionChunk]
    pipe = pipeline()
    pipe.passage.tells_all = True
    items = drive(pipe, [body])
    assert [item for item in items if isinstance(item, KeepAlive)] == [
        KeepAlive("P"),
        KeepAlive("Q"),
    ]
    assert pipe.delivered == 1


# --- encodings


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
@pytest.mark.parametrize("size", [1, 10**6])
def test_encodings(encoding: str, size: int) -> None:
    """A compressed stream is read like a plain one."""
    compress = gzip.compress if encoding == "gzip" else zlib.compress
    body = compress(said("x" * 200_000) + STOP + DONE)
    pipe = pipeline(encoding=encoding)
    assert text_of(drive(pipe, pieces(body, size))) == "x" * 200_000
    assert pipe.end is not None
    assert pipe.end.outcome == "complete"


@pytest.mark.parametrize(
    ("body", "outcome", "kind"),
    [
        (gzip.compress(HI)[:-4], "truncated", StreamInterruptedError),
        (gzip.compress(HI + STOP)[:-4], "complete", None),
        (gzip.compress(HI + DONE)[:-4], "unconfirmed", None),
        (HI, "failed", StreamDecodeError),
        (gzip.compress(HI) + b"rubbish", "failed", StreamDecodeError),
        (gzip.compress(HI + STOP + DONE) + b"rubbish", "complete", None),
    ],
)
def test_damaged_encodings(body: bytes, outcome: str, kind: type[APIError] | None) -> None:
    """A compressed body that is cut is a cut stream; one that is none is rubbish."""
    pipe = pipeline(encoding="gzip")
    drive(pipe, [body])
    assert pipe.end is not None
    assert pipe.end.outcome == outcome
    assert (pipe.end.error and type(pipe.end.error)) == kind


def test_unknown_encoding() -> None:
    """An encoding that cannot be undone is refused at once."""
    with pytest.raises(InflateError):
        pipeline(encoding="br")


# --- secrets and surrogates


@pytest.mark.parametrize(
    "body",
    [
        said("hi") + event({"error": {"message": "bad key sk-hidden", "code": "sk-hidden"}}),
        event({"error": "sk-hidden"}),
        b"event: error\ndata: sk-hidden\n\n",
        b"data: sk-hidden\n\n",
        b"<html>sk-hidden",
        b"denied: sk-hidden\n\n",
        b'{"error": "sk-hidden"}',
        b'{"sk-hidden',
    ],
)
def test_errors_show_no_secret(body: bytes) -> None:
    """A key that a server repeats shows in no error of a stream."""
    pipe = pipeline(secrets=Secrets(["sk-hidden"]))
    drive(pipe, [body])
    assert pipe.end is not None
    error = pipe.end.error
    assert isinstance(error, StreamError)
    assert "sk-hidden" not in f"{error} {error!r} {error.body} {error.details} {error.code}"


def test_halves_of_characters() -> None:
    """A surrogate pair split over two chunks is one character, in chunks and completion."""
    pipe = pipeline()
    items = drive(pipe, [said("a\ud83d"), said("\ude00b"), STOP])
    assert text_of(items) == "a😀b"
    assert pipe.stages.assembly.completion().text == "a😀b"


def test_half_a_character_at_the_end() -> None:
    """Half a character before a finish without content is U+FFFD, as in a whole answer."""
    pipe = pipeline()
    items = drive(pipe, [said("a\ud83d"), said(None, "length"), DONE])
    assert text_of(items) == "a\ufffd"
    assert pipe.stages.assembly.completion().text == "a\ufffd"
