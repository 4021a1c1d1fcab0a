"""Certificates for these tests, made on the fly, and TLS on the server's end with them."""

from __future__ import annotations

import hashlib
import socket
import ssl
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path

import trustme
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509 import Name, NameAttribute, load_pem_x509_certificate

Wrap = Callable[[socket.socket], socket.socket]


class Certificates:
    """A CA, and what it signs, as files in a folder."""

    def __init__(self, folder: Path) -> None:
        """Make the CA."""
        self.folder = folder
        self._ca = trustme.CA()
        #: The file of the CA.
        self.ca = self._written("ca.pem", self._ca.cert_pem)

    def _written(self, name: str, *blobs: trustme.Blob) -> str:
        """Write PEM into a file and return its path."""
        path = self.folder / name
        path.write_bytes(b"".join(blob.bytes() for blob in blobs))
        return str(path)

    def _issued(self, name: str, host: str, not_after: datetime | None = None) -> str:
        """Write a certificate with its key."""
        leaf = self._ca.issue_cert(host, not_after=not_after)
        return self._written(name, leaf.private_key_and_cert_chain_pem)

    @cached_property
    def server(self) -> str:
        """A certificate for 127.0.0.1 with its key."""
        return self._issued("server.pem", "127.0.0.1")

    @cached_property
    def other_host(self) -> str:
        """A certificate for another host."""
        return self._issued("other.pem", "elsewhere.example")

    @cached_property
    def expired(self) -> str:
        """A certificate whose time is over."""
        yesterday = datetime.now(UTC) - timedelta(days=1)
        return self._issued("expired.pem", "127.0.0.1", yesterday)

    @cached_property
    def self_signed(self) -> str:
        """A certificate that nobody but itself has signed."""
        ca = trustme.CA()
        return self._written("self.pem", ca.private_key_pem, ca.cert_pem)

    @cached_property
    def foreign(self) -> str:
        """A certificate for 127.0.0.1 with its key that another CA has signed."""
        leaf = trustme.CA().issue_cert("127.0.0.1")
        return self._written("foreign.pem", leaf.private_key_and_cert_chain_pem)

    @cached_property
    def ca_folder(self) -> str:
        """A folder that holds the CA under the name by which OpenSSL looks for it."""
        folder = self.folder / "authorities"
        folder.mkdir()
        (folder / f"{_subject_hash(self._ca.cert_pem.bytes())}.0").write_bytes(
            self._ca.cert_pem.bytes()
        )
        return str(folder)

    @cached_property
    def client(self) -> str:
        """A certificate of a client with its key."""
        return self._issued("client.pem", "client.example")

    @cached_property
    def client_in_two(self) -> tuple[str, str]:
        """The same in two files."""
        leaf = self._ca.issue_cert("client.example")
        chain = self._written("client.crt", *leaf.cert_chain_pems)
        return chain, self._written("client.key", leaf.private_key_pem)

    @cached_property
    def encrypted(self) -> str:
        """A certificate whose key has a password."""
        leaf = self._ca.issue_cert("client.example")
        key = load_pem_private_key(leaf.private_key_pem.bytes(), None)
        hidden = key.private_bytes(
            Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"password")
        )
        return self._written("encrypted.pem", trustme.Blob(hidden), *leaf.cert_chain_pems)

    def tls(self, chain: str | None = None, *, asks: bool = False) -> Wrap:
        """Return what speaks TLS on the server's end.

        Args:
            chain: The server's certificate; None takes a good one.
            asks: Whether to demand the client's.
        """
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(chain or self.server)
        if asks:
            context.load_verify_locations(self.ca)
            context.verify_mode = ssl.CERT_REQUIRED
        return lambda sock: _shaken(context.wrap_socket(sock, True, False))


def _shaken(sock: ssl.SSLSocket) -> ssl.SSLSocket:
    """Shake hands. A client that is refused can read why: closing at once might reset its end."""
    try:
        sock.do_handshake()
    except ssl.SSLError:
        with socket.socket(fileno=sock.detach()) as plain:
            plain.shutdown(socket.SHUT_WR)
            plain.settimeout(10)
            while plain.recv(65536):
                pass
        raise
    return sock


def _subject_hash(pem: bytes) -> str:
    """Return what OpenSSL calls the hash of a certificate's subject: of its canonical form."""
    parts = b""
    for attribute in load_pem_x509_certificate(pem).subject:
        value = " ".join(str(attribute.value).lower().split())
        encoded = Name([NameAttribute(attribute.oid, value)]).public_bytes()
        parts += encoded[2:]  # without the head of the sequence around it
    digest = hashlib.sha1(parts, usedforsecurity=False).digest()
    return digest[3::-1].hex()
