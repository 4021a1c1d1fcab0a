"""Heads over real sockets: what is sent, what is accepted, what is not followed or kept."""

from __future__ import annotations

from pathlib import Path

import pytest

from evoclient.errors.tree import APIConnectionError
from evoclient.wire import Deadlines, Headers, Request

from .callers import KEY, Caller, a_request, deadline
from .raw_server import OK, Peer, RawServer, once, replies, sized

pytestmark = pytest.mark.loopback

INTERIM = b"HTTP/1.1 %d Wait\r\nLink: x\r\n\r\n"


def test_a_request_arrives_exactly_as_given(caller: Caller) -> None:
    """No header is added but Host and Content-Length, and the order, case and repeats stay."""
    pairs = [("X-One", "1"), ("authorization", KEY), ("X-Two", "a"), ("X-Two", "b")]
    with RawServer(replies(sized(b""))) as server:
        url = f"http://127.0.0.1:{server.port}/v1/a%20b?q=%C3%A9&r=1"
        for body in (b'{"a":1}', b"", None):
            request = Request("POST", url, Headers(pairs), body)
            assert caller.send(request).read_all() == b""
        caller.send(Request("GET", url, Headers(pairs))).read_all()
    host = f"Host: 127.0.0.1:{server.port}".encode()
    for raw, length in zip(server.requests, (b"7", b"0", b"0", None), strict=True):
        head, _, body = raw.partition(b"\r\n\r\n")
        first, *lines = head.split(b"\r\n")
        assert first.split(b" ")[1:] == [b"/v1/a%20b?q=%C3%A9&r=1", b"HTTP/1.1"]
        own = [line for line in lines if not line.startswith((b"Host:", b"Content-Length:"))]
        assert own == [f"{name}: {value}".encode() for name, value in pairs]
        assert host in lines
        wanted = [] if length is None else [b"Content-Length: " + length]
        assert [line for line in lines if line.startswith(b"Content-Length")] == wanted
        assert body == (b'{"a":1}' if length == b"7" else b"")


def test_the_head_of_a_reply_is_handed_on(caller: Caller) -> None:
    """Status and headers come out with their case, their order and their repeats."""
    head = b"HTTP/1.1 418 I'm a teapot\r\nX-B: 1\r\nx-a: 2\r\nX-B: 3\r\nContent-Length: 0\r\n\r\n"
    with RawServer(replies(head)) as server:
        answer = caller.send(server.url)
        assert answer.status == 418
        assert answer.headers.pairs[:3] == (("X-B", "1"), ("x-a", "2"), ("X-B", "3"))


def test_interim_answers_are_skipped(caller: Caller) -> None:
    """Twenty of 100, 102 and 103 may come before the reply."""
    interim = b"".join(INTERIM % (100, 102, 103)[number % 3] for number in range(20))
    with RawServer(replies(interim + sized(b"hi"))) as server:
        for _ in range(2):
            answer = caller.send(server.url)
            assert (answer.status, answer.read_all()) == (200, b"hi")
            assert "link" not in answer.headers
        assert len(server.peers) == 1


@pytest.mark.parametrize("status", [100, 103])
def test_too_many_interim_answers_are_refused(caller: Caller, status: int) -> None:
    """The twenty-first ends the exchange and its connection."""

    def play(peer: Peer) -> None:
        peer.read_request()
        peer.send(INTERIM % status * 21, sized(b"hi"))
        peer.until_closed()

    with RawServer(play) as server:
        with pytest.raises(APIConnectionError, match="interim") as caught:
            caller.send(server.url)
        assert not caught.value.retryable
        assert server.peers[0].closed.wait(1)


@pytest.mark.parametrize(
    "head",
    [
        b"".join(b"X-%d: %b\r\n" % (number, b"y" * 1000) for number in range(90)),
        b"X-Long: " + b"y" * 70_000 + b"\r\n",
        b"".join(b"X-%d: y\r\n" % number for number in range(200)),
    ],
    ids=["together", "one line", "many"],
)
def test_a_giant_head_is_refused(caller: Caller, head: bytes) -> None:
    """A head of more than 64 KiB, or of very many fields, is not taken into memory."""
    wire = OK + head + b"Content-Length: 5\r\n\r\n"
    with RawServer(replies(wire)) as server:
        with pytest.raises(APIConnectionError, match="not acceptable HTTP"):
            caller.send(server.url)
        assert server.peers[0].closed.wait(1)


def test_a_head_of_usual_size_is_accepted(caller: Caller) -> None:
    """Forty KiB in long lines are no reason to complain."""
    head = b"".join(b"X-%d: %b\r\n" % (number, b"y" * 10_000) for number in range(4))
    with RawServer(replies(OK + head + b"Content-Length: 0\r\n\r\n")) as server:
        assert len(caller.send(server.url).headers["x-3"]) == 10_000


@pytest.mark.parametrize(
    "wire",
    [
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"HTTP/1.1 abc OK\r\n\r\n",
        OK + b"no header\r\nContent-Length: 5\r\n\r\nhello",
        OK + b"Content-Length: ten\r\n\r\n",
        OK + b"Transfer-Encoding: rot13\r\n\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
    ],
    ids=["ssh", "status", "header", "length", "coding", "switch"],
)
def test_what_is_not_http_is_refused(caller: Caller, wire: bytes) -> None:
    """An answer that cannot be understood is an error that says so, and not worth a retry."""
    with (
        RawServer(once(wire)) as server,
        pytest.raises(APIConnectionError, match="not acceptable HTTP") as caught,
    ):
        caller.send(server.url).read_all()
    assert not caught.value.retryable


@pytest.mark.parametrize("wire", [b"", b"HTTP/1.1 200 OK\r\nX-Half"], ids=["nothing", "half"])
def test_a_connection_closed_before_the_reply_is_an_error(caller: Caller, wire: bytes) -> None:
    """A server that hangs up instead of answering is asked once, and the error says so."""
    with RawServer(once(wire)) as server:
        with pytest.raises(APIConnectionError) as caught:
            caller.send(server.url)
        assert caught.value.retryable or wire
        assert len(server.requests) == 1


@pytest.mark.parametrize("status", [b"301 Moved", b"302 Found", b"303 See", b"307 T", b"308 P"])
def test_redirects_are_not_followed(caller: Caller, status: bytes) -> None:
    """A redirect is a reply like another."""
    wire = sized(b"there", status, b"Location: /elsewhere\r\n")
    with RawServer(replies(wire)) as server:
        answer = caller.send(server.url)
        assert (answer.status, answer.headers["location"]) == (int(status[:3]), "/elsewhere")
        assert answer.read_all() == b"there"
        assert len(server.requests) == 1


def test_a_reply_with_retry_after_is_handed_on(caller: Caller) -> None:
    """The transport repeats no request by itself, whatever the server suggests."""
    wire = sized(b"", b"503 Busy", b"Retry-After: 0\r\n")
    with RawServer(replies(wire)) as server:
        assert caller.send(server.url).status == 503
        assert caller.send(a_request(server.url, None, "GET")).status == 503
        assert len(server.requests) == 2


def test_cookies_are_not_kept(caller: Caller) -> None:
    """What a server sets is not sent back."""
    wire = sized(b"", extra=b"Set-Cookie: session=stolen; Path=/\r\n")
    with RawServer(replies(wire)) as server:
        for _ in range(2):
            url = server.url.replace("127.0.0.1", "localhost")  # addresses get no cookies anyway
            assert caller.send(url).headers["set-cookie"] == "session=stolen; Path=/"
        assert not any(b"cookie" in request.lower() for request in server.requests)


def test_content_encodings_are_left_alone(caller: Caller) -> None:
    """A body comes out as it was sent, whatever coding its head names."""
    wire = sized(b"\x1f\x8bno gzip", extra=b"Content-Encoding: gzip\r\n")
    with RawServer(replies(wire)) as server:
        assert caller.send(server.url).read_all() == b"\x1f\x8bno gzip"


def test_a_large_request_is_sent_whole(caller: Caller) -> None:
    """Images make bodies of megabytes, which arrive without a warning on the way."""
    with RawServer(replies(sized(b"hi"))) as server:
        request = a_request(server.url, b"x" * 3_000_000)
        assert caller.send(request, Deadlines(total=deadline(20))).read_all() == b"hi"
        assert server.requests[0].endswith(b"\r\n\r\n" + b"x" * 3_000_000)


def test_the_transports_take_no_netrc(
    caller: Caller, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An entry for the host in the user's netrc file replaces or adds no credentials."""
    netrc = tmp_path / ".netrc"
    netrc.write_text("machine 127.0.0.1 login thief password stolen\n", encoding="utf-8")
    netrc.chmod(0o600)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("NETRC", str(netrc))
    with RawServer(replies(sized(b"hi"))) as server:
        assert caller.send(server.url).read_all() == b"hi"
        assert b"Bearer sk-verysecret" in server.requests[0]
        assert b"Basic" not in server.requests[0]
