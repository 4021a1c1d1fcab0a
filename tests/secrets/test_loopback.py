"""Every failure that servers on real sockets can cause, with planted secrets."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from evoclient.auth.key_pair import KeyPair
from evoclient.errors.tree import APIError
from evoclient.testing.faults import ERROR_EVENTS
from evoclient.testing.raw_server import CHUNKED, OK, RawServer, chunk, once, sized
from evoclient.testing.server import DemoServer
from evoclient.testing.token_desk import TokenDesk
from evoclient.wire import Timeouts
from tests.fronts import FRONTS

from .conftest import AnyColour, Provoke
from .scripts import ERROR
from .search import ECHO, KEY, KEY_ID, SECRET, TOKEN

pytestmark = pytest.mark.loopback

ALL = (KEY, KEY_ID, SECRET, TOKEN)
QUICK: dict[str, Any] = {
    "model": "demo",
    "max_retries": 1,
    "retry_delay": 0,
    "timeout": Timeouts(connect=2, first_chunk=0.3, idle=0.3),
}


@pytest.fixture(scope="module")
def server() -> Iterator[DemoServer]:
    """Give a demo server that knows the key pair."""
    with DemoServer(pace=0, key_id=KEY_ID, secret=SECRET) as server:
        yield server


@pytest.fixture(autouse=True)
def planted_token(monkeypatch: pytest.MonkeyPatch, server: DemoServer) -> Iterator[None]:
    """Let the server issue the token that is looked for, and forget plays and tokens after."""
    exchange = TokenDesk.exchange

    def planted(desk: TokenDesk, body: Any) -> dict[str, Any]:
        answer = exchange(desk, body)
        desk._tokens[TOKEN] = desk._tokens[answer["access_token"]]
        return {**answer, "access_token": TOKEN}

    monkeypatch.setattr(TokenDesk, "exchange", planted)
    yield
    server.clear_plays()
    server.revoke_tokens()


def client_of(front: AnyColour, server: DemoServer, **options: Any) -> Any:
    """Return a client that holds all four secrets."""
    auth = KeyPair(KEY_ID, SECRET, token_url=server.token_url)
    settings = {
        "base_url": server.base_url,
        "auth": auth,
        "default_headers": {"X-Api-Key": KEY},
        "transport": front.transport,
    }
    return front.client(**{**settings, **QUICK, **options})


HEADERS = {"X-Echo": ECHO, "x-request-id": KEY, "Location": f"http://127.0.0.1:9/{ECHO}"}
PLAYS: dict[str, dict[str, Any]] = {
    "status": {"code": 400, "body": {"error": ERROR}, "headers": HEADERS},
    "status of text": {"code": 500, "body": ECHO, "headers": HEADERS},
    "status unauthorized": {"code": 401, "body": {"error": ERROR}, "headers": HEADERS},
    "status limited": {"code": 429, "message": ECHO, "retry_after": 0, "headers": HEADERS},
    "html": {"code": 502},
    "json_error": {"message": ECHO},
    "redirect": {"to": f"/elsewhere?key={ECHO}"},
}


@pytest.mark.parametrize("what", PLAYS)
def test_replies(front: AnyColour, provoke: Provoke, server: DemoServer, what: str) -> None:
    """No reply that stands for an answer shows a secret that it echoes."""
    client = client_of(front, server)
    for stream in (False, True):
        server.play(what.partition(" ")[0], times=2, path="/v1/chat/completions", **PLAYS[what])
        provoke(what, client, known=ALL, stream=stream)
        server.clear_plays()
    front.close(client)


FAULTS: list[tuple[str, dict[str, Any]]] = [
    ("cut", {"after": 0}),
    ("cut", {"after": 2}),
    ("cut", {"after": 2, "reset": False}),
    ("eof", {"after": 2}),
    ("stall", {"after": 0, "seconds": 30.0}),
    ("stall", {"after": 2, "seconds": 30.0}),
    ("empty", {}),
    *(("error_event", {"after": after, "form": form, "message": ECHO})
      for form in ERROR_EVENTS for after in (0, 2)),
]  # fmt: skip


@pytest.mark.parametrize(("fault", "options"), FAULTS, ids=[f"{a}-{b}"[:40] for a, b in FAULTS])
def test_streams(
    front: AnyColour,
    provoke: Provoke,
    server: DemoServer,
    fault: str,
    options: dict[str, Any],
) -> None:
    """No fault of a stream shows a secret."""
    client = client_of(front, server)
    server.play(fault, times=2, path="/v1/chat/completions", **options)
    provoke(f"{fault} {options}", client, known=ALL, stream=True)
    front.close(client)


def test_the_desk_refuses(front: AnyColour, provoke: Provoke, server: DemoServer) -> None:
    """A wrong pair, and a desk that echoes what it was sent, show nothing."""
    client = client_of(front, server)
    for body in ({"error": ERROR}, ECHO):
        server.play("status", times=2, path="/api/v1/auth/token", code=403, body=body)
        provoke("the desk", client, known=[KEY_ID, SECRET])
        server.clear_plays()
    front.close(client)
    with DemoServer(pace=0, key_id="other", secret="other") as foreign:
        client = client_of(front, foreign)
        provoke("a wrong pair", client, known=ALL)
        front.close(client)


def test_nobody_listens(front: AnyColour, provoke: Provoke) -> None:
    """A refused connection shows no key, nor does a name that cannot be found."""
    for base in ("http://127.0.0.1:9/v1", "http://no-such-name.invalid/v1", "https://127.0.0.1:9"):
        options = {**QUICK, "default_query": {"key": KEY}, "transport": front.transport}
        client = front.client(base_url=base, api_key=KEY, **options)
        for stream in (False, True):
            provoke(base, client, known=[KEY], stream=stream)
        front.close(client)


SHOWN = ECHO.encode()
RAW: dict[str, Callable[[], tuple[bytes, ...]]] = {
    "no HTTP": lambda: (SHOWN + b"\r\n\r\n",),
    "a bad status": lambda: (b"HTTP/1.1 %b\r\n\r\n" % SHOWN,),
    "a bad field": lambda: (OK + SHOWN + b"\r\n\r\n",),
    "a reason": lambda: (sized(SHOWN, b"500 " + SHOWN, b"X: " + SHOWN + b"\r\n"),),
    "a bad length": lambda: (OK + b"Content-Length: " + SHOWN + b"\r\n\r\n" + SHOWN,),
    "a bad coding": lambda: (OK + b"Transfer-Encoding: " + SHOWN + b"\r\n\r\n" + SHOWN,),
    "a bad chunk": lambda: (CHUNKED + SHOWN + b"\r\n",),
    "a cut chunk": lambda: (CHUNKED + chunk(b"data: " + SHOWN)[:-9],),
    "a cut body": lambda: (OK + b"Content-Length: 99999\r\n\r\n{" + SHOWN,),
    "a cut head": lambda: (OK + b"X: " + SHOWN,),
    "nothing": lambda: (),
    "switching": lambda: (b"HTTP/1.1 101 Go\r\nUpgrade: " + SHOWN + b"\r\n\r\n" + SHOWN,),
    "a large head": lambda: (OK + (b"X: " + SHOWN + b"\r\n") * 90 + b"\r\n",),
}


@pytest.mark.parametrize("what", RAW)
def test_bad_http(front: AnyColour, provoke: Provoke, what: str) -> None:
    """What is no HTTP, or broken HTTP, shows no key where a library quotes it."""
    for stream in (False, True):
        with RawServer(once(*RAW[what]())) as raw:
            base = raw.url.removesuffix("/chat/completions")
            client = front.client(base_url=base, api_key=KEY, transport=front.transport, **QUICK)
            error = provoke(what, client, known=[KEY], stream=stream)
            front.close(client)
        assert isinstance(error, APIError)


@pytest.mark.xfail(
    strict=True,
    reason="with_httpx: httpcore logs the head of every reply at DEBUG, unmasked: its loggers "
    "httpcore.http11 and httpcore.proxy get what a server echoes, and cookies",
)
@pytest.mark.parametrize("front", [front for front in FRONTS if front[1] == "httpx"], indirect=True)
def test_what_httpcore_logs_of_heads(
    front: AnyColour, caplog: pytest.LogCaptureFixture, server: DemoServer
) -> None:
    """The log of the library beneath httpx shows no key that a server echoes in a header."""
    server.play("status", code=400, message="no", headers={"X-Echo": KEY})
    client = client_of(front, server)
    with caplog.at_level("DEBUG", "httpcore"), pytest.raises(APIError):
        front.create(client)
    front.close(client)
    assert KEY not in caplog.text
