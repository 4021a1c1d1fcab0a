"""What a scheme that sends nothing of its own is given to send with."""

from __future__ import annotations

from evoclient.steps import Flow
from evoclient.wire import Request, Response

__all__ = ["never"]


def never(request: Request) -> Flow[tuple[Response, bytes]]:
    """Fail the test: nothing is to be sent."""
    raise AssertionError(f"{request} was sent")
