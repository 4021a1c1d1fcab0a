"""The routes of the demo server: each turns a request into a script and has it performed."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from aiohttp import web

from . import catalog
from .answers import Answer, answer
from .chunks import (
    Record,
    chat_chunks,
    chat_completion,
    text_chunks,
    text_completion,
)
from .delivery import Player
from .dialect_steps import Scene
from .faults import Stage, comments
from .gate import Gate, Handler, NotFound, Visit
from .ledger import Ledger
from .question import BadRequest, Question, read_chat, read_completion
from .script import Script, Write, body, events
from .token_desk import TokenDesk
from .vectors import embeddings

__all__ = ["TOKEN_PATH", "Service"]

TOKEN_PATH = "/api/v1/auth/token"  # noqa: S105 - an address, not a secret

_LARGEST = 64 * 2**20  # bytes; a request may hold several images

_STREAM = {"Content-Type": "text/event-stream; charset=utf-8", "Cache-Control": "no-cache"}
_DOCUMENT = {"Content-Type": "application/json"}


class Service:
    """The application behind the server; knows HTTP, but neither threads nor listening sockets."""

    def __init__(
        self,
        *,
        ledger: Ledger,
        desk: TokenDesk,
        gate: Gate,
        player: Player,
        models: tuple[str, ...],
    ) -> None:
        """Put the service together from its parts."""
        self._ledger = ledger
        self._desk = desk
        self._gate = gate
        self._player = player
        self._models = models
        self._generations = catalog.Generations()

    def application(self) -> web.Application:
        """Return the aiohttp application."""
        app = web.Application(client_max_size=_LARGEST)
        app.add_routes(
            [
                web.post("/v1/chat/completions", self._route(self._chat)),
                web.post("/v1/completions", self._route(self._completions)),
                web.post("/v1/embeddings", self._route(self._embeddings)),
                web.get("/v1/models", self._route(self._list_models)),
                web.get("/v1/models/{id:.+}", self._route(self._one_model)),
                web.get("/v1/key", self._route(self._key)),
                web.get("/v1/credits", self._route(self._credits)),
                web.get("/v1/generation", self._route(self._generation)),
                web.post(TOKEN_PATH, self._route(self._token, locked=False)),
                web.route("*", "/{path:.*}", self._route(self._nowhere, locked=False)),
            ]
        )
        return app

    def _route(
        self, handler: Handler, *, locked: bool = True
    ) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        async def receive(request: web.Request) -> web.StreamResponse:
            return await self._gate.receive(request, handler, locked=locked)

        return receive

    async def _nowhere(self, visit: Visit) -> web.StreamResponse:
        request = visit.request
        raise NotFound(f"Unknown request URL: {request.method} {request.path}", code="unknown_url")

    async def _chat(self, visit: Visit) -> web.StreamResponse:
        question = visit.choose_form(read_chat(visit.body))
        dialect = visit.program.dialect
        made = answer(
            question, id=f"{dialect.id_prefix}{visit.number:06d}", thinking=dialect.thinks
        )
        if question.stream:
            records = chat_chunks(made, usage=question.usage)
        else:
            records = [chat_completion(made)]
        head = _head(records)
        records = dialect.apply(records, Scene(question, made))
        return await self._send_answer(visit, question, made, records, head)

    async def _completions(self, visit: Visit) -> web.StreamResponse:
        question = visit.choose_form(read_completion(visit.body))
        made = answer(question, id=f"cmpl-{visit.number:06d}")
        if question.stream:
            records = text_chunks(made, usage=question.usage)
        else:
            records = [text_completion(made)]
        return await self._send_answer(visit, question, made, records, _head(records))

    async def _send_answer(
        self,
        visit: Visit,
        question: Question,
        made: Answer,
        records: list[Record],
        head: Record,
    ) -> web.StreamResponse:
        dialect = visit.program.dialect
        stage = Stage(head, dialect.in_stream_error)
        script = events(records) if question.stream else body(records[0])
        if question.stream and dialect.keep_alive is not None:
            script = comments(script, stage, every=20, text=dialect.keep_alive)
        self._generations.add(made, streamed=question.stream)
        response = await self._send(visit, script, stage, stream=question.stream)
        self._generations.finished(made.id)
        return response

    async def _send_record(self, visit: Visit, record: Record) -> web.StreamResponse:
        return await self._send(visit, body(record), Stage(record), stream=False)

    async def _send(
        self, visit: Visit, script: Script, stage: Stage, *, stream: bool
    ) -> web.StreamResponse:
        script = visit.spoil(script, stage)
        headers = {**(_STREAM if stream else _DOCUMENT), "x-request-id": visit.request_id}
        match script:
            case [Write(data, "body")]:
                return web.Response(body=data, headers=headers)
        response = web.StreamResponse(headers=headers)
        await self._player.deliver(visit.request, response, script)
        return response

    async def _embeddings(self, visit: Visit) -> web.StreamResponse:
        return await self._send_record(visit, embeddings(visit.body))

    async def _list_models(self, visit: Visit) -> web.StreamResponse:
        models = [catalog.model_record(name) for name in self._models]
        return await self._send_record(visit, {"object": "list", "data": models})

    async def _one_model(self, visit: Visit) -> web.StreamResponse:
        name = visit.request.match_info["id"]
        if name not in self._models:
            raise NotFound(f"The model {name!r} does not exist", code="model_not_found")
        return await self._send_record(visit, catalog.model_record(name))

    async def _key(self, visit: Visit) -> web.StreamResponse:
        return await self._send_record(visit, catalog.key_record(self._generations.spent))

    async def _credits(self, visit: Visit) -> web.StreamResponse:
        return await self._send_record(visit, catalog.credits_record(self._generations.spent))

    async def _generation(self, visit: Visit) -> web.StreamResponse:
        wanted = visit.request.query.get("id", "")
        if not wanted:
            raise BadRequest("you must provide an id", "id")
        record = self._generations.find(wanted)
        if record is None:
            raise NotFound(f"Generation {wanted} not found", code="not_found")
        return await self._send_record(visit, record)

    async def _token(self, visit: Visit) -> web.StreamResponse:
        self._ledger.add({"exchanges": 1})
        return await self._send_record(visit, self._desk.exchange(visit.body))


def _head(records: list[Record]) -> Record:
    """What all chunks begin with, taken before a dialect changes or blanks it."""
    return {key: records[0][key] for key in ("id", "object", "created", "model")}
