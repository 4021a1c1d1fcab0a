"""Requests that wait for the heads of their replies, to be ended with their transport."""

from __future__ import annotations

from typing import Generic, Protocol, TypeVar

__all__ = ["UnderWay"]


class Abandoned(Protocol):
    """A request on its way."""

    def abandon(self) -> None:
        """End it: the thread that waits for its reply is woken. Any thread may call it."""
        ...


_Exchange = TypeVar("_Exchange", bound=Abandoned)


class UnderWay(Generic[_Exchange]):
    """The requests of a transport for threads that wait for the heads of their replies."""

    def __init__(self) -> None:
        """Begin with none."""
        self._is_over = False
        # Adding, taking out and listing are each done at once, so no lock is needed.
        self._exchanges: set[_Exchange] = set()

    def begin(self, exchange: _Exchange) -> None:
        """Take note of a request that is about to be sent."""
        self._exchanges.add(exchange)
        if self._is_over:  # closed since the request was let through
            exchange.abandon()

    def end(self, exchange: _Exchange) -> None:
        """Take note that its head has come, or will not."""
        self._exchanges.discard(exchange)

    def close(self) -> None:
        """End them all, and those that begin later."""
        self._is_over = True
        for exchange in list(self._exchanges):
            exchange.abandon()
