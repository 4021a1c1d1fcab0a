"""TLS through the clients: what is tried again, and for whom the settings hold."""

from __future__ import annotations

import json
import socket
from typing import Any

import pytest

from evoclient.auth.key_pair import KeyPair
from evoclient.errors.tree import APIConnectionError
from evoclient.ground import ConfigurationError
from evoclient.testing.raw_server import RawServer, replies, sized
from tests.fronts import AnyColour
from tests.transports.certificates import Certificates, Wrap

pytestmark = pytest.mark.loopback

CHOICE = {"index": 0, "message": {"role": "assistant", "content": "Hi"}, "finish_reason": "stop"}
ANSWERS = replies(sized(json.dumps({"id": "c1", "model": "m", "choices": [CHOICE]}).encode()))


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    """Make certificates, once."""
    return Certificates(tmp_path_factory.mktemp("certificates"))


def client_of(front: AnyColour, server: RawServer, **options: Any) -> Any:
    """Return a client of a server with one transport."""
    base = server.url.removesuffix("/chat/completions")
    own = {"api_key": "demo-key", "model": "m", "retry_delay": 0, "max_retries": 2}
    return front.client(base_url=base, transport=front.transport, **{**own, **options})


def lost_at_first(wrap: Wrap) -> Wrap:
    """Return what hangs up in the first handshake and is at service in all further ones."""
    seen: list[socket.socket] = []

    def shake(sock: socket.socket) -> socket.socket:
        seen.append(sock)
        if len(seen) == 1:
            sock.recv(65536)
            raise ConnectionAbortedError
        return wrap(sock)

    return shake


@pytest.mark.parametrize("chain", ["other_host", "expired", "self_signed", "foreign"])
def test_a_bad_certificate_is_not_tried_again(
    front: AnyColour, certificates: Certificates, chain: str
) -> None:
    """It will not be better in a second: one connection for a call, and no request."""
    with RawServer(ANSWERS, wrap=certificates.tls(getattr(certificates, chain))) as server:
        client = client_of(front, server, verify=certificates.ca)
        for ask in (front.create, front.stream):
            with pytest.raises(APIConnectionError, match="could not be verified") as caught:
                ask(client)
            assert caught.value.attempts == ()
            assert caught.value.provider == "generic"
        front.close(client)
        assert (len(server.peers), server.requests) == (2, [])


def test_a_client_that_is_not_trusted_does_not_insist(
    front: AnyColour, certificates: Certificates
) -> None:
    """A server that wants another client certificate is asked once, and the error says which."""
    with RawServer(ANSWERS, wrap=certificates.tls(asks=True)) as server:
        client = client_of(front, server, verify=certificates.ca, cert=certificates.foreign)
        with pytest.raises(APIConnectionError, match="cert='…'"):
            front.create(client)
        front.close(client)
        assert (len(server.peers), server.requests) == (1, [])
        client = client_of(front, server, verify=certificates.ca, cert=certificates.client)
        assert front.create(client).text == "Hi"
        front.close(client)


def test_a_handshake_that_broke_off_is_tried_again(
    front: AnyColour, certificates: Certificates
) -> None:
    """A server that hangs up in the handshake may be there a moment later."""
    with RawServer(ANSWERS, wrap=lost_at_first(certificates.tls())) as server:
        client = client_of(front, server, verify=certificates.ca)
        assert front.create(client).text == "Hi"
        front.close(client)
        assert (len(server.peers), len(server.requests)) == (2, 1)


def test_the_token_endpoint_is_checked_too(front: AnyColour, certificates: Certificates) -> None:
    """A token endpoint with a bad certificate gets no secret, and the API no request."""
    with (
        RawServer(ANSWERS, wrap=certificates.tls()) as server,
        RawServer(ANSWERS, wrap=certificates.tls(certificates.foreign)) as desk,
    ):
        pair = KeyPair("planted-id", "planted-secret", token_url=desk.url)
        client = client_of(front, server, api_key=None, auth=pair, verify=certificates.ca)
        with pytest.raises(APIConnectionError, match="could not be verified") as caught:
            front.create(client)
        front.close(client)
        assert f"127.0.0.1:{desk.port}" in caught.value.message
        assert (len(desk.peers), desk.requests, server.peers) == (1, [], [])


def test_settings_hold_for_copies(front: AnyColour, certificates: Certificates) -> None:
    """What `with_options` gives trusts whom its client trusts."""
    with RawServer(ANSWERS, wrap=certificates.tls()) as server:
        trusting = client_of(front, server, verify=certificates.ca)
        assert front.create(trusting.with_options(model="other")).text == "Hi"
        front.close(trusting)
        wary = client_of(front, server)
        with pytest.raises(APIConnectionError, match="could not be verified"):
            front.create(wary.with_options(max_retries=0))
        front.close(wary)


def test_a_wrong_path_fails_before_anything_is_sent(front: AnyColour) -> None:
    """A CA file that is not there is a mistake of the caller's, named by its argument."""
    with RawServer(ANSWERS) as server:
        client = client_of(front, server, verify="/nowhere/ca.pem")
        with pytest.raises(ConfigurationError, match=r"/nowhere/ca\.pem") as caught:
            front.create(client)
        front.close(client)
        assert caught.value.argument == "verify"
        assert server.peers == []
