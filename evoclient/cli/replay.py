"""`evoclient replay`: the answers of a cassette, as they came."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any, BinaryIO, Final, cast

from ..ground import EvoClientError
from ..models.codec import loads
from ..streaming.recording import Exchange
from ..sync.client import Client
from ..testing.cassette import Cassette
from ..transports.memory import MemoryTransport
from ..wire import Body, Deadlines, Headers, Request, Timeouts
from .asking import ask, remark
from .choice import choose
from .failures import FAILED, line_of
from .stats import Figures
from .terminal import say

__all__ = ["replay"]

_CHAT: Final = "/chat/completions"
#: What took long when it was recorded may take as long again.
_PATIENT: Final = Timeouts(connect=None, first_chunk=None, idle=None)
_PLACE: Final = "http://memory.invalid"


def replay(file: str, *, speed: float, no_wait: bool, raw: bool) -> int:
    """Play each exchange of a cassette.

    Args:
        file: The cassette.
        speed: How fast; 1 takes as long as it took.
        no_wait: Whether to wait for nothing.
        raw: Whether to write the bytes of all replies, in place of the text of the answers.

    Returns:
        The exit status: that of the last exchange.

    Raises:
        ConfigurationError: The file cannot be read.
    """
    status = 0
    pace = None if no_wait else speed
    for exchange in Cassette.load(file).exchanges:
        transport = MemoryTransport(Cassette([exchange]).script(speed=pace, match="path"))
        try:
            if raw:
                _write(exchange, transport, sys.stdout.buffer)
            elif exchange.url.partition("?")[0].endswith(_CHAT):
                _show(exchange, transport)
            else:
                say(_told(exchange))
            status = 0
        except EvoClientError as error:
            # What follows may be the attempt that succeeded.
            say(f"Error: {line_of(error)}")
            status = FAILED
    return status


def _write(exchange: Exchange, transport: MemoryTransport, out: BinaryIO) -> None:
    request = Request(exchange.method, exchange.url, Headers())
    body = cast("Body", transport.send(request, Deadlines()).body)
    while block := body.read(None):
        out.write(block)
        out.flush()


def _show(exchange: Exchange, transport: MemoryTransport) -> None:
    """Show an answer of a chat as it was shown to the one who asked."""
    asked = _asked(exchange)
    model = str(asked.get("model") or "the server")
    figures = Figures()
    client = Client(
        base_url=_PLACE,
        transport=transport,
        max_retries=0,
        timeout=_PATIENT,
    )
    with client, choose(as_json=False, plain=False, waiting_for=model) as show:
        question = {"model": model, "messages": [{"role": "user", "content": "…"}]}
        ask(client, question, show, figures, stream=bool(asked.get("stream")))
    if figures.completion is not None:
        remark(figures.completion)


def _asked(exchange: Exchange) -> Mapping[str, Any]:
    try:
        document = loads(exchange.request_body or b"")
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}


def _told(exchange: Exchange) -> str:
    """Return a line for an exchange that is no chat."""
    what = f"{exchange.method} {exchange.url}"
    if exchange.status is None:
        return f"{what}: no reply"
    return f"{what}: {exchange.status}, {len(exchange.body)} bytes (--raw shows them)"
