"""TLS over real sockets: whom to trust, whom to be, how long to wait."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import certifi
import pytest

from evoclient.errors.tree import APIConnectionError, APITimeoutError
from evoclient.ground import ConfigurationError
from evoclient.testing.raw_server import CHUNKED, Peer, RawServer, chunk, replies, sized
from evoclient.transports.environment import tls_context
from evoclient.wire import Deadlines

from .callers import Caller, Kind, deadline, over_http
from .certificates import Certificates

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
def test_closing_frees_a_reader_of_tls(kind: Kind, certificates: Certificates) -> None:
    """A blocked reader of a secure connection is freed as one of a plain connection is."""

    def play(peer: Peer) -> None:
        peer.read_request()
        peer.send(CHUNKED, chunk(b"first"))
        peer.until_closed()

    with RawServer(play, wrap=certificates.tls()) as server:
        caller = over_http(kind, verify=certificates.ca)
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
        ("ours", {}, True),
        (False, {}, True),
        (True, {"SSL_CERT_FILE": "ours"}, True),
        (True, {"REQUESTS_CA_BUNDLE": "ours"}, True),
        (True, {"REQUESTS_CA_BUNDLE": "certifi", "SSL_CERT_FILE": "ours"}, False),
        ("certifi", {"REQUESTS_CA_BUNDLE": "ours", "SSL_CERT_FILE": "ours"}, False),
        (False, {"REQUESTS_CA_BUNDLE": "certifi", "SSL_CERT_FILE": "certifi"}, True),
        ("folder", {}, True),
        ("folder", {"REQUESTS_CA_BUNDLE": "certifi"}, True),
        (True, {"REQUESTS_CA_BUNDLE": "folder"}, True),
        # Variables that requests and OpenSSL know of, and that nobody has promised.
        (True, {"CURL_CA_BUNDLE": "ours", "SSL_CERT_DIR": "folder"}, False),
        ("certifi", {"CURL_CA_BUNDLE": "ours", "SSL_CERT_DIR": "folder"}, False),
    ],
)
def test_which_certificates_are_trusted(
    kind: Kind,
    certificates: Certificates,
    monkeypatch: pytest.MonkeyPatch,
    verify: bool | str,
    variables: dict[str, str],
    good: bool,
) -> None:
    """What is explicit wins, then REQUESTS_CA_BUNDLE, then SSL_CERT_FILE, then certifi's file."""
    files = {
        "ours": certificates.ca,
        "certifi": certifi.where(),
        "folder": certificates.ca_folder,
    }
    for name, value in variables.items():
        monkeypatch.setenv(name, files[value])
    with RawServer(replies(HI), wrap=certificates.tls()) as server:
        caller = over_http(kind, verify=files[verify] if isinstance(verify, str) else verify)
        if good:
            assert caller.send(server.url).read_all() == b"hi"
        else:
            with pytest.raises(APIConnectionError, match="could not be verified") as caught:
                caller.send(server.url)
            assert not caught.value.retryable
        caller.close()


@pytest.mark.loopback
@pytest.mark.parametrize(
    ("chain", "reason"),
    [
        ("other_host", "not valid for '127.0.0.1'"),
        ("expired", "expired"),
        ("self_signed", "self-signed"),
    ],
)
def test_bad_certificates_are_refused(
    kind: Kind, certificates: Certificates, chain: str, reason: str
) -> None:
    """The error says what is wrong with the certificate, of which place, and what can be done."""
    wrap = certificates.tls(getattr(certificates, chain))
    with RawServer(replies(HI), wrap=wrap) as server:
        caller = over_http(kind, verify=certificates.ca)
        with pytest.raises(APIConnectionError, match=reason) as caught:
            caller.send(server.url)
        caller.close()
        assert f"127.0.0.1:{server.port}" in caught.value.message
        assert "verify='…'" in caught.value.message
        assert not caught.value.retryable
        assert server.requests == []


@pytest.mark.loopback
@pytest.mark.parametrize("cert", ["client", "client_in_two"])
def test_a_client_certificate_is_shown(kind: Kind, certificates: Certificates, cert: str) -> None:
    """A server that demands a certificate gets the one in `cert`."""
    with RawServer(replies(HI), wrap=certificates.tls(asks=True)) as server:
        caller = over_http(kind, verify=certificates.ca, cert=getattr(certificates, cert))
        assert caller.send(server.url).read_all() == b"hi"
        caller.close()


@pytest.mark.loopback
def test_a_client_without_a_certificate_is_turned_away(
    kind: Kind, certificates: Certificates
) -> None:
    """A server that demands one and gets none ends the connection, which is an error of ours."""
    with RawServer(replies(HI), wrap=certificates.tls(asks=True)) as server:
        caller = over_http(kind, verify=certificates.ca)
        with pytest.raises(APIConnectionError):
            caller.send(server.url)
        caller.close()
        assert server.requests == []


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
        ({"cert": (__file__, "/nowhere/key.pem")}, "cert"),
    ],
)
def test_files_that_are_not_there_are_refused_at_once(
    kind: Kind, options: dict[str, Any], argument: str
) -> None:
    """A wrong path fails when the transport is made, and the error names the argument."""
    with pytest.raises(ConfigurationError, match=argument) as caught:
        over_http(kind, **options)
    assert caught.value.argument == argument


def test_files_that_are_something_else_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, certificates: Certificates
) -> None:
    """A CA file or client certificate that cannot be read is named, with its argument."""
    wrong = tmp_path / "wrong.pem"
    wrong.write_text("no certificate")
    for verify, cert, argument in (
        (str(wrong), None, "verify"),
        (certificates.ca, str(wrong), "cert"),
    ):
        with pytest.raises(ConfigurationError) as caught:
            tls_context(verify, cert)
        assert caught.value.argument == argument
    with pytest.raises(ConfigurationError, match="unencrypted"):
        tls_context(certificates.ca, certificates.encrypted)
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "missing.pem"))
    with pytest.raises(ConfigurationError) as caught:
        tls_context(True, None)
    assert caught.value.argument == "SSL_CERT_FILE"


def test_one_context_serves_the_process(certificates: Certificates) -> None:
    """The same choice gives the same context, since each costs time and memory."""
    assert tls_context(True, None) is tls_context(True, None)
    assert tls_context(certificates.ca, None) is not tls_context(True, None)
    assert tls_context(str(certificates.folder), None) is not tls_context(certificates.ca, None)
