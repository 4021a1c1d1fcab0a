"""TLS that does not come about: the same error, word for word, from every transport."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from typing import Any

import attrs
import pytest

from evoclient.errors.tree import APIConnectionError
from evoclient.ground import ConfigurationError
from evoclient.testing.raw_server import Peer, Play, RawServer, replies, sized
from evoclient.transports.failures import chain_of

from .callers import Kind, over_http
from .certificates import Certificates, Wrap

HI = sized(b"hi")
ANSWERS = replies(HI)

NOT_VERIFIED = (
    "The certificate of {place} could not be verified ({reason}). If a company's own CA signs it, "
    "name its file: verify='…', or REQUESTS_CA_BUNDLE or SSL_CERT_FILE in the environment."
)
NO_CERTIFICATE = (
    "{place} wants a client certificate that it trusts ({reason}). Name the one it has given you: "
    "cert='…', a file with certificate and key, or one for each."
)
NO_TLS = (
    "No TLS connection to {place} ({reason}). Look whether the URL should begin with http:// and "
    "whether a proxy is in the way."
)
CLOSED = "The connection to {place} was closed before an answer came; try again."


@attrs.frozen(kw_only=True)
class Failure:
    """A handshake that fails.

    Attributes:
        says: The message; `{place}` and `{reason}` are filled in.
        reason: What stands for `{reason}`.
        retryable: Whether it may pass.
        wrap: How the server's end speaks TLS; None: not at all.
        play: What the server does then.
        options: Those of the transport, beside the right CA.
        beneath: What some exception in the chain must be.
    """

    says: str
    reason: str = ""
    retryable: bool = False
    wrap: Callable[[Certificates], Wrap] | None = None
    play: Play = ANSWERS
    options: Callable[[Certificates], dict[str, Any]] = lambda _: {}
    beneath: type[BaseException] = ssl.SSLError


def hangs_up(peer: Peer) -> None:
    """Hang up on the client's first words."""
    peer.sock.recv(65536)


def resets(peer: Peer) -> None:
    """Reset the connection on the client's first words."""
    peer.sock.recv(65536)
    peer.reset()


def answers_plainly(peer: Peer) -> None:
    """Answer without TLS, as a web server does to what is no request."""
    peer.sock.recv(65536)
    peer.send(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")


def wants_another_version(peer: Peer) -> None:
    """Send the alert of a server that speaks older versions only."""
    peer.sock.recv(65536)
    peer.send(b"\x15\x03\x03\x00\x02\x02\x46")
    peer.until_closed()


def refused(options: Callable[[Certificates], dict[str, Any]], chain: str) -> Failure:
    """Return the failure of a client that is asked for its certificate."""
    return Failure(
        says=NO_CERTIFICATE,
        reason=chain,
        wrap=lambda made: made.tls(asks=True),
        options=options,
    )


def unverified(chain: str, reason: str) -> Failure:
    """Return the failure of a server that shows one of the certificates."""
    return Failure(
        says=NOT_VERIFIED,
        reason=reason,
        wrap=lambda made: made.tls(getattr(made, chain)),
        beneath=ssl.SSLCertVerificationError,
    )


FAILURES: dict[str, Failure] = {
    "another host": unverified(
        "other_host", "IP address mismatch, certificate is not valid for '127.0.0.1'"
    ),
    "expired": unverified("expired", "certificate has expired"),
    "self-signed": unverified("self_signed", "self-signed certificate"),
    "another CA": unverified("foreign", "unable to get local issuer certificate"),
    "no client certificate": refused(lambda _: {}, "TLSV13_ALERT_CERTIFICATE_REQUIRED"),
    "a client certificate of another CA": refused(
        lambda made: {"cert": made.foreign}, "TLSV1_ALERT_UNKNOWN_CA"
    ),
    "an expired client certificate": refused(
        lambda made: {"cert": made.expired}, "SSLV3_ALERT_CERTIFICATE_EXPIRED"
    ),
    "no TLS at all": Failure(
        says=NO_TLS, reason="WRONG_VERSION_NUMBER", retryable=True, play=answers_plainly
    ),
    "another version": Failure(
        says=NO_TLS,
        reason="TLSV1_ALERT_PROTOCOL_VERSION",
        retryable=True,
        play=wants_another_version,
    ),
    "hangs up": Failure(says=CLOSED, retryable=True, play=hangs_up, beneath=OSError),
    "resets": Failure(says=CLOSED, retryable=True, play=resets, beneath=ConnectionResetError),
}


@pytest.mark.loopback
@pytest.mark.parametrize("what", FAILURES)
def test_a_handshake_that_fails(kind: Kind, certificates: Certificates, what: str) -> None:
    """Class, message, cause and whether to try again are those of the table, whoever met it."""
    failure = FAILURES[what]
    wrap = failure.wrap and failure.wrap(certificates)
    with RawServer(failure.play, wrap=wrap) as server:
        caller = over_http(kind, verify=certificates.ca, **failure.options(certificates))
        with pytest.raises(APIConnectionError) as caught:
            caller.send(server.url.replace("http:", "https:"))
        caller.close()
        place = f"127.0.0.1:{server.port}"
        assert server.requests == []
        assert len(server.peers) == 1
    error = caught.value
    assert type(error) is APIConnectionError
    assert error.message == failure.says.format(place=place, reason=failure.reason)
    assert error.retryable is failure.retryable
    cause = error.__cause__
    assert cause is not None
    assert cause.__traceback__ is None
    assert any(isinstance(link, failure.beneath) for link in chain_of(cause))


@pytest.mark.loopback
def test_http_to_a_tls_port_that_hangs_up(kind: Kind, certificates: Certificates) -> None:
    """A TLS server that hears no TLS hangs up, which may pass; it sees no request."""
    with RawServer(ANSWERS, wrap=certificates.tls()) as server:
        caller = over_http(kind)
        with pytest.raises(APIConnectionError) as caught:
            caller.send(server.url.replace("https:", "http:"))
        caller.close()
        assert caught.value.message == CLOSED.format(place=f"127.0.0.1:{server.port}")
        assert caught.value.retryable
        assert server.requests == []


@pytest.mark.loopback
def test_http_to_a_tls_port_that_sends_an_alert(kind: Kind) -> None:
    """The alert of a TLS server is no HTTP, which is said and not worth another try."""

    def play(peer: Peer) -> None:
        peer.read_request()
        peer.send(b"\x15\x03\x01\x00\x02\x02\x46")

    with RawServer(play) as server:
        caller = over_http(kind)
        with pytest.raises(APIConnectionError) as caught:
            caller.send(server.url)
        caller.close()
    assert "is not acceptable HTTP" in caught.value.message
    assert not caught.value.retryable


#: Options and variables that name a file which is none of its kind, and how they are named.
UNUSABLE: dict[str, Callable[[Certificates], tuple[dict[str, Any], dict[str, str], str]]] = {
    "the key of another": lambda made: (
        {"cert": (made.client_in_two[0], made.foreign)},
        {},
        "cert",
    ),
    "no key": lambda made: ({"cert": made.client_in_two[0]}, {}, "cert"),
    "no certificate": lambda made: ({"cert": made.client_in_two[1]}, {}, "cert"),
    "an encrypted key": lambda made: ({"cert": made.encrypted}, {}, "cert"),
    "no CA": lambda made: ({"verify": made.client_in_two[1]}, {}, "verify"),
    "no CA in a variable": lambda made: (
        {"verify": True},
        {"SSL_CERT_FILE": made.client_in_two[1]},
        "SSL_CERT_FILE",
    ),
    "a variable that leads nowhere": lambda _: (
        {"verify": True},
        {"REQUESTS_CA_BUNDLE": "/nowhere/ca.pem"},
        "REQUESTS_CA_BUNDLE",
    ),
}


@pytest.mark.loopback
@pytest.mark.parametrize("what", UNUSABLE)
def test_files_that_cannot_be_used(
    kind: Kind,
    certificates: Certificates,
    monkeypatch: pytest.MonkeyPatch,
    what: str,
) -> None:
    """A file that is not what it should be is a mistake of the caller's, and nothing is sent."""
    options, variables, argument = UNUSABLE[what](certificates)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    with RawServer(ANSWERS, wrap=certificates.tls(asks=True)) as server:
        caller = over_http(kind, **{"verify": certificates.ca, **options})
        try:
            with pytest.raises(ConfigurationError, match=argument) as caught:
                caller.send(server.url)
        finally:
            caller.close()
        assert caught.value.argument == argument
        assert server.peers == []


@pytest.mark.loopback
def test_no_check_means_no_check(kind: Kind, certificates: Certificates) -> None:
    """With `verify=False` even an expired certificate that nobody signed is accepted, silently."""
    for chain in (certificates.expired, certificates.other_host, certificates.self_signed):
        with RawServer(ANSWERS, wrap=certificates.tls(chain)) as server:
            caller = over_http(kind, verify=False)
            assert caller.send(server.url).read_all() == b"hi"
            caller.close()


@pytest.mark.loopback
def test_one_transport_is_no_laxer_for_another(kind: Kind, certificates: Certificates) -> None:
    """A transport that checks nothing leaves those beside it as strict as they were."""
    wrap = certificates.tls(certificates.self_signed)
    with RawServer(ANSWERS, wrap=wrap) as server:
        for verify, is_good in ((False, True), (certificates.ca, False), (True, False)):
            caller = over_http(kind, verify=verify)
            if is_good:
                assert caller.send(server.url).read_all() == b"hi"
            else:
                with pytest.raises(APIConnectionError, match="could not be verified"):
                    caller.send(server.url)
            caller.close()
        assert len(server.requests) == 1
