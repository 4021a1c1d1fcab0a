"""Every failure that a script can cause, through both clients, with planted secrets."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from evoclient.auth.key_pair import KeyPair
from evoclient.errors.tree import APIConnectionError, APIError, APITimeoutError
from evoclient.ground import ConfigurationError
from evoclient.transports.memory import MemoryReply
from evoclient.wire import Request, Timeouts

from .conftest import AnyColour, Provoke
from .scripts import BROKEN_STREAMS, ERROR, REFUSALS, WHOLE, refusal
from .search import ECHO, KEY, KEY_ID, SECRET, TOKEN

TOKEN_URL = "https://iam.test/token"
QUICK: dict[str, Any] = {
    "base_url": "https://api.test/v1",
    "model": "m",
    "max_retries": 1,
    "retry_delay": 0,
    "timeout": Timeouts(idle=0.05),
    "max_event_bytes": 20_000,
}


def with_key(colour: AnyColour, reply: MemoryReply) -> Any:
    """Return a client with a key whose every request is answered in the same way."""
    return colour.client(transport=colour.memory(lambda _: reply), api_key=KEY, **QUICK)


def with_pair(
    colour: AnyColour, reply: MemoryReply, desk: MemoryReply | None = None, **options: Any
) -> Any:
    """Return a client whose key pair is exchanged, and then all is answered in the same way."""
    token = desk or MemoryReply.json({"access_token": TOKEN, "expires_in": ECHO})

    def answer(request: Request) -> MemoryReply:
        return token if request.url == TOKEN_URL else reply

    auth = KeyPair(KEY_ID, SECRET, token_url=TOKEN_URL)
    return colour.client(transport=colour.memory(answer), auth=auth, **{**QUICK, **options})


Way = tuple[Callable[[AnyColour, MemoryReply], Any], tuple[str, ...]]
#: How a client says who it is, and the secrets that it knows of.
WAYS: dict[str, Way] = {"key": (with_key, (KEY,)), "pair": (with_pair, (KEY_ID, SECRET, TOKEN))}


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest) -> Way:
    """Give one way to say who we are, then the other."""
    return WAYS[request.param]


def test_every_status(colour: AnyColour, provoke: Provoke, way: Way) -> None:
    """No error status, whole or before a stream, shows a secret that the server echoes."""
    for status in range(400, 600):
        error = provoke(
            f"status {status}",
            way[0](colour, refusal(status)),
            known=way[1],
            stream=status % 2 == 0,
        )
        assert isinstance(error, APIError)
        assert error.status_code == status


@pytest.mark.parametrize("what", REFUSALS)
def test_refusals(colour: AnyColour, provoke: Provoke, way: Way, what: str) -> None:
    """No body of an error status shows a secret, in whatever form it comes."""
    for stream in (False, True):
        provoke(what, way[0](colour, REFUSALS[what]), known=way[1], stream=stream)


@pytest.mark.parametrize("what", WHOLE)
def test_whole_answers(colour: AnyColour, provoke: Provoke, way: Way, what: str) -> None:
    """No answer under 200 that fails shows a secret."""
    provoke(what, way[0](colour, WHOLE[what]), known=way[1])


@pytest.mark.parametrize("what", BROKEN_STREAMS)
def test_broken_streams(colour: AnyColour, provoke: Provoke, way: Way, what: str) -> None:
    """No stream that fails shows a secret, nor does the answer so far in its error."""
    provoke(what, way[0](colour, BROKEN_STREAMS[what]), known=way[1], stream=True)


def test_accepted_and_strict_ends(colour: AnyColour, provoke: Provoke) -> None:
    """An end that is judged strictly shows no secret."""
    reply = MemoryReply.stream({"choices": [{"index": 0, "delta": {"content": ECHO}}]})
    client = with_key(colour, reply)
    stream = colour.stream(client, incomplete="strict")
    with pytest.raises(APIError) as caught:
        list(colour.chunks(stream))
    assert KEY not in caught.value.partial_text


@pytest.mark.parametrize(
    "error",
    [APIConnectionError(f"no {ECHO}"), APITimeoutError(ECHO, limit="first_chunk", seconds=1)],
    ids=["connection", "timeout"],
)
@pytest.mark.parametrize("after", [None, 0, 1])
def test_failures_of_the_transport(
    colour: AnyColour, provoke: Provoke, error: APIError, after: int | None
) -> None:
    """What a transport quotes of a server is masked, also in the exceptions behind it."""
    error.__cause__ = OSError(5, ECHO)
    error.__cause__.__context__ = UnicodeDecodeError("utf-8", ECHO.encode(), 0, 1, ECHO)
    reply = MemoryReply(error=error, error_after=after, pieces=[b"{", b"}"])
    for stream in (False, True):
        provoke(f"error after {after}", with_key(colour, reply), known=[KEY], stream=stream)


DESKS: dict[str, MemoryReply] = {
    **REFUSALS,
    "a status": refusal(401),
    "a token in an error": MemoryReply.json({"message": "no", "access_token": TOKEN}, status=500),
    "rubbish": WHOLE["no JSON"],
    "a cut": WHOLE["JSON that was cut"],
    "another encoding": WHOLE["another encoding"],
    "an encoding that is not so": WHOLE["an encoding that is not so"],
    "no token": MemoryReply.json({"error": ERROR}),
    "a list": MemoryReply.json([TOKEN, ECHO]),
    "a token that cannot be sent": MemoryReply.json({"access_token": f"{TOKEN}\n", "x": ECHO}),
    "a token with a line end": MemoryReply.json({"access_token": f"a\n{TOKEN}"}),
    "silence": MemoryReply(pieces=[ECHO.encode()], pauses=30.0),
    "no reply": MemoryReply(error=APIConnectionError(ECHO)),
}


@pytest.mark.parametrize("what", DESKS)
def test_token_endpoints(colour: AnyColour, provoke: Provoke, what: str) -> None:
    """A token endpoint that fails in whatever way, and shows all it knows, gives nothing away."""
    limits = {"timeout": Timeouts(total=0.2)} if what == "silence" else {}
    # A token in a text that is no JSON cannot be told from other words.
    known = [KEY_ID, SECRET, *([TOKEN] if what == "a token in an error" else [])]
    reply = refusal(401)
    for stream in (False, True):
        provoke(what, with_pair(colour, reply, DESKS[what], **limits), known=known, stream=stream)


def test_a_function_that_gives_the_key(colour: AnyColour, provoke: Provoke) -> None:
    """A key from a function shows in no traceback, whether it can be sent or not."""
    for key, failure in ((KEY, APIError), (f"{KEY}\n{KEY}", ConfigurationError)):
        transport = colour.memory(lambda _: refusal(503))
        client = colour.client(transport=transport, api_key=lambda key=key: key, **QUICK)
        for stream in (False, True):
            assert isinstance(provoke("a function", client, known=[KEY], stream=stream), failure)
    closed = colour.client(transport=colour.memory(), api_key=lambda: KEY, **QUICK)
    colour.close(closed)
    provoke("a closed client", closed, known=[KEY])


def test_a_credential_of_one_call(colour: AnyColour, provoke: Provoke) -> None:
    """A credential in a header of a single call is masked like the client's own."""
    client = colour.client(transport=colour.memory(lambda _: refusal(401)), **QUICK)
    for stream in (False, True):
        extra = {"X-Api-Key": KEY}
        provoke("an extra header", client, known=[KEY], stream=stream, extra_headers=extra)
