"""`client.completions`."""

from __future__ import annotations

from typing import Any, Literal, Unpack, overload

from ..endpoints.completions import CompletionOptions, text_completion
from ..models.completions import Completion
from .caller import Caller
from .stream import AsyncStream

__all__ = ["AsyncTextCompletions"]


class AsyncTextCompletions:
    """`client.completions`."""

    def __init__(self, caller: Caller) -> None:
        """Make calls through a caller."""
        self._caller = caller

    @overload
    async def create(
        self, *, stream: Literal[False] = False, **options: Unpack[CompletionOptions]
    ) -> Completion: ...

    @overload
    async def create(
        self, *, stream: Literal[True], **options: Unpack[CompletionOptions]
    ) -> AsyncStream: ...

    @overload
    async def create(
        self, *, stream: bool, **options: Unpack[CompletionOptions]
    ) -> Completion | AsyncStream: ...

    async def create(self, *, stream: bool = False, **options: Any) -> Completion | AsyncStream:
        """Ask a model to continue a text.

        Args:
            stream: Whether to return the answer while it is written.
            **options: What to ask, see `CompletionOptions`. What is not named there goes into the
                body as it is.

        Returns:
            The completion; a stream of chunks with ``stream=True``.

        Raises:
            ConfigurationError: An argument is wrong; nothing was sent.
            APIError: There is no good answer.
            ClientClosedError: The client has been closed.
        """
        call = text_completion(
            options,
            stream=bool(stream),
            default_model=self._caller.settings.model,
            provider=self._caller.settings.provider,
        )
        options.clear()  # tracebacks show it, and an extra header may be a credential
        if stream:
            return await self._caller.stream(call)
        return await self._caller.whole(call)
