"""A proxy's end of a tunnel."""

from __future__ import annotations

import select
import socket
import ssl

from evoclient.testing.raw_server import Peer


def tunnel(peer: Peer) -> None:
    """Answer CONNECT and carry bytes both ways until one side ends."""
    request = peer.read_request()
    target = request.split(b" ")[1].decode()
    host, _, port = target.rpartition(":")
    with socket.create_connection((host, int(port))) as other:
        peer.send(b"HTTP/1.1 200 Connection established\r\n\r\n")
        _carry(peer.sock, other)
    peer.closed.set()


def _carry(one: socket.socket, other: socket.socket) -> None:
    """Carry bytes between two sockets."""
    partner = {one: other, other: one}
    while True:
        ready, _, _ = select.select(list(partner), [], [], 10)
        if not ready:
            return
        for sock in ready:
            if not _pass_on(sock, partner[sock]):
                return


def _pass_on(source: socket.socket, target: socket.socket) -> bool:
    """Pass on what has arrived, what TLS has decoded already included."""
    while True:
        data = source.recv(65536)
        if not data:
            return False
        target.sendall(data)
        if not (isinstance(source, ssl.SSLSocket) and source.pending()):
            return True
