"""Heads as the transport for threads writes and reads them."""

from __future__ import annotations

import io
import string
from http.client import parse_headers

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evoclient.testing.raw_server import OK, Peer, RawServer, sized
from evoclient.transports.framing import Malformed
from evoclient.transports.http_heads import parsed_head, request_head

from .callers import a_request, over_http

FIRST = b"HTTP/1.1 200 OK\r\n"

names = st.text(string.ascii_letters + string.digits + "-_", min_size=1, max_size=12)
values = st.text(string.ascii_letters + string.digits + " :;,=\t/\u00e9", max_size=20)
good = st.lists(st.tuples(names, values), max_size=6)
any_text = st.text(st.sampled_from("aA1-: \t\r\n\0\u00e9\u2014"), max_size=8)


@given(good, st.sampled_from(["\r\n", "\n"]))
def test_fields_are_read_as_http_client_reads_them(fields: list[tuple[str, str]], end: str) -> None:
    """Names, values, order and repeats are the same, whatever the line ends are."""
    lines = "".join(f"{name}: {value}{end}" for name, value in fields).encode("latin-1")
    theirs = [
        (name, value.strip(" \t")) for name, value in parse_headers(io.BytesIO(lines)).items()
    ]
    assert parsed_head((FIRST + lines).removesuffix(b"\n")).headers.pairs == tuple(theirs)


@given(st.lists(st.tuples(any_text, any_text), max_size=3))
def test_what_is_sent_has_the_fields_given_or_is_refused(fields: list[tuple[str, str]]) -> None:
    """No name and no value makes a line of its own."""
    try:
        head = request_head("POST", "/v1", fields)
    except Malformed:
        return
    lines = [f"{name}: {value}\r\n" for name, value in fields]
    assert head.decode("latin-1") == "POST /v1 HTTP/1.1\r\n" + "".join(lines) + "\r\n"
    assert head.count(b"\n") == head.count(b"\r") == len(fields) + 2


@pytest.mark.parametrize(("method", "target"), [("GET /x", "/"), ("GET", "/ HTTP/1.1\r\nA: b")])
def test_a_first_line_stays_a_line(method: str, target: str) -> None:
    """A method or a URL that would be more is refused, without a word of what it holds."""
    with pytest.raises(Malformed, match="may not be sent") as caught:
        request_head(method, target, [("Authorization", "Bearer k")])
    assert "Bearer" not in str(caught.value)


@pytest.mark.parametrize(
    "head",
    [
        b"HTTP/2.0 200 OK",
        b"HTTP/1.1 2000 OK",
        b"HTTP/1.1 20 OK",
        b"HTTP/1.1 200OK",
        FIRST + b"no header",
        FIRST + b"A : b",
        FIRST + b": b",
        FIRST + b" A: b",
        FIRST + b"A: b\rContent-Length: 5",
        FIRST + b"A: b\0",
        FIRST + b"A: b\r\n\xe9: c",
    ],
)
def test_what_is_no_head_is_refused(head: bytes) -> None:
    """Guessing what a server means would mix replies up."""
    with pytest.raises(Malformed):
        parsed_head(head)


def test_a_folded_value_is_one_value() -> None:
    """Lines that go on are joined by a space, as RFC 9112 says."""
    head = parsed_head(FIRST + b"A: b\r\n  c\r\n\td\r\nE: f")
    assert head.headers.pairs == (("A", "b c d"), ("E", "f"))


@pytest.mark.parametrize(
    ("head", "keeps"),
    [
        (b"HTTP/1.1 200 OK", True),
        (b"HTTP/1.1 200", True),
        (b"HTTP/1.1 200 OK\r\nConnection: x, Close", False),
        (b"HTTP/1.0 200 OK", False),
        (b"HTTP/1.0 200 OK\r\nConnection: Keep-Alive", True),
    ],
)
def test_whether_a_connection_may_serve_again(head: bytes, keeps: bool) -> None:
    """The version says so where the server does not."""
    assert parsed_head(head).keeps is keeps


@pytest.mark.loopback
def test_a_small_body_travels_with_its_head() -> None:
    """One write is less work and fewer packets."""
    first: list[bytes] = []

    def play(peer: Peer) -> None:
        first.append(peer.sock.recv(65536))
        peer.send(sized(b"hi"))

    caller = over_http(("requests", "sync"))
    with RawServer(play) as server:
        assert caller.send(a_request(server.url, b"x" * 1000)).read_all() == b"hi"
    assert first[0].endswith(b"\r\n\r\n" + b"x" * 1000)
    caller.close()


@pytest.mark.loopback
def test_bytes_behind_an_empty_body_end_the_connection() -> None:
    """They belong to no request, and are not taken for the answer to the next one."""

    def play(peer: Peer) -> None:
        peer.read_request()
        peer.send(OK + b"Content-Length: 0\r\n\r\n" + FIRST + b"Content-Length: 4\r\n\r\nevil")
        peer.until_closed()

    caller = over_http(("requests", "sync"))
    with RawServer(play) as server:
        for _ in range(2):
            assert caller.send(server.url).read_all() == b""
        assert len(server.peers) == 2
    caller.close()
