"""Makes calls: what a client and its namespaces share, so that they need not hold each other."""

from __future__ import annotations

import weakref
from typing import Any, TypeVar

from ..endpoints.base import Call, Series
from ..exchange import whole
from ..guard import Guard
from ..reopen import stream
from ..series import one_after_another
from ..settings import Settings
from ..transports.base import Transport, closed
from ..wire import Reply
from .driver import OpenReplies, TransportHandle, run
from .stream import Stream

__all__ = ["Caller", "Lease"]

_T = TypeVar("_T")
_U = TypeVar("_U")


class Lease:
    """The transport of another client, for a client that may be closed without closing it.

    The owner's closing ends it too.
    """

    def __init__(self, handle: TransportHandle | Lease) -> None:
        """Share a handle."""
        self._handle = handle
        self._replies = OpenReplies()

    @property
    def is_closed(self) -> bool:
        """Whether it, or what it shares, was closed."""
        return self._replies.is_over or self._handle.is_closed

    def get(self) -> Transport:
        """Return the transport.

        Raises:
            ClientClosedError: One of the clients has been closed.
        """
        if self._replies.is_over:
            raise closed()
        return self._handle.get()

    def watch(self, reply: Reply) -> None:
        """Have a reply closed with this client, or with the owner.

        Raises:
            ClientClosedError: One of them was closed meanwhile.
        """
        self._replies.add(reply)
        self._handle.watch(reply)

    def close(self) -> None:
        """End it and close its replies; leave the transport open. A second call does nothing."""
        self._replies.close()


class Caller:
    """Settings, a transport, and the streams that are open.

    Attributes:
        settings: What the client has decided.
    """

    def __init__(
        self, settings: Settings, handle: TransportHandle | Lease, owner: Caller | None = None
    ) -> None:
        """Keep them.

        Args:
            settings: What the client has decided.
            handle: The transport.
            owner: The caller of the client that this one's is a copy of, or None.
        """
        self.settings = settings
        self._handle = handle
        self._owner = owner
        self._is_closing = False
        self._guard = Guard()  # a set must not grow while it is walked
        self._streams: weakref.WeakSet[Stream] = weakref.WeakSet()

    @property
    def is_closed(self) -> bool:
        """Whether it was closed."""
        is_owner_closed = self._owner is not None and self._owner.is_closed
        return self._is_closing or is_owner_closed or self._handle.is_closed

    def whole(self, call: Call[_T]) -> _T:
        """Make a call and return its result."""
        return run(whole(call, self.settings, self._handle))

    def series(self, series: Series[_T, _U]) -> _U:
        """Make several calls, one after another, and return what they come to."""
        return run(one_after_another(series, self.settings, self._handle))

    def stream(self, call: Call[Any]) -> Stream:
        """Make a call and return its stream."""
        opened = Stream(run(stream(call, self.settings, self._handle)))
        self._watch(opened)
        if self.is_closed:
            # By another thread or task, which could not see the stream yet.
            opened.close()
        return opened

    def derived(self, settings: Settings) -> Caller:
        """Return the caller of a copy of the client: same transport, other settings."""
        return Caller(settings, Lease(self._handle), self)

    def close(self) -> None:
        """Close the open streams and the transport."""
        self._is_closing = True  # first: a stream that is opened meanwhile is closed by `stream`
        with self._guard:
            streams = list(self._streams)
        for opened in streams:
            opened.close()
        self._handle.close()

    def _watch(self, opened: Stream) -> None:
        """Close a stream with this caller, and with those that it was derived from."""
        with self._guard:
            self._streams.add(opened)
        if self._owner is not None:
            self._owner._watch(opened)
