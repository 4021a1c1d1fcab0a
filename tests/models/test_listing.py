"""Lists of models."""

from __future__ import annotations

from typing import Any

import pytest

from evoclient.models.listing import ModelList


@pytest.mark.parametrize(
    ("answer", "ids"),
    [
        ({"object": "list", "data": [{"id": "a"}, {"id": "b", "odd": 1}, "no"]}, ["a", "b"]),
        ([{"id": "a"}], ["a"]),
        ({"data": None}, []),
        ("nothing", []),
    ],
)
def test_models_of_an_answer(answer: Any, ids: list[str]) -> None:
    """Models are read with and without an envelope."""
    models = ModelList.from_answer(answer)
    assert [model.id for model in models] == ids
    assert len(models) == len(ids)


def test_what_a_server_tells_of_a_model() -> None:
    """All that a server tells of a model is there."""
    raw = {"id": "a", "context_length": 8, "pricing": {"prompt": "0.1"}}
    (model,) = ModelList.from_answer({"data": [raw]})
    assert (model.context_length, model.pricing, model.name) == (8, {"prompt": "0.1"}, None)
