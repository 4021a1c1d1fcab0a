"""`client.embeddings`."""

from __future__ import annotations

from typing import Any, Literal, Unpack, overload

from ..endpoints.embeddings import EmbeddingOptions, embeddings
from ..models.embeddings import CreateEmbeddingResponse, NumpyEmbeddingResponse
from .caller import Caller

__all__ = ["Embeddings"]


class Embeddings:
    """`client.embeddings`."""

    def __init__(self, caller: Caller) -> None:
        """Make calls through a caller."""
        self._caller = caller

    @overload
    def create(
        self, *, as_numpy: Literal[False] = False, **options: Unpack[EmbeddingOptions]
    ) -> CreateEmbeddingResponse: ...

    @overload
    def create(
        self, *, as_numpy: Literal[True], **options: Unpack[EmbeddingOptions]
    ) -> NumpyEmbeddingResponse: ...

    @overload
    def create(
        self, *, as_numpy: bool, **options: Unpack[EmbeddingOptions]
    ) -> CreateEmbeddingResponse: ...

    def create(self, *, as_numpy: bool = False, **options: Any) -> CreateEmbeddingResponse:
        """Ask for the vectors of texts.

        Args:
            as_numpy: Whether the vectors are numpy arrays of the type float32, which needs the
                extra “numpy”. Default False: lists of floats.
            **options: What to ask, see `EmbeddingOptions`. What is not named there goes into the
                body as it is.

        Returns:
            The vectors, in the order of the inputs.

        Raises:
            ConfigurationError: An argument is wrong, or numpy is missing; nothing was sent.
            APIError: There is no good answer to one of the requests.
            ClientClosedError: The client has been closed.
        """
        series = embeddings(
            options, as_numpy=bool(as_numpy), default_model=self._caller.settings.model
        )
        return self._caller.series(series)
