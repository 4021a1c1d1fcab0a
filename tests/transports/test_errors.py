"""What comes out of a transport when something goes wrong: our errors, with nothing secret."""

from __future__ import annotations

import copy
import pickle
import traceback
from collections.abc import Callable

import pytest

from evoclient.errors.tree import APIConnectionError
from evoclient.ground import EvoClientError
from evoclient.transports.base import caused
from evoclient.wire import Deadlines

from .callers import KEY, Caller, Colour, deadline, over_http
from .raw_server import CHUNKED, OK, Peer, RawServer, chunk, once

pytestmark = pytest.mark.loopback

SECRETS = (KEY, KEY.split()[1], "YW5uOnBhc3M=", "ann:pass")


def texts(error: BaseException) -> str:
    """Return all that a log, a debugger or a crash reporter would show of an error."""
    shown = traceback.TracebackException.from_exception(error, capture_locals=True)
    links, seen = [error], [error]
    while links:
        link = links.pop()
        more = [one for one in (link.__cause__, link.__context__) if one is not None]
        links += [one for one in more if one not in seen]
        seen += more
    return "".join([*shown.format(), *map(str, seen), *map(repr, seen)])


def silent(peer: Peer) -> None:
    """Take a request and say nothing."""
    peer.read_request()
    peer.until_closed()


PLAYS: dict[str, Callable[[Peer], None]] = {
    "hangs up": once(b""),
    "resets": Peer.reset,
    "is not HTTP": once(b"SSH-2.0\r\n"),
    "head too large": once(OK + b"X: " + b"y" * 70_000 + b"\r\n\r\n"),
    "many interim answers": once(b"HTTP/1.1 102 Wait\r\n\r\n" * 30),
    "bad length": once(OK + b"Content-Length: x\r\n\r\n"),
    "cut body": once(CHUNKED + chunk(b"hi")),
    "bad chunk": once(CHUNKED + b"zz\r\n"),
    "silent": silent,
}


@pytest.mark.parametrize("proxied", [False, True], ids=["direct", "proxied"])
@pytest.mark.parametrize("play", PLAYS.values(), ids=PLAYS.keys())
def test_errors_are_ours_and_show_no_secret(
    colour: Colour,
    play: Callable[[Peer], None],
    monkeypatch: pytest.MonkeyPatch,
    proxied: bool,
) -> None:
    """Whatever fails is an APIConnectionError whose text, frames and causes hold no key."""
    with RawServer(play) as server:
        url = server.url
        if proxied:
            monkeypatch.setenv("HTTP_PROXY", f"http://ann:pass@127.0.0.1:{server.port}")
            url = "http://nowhere.invalid/v1"
        caller = over_http(colour)
        limits = Deadlines(first_chunk=deadline(0.2, "first_chunk"))
        with pytest.raises(EvoClientError) as caught:
            caller.send(url, limits).read_all()
        caller.close()
    error = caught.value
    assert isinstance(error, APIConnectionError)
    assert url in error.message or "127.0.0.1:" in error.message or "nowhere" in error.message
    assert getattr(error.__cause__, "request", None) is None
    shown = texts(error)
    assert not any(secret in shown for secret in SECRETS)
    twin = pickle.loads(pickle.dumps(error))  # noqa: S301 (our own)
    assert str(twin) == str(copy.copy(error)) == str(error)


def test_nobody_listens(caller: Caller) -> None:
    """A refused connection is said to be one, with the place."""
    with RawServer(silent) as server:
        url = server.url
    with pytest.raises(APIConnectionError, match=r"127.0.0.1:\d+ refused") as caught:
        caller.send(url)
    assert caught.value.retryable
    assert isinstance(caught.value.__cause__, OSError)


@pytest.mark.parametrize("host", ["nowhere.invalid", "a" * 70 + ".invalid"])
def test_a_name_that_does_not_exist(caller: Caller, host: str) -> None:
    """A wrong host name is said to be wrong, also one that cannot be a name at all."""
    with pytest.raises(APIConnectionError, match="was not found"):
        caller.send(f"http://{host}/")


def test_the_traceback_of_a_cause_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    """The frames of a library hold headers, so they are kept only on request."""

    def failing() -> ValueError:
        try:
            try:
                raise KeyError("inner")
            except KeyError as inner:
                raise ValueError("outer") from inner
        except ValueError as outer:
            return outer

    links = caused(APIConnectionError("x"), failing()).__cause__
    assert links is not None
    assert links.__traceback__ is None
    assert links.__cause__ is not None
    assert links.__cause__.__traceback__ is None
    monkeypatch.setenv("EVOCLIENT_TRACE", "1")
    kept = caused(APIConnectionError("x"), failing()).__cause__
    assert kept is not None
    assert kept.__traceback__ is not None


def test_a_mistake_in_the_program_is_not_wrapped(caller: Caller) -> None:
    """What is not about the connection comes out as it is."""
    with RawServer(silent) as server, pytest.raises((TypeError, AttributeError)):
        caller.send(server.url, "no deadlines")  # type: ignore[arg-type]
