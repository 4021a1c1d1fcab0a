"""Templates: which events they know, when they are given up, and that samples read the same."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest

from evoclient.models.chunks import ChatCompletionChunk
from evoclient.models.codec import loads, use_stdlib
from evoclient.streaming.assemble import Assembly
from evoclient.streaming.holes import span_of
from evoclient.streaming.metrics import StreamMetrics
from evoclient.streaming.stages import StageOptions
from evoclient.streaming.tally import Tally
from evoclient.streaming.template import Templates, new_templates, use_templates

from ..property.test_template import begin, result, templates
from ..samples import Sample, all_samples
from .driving import DONE, Clock, chunk, drive, event, pipeline, said, text_of

Raw = dict[str, Any]

MANY = [sample for sample in all_samples() if sample.stream and sample.stream.count(b"data:") > 3]


@pytest.fixture(params=[False, True], ids=["fast", "stdlib"])
def _decoders(request: pytest.FixtureRequest) -> Iterator[None]:
    """Read JSON with each of the decoders."""
    use_stdlib(request.param)
    yield
    use_stdlib(False)


def payload(document: Any) -> bytes:
    """Return the bytes of a document."""
    return json.dumps(document, ensure_ascii=False).encode()


def known(first: bytes, others: Sequence[bytes]) -> list[ChatCompletionChunk]:
    """Return the chunks that are made of events, from the first one on, after one was parsed."""
    learnt = Templates()
    learnt.learn(first, loads(first))
    found = learnt.read(others, 0)
    return [] if found is None else found.chunks


def delta(**fields: Any) -> Raw:
    """Return the document of a chunk with a delta."""
    return chunk() | {"choices": [{"index": 0, "delta": fields, "finish_reason": None}]}


def thought(text: str, key: str = "reasoning", inner: str = "text") -> Raw:
    """Return the document of a chunk with reasoning and its details."""
    details = [{"type": f"reasoning.{inner}", inner: text, "index": 0}]
    return delta(**{"content": "", key: text, "reasoning_details": details})


def call(arguments: str) -> Raw:
    """Return the document of a chunk with a piece of a tool call."""
    return delta(tool_calls=[{"index": 0, "function": {"arguments": arguments}}])


@pytest.mark.usefixtures("_decoders")
@pytest.mark.parametrize("sample", MANY, ids=lambda sample: sample.name)
def test_samples_read_the_same(sample: Sample) -> None:
    """Every sample gives the same with templates and without, whole and in lines."""
    assert sample.stream is not None
    for blocks in ([sample.stream], sample.stream.splitlines(keepends=True)):
        with templates(are_on=False):
            plain = result(begin(StageOptions(), 1), blocks)
        assert result(begin(StageOptions(), 1), blocks) == plain


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (delta(content="a"), delta(content="b c")),
        (delta(content="é"), delta(content="😀\u2028")),
        (delta(content="a"), delta(content='"\\\n')),
        (delta(content='{"'), delta(content="a")),
        (delta(role="assistant", content="a"), delta(role="assistant", content="b")),
        (delta(reasoning="a"), delta(reasoning="b")),
        (delta(content=None, reasoning_content="a"), delta(content=None, reasoning_content="b")),
        (call('{"'), call('a":')),
        (thought("a"), thought('"b"\n')),
        (
            thought("a", "reasoning_content", "summary"),
            thought("é", "reasoning_content", "summary"),
        ),
    ],
)
def test_what_differs_in_its_text_is_known(first: Raw, second: Raw) -> None:
    """Of each dialect, an event that differs from a parsed one in its text is not parsed."""
    (made,) = known(payload(first), [payload(second)])
    assert made.to_dict() == second


@pytest.mark.parametrize(
    "other",
    [
        b"",
        payload(delta(content="")),
        payload(delta(content="b", x=1)),
        payload(chunk("b", index=1)),
        payload(chunk("b", "stop")),
        payload(chunk("b", id="gen-2")),
        payload(chunk("b") | {"usage": None}),
        payload(chunk("b")).replace(b'"b"', b'"b", "content": "c"'),
        payload(chunk("b")).replace(b'"b"', b'"b", "content": "'),
        payload(chunk("b")).replace(b'"b"', b'"b\\"'),
        payload(chunk("b")).replace(b'"b"', b"null"),
        payload(chunk("b")).replace(b'"b"', b'"\\ud83d"'),
        payload(chunk("b")).replace(b'"b"', b'"\xff"'),
        payload(chunk("b")) + b" ",
        payload(chunk("b"))[:-1],
    ],
)
def test_what_differs_otherwise_is_not_known(other: bytes) -> None:
    """An event that differs in anything else, or is cut or malformed, is left to the parser."""
    assert known(payload(chunk("a")), [other]) == []


@pytest.mark.parametrize(
    "first",
    [
        chunk("a", "stop"),
        chunk("a") | {"error": None},
        delta(content="a", reasoning="b"),
        delta(content="a", tool_calls=[]),
        delta(tool_calls=[{"index": 0, "id": "c", "function": {"arguments": "a"}}]),
        delta(content=["a"]),
        {"choices": []},
        {"choices": [*chunk("a")["choices"], *chunk("a", index=1)["choices"]]},
    ],
)
def test_what_is_not_learnt_from(first: Raw) -> None:
    """Ends, errors, and chunks that bring more than one text teach nothing."""
    assert known(payload(first), [payload(first)]) == []


@pytest.mark.parametrize(
    "other",
    [
        payload(thought("b")).replace(b'"text": "b"', b'"text": "c"'),
        payload(thought("b")).replace(b'"text": "b"', b'"text": "bb"'),
        payload(thought("b")).replace(b'"text": "b"', b'"text": ""'),
        payload(delta(content="", reasoning="b")),
    ],
)
def test_details_with_another_text_are_not_known(other: bytes) -> None:
    """Reasoning whose details say something else is left to the parser."""
    assert known(payload(thought("a")), [other]) == []


def test_details_of_one_chunk_are_its_own() -> None:
    """Whoever changes the details of a chunk changes no other chunk."""
    first, second = known(payload(thought("a")), [payload(thought(text)) for text in "bc"])
    first.choices[0].delta.reasoning_details[0]["text"] = "x"  # type: ignore[index]  # it is there
    assert second.to_dict() == thought("c")


def test_choices_may_alternate() -> None:
    """Chunks of several choices by turns are known, each by a template of its own."""
    learnt = Templates()
    for index in range(3):
        learnt.learn(payload(chunk("a", index=index)), chunk("a", index=index))
    for text, index in zip("abcdefgh", [0, 1, 2, 1] * 2, strict=True):
        found = learnt.read([payload(chunk(text, index=index))], 0)
        assert found is not None
        assert found.chunks[0].to_dict() == chunk(text, index=index)


def test_fields_of_the_chunk_may_change() -> None:
    """A clock, padding and an id that change are learnt by two chunks, and read in the third."""
    documents = [
        chunk(text, id=f"gen-{text}", created=10 + number, obfuscation="x" * number)
        for number, text in enumerate("abcd", 1)
    ]
    learnt = Templates()
    for document in documents[:2]:
        learnt.learn(payload(document), document)
    found = learnt.read([payload(document) for document in documents], 2)
    assert found is not None
    assert [made.to_dict() for made in found.chunks] == documents[2:]
    assert [(made.id, made.created) for made in found.chunks] == [("gen-c", 13), ("gen-d", 14)]


@pytest.mark.parametrize("begin_assembly", [Assembly, Tally])
def test_a_completion_may_begin_with_a_chunk_of_a_template(
    begin_assembly: Callable[[], Assembly],
) -> None:
    """Where a stage held back what a template was learnt from, id and clock are its chunk's own."""
    learnt = Templates()
    for number in (1, 2):
        document = chunk("a", id=f"gen-{number}", created=number)
        learnt.learn(payload(document), document)
    found = learnt.read([payload(chunk("b", id="gen-3", created=3))], 0)
    assert found is not None
    assembly = begin_assembly()
    assembly.feed(found.chunks[0])
    assert (assembly.completion().id, assembly.completion().created) == ("gen-3", 3)


@pytest.mark.parametrize("created", ["0", "01", "-1", "1.0", "1e3", "true", '"1"', "9" * 16])
def test_other_numbers_are_not_known(created: str) -> None:
    """A number that is not written as the usual clock is left to the parser."""
    documents = [chunk("a", created=number) for number in (10, 11)]
    learnt = Templates()
    for document in documents:
        learnt.learn(payload(document), document)
    other = payload(chunk("b", created=12)).replace(b"12", created.encode())
    assert learnt.read([other], 0) is None


@pytest.mark.parametrize("written", [b"", b"\\n", "é".encode(), b'",', b"1"])
def test_other_texts_of_the_chunk_are_not_known(written: bytes) -> None:
    """A changing id that is empty, or not written as the usual ones, is left to the parser."""
    documents = [chunk("a", id=f"id-{number}") for number in (1, 2)]
    learnt = Templates()
    for document in documents:
        learnt.learn(payload(document), document)
    other = payload(chunk("b", id="id-3"))
    assert learnt.read([other], 0) is not None
    learnt.learn(payload(documents[1]), documents[1])
    made = learnt.read([other.replace(b"id-3", written)], 0)
    assert (made is not None) == (written == b"1")


def test_a_changing_field_stays_one() -> None:
    """What was seen to change is expected to, also where two chunks in a row have the same."""
    learnt = Templates()
    for document in (
        chunk("a", created=1),
        chunk("a", created=2),
        chunk("a", created=2, x=1),
    ):
        learnt.learn(payload(document), document)
    assert learnt.read([payload(chunk("b", created=3, x=1))], 0) is not None


@pytest.mark.parametrize("field", ["content", "reasoning", "reasoning_content", "arguments"])
@pytest.mark.parametrize("accumulate", [True, False])
def test_runs_of_chunks_make_the_same_completion(field: str, accumulate: bool) -> None:
    """Each text of a run of chunks comes into the completion once, in its place."""
    begun = StageOptions(accumulate=accumulate)
    documents = [call(x) if field == "arguments" else delta(**{field: x}) for x in "abcdefg"]
    body = b"".join([*map(event, documents), said(None, "stop"), DONE])
    with templates(are_on=False):
        plain = result(begin(begun, 1), [body])
    assert result(begin(begun, 1), [body]) == plain
    assert ("abcdefg" in str(plain[3])) == accumulate


@pytest.mark.parametrize(
    "choice",
    [
        {"delta": {"content": "a"}, "logprobs": {"content": [{"token": "a"}]}},
        {"delta": {"content": "a"}, "token_ids": [7]},
        {"delta": {"content": "a", "annotations": [{"n": 1}]}},
        {"delta": {"content": "a", "refusal": "no"}},
        {"delta": {"reasoning": "a", "images": [{"n": 1}]}},
        {"delta": {"content": "a", "x": [1]}},
    ],
)
def test_what_adds_up_beside_the_text_is_added_up(choice: Raw) -> None:
    """Lists and texts that each chunk brings beside its text come into the completion as often."""
    body = b"".join([event({"choices": [{"index": 0, **choice}]})] * 5 + [DONE])
    with templates(are_on=False):
        plain = result(begin(StageOptions(), 1), [body])
    assert result(begin(StageOptions(), 1), [body]) == plain


@pytest.mark.parametrize(
    ("options", "texts", "wanted"),
    [
        (StageOptions(), ["a", "b", "\ud83d", "c", "d"], "ab\ufffdcd"),
        (StageOptions(), ["a", "b", "\ud83d", "\ude00", "d"], "ab😀d"),
        (StageOptions(stops=("STOP",)), ["a", "b", "ST", "OP", "d"], "ab"),
        (StageOptions(stops=("STOP",)), ["a", "b", "c STOP d", "e"], "abc "),
        (StageOptions(split_think=True), ["a", "b", "<think>", "c", "</think>", "d"], "abd"),
    ],
)
def test_what_watches_the_text_sees_that_of_templates(
    options: StageOptions, texts: list[str], wanted: str
) -> None:
    """Halves of characters, stop sequences and thinking are found in chunks of a template too."""
    body = b"".join([*map(said, texts), said("", "stop"), DONE])
    with templates(are_on=False):
        plain = result(begin(options, 1), [body])
    assert result(begin(options, 1), [body]) == plain
    assert text_of(drive(begin(options, 1), [body])) == wanted


@pytest.mark.parametrize(
    ("usual", "other"),
    [
        (delta(content="a") | {"x": 1}, delta(content="b") | {"x": 2}),
        (call("a"), delta(tool_calls=[{"index": 1, "id": "d", "function": {"arguments": "b"}}])),
        (call("a"), delta(content="b")),
        (delta(reasoning="a"), delta(reasoning="b", reasoning_details=[{"text": "c"}])),
    ],
)
@pytest.mark.parametrize("accumulate", [True, False])
def test_chunks_between_those_of_a_template_count(usual: Raw, other: Raw, accumulate: bool) -> None:
    """What another chunk said is followed by what those of a template say again."""
    blocks = [event(document) for document in [usual] * 4 + [other] + [usual] * 3]
    with templates(are_on=False):
        plain = result(begin(StageOptions(accumulate=accumulate), 1), blocks)
    assert result(begin(StageOptions(accumulate=accumulate), 1), blocks) == plain


def test_metrics_of_chunks_of_a_template() -> None:
    """A stream measures the same of itself, chunk by chunk or by blocks of chunks alike."""
    figures = []
    for is_on in (False, True):
        with templates(are_on=is_on):
            clock = Clock()
            metrics = StreamMetrics(clock=clock, started=clock())
            pipe = pipeline(clock, metrics=metrics)
        for field in ("content", "reasoning") * 4:
            clock.now += 1
            pipe.feed(b"".join(event(delta(**{field: "word"})) for _ in range(37)))
        figures.append(metrics.to_dict())
    assert figures[0] == figures[1]


def test_learning_gives_up() -> None:
    """A template that knows nothing any more is dropped, and lessons that bring nothing end."""
    learnt = Templates()
    first = payload(chunk("a"))
    for _ in range(100):
        learnt.learn(first, loads(first))
    for _ in range(100):
        assert learnt.read([b"{}"], 0) is None
    learnt.learn(first, loads(first))
    assert learnt.read([first], 0) is None


def test_what_pays_off_may_be_learnt_anew() -> None:
    """A stream that changes its shape again and again is followed as long as templates are used."""
    learnt = Templates()
    for number in range(50):
        first = payload(delta(content="a", x=number))
        learnt.learn(first, loads(first))
        assert learnt.read([first] * 50, 0) is not None


def test_a_text_is_found_by_its_value_not_its_look() -> None:
    """Of equal texts, and of a key that comes twice, the span is that of the value that counts."""
    body = b'{"a": "x", "x": "a", "b": "x", "b": "x"}'
    assert span_of(body, loads(body), ["b"]) == (body.rindex(b"x"), body.rindex(b"x") + 1)
    assert span_of(body, loads(body), ["x"]) == (body.index(b'"a",') + 1, body.index(b'"a",') + 2)


def test_a_value_that_is_not_written_as_usual_has_no_span() -> None:
    """A text with an unusual escape is not found, and nothing is guessed."""
    body = b'{"a": "\\u0078"}'
    assert span_of(body, loads(body), ["a"]) is None


def test_the_switch() -> None:
    """Turned off, a stream learns nothing, and reads the same."""
    body = [said("a") * 5, DONE]
    try:
        use_templates(False)
        assert new_templates() is None
        plain = text_of(drive(begin(StageOptions(), 1), body))
    finally:
        use_templates(True)
    assert new_templates() is not None
    assert text_of(drive(begin(StageOptions(), 1), body)) == plain == "aaaaa"


def test_a_stream_uses_templates(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a plain stream only the first chunks, and the last ones, are parsed."""
    parsed: list[object] = []

    def counting(data: bytes | str) -> Any:
        parsed.append(data)
        return loads(data)

    monkeypatch.setattr("evoclient.streaming.documents.loads", counting)
    body = b"".join([*map(said, "abcdefghij"), said(None, "stop"), event({"choices": []}), DONE])
    items = drive(begin(StageOptions(), 1), [body])
    assert text_of(items) == "abcdefghij"
    assert len(parsed) == 3
