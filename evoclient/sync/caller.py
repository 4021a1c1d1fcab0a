"""Makes calls: what a client and its namespaces share, so that they need not hold each other."""

from __future__ import annotations

import weakref
from typing import TypeVar

from ..endpoints.base import Call
from ..exchange import Settings, whole
from ..models.chat import ChatCompletion
from ..reopen import stream
from .driver import TransportHandle, run
from .stream import Stream

__all__ = ["Caller"]

_T = TypeVar("_T")


class Caller:
    """Settings, a transport, and the streams that are open.

    Attributes:
        settings: What the client has decided.
    """

    def __init__(self, settings: Settings, handle: TransportHandle) -> None:
        """Keep both."""
        self.settings = settings
        self._handle = handle
        self._streams: weakref.WeakSet[Stream] = weakref.WeakSet()

    @property
    def is_closed(self) -> bool:
        """Whether it was closed."""
        return self._handle.is_closed

    def whole(self, call: Call[_T]) -> _T:
        """Make a call and return its result."""
        return run(whole(call, self.settings, self._handle))

    def stream(self, call: Call[ChatCompletion]) -> Stream:
        """Make a call and return its stream."""
        opened = Stream(run(stream(call, self.settings, self._handle)))
        self._streams.add(opened)
        return opened

    def close(self) -> None:
        """Close the open streams and the transport."""
        for opened in list(self._streams):
            opened.close()
        self._handle.close()
