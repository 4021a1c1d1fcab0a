"""What a fault server has seen: the connections, and the requests on them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

__all__ = ["Connection", "SeenRequest"]


@dataclass(frozen=True)
class SeenRequest:
    """A request as it came.

    Attributes:
        head: The request line and the header fields.
        body: What was received of the body.
        at: When the request had come, in seconds after the address was opened.
    """

    head: bytes
    body: bytes
    at: float

    @property
    def line(self) -> str:
        """The request line, such as ``POST /v1/chat/completions HTTP/1.1``."""
        return self.head.partition(b"\r\n")[0].decode("latin-1")

    @property
    def headers(self) -> dict[str, str]:
        """The header fields by their names in lower case; of equal ones the last."""
        fields: dict[str, str] = {}
        for line in self.head.decode("latin-1").split("\r\n")[1:]:
            name, _, value = line.partition(":")
            fields[name.lower()] = value.strip()
        return fields

    @property
    def json(self) -> Any:
        """The body, parsed."""
        return json.loads(self.body)


@dataclass(frozen=True)
class Connection:
    """A connection, seen from the server's side. All times are seconds after the opening.

    Attributes:
        opened: When it was accepted.
        requests: The requests on it, in order.
        sent: How many bytes the system has taken for the client.
        closed: When the client closed or reset it; None where it has not.
        ended: When the server was done with it; None where it goes on.
    """

    opened: float
    requests: tuple[SeenRequest, ...]
    sent: int
    closed: float | None
    ended: float | None

    @property
    def is_open(self) -> bool:
        """Whether neither side has ended it."""
        return self.closed is None and self.ended is None
