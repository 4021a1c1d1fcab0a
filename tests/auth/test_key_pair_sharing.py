"""One exchange for many callers, of whom one goes away, or for whom it fails."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from evoclient.auth.key_pair import KeyPair
from evoclient.errors.tree import (
    APIConnectionError,
    APITimeoutError,
    AuthenticationError,
    ClientClosedError,
    InternalServerError,
)
from evoclient.ground import EvoClientError
from evoclient.testing.raw_server import CHUNKED, Peer, Play, RawServer, chunk, replies, sized
from evoclient.wire import Timeouts
from tests.fronts import FRONTS, AnyColour, opened

pytestmark = pytest.mark.loopback

CALLERS = 20
CHOICE = {"index": 0, "message": {"role": "assistant", "content": "Hi"}, "finish_reason": "stop"}
ANSWERS = replies(sized(json.dumps({"id": "c1", "model": "m", "choices": [CHOICE]}).encode()))
TOKEN = json.dumps({"access_token": "token-1", "expires_in": 3600}).encode()
GIVES_TOKENS = replies(sized(TOKEN))


class Crowd:
    """Callers of a colour that wait at the same time, in threads or in tasks."""

    def __init__(self, front: AnyColour) -> None:
        """Begin with nobody."""
        self._front = front
        self._pool = ThreadPoolExecutor(2 * CALLERS)

    def start(self, function: Callable[[], Any]) -> Any:
        """Let a caller begin."""
        if self._front.name == "sync":
            return self._pool.submit(function)
        loop: Any = self._front.loop  # type: ignore[attr-defined]  # of this colour alone
        return loop.create_task(function())

    def until(self, condition: Callable[[], bool]) -> None:
        """Let them go on until something is so."""
        for _ in range(1000):
            self._front.settle()
            if condition():
                return
            threading.Event().wait(0.005)
        raise TimeoutError

    def waiting(self) -> None:
        """Let those who have begun come as far as they can."""
        for _ in range(10):
            self._front.settle()
            threading.Event().wait(0.005)

    def result(self, started: Any) -> Any:
        """Return what came of a caller, an error of ours included."""
        try:
            if self._front.name == "sync":
                return started.result(10)
            return self._front.run(started)
        except EvoClientError as error:
            return error

    def end(self) -> None:
        """Let the threads end."""
        self._pool.shutdown()


@pytest.fixture(params=FRONTS[:2], ids="-".join)
def front(request: pytest.FixtureRequest) -> Iterator[AnyColour]:
    """Give the means of each colour."""
    yield from opened(request.param)


@pytest.fixture
def crowd(front: AnyColour) -> Iterator[Crowd]:
    """Give callers that wait at the same time."""
    made = Crowd(front)
    yield made
    made.end()


@pytest.fixture
def api() -> Iterator[RawServer]:
    """Give a server that answers."""
    with RawServer(ANSWERS) as server:
        yield server


def client_of(front: AnyColour, api: RawServer, pair: KeyPair, **options: Any) -> Any:
    """Return a client with a key pair."""
    base = api.url.removesuffix("/chat/completions")
    return front.client(base_url=base, auth=pair, model="m", max_retries=0, **options)


def asking(client: Any) -> Callable[[], Any]:
    """Return a call of a client."""
    return lambda: client.chat.completions.create(messages=[{"role": "user", "content": "Hi"}])


def stalls(peer: Peer) -> None:
    """Begin to answer, and stop."""
    peer.read_request()
    peer.send(CHUNKED + chunk(b'{"access_token": '))
    peer.until_closed()


def silent(peer: Peer) -> None:
    """Take a request and do not answer."""
    peer.read_request()
    peer.until_closed()


def pair_at(desk: RawServer) -> KeyPair:
    """Return a pair that is exchanged at a desk."""
    return KeyPair("planted-id", "planted-secret", token_url=desk.url)


@pytest.mark.parametrize("how", ["closed", "closed before the head", "out of time"])
def test_the_one_who_began_goes_away(
    front: AnyColour, crowd: Crowd, api: RawServer, how: str
) -> None:
    """Its client is closed, or its time is up: the others exchange anew, once, and are answered."""
    with RawServer(silent if how == "closed before the head" else stalls, GIVES_TOKENS) as desk:
        pair = pair_at(desk)
        limits = Timeouts(total=0.3 if how == "out of time" else None)
        first = client_of(front, api, pair, timeout=limits)
        others = client_of(front, api, pair)
        began = [crowd.start(asking(first))]
        crowd.until(lambda: bool(desk.requests))
        if how != "out of time":  # whoever came later would have time left
            began += [crowd.start(asking(first)) for _ in range(7)]
        rest = [crowd.start(asking(others)) for _ in range(CALLERS)]
        crowd.waiting()
        if how != "out of time":
            front.close(first)
        gone = {type(crowd.result(each)) for each in began}
        answers = [crowd.result(each) for each in rest]
        front.close(others)
        front.close(first)
        assert len(desk.requests) == 2
    assert gone == {APITimeoutError if how == "out of time" else ClientClosedError}
    assert [answer.text for answer in answers] == ["Hi"] * CALLERS


def refuses(status: bytes) -> Callable[[threading.Event], Play]:
    """Return a desk that refuses, once it is told to go on."""

    def made(go_on: threading.Event) -> Play:
        def play(peer: Peer) -> None:
            peer.read_request()
            go_on.wait(10)
            peer.send(sized(b'{"error": "no"}', status, b"Connection: close\r\n"))

        return play

    return made


def hangs_up(go_on: threading.Event) -> Play:
    """Return a desk that hangs up, once it is told to go on."""

    def play(peer: Peer) -> None:
        peer.read_request()
        go_on.wait(10)

    return play


FAILURES: dict[str, tuple[Callable[[threading.Event], Play], type[EvoClientError]]] = {
    "refused": (refuses(b"401 No"), AuthenticationError),
    "broken": (refuses(b"500 No"), InternalServerError),
    "gone": (hangs_up, APIConnectionError),
}


@pytest.mark.parametrize("what", FAILURES)
def test_an_exchange_that_fails(front: AnyColour, crowd: Crowd, api: RawServer, what: str) -> None:
    """All who wait get an error, each one of their own; the next call exchanges anew."""
    make, kind = FAILURES[what]
    go_on = threading.Event()
    with RawServer(make(go_on), GIVES_TOKENS) as desk:
        client = client_of(front, api, pair_at(desk))
        asked = [crowd.start(asking(client)) for _ in range(CALLERS)]
        crowd.until(lambda: bool(desk.requests))
        crowd.waiting()
        go_on.set()
        errors = [crowd.result(each) for each in asked]
        assert (len(desk.requests), api.requests) == (1, [])
        assert crowd.result(crowd.start(asking(client))).text == "Hi"
        front.close(client)
        assert len(desk.requests) == 2
    assert {type(error) for error in errors} == {kind}
    assert len({id(error) for error in errors}) == CALLERS


def test_a_refresh_that_fails(front: AnyColour, crowd: Crowd) -> None:
    """A 401 whose fresh token cannot be had fails as the exchange does; nothing is repeated."""
    no = sized(b'{"error": "no"}', b"401 No")
    go_on = threading.Event()
    go_on.set()
    closing = replies(sized(TOKEN, extra=b"Connection: close\r\n"))
    with (
        RawServer(replies(no)) as api,
        RawServer(closing, refuses(b"503 No")(go_on)) as desk,
    ):
        client = client_of(front, api, pair_at(desk))
        error = crowd.result(crowd.start(asking(client)))
        front.close(client)
        assert isinstance(error, InternalServerError)
        assert str(desk.port) in error.message
        assert (len(api.requests), len(desk.requests)) == (1, 2)


@pytest.mark.parametrize("is_stream", [False, True])
def test_a_refused_token_costs_one_refresh_and_one_repeat(
    front: AnyColour, is_stream: bool
) -> None:
    """With retries off too, and the repeat bears the same Idempotency-Key."""
    event = {"id": "c1", "model": "m", "choices": [{**CHOICE, "delta": {"content": "Hi"}}]}
    body = b"data: %b\n\ndata: [DONE]\n\n" % json.dumps(event).encode()
    streams = sized(body, extra=b"Content-Type: text/event-stream\r\n")

    def play(peer: Peer) -> None:
        while request := peer.read_request():
            if b"Bearer old" in request:
                peer.send(sized(b'{"error": "no"}', b"401 No"))
            else:
                peer.send(streams)

    def gives_tokens(peer: Peer) -> None:
        while peer.read_request():
            word = b"old" if len(peer.server.requests) == 1 else b"new"
            peer.send(sized(TOKEN.replace(b"token-1", word)))

    with RawServer(play) as api, RawServer(gives_tokens) as desk:
        client = client_of(front, api, pair_at(desk))
        if is_stream:
            assert "".join(front.text(front.stream(client))) == "Hi"
        else:
            # The same bytes, which are no whole answer, but have been let in.
            with pytest.raises(EvoClientError):
                front.create(client)
        front.close(client)
        assert (len(api.requests), len(desk.requests)) == (2, 2)
        keys = [
            line
            for request in api.requests
            for line in request.split(b"\r\n")
            if line.lower().startswith(b"idempotency-key")
        ]
        assert len(keys) == 2
        assert len(set(keys)) == 1


def test_a_fixed_key_is_not_tried_again(front: AnyColour) -> None:
    """A 401 with a key that does not change is final."""
    with RawServer(replies(sized(b'{"error": "no"}', b"401 No"))) as api:
        base = api.url.removesuffix("/chat/completions")
        client = front.client(base_url=base, api_key="demo-key", model="m", retry_delay=0)
        with pytest.raises(AuthenticationError):
            front.create(client)
        front.close(client)
        assert len(api.requests) == 1
