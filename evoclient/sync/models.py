"""`client.models`."""

from __future__ import annotations

from typing import Unpack

from ..endpoints.base import RequestOptions
from ..endpoints.models import model_list, one_model
from ..models.listing import Model, ModelList
from .caller import Caller

__all__ = ["Models"]


class Models:
    """`client.models`."""

    def __init__(self, caller: Caller) -> None:
        """Make calls through a caller."""
        self._caller = caller

    def list(self, **options: Unpack[RequestOptions]) -> ModelList:
        """Return the models that the server offers.

        Args:
            **options: See `RequestOptions`.

        Raises:
            ConfigurationError: An argument is wrong; nothing was sent.
            APIError: There is no good answer.
            ClientClosedError: The client has been closed.
        """
        return self._caller.whole(model_list(options))

    def retrieve(self, model: str, **options: Unpack[RequestOptions]) -> Model:
        """Return what the server tells of one model.

        Args:
            model: Its id, such as "openai/gpt-4o-mini".
            **options: See `RequestOptions`.

        Raises:
            ConfigurationError: An argument is wrong; nothing was sent.
            APIError: There is no good answer; `NotFoundError` where there is no such model.
            ClientClosedError: The client has been closed.
        """
        return self._caller.whole(one_model(model, options))
