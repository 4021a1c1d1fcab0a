"""A certificate for 127.0.0.1 that is its own CA, made for these tests alone, and TLS with it."""

from __future__ import annotations

import socket
import ssl
from pathlib import Path

FOLDER = Path(__file__).parent
CA = str(FOLDER / "ca.pem")
#: The certificate with its key.
SERVER = str(FOLDER / "server.pem")
#: The same with a key that has a password.
ENCRYPTED = str(FOLDER / "encrypted.pem")


def tls(sock: socket.socket) -> socket.socket:
    """Speak TLS on the server's end."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(SERVER)
    return context.wrap_socket(sock, server_side=True)


def tls_that_asks(sock: socket.socket) -> socket.socket:
    """Speak TLS and demand the client's certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(SERVER)
    context.load_verify_locations(CA)
    context.verify_mode = ssl.CERT_REQUIRED
    return context.wrap_socket(sock, server_side=True)
