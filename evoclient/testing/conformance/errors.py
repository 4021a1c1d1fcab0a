"""Scenarios about errors: they are evoclient's, and hold nothing secret."""

from __future__ import annotations

import copy
import pickle
import traceback
from collections.abc import Callable
from typing import Any, Final

from ...errors.tree import APIConnectionError
from ...wire import Deadlines, Headers, Request
from ..raw_server import CHUNKED, OK, Peer, RawServer, chunk, once, replies, sized
from .base import Scenarios, raises
from .calls import KEY, deadline

__all__ = ["ErrorScenarios", "PLAYS", "check_error"]

_SECRETS: Final = (KEY, KEY.split()[1])


def _silent(peer: Peer) -> None:
    """Take a request and say nothing."""
    peer.read_request()
    peer.until_closed()


#: What a server may do wrong.
PLAYS: Final[dict[str, Callable[[Peer], None]]] = {
    "hangs up": once(b""),
    "resets": Peer.reset,
    "is not HTTP": once(b"SSH-2.0\r\n"),
    "head too large": once(OK + b"X: " + b"y" * 70_000 + b"\r\n\r\n"),
    "many interim answers": once(b"HTTP/1.1 102 Wait\r\n\r\n" * 30),
    "bad length": once(OK + b"Content-Length: x\r\n\r\n"),
    "cut body": once(CHUNKED + chunk(b"hi")),
    "bad chunk": once(CHUNKED + b"zz\r\n"),
    "silent": _silent,
}


def _texts(error: BaseException) -> str:
    """Return all that a log, a debugger or a crash reporter would show of an error."""
    shown = traceback.TracebackException.from_exception(error, capture_locals=True)
    links, seen = [error], [error]
    while links:
        link = links.pop()
        more = [one for one in (link.__cause__, link.__context__) if one is not None]
        links += [one for one in more if one not in seen]
        seen += more
    return "".join([*shown.format(), *map(str, seen), *map(repr, seen), *map(_held, seen)])


def _held(error: BaseException) -> str:
    """Return the attributes of an exception, two levels deep."""
    return "".join(
        f"{value!r} {getattr(value, '__dict__', '')!r}" for value in vars(error).values()
    )


def check_error(error: APIConnectionError, secrets: tuple[str, ...] = _SECRETS) -> None:
    """Check that an error shows no secret, and survives a pickle and a copy."""
    shown = _texts(error)
    assert not any(secret in shown for secret in secrets), "an error shows a secret"
    twin: Any = pickle.loads(pickle.dumps(error))  # noqa: S301 (our own)
    assert str(twin) == str(copy.copy(error)) == str(error)


class ErrorScenarios(Scenarios):
    """What comes out when something goes wrong."""

    def test_errors_are_evoclients_and_show_no_secret(self) -> None:
        """Whatever fails is an APIConnectionError whose text, frames and causes hold no key."""
        for what, play in PLAYS.items():
            with RawServer(play) as server:
                limits = Deadlines(first_chunk=deadline(0.2, "first_chunk"))
                with raises(APIConnectionError) as caught:
                    self.caller.send(server.url, limits).read_all()
                place = f"127.0.0.1:{server.port}"
            assert place in caught.value.message, what
            check_error(caught.value)

    def test_nobody_listens(self) -> None:
        """A refused connection is said to be one, with the place, and worth a retry."""
        with RawServer(_silent) as server:
            url = server.url
        with raises(APIConnectionError, r"127\.0\.0\.1:\d+ refused") as caught:
            self.caller.send(url)
        assert caught.value.retryable
        assert caught.value.__cause__ is not None

    def test_a_name_that_does_not_exist(self) -> None:
        """A wrong host name is said to be wrong, also one that cannot be a name at all."""
        for host in ("nowhere.invalid", "a" * 70 + ".invalid"):
            with raises(APIConnectionError, "was not found"):
                self.caller.send(f"http://{host}/")

    def test_a_mistake_in_the_program_is_not_wrapped(self) -> None:
        """What is not about the connection comes out as it is."""
        wrong: Any = "no deadlines"
        with RawServer(_silent) as server:
            try:
                self.caller.send(server.url, wrong)
            except (TypeError, AttributeError):
                return
        raise AssertionError("a mistake was not reported")

    def test_a_header_cannot_smuggle_another(self) -> None:
        """A line end in a name or a value is refused, and nothing of it is sent."""
        smuggled = (("X-One", "1\r\nX-Evil: 2"), ("X-One", "1\nX-Evil: 2"), ("X\r\nX-Evil", "2"))
        with RawServer(replies(sized(b"hi"))) as server:
            for pair in smuggled:
                request = Request("POST", server.url, Headers([pair]), b"{}")
                with raises(Exception):
                    self.caller.send(request)
            assert server.requests == []
            assert self.caller.send(server.url).read_all() == b"hi"
