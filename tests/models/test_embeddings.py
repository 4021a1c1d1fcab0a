"""Answers of the embeddings endpoint."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import pytest

from evoclient.models.embeddings import (
    CreateEmbeddingResponse,
    Embedding,
    NumpyEmbedding,
    NumpyEmbeddingResponse,
)

RAW = {
    "object": "list",
    "data": [{"index": 0, "embedding": [0.5, 1]}, {"index": 1, "embedding": "AAAAPw=="}, None],
    "usage": {"prompt_tokens": 2},
}


def test_embeddings() -> None:
    """Vectors are numbers however they were sent, and are written as they were sent."""
    answer = CreateEmbeddingResponse.from_dict(RAW)
    assert [item.embedding for item in answer.data] == [[0.5, 1], [0.5]]
    assert answer.usage is not None
    assert (answer.usage.prompt_tokens, answer.response) == (2, None)
    assert answer.to_dict() == RAW
    assert repr(answer.data[0]) == "Embedding(index=0)"


ODD = [None, "no base64!", "AAA=", "AAAA", 5, {"a": 1}, ["x"]]


@pytest.mark.parametrize("odd", ODD)
def test_what_is_no_vector(odd: Any) -> None:
    """What is no vector is what was sent."""
    assert Embedding.from_dict({"embedding": odd}).embedding == odd


def test_what_is_no_vector_with_numpy() -> None:
    """What is no vector is what was sent, with numpy as well."""
    pytest.importorskip("numpy")
    assert [NumpyEmbedding.from_dict({"embedding": odd}).embedding for odd in ODD] == ODD


def test_an_empty_vector() -> None:
    """Base64 of nothing is a vector without numbers."""
    assert Embedding.from_dict({"embedding": ""}).embedding == []


def test_a_vector_that_was_assigned() -> None:
    """A vector that was assigned is written in the place of the one that was sent."""
    item = Embedding.from_dict({"embedding": "AAAAPw=="})
    item.embedding = [0.5]
    assert item.to_dict() == {"embedding": "AAAAPw=="}
    item.embedding = [0.25]
    assert item.to_dict() == {"embedding": [0.25]}


def test_numpy() -> None:
    """With numpy a vector is a writable array; JSON, comparison and pickle stay as they were."""
    numpy = pytest.importorskip("numpy")
    answer = NumpyEmbeddingResponse.from_dict(RAW)
    first, second = answer.data
    assert (first.embedding.dtype, second.embedding.dtype) == (numpy.float32, numpy.float32)
    assert answer.to_dict() == RAW
    again = pickle.loads(pickle.dumps(answer))  # noqa: S301 - our own
    assert again == answer == copy.deepcopy(answer)
    assert again.data[1].embedding.tolist() == [0.5]
    first.embedding *= 2
    assert answer.to_dict()["data"][0]["embedding"] == [1, 2]
