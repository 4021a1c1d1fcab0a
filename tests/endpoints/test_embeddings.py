"""POST /embeddings: what is asked, in which parts, and how the answers become one."""

from __future__ import annotations

import importlib.util
from typing import Any

import pytest

from evoclient.endpoints.base import Series
from evoclient.endpoints.embeddings import BATCH_SIZE, embeddings
from evoclient.endpoints.joining import Part, together
from evoclient.ground import NOT_GIVEN, ConfigurationError
from evoclient.models.embeddings import CreateEmbeddingResponse
from evoclient.wire import Headers, Response

RESPONSE = Response(200, Headers(), "https://h/v1/embeddings")


def asked(as_numpy: bool = False, **given: Any) -> Series[Any, CreateEmbeddingResponse]:
    """Return the series for keyword arguments."""
    return embeddings(given, as_numpy=as_numpy, default_model="m")


def inputs(**given: Any) -> list[Any]:
    """Return the inputs of each request."""
    return [(call.body or {})["input"] for call in asked(**given).calls]


def test_the_body() -> None:
    """What is given goes into the body as it is, and nothing else does."""
    (call,) = asked(
        input="a", dimensions=3, user=NOT_GIVEN, top="x", extra_body={"y": 1}, timeout=5
    ).calls
    assert (call.method, call.path) == ("POST", "/embeddings")
    assert call.body == {"model": "m", "input": "a", "dimensions": 3, "top": "x", "y": 1}
    assert call.options.timeout == 5


@pytest.mark.parametrize(
    ("given", "size", "parts"),
    [
        ("a", 1, ["a"]),
        (["a"], 1, [["a"]]),
        (["a", "b", "c"], 2, [["a", "b"], ["c"]]),
        (("a", "b"), 2, [["a", "b"]]),
        (iter(["a", "b"]), 1, [["a"], ["b"]]),
        ([1, 2, 3], 2, [[1, 2, 3]]),
        ([[1, 2], [3]], 1, [[[1, 2]], [[3]]]),
        ([{"image": "u"}, "a"], 2, [[{"image": "u"}, "a"]]),
        ("", 1, [""]),
    ],
)
def test_parts(given: Any, size: int, parts: list[Any]) -> None:
    """Inputs are cut into batches; one text, or the tokens of one, stay what they are."""
    assert inputs(input=given, batch_size=size) == parts


def test_a_key_of_the_user() -> None:
    """An Idempotency-Key that the user gave is made another one for each further batch."""
    calls = asked(
        input=["a", "b"], batch_size=1, extra_headers={"idempotency-key": "k", "X-A": None}
    ).calls
    assert [call.options.headers for call in calls] == [
        {"idempotency-key": "k", "X-A": None},
        {"idempotency-key": "k-1", "X-A": None},
    ]


def test_the_usual_size() -> None:
    """As many inputs as OpenAI takes go into one request unless something else is said."""
    parts = inputs(input=["a"] * (2 * BATCH_SIZE + 1))
    assert [len(part) for part in parts] == [2048, 2048, 1]


@pytest.mark.parametrize(
    ("argument", "given"),
    [
        ("input", {}),
        ("input", {"input": []}),
        ("input", {"input": 5}),
        ("input", {"input": b"a"}),
        ("input", {"input": {"text": "a"}}),
        ("input", {"input": ["a", None]}),
        ("input", {"input": ["a", []]}),
        ("input", {"input": [1, "a"]}),
        ("input", {"input": [True]}),
        ("input", {"input": [[1, "a"]]}),
        ("batch_size", {"input": "a", "batch_size": 0}),
        ("batch_size", {"input": "a", "batch_size": True}),
        ("batch_size", {"input": "a", "batch_size": "5"}),
        ("model", {"input": "a", "model": 5}),
        ("extra_body", {"input": "a", "extra_body": 5}),
    ],
)
def test_bad_arguments(argument: str, given: dict[str, Any]) -> None:
    """A wrong argument is named."""
    with pytest.raises(ConfigurationError) as caught:
        asked(**given)
    assert caught.value.argument == argument
    assert caught.value.message.startswith(argument)


def test_without_numpy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where numpy is missing, the error names the extra."""
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    monkeypatch.setattr("evoclient.endpoints.embeddings.find_spec", lambda name: None)
    with pytest.raises(ConfigurationError, match=r"evoclient\[numpy\]") as caught:
        asked(input="a", as_numpy=True)
    assert caught.value.argument == "as_numpy"


def part(*data: Any, inputs: int | None = None, **fields: Any) -> Part:
    """Return the answer to some inputs."""
    document = {"data": list(data), **fields}
    return Part(document, len(data) if inputs is None else inputs, RESPONSE)


def test_one_part_stays_as_it_was() -> None:
    """A single answer is kept, its vectors in the order of the inputs."""
    found = together([part({"index": 1}, {"index": 0}, odd=1, usage=None)])
    assert found == {"data": [{"index": 0}, {"index": 1}], "odd": 1, "usage": None}


def test_missing_and_odd_indices() -> None:
    """Vectors without an index stand where they came, and what is no object stays."""
    found = together([part({"a": 1}, "odd"), part({"index": 0}), part(inputs=1)])
    assert found["data"] == [{"a": 1, "index": 0}, "odd", {"index": 2}]


def test_a_part_with_fewer_vectors() -> None:
    """Where an answer lacks vectors, those of the next keep the places of their inputs."""
    found = together([part({"index": 0}, inputs=3), part({"index": 0})])
    assert [item["index"] for item in found["data"]] == [0, 3]


def test_parts_without_data() -> None:
    """An answer without a list of vectors adds none."""
    found = together([Part({"data": None}, 1, RESPONSE), part({"index": 0})])
    assert found["data"] == [{"index": 1}]
    assert found["usage"] is None


@pytest.mark.parametrize(
    ("usages", "total"),
    [
        ([None, None], None),
        ([{"total_tokens": 1}, {"total_tokens": 2}], {"total_tokens": 3}),
        ([{"total_tokens": 1}, None], {"total_tokens": None}),
        ([{"total_tokens": 1}, {"cost": 2}], {"total_tokens": None, "cost": None}),
        ([{"d": {"a": 1}}, {"d": {"a": 2}}], {"d": {"a": 3}}),
        ([{"total_tokens": 1}, {"total_tokens": "2"}], {"total_tokens": None}),
        (["odd", {"total_tokens": 2}], {"total_tokens": None}),
    ],
)
def test_the_sum_of_usage(usages: list[Any], total: Any) -> None:
    """Numbers are added up, and are None where one is missing or no number."""
    assert together([part(usage=usage) for usage in usages])["usage"] == total
