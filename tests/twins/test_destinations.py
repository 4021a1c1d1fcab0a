"""Where credentials go over real sockets: to the server that was named, and to nobody else."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from evoclient.auth.key_pair import KeyPair
from evoclient.errors.tree import APIStatusError
from evoclient.testing.raw_server import Peer, Play, RawServer, replies, sized
from tests.fronts import AnyColour

pytestmark = pytest.mark.loopback

KEY = "planted-key-0123456789"
CHOICE = {"index": 0, "message": {"role": "assistant", "content": "Hi"}, "finish_reason": "stop"}
ANSWER = json.dumps({"id": "c1", "model": "m", "choices": [CHOICE]}).encode()
TOKEN = json.dumps({"access_token": "planted-token-0123", "expires_in": 3600}).encode()


@pytest.fixture
def target() -> Iterator[RawServer]:
    """Give a server that would answer whatever it is asked, and is to be asked nothing."""
    with RawServer(replies(sized(ANSWER))) as server:
        yield server


def client_of(front: AnyColour, server: RawServer, host: str = "127.0.0.1", **options: Any) -> Any:
    """Return a client of a server with one transport."""
    base = f"http://{host}:{server.port}/v1"
    own = {"base_url": base, "api_key": KEY, "model": "m", "retry_delay": 0}
    return front.client(transport=front.transport, **{**own, **options})


def sent_on(status: str, location: str | None) -> Play:
    """Answer every request with a redirect."""
    extra = b"" if location is None else f"Location: {location}\r\n".encode()
    return replies(sized(b"moved", status.encode(), extra))


STATUSES = [
    "300 Multiple Choices",
    "301 Moved Permanently",
    "302 Found",
    "303 See Other",
    "305 Use Proxy",
    "307 Temporary Redirect",
    "308 Permanent Redirect",
    "399 Something",
]


@pytest.mark.parametrize("status", STATUSES)
def test_no_redirect_is_followed(front: AnyColour, target: RawServer, status: str) -> None:
    """Each redirect, of an answer or a stream, is an error that names its target; none is asked."""
    place = f"http://127.0.0.1:{target.port}/v1/chat/completions"
    with RawServer(sent_on(status, place)) as server:
        client = client_of(front, server)
        for number, ask in enumerate((front.create, front.stream), 1):
            with pytest.raises(APIStatusError) as caught:
                ask(client)
            assert caught.value.status_code == int(status[:3])
            assert place in caught.value.message
            assert not caught.value.retryable
            assert len(server.requests) == number
        front.close(client)
        assert all(KEY.encode() in request for request in server.requests)
    assert target.peers == []


@pytest.mark.parametrize(
    "location",
    [
        None,
        "",
        "/elsewhere",
        "//127.0.0.1:{port}/v1",
        "http://ann:secret@127.0.0.1:{port}/v1",
        "http://localhost:{port}/v1",
        "https://127.0.0.1:{port}/v1",
        "http://[",
        "http://127.0.0.1:{port}@127.0.0.1:{port}/",
        "file:///etc/passwd",
        "http://127.0.0.1:99999/",
    ],
)
def test_targets_of_every_form(front: AnyColour, target: RawServer, location: str | None) -> None:
    """Whatever stands in Location, the error is ours, nothing is asked and no password is shown."""
    place = None if location is None else location.format(port=target.port)
    with RawServer(sent_on("307 Temporary Redirect", place)) as server:
        client = client_of(front, server)
        with pytest.raises(APIStatusError, match="redirect") as caught:
            front.create(client)
        front.close(client)
        assert len(server.requests) == 1
    assert "ann:secret" not in caught.value.message
    assert target.peers == []


@pytest.mark.parametrize("status", ["301 Moved Permanently", "303 See Other", "307 Temporary"])
def test_a_secret_goes_to_its_token_endpoint_alone(
    front: AnyColour, target: RawServer, status: str
) -> None:
    """A token endpoint that sends us on is an error; neither secret nor request goes anywhere."""
    place = f"http://127.0.0.1:{target.port}/token"
    with RawServer(sent_on(status, place)) as desk:
        pair = KeyPair("planted-id", "planted-secret", token_url=desk.url)
        client = client_of(front, target, api_key=None, auth=pair)
        with pytest.raises(APIStatusError) as caught:
            front.create(client)
        front.close(client)
        assert place in caught.value.message
        assert len(desk.requests) == 1
    assert target.peers == []


def test_secret_and_token_do_not_mix(front: AnyColour, target: RawServer) -> None:
    """The token endpoint never sees a token, and the API never the secret."""
    with RawServer(replies(sized(TOKEN))) as desk:
        pair = KeyPair("planted-id", "planted-secret", token_url=desk.url)
        client = client_of(front, target, api_key=None, auth=pair)
        assert front.create(client).text == "Hi"
        assert front.create(client).text == "Hi"
        front.close(client)
        assert len(desk.requests) == 1
        assert b"authorization" not in desk.requests[0].lower()
        assert b"planted-secret" in desk.requests[0]
    assert all(b"Bearer planted-token-0123" in request for request in target.requests)
    assert not any(b"planted-secret" in request for request in target.requests)


# A netrc file is looked for under the name of the host, and cookies of addresses are not kept
# anyway: so the server has a name here.
HOST = "localhost"


@pytest.mark.parametrize("by", ["HOME", "NETRC"])
@pytest.mark.parametrize("has_key", [True, False])
def test_no_netrc(
    front: AnyColour,
    target: RawServer,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    by: str,
    has_key: bool,
) -> None:
    """A netrc entry for the very host is neither put in the place of a key nor sent without one."""
    netrc = tmp_path / ".netrc"
    netrc.write_text(f"machine {HOST} login thief password stolen\n", "ascii")
    netrc.chmod(0o600)
    monkeypatch.setenv(by, str(tmp_path if by == "HOME" else netrc))
    options = {"api_key": KEY} if has_key else {"api_key": None, "auth": "none"}
    client = client_of(front, target, HOST, **options)
    assert front.create(client).text == "Hi"
    front.close(client)
    (request,) = target.requests
    lines = [line for line in request.lower().split(b"\r\n") if line.startswith(b"authorization")]
    assert lines == ([f"authorization: bearer {KEY}".encode()] if has_key else [])


def test_no_cookies(front: AnyColour) -> None:
    """What a server sets, at a success or an error, is in no later request, a copy's included."""
    cookie = b"Set-Cookie: session=stolen; Path=/\r\nSet-Cookie: other=one\r\n"

    def play(peer: Peer) -> None:
        while peer.read_request():
            status = b"500 No" if len(peer.server.requests) == 1 else b"200 OK"
            peer.send(sized(ANSWER, status, cookie))

    with RawServer(play) as server:
        client = client_of(front, server, HOST)
        for asked in (client, client, client.with_options(timeout=5)):
            assert front.create(asked).text == "Hi"
        front.close(client)
        assert len(server.requests) == 4
        assert not any(b"\r\ncookie" in request.lower() for request in server.requests)
