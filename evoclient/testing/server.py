"""The demo server: an OpenAI-compatible server on a free loopback port, in a thread of its own."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from types import TracebackType
from typing import Any

from aiohttp import web

from .delivery import Player
from .dialects import DIALECTS
from .gate import Gate
from .ledger import Ledger, RecordedRequest
from .plays import Play, PlayQueue, read_plays
from .service import TOKEN_PATH, Service
from .token_desk import TokenDesk

__all__ = ["DemoServer"]

_GRACE = 0.2  # seconds; handlers are cancelled before, so this only bounds a misbehaving one
_WAIT = 5.0  # seconds; close() never waits longer for the thread
_GLANCE = 0.2  # seconds; on Windows a join without a timeout cannot be interrupted by Ctrl-C


def _nothing(*_ignored: object) -> None:
    """Stand in where there is nobody to tell, or nothing to stop yet."""


class DemoServer:
    """An OpenAI-compatible server that streams readable text without a model.

    It runs in a daemon thread with an event loop of its own, so it serves both kinds of clients::

        with DemoServer(api_key="demo-key") as server:
            client = Client(base_url=server.base_url, api_key=server.api_key)

    Attributes:
        host: The address it listens on.
        port: The port it listens on, or listened on before `close`; 0 before the first start.
        api_key: The key it accepts; None checks no key.
        pace: Seconds between the pieces of a stream; may be changed for the replies to come.
    """

    def __init__(
        self,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        pace: float = 0.03,
        api_key: str | None = None,
        key_id: str | None = None,
        secret: str | None = None,
        expires_in: float = 3600,
        models: Sequence[str] = ("demo", "demo-mini"),
        dialect: str = "openai",
    ) -> None:
        """Prepare the server; it listens after `start`.

        Args:
            host: The address to listen on.
            port: The port to listen on; 0 takes a free one.
            pace: Seconds between the pieces of a stream; 0 is as fast as possible.
            api_key: The key clients must bring; None checks none.
            key_id: With ``secret``, what the token endpoint accepts.
            secret: See ``key_id``.
            expires_in: Seconds for which an issued token is valid.
            models: What the list of models holds; requests may name any model.
            dialect: How all replies are shaped, unless a play says otherwise.

        Raises:
            ValueError: ``pace`` is negative or ``dialect`` unknown.
        """
        if pace < 0:
            raise ValueError(f"pace must not be negative, got {pace}")
        if dialect not in DIALECTS:
            raise ValueError(f"unknown dialect {dialect!r}; there are {', '.join(DIALECTS)}")
        self.host = host
        self.port = 0
        self.api_key = api_key
        self.pace = pace
        self._wanted_port = port
        self._models = tuple(models)
        self._dialect = DIALECTS[dialect]
        self._ledger = Ledger()
        self._queue = PlayQueue()
        self._desk = TokenDesk(api_key=api_key, key_id=key_id, secret=secret, expires_in=expires_in)
        self._thread: threading.Thread | None = None
        self._ask_to_stop: Callable[[], object] = _nothing

    def __repr__(self) -> str:
        """Show the address and nothing secret."""
        state = "running" if self._thread is not None else "stopped"
        return f"<DemoServer {self.host}:{self.port} {state}>"

    def __enter__(self) -> DemoServer:
        """Start the server."""
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the server."""
        self.close()

    @property
    def base_url(self) -> str:
        """The address to give to a client, ``/v1`` included."""
        return f"{self._origin()}/v1"

    @property
    def token_url(self) -> str:
        """The address of the token endpoint."""
        return self._origin() + TOKEN_PATH

    @property
    def requests(self) -> list[RecordedRequest]:
        """A copy of the requests received so far, newest last."""
        return self._ledger.requests()

    @property
    def connections(self) -> int:
        """How many TCP connections were accepted so far."""
        return self._ledger.count("connections")

    @property
    def open_streams(self) -> int:
        """How many streams are open now."""
        return self._ledger.count("open_streams")

    @property
    def cancelled(self) -> int:
        """How many streams the client left before their end."""
        return self._ledger.count("cancelled")

    @property
    def exchanges(self) -> int:
        """How many times the token endpoint was asked, plays aside."""
        return self._ledger.count("exchanges")

    @property
    def expires_in(self) -> float:
        """Seconds for which tokens issued from now on are valid."""
        return self._desk.expires_in

    @expires_in.setter
    def expires_in(self, seconds: float) -> None:
        self._desk.expires_in = seconds

    def revoke_tokens(self) -> None:
        """Refuse all tokens issued so far."""
        self._desk.revoke()

    def play(
        self, *plays: str | Play, times: int = 1, path: str | None = None, **options: Any
    ) -> None:
        """Queue faults, dialects or replies for the next requests.

        Plays given together act on the same request::

            server.play("status", code=503, headers={"Retry-After": "1"}, times=2)
            server.play("vllm", "cut;after=3")

        Args:
            plays: Names, with options behind semicolons if there are several, or `Play` objects.
            times: How many requests they act on.
            path: Only requests to this path count, such as ``/api/v1/auth/token``; without it
                all requests under ``/v1`` that bring a valid key do.
            options: Options of the play, when there is one.

        Raises:
            ValueError: A name or an option is unknown, or options are given for several plays.
        """
        read: list[Play] = []
        for play in plays:
            read += [play] if isinstance(play, Play) else read_plays(play)
        if options:
            if len(read) != 1:
                raise ValueError("options need exactly one play; write 'cut;after=3' instead")
            read = [Play(read[0].name, {**read[0].options, **options})]
        self._queue.add(read, times=times, path=path)

    def clear_plays(self) -> None:
        """Forget the plays that no request has taken yet."""
        self._queue.clear()

    def wait_until(self, condition: Callable[[], bool], timeout: float = 2.0) -> bool:
        """Wait until a condition on this server holds, and return whether it does.

        It is asked again whenever a counter or the list of requests changes::

            assert server.wait_until(lambda: server.cancelled == 1)
        """
        return self._ledger.wait_until(condition, timeout)

    def start(self) -> None:
        """Listen and serve in the background; return when connections are accepted.

        Raises:
            RuntimeError: The server is running already.
            OSError: The address cannot be bound.
        """
        if self._thread is not None:
            raise RuntimeError("the server is running already")
        # Bound here and not in the thread, so that the caller gets the error.
        family = socket.AF_INET6 if ":" in self.host else socket.AF_INET
        listening = socket.create_server((self.host, self._wanted_port), family=family)
        self.port = listening.getsockname()[1]
        ready: Future[Callable[[], object]] = Future()
        thread = threading.Thread(
            target=self._run, args=(listening, ready), name="evoclient-demo", daemon=True
        )
        thread.start()
        self._ask_to_stop = ready.result()
        self._thread = thread

    def close(self) -> None:
        """Stop serving and drop open streams; does nothing when the server is not running."""
        thread, self._thread = self._thread, None
        if thread is not None:
            self._ask_to_stop()
            thread.join(_WAIT)

    def run_forever(self, ready: Callable[[DemoServer], object] = _nothing) -> None:
        """Serve in the foreground until Ctrl-C or until another thread calls `close`.

        Args:
            ready: Called once the server listens, to tell people where.

        Raises:
            OSError: The address cannot be bound.
        """
        try:
            if self._thread is None:
                self.start()
            ready(self)
            while (thread := self._thread) is not None:
                thread.join(_GLANCE)
        except KeyboardInterrupt:
            pass  # the usual way to end a server by hand
        finally:
            self.close()

    def _origin(self) -> str:
        if not self.port:
            raise RuntimeError("the server has no address before it is started")
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}"

    def _run(self, listening: socket.socket, ready: Future[Callable[[], object]]) -> None:
        asyncio.run(self._serve(listening, ready))

    async def _serve(self, listening: socket.socket, ready: Future[Callable[[], object]]) -> None:
        loop = asyncio.get_running_loop()
        stop = asyncio.Event()
        player = Player(self._ledger, lambda: self.pace)
        try:
            runner, server = await self._open(listening, player)
        except Exception as error:
            listening.close()
            ready.set_exception(error)  # start() raises it in the caller's thread
            return
        ready.set_result(lambda: loop.call_soon_threadsafe(stop.set))
        await stop.wait()
        server.close()
        player.stop()
        await runner.cleanup()

    async def _open(
        self, listening: socket.socket, player: Player
    ) -> tuple[web.AppRunner, asyncio.Server]:
        gate = Gate(ledger=self._ledger, desk=self._desk, queue=self._queue, dialect=self._dialect)
        service = Service(
            ledger=self._ledger, desk=self._desk, gate=gate, player=player, models=self._models
        )
        runner = web.AppRunner(
            service.application(),
            access_log=None,
            handler_cancellation=True,
            shutdown_timeout=_GRACE,
        )
        await runner.setup()
        handle = runner.server
        assert handle is not None  # it is there after setup

        def accept() -> asyncio.BaseProtocol:
            self._ledger.add({"connections": 1})
            return handle()

        loop = asyncio.get_running_loop()
        return runner, await loop.create_server(accept, sock=listening)
