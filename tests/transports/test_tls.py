"""TLS over real sockets: whom to trust, whom to be, how long to wait."""

from __future__ import annotations

import threading
from pathlib import Path

import certifi
import pytest

from evoclient.errors.tree import APIConnectionError, APITimeoutError
from evoclient.ground import ConfigurationError
from evoclient.transports.environment import tls_context
from evoclient.wire import Deadlines

from .callers import Caller, Colour, deadline, over_http
from .certificates import CA, ENCRYPTED, FOLDER, SERVER, tls, tls_that_asks
from .raw_server import CHUNKED, Peer, RawServer, chunk, replies, sized

HI = sized(b"hi")


@pytest.mark.loopback
def test_a_handshake_that_stalls_runs_into_the_connect_limit(caller: Caller) -> None:
    """TLS is part of the connecting."""

    def play(peer: Peer) -> None:
        peer.until_closed()

    with RawServer(play) as server:
        limits = Deadlines(connect=deadline(0.15, "connect"), total=deadline(10))
        with pytest.raises(APITimeoutError) as caught:
            caller.send(server.url.replace("http:", "https:"), limits)
        assert caught.value.limit == "connect"


@pytest.mark.loopback
def test_closing_frees_a_reader_of_tls(colour: Colour) -> None:
    """A blocked reader of a secure connection is freed as one of a plain connection is."""

    def play(peer: Peer) -> None:
        peer.read_request()
        peer.send(CHUNKED, chunk(b"first"))
        peer.until_closed()

    with RawServer(play, wrap=tls) as server:
        caller = over_http(colour, verify=CA)
        answer = caller.send(server.url)
        assert answer.read() == b"first"
        reader = threading.Thread(target=answer.read)
        reader.start()
        reader.join(0.05)
        answer.close()
        reader.join(2)
        assert not reader.is_alive()
        assert server.peers[0].closed.wait(1)
        caller.close()


@pytest.mark.loopback
@pytest.mark.parametrize(
    ("verify", "variables", "good"),
    [
        (True, {}, False),
        (CA, {}, True),
        (False, {}, True),
        (True, {"SSL_CERT_FILE": CA}, True),
        (True, {"REQUESTS_CA_BUNDLE": CA}, True),
        (True, {"REQUESTS_CA_BUNDLE": "certifi", "SSL_CERT_FILE": CA}, False),
        ("certifi", {"REQUESTS_CA_BUNDLE": CA, "SSL_CERT_FILE": CA}, False),
    ],
)
def test_which_certificates_are_trusted(
    colour: Colour,
    monkeypatch: pytest.MonkeyPatch,
    verify: bool | str,
    variables: dict[str, str],
    good: bool,
) -> None:
    """An explicit file wins, then REQUESTS_CA_BUNDLE, then SSL_CERT_FILE, then certifi's."""
    for name, value in variables.items():
        monkeypatch.setenv(name, certifi.where() if value == "certifi" else value)
    with RawServer(replies(HI), wrap=tls) as server:
        caller = over_http(colour, verify=certifi.where() if verify == "certifi" else verify)
        if good:
            assert caller.send(server.url).read_all() == b"hi"
        else:
            with pytest.raises(APIConnectionError, match="could not be verified") as caught:
                caller.send(server.url)
            assert not caught.value.retryable
        caller.close()


@pytest.mark.loopback
def test_a_client_certificate_is_shown(colour: Colour) -> None:
    """A server that demands a certificate gets the one in `cert`."""
    with RawServer(replies(HI), wrap=tls_that_asks) as server:
        caller = over_http(colour, verify=CA, cert=SERVER)
        assert caller.send(server.url).read_all() == b"hi"
        caller.close()


@pytest.mark.loopback
def test_plain_http_on_a_tls_port_is_said_so(caller: Caller) -> None:
    """A URL with the wrong scheme leads to an error that names the scheme."""

    def play(peer: Peer) -> None:
        peer.sock.recv(100)
        peer.send(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    with (
        RawServer(play) as server,
        pytest.raises(APIConnectionError, match="http://"),
    ):
        caller.send(server.url.replace("http:", "https:"))


@pytest.mark.parametrize(
    ("options", "argument"),
    [
        ({"verify": "/nowhere/ca.pem"}, "verify"),
        ({"cert": "/nowhere/client.pem"}, "cert"),
        ({"cert": (SERVER, "/nowhere/key.pem")}, "cert"),
    ],
)
def test_files_that_are_not_there_are_refused_at_once(
    colour: Colour, options: dict[str, str], argument: str
) -> None:
    """A wrong path fails when the transport is made, and the error names the argument."""
    with pytest.raises(ConfigurationError, match=argument) as caught:
        over_http(colour, **options)
    assert caught.value.argument == argument


def test_files_that_are_something_else_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A CA file or client certificate that cannot be read is named, with its argument."""
    wrong = tmp_path / "wrong.pem"
    wrong.write_text("no certificate")
    for verify, cert, argument in ((str(wrong), None, "verify"), (CA, str(wrong), "cert")):
        with pytest.raises(ConfigurationError) as caught:
            tls_context(verify, cert)
        assert caught.value.argument == argument
    with pytest.raises(ConfigurationError, match="unencrypted"):
        tls_context(CA, ENCRYPTED)
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "missing.pem"))
    with pytest.raises(ConfigurationError) as caught:
        tls_context(True, None)
    assert caught.value.argument == "SSL_CERT_FILE"


def test_one_context_serves_the_process() -> None:
    """The same choice gives the same context, since each costs time and memory."""
    assert tls_context(True, None) is tls_context(True, None)
    assert tls_context(CA, None) is not tls_context(True, None)
    assert tls_context(str(FOLDER), None) is not tls_context(CA, None)
