"""What every request passes: recording, the key check, plays, reading the body, and errors."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Any

from aiohttp import web

from .dialects import Dialect
from .encores import Encores
from .faults import Stage
from .going_on import conversation_of
from .ledger import Ledger, RecordedRequest
from .plays import PlayQueue, Program, read_plays
from .question import BadRequest, Question
from .script import Script, dump
from .substitutes import REDIRECTED, Substitute
from .token_desk import Refused, TokenDesk

__all__ = ["Gate", "Handler", "NotFound", "Visit"]

_PLAY_HEADER = "x-demo-play"
_PLAY_FIELD = "demo_play"


class NotFound(LookupError):
    """What the request names is not here."""

    def __init__(self, message: str, *, code: str | None = None) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True)
class _Refusal:
    """An error as the reply tells it, before the dialect gives it its form."""

    status: int
    message: str
    code: str | None = None
    param: str | None = None


@dataclass(frozen=True)
class Visit:
    """One request that was let in, with what it is to be answered with."""

    request: web.Request
    number: int
    body: Any
    program: Program

    @property
    def request_id(self) -> str:
        """The id the reply carries in ``x-request-id``."""
        return _request_id(self.number)

    def choose_form(self, question: Question) -> Question:
        """Return the question without its wish for a stream, when `whole` is played."""
        return replace(question, stream=False) if self.program.whole else question

    def spoil(self, script: Script, stage: Stage) -> Script:
        """Apply the faults.

        Raises:
            BadRequest: An option has a value that its fault cannot use.
        """
        try:
            return self.program.spoil(script, stage)
        except (TypeError, ValueError) as error:
            raise BadRequest(f"a play has an unusable option: {error}", _PLAY_FIELD) from error


Handler = Callable[[Visit], Awaitable[web.StreamResponse]]


class Gate:
    """Lets requests in or turns them away."""

    def __init__(
        self, *, ledger: Ledger, desk: TokenDesk, queue: PlayQueue, dialect: Dialect
    ) -> None:
        """Record in ``ledger``, check with ``desk``, play from ``queue``."""
        self._ledger = ledger
        self._desk = desk
        self._queue = queue
        self._dialect = dialect
        self._encores = Encores()

    async def receive(
        self, request: web.Request, handler: Handler, *, locked: bool
    ) -> web.StreamResponse:
        """Record a request and answer it: by its handler, by a play, or with an error.

        Args:
            request: The request.
            handler: Answers it when nothing speaks against it.
            locked: Whether it needs a key.
        """
        content = await request.read()
        number = self._ledger.record(
            RecordedRequest(
                request.method,
                request.path,
                dict(request.headers),
                content,
                dict(request.query),
            )
        )
        try:
            if locked:
                self._check_key(request)
            return await self._answer(request, handler, number, content)
        except Refused as error:
            refusal = _Refusal(401, str(error), code="invalid_api_key")
        except NotFound as error:
            refusal = _Refusal(404, str(error), code=error.code)
        except BadRequest as error:
            refusal = _Refusal(400, str(error), param=error.param)
        return _reply(self._form(refusal), number)

    def _check_key(self, request: web.Request) -> None:
        headers = request.headers
        self._desk.check(headers.get("Authorization", ""), headers.get("api-key", ""))

    async def _answer(
        self, request: web.Request, handler: Handler, number: int, content: bytes
    ) -> web.StreamResponse:
        body = _read_body(content)
        program = self._program(request, body)
        if REDIRECTED not in request.query:
            try:
                substitute = program.replace_reply(request.path)
            except (TypeError, ValueError) as error:
                raise BadRequest(f"a play has an unusable option: {error}", _PLAY_FIELD) from error
            if substitute is not None:
                return _reply(substitute, number)
        return await handler(Visit(request, number, body, program))

    def _program(self, request: web.Request, body: Any) -> Program:
        """Collect the plays that were queued and those the request asks for itself."""
        wanted = [request.headers.get(_PLAY_HEADER, "")]
        if isinstance(body, dict) and _PLAY_FIELD in body:
            wanted.append(body[_PLAY_FIELD])
        try:
            asked = [play for part in wanted for play in read_plays(part)]
            asked = self._encores.due(asked, [request.path, conversation_of(body)])
        except ValueError as error:
            raise BadRequest(str(error), _PLAY_FIELD) from error
        return Program.of([*self._queue.take(request.path), *asked], self._dialect)

    def _form(self, refusal: _Refusal) -> Substitute:
        record = self._dialect.error(refusal.status, refusal.message)
        for name in ("code", "param"):
            # Where a dialect leaves a member empty, it is filled with what we know.
            if name in record["error"] and record["error"][name] is None:
                record["error"][name] = getattr(refusal, name)
        return Substitute(refusal.status, dump(record).encode())


def _reply(substitute: Substitute, number: int) -> web.Response:
    return web.Response(
        status=substitute.status,
        body=substitute.body,
        headers={
            "Content-Type": substitute.content_type,
            "x-request-id": _request_id(number),
            **substitute.headers,
        },
    )


def _request_id(number: int) -> str:
    return f"req_{number:06d}"


def _read_body(content: bytes) -> Any:
    """Read the body as JSON; None when there is none."""
    if not content:
        return None
    try:
        body = json.loads(content)
        # JSON can spell half a surrogate pair; UTF-8 cannot carry it back.
        json.dumps(body, ensure_ascii=False).encode()
    except (ValueError, RecursionError) as error:
        raise BadRequest(f"the body is not valid JSON: {error}") from error
    return body
