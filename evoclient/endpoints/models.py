"""GET /models, and GET /models/ID."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..ground import ConfigurationError
from ..models.listing import Model, ModelList
from ..wire import Response
from .base import Call, request_options
from .common import checked_object, checked_path

__all__ = ["model_list", "one_model"]


def model_list(given: Mapping[str, Any]) -> Call[ModelList]:
    """Return the call for the models of a server.

    Args:
        given: The keyword arguments (`RequestOptions`).

    Raises:
        ConfigurationError: An argument is wrong; it is named.
    """
    return Call(method="GET", path="/models", read=_read_list, options=request_options(given))


def one_model(model: object, given: Mapping[str, Any]) -> Call[Model]:
    """Return the call for one model.

    Args:
        model: Its id, such as "openai/gpt-4o-mini".
        given: The keyword arguments (`RequestOptions`).

    Raises:
        ConfigurationError: An argument is wrong; it is named.
    """
    if not isinstance(model, str) or not model.strip():
        raise ConfigurationError(
            f"model must be the id of a model, a string that is not empty; it is {model!r}.",
            argument="model",
        )
    # A path is taken to be encoded where it holds a per cent sign; an id is not.
    path = "/models/" + checked_path(model, "model").replace("%", "%25")
    return Call(method="GET", path=path, read=_read_model, options=request_options(given))


def _read_list(document: Any, response: Response) -> ModelList:
    # Some servers send the list without an envelope.
    is_list = isinstance(document, list)
    models = ModelList.from_answer(document if is_list else checked_object(document, response))
    models.response = response
    return models


def _read_model(document: Any, response: Response) -> Model:
    found = checked_object(document, response)
    inner = found.get("data")
    if "id" not in found and isinstance(inner, dict):  # in an envelope, as of OpenRouter
        found = inner
    model = Model.from_dict(found)
    model.response = response
    return model
