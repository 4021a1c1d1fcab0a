"""Answers of the embeddings endpoint."""

from __future__ import annotations

from evoclient.models.embeddings import CreateEmbeddingResponse


def test_embeddings() -> None:
    """Vectors are numbers or base64, as they were sent."""
    raw = {
        "object": "list",
        "data": [{"index": 0, "embedding": [0.5, 1]}, {"index": 1, "embedding": "AAAAPw=="}, None],
        "usage": {"prompt_tokens": 2},
    }
    answer = CreateEmbeddingResponse.from_dict(raw)
    assert [item.embedding for item in answer.data] == [[0.5, 1], "AAAAPw=="]
    assert answer.usage is not None
    assert (answer.usage.prompt_tokens, answer.response) == (2, None)
    assert answer.to_dict() == raw
    assert repr(answer.data[0]) == "Embedding(index=0)"
