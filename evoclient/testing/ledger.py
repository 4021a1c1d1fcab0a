"""What the server has seen: requests, connections, streams.

It is written in the server's thread and read in yours.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

__all__ = ["Ledger", "RecordedRequest"]


@dataclass(frozen=True, repr=False)
class RecordedRequest:
    """One request as it came.

    The values are unchanged, secrets included: this is a test server. Its repr shows neither
    headers nor the body.

    Attributes:
        method: ``POST``, ``GET``, ...
        path: The path without the query.
        headers: The headers, spelled as the client spelled them; see also `header`.
        body: The body as it came.
        query: The parameters of the query.
    """

    method: str
    path: str
    headers: dict[str, str]
    body: bytes = b""
    query: dict[str, str] = field(default_factory=dict)

    @property
    def json(self) -> Any:
        """The body read as JSON, or None when it is not JSON."""
        try:
            return json.loads(self.body)
        except ValueError:
            return None

    def header(self, name: str, default: str | None = None) -> str | None:
        """Return a header, whatever the case of its name."""
        lower = {key.lower(): value for key, value in self.headers.items()}
        return lower.get(name.lower(), default)

    def __repr__(self) -> str:
        """Show what was called, and nothing that may be secret."""
        return f"<RecordedRequest {self.method} {self.path} ({len(self.body)} bytes)>"


class Ledger:
    """Thread-safe counters, and a way to wait for them without sleeping."""

    def __init__(self) -> None:
        """Begin with nothing seen."""
        self._changed = threading.Condition()
        self._requests: list[RecordedRequest] = []
        self._counts = {"connections": 0, "open_streams": 0, "cancelled": 0, "exchanges": 0}

    def requests(self) -> list[RecordedRequest]:
        """Return a copy of the recorded requests, newest last."""
        with self._changed:
            return list(self._requests)

    def record(self, request: RecordedRequest) -> int:
        """Keep a request and return its number, from 1."""
        with self._changed:
            self._requests.append(request)
            self._changed.notify_all()
            return len(self._requests)

    def count(self, name: str) -> int:
        """Return one counter."""
        with self._changed:
            return self._counts[name]

    def add(self, changes: Mapping[str, int]) -> None:
        """Change counters together, so that nobody sees one without the other."""
        with self._changed:
            for name, change in changes.items():
                self._counts[name] += change
            self._changed.notify_all()

    def wait_until(self, condition: Callable[[], bool], timeout: float) -> bool:
        """Wait until the condition holds; return whether it does."""
        with self._changed:
            return self._changed.wait_for(condition, timeout)
