"""Scenarios about heads: what is sent, what is accepted, what is not followed or kept."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Final

from ...wire import Deadlines, Headers, Request
from ..raw_server import OK, RawServer, replies, sized
from .base import Scenarios
from .calls import KEY, a_request, deadline

__all__ = ["INTERIM", "HeadScenarios"]

#: An interim answer.
INTERIM: Final = b"HTTP/1.1 %d Wait\r\nLink: x\r\n\r\n"


class HeadScenarios(Scenarios):
    """Heads as they should be."""

    def test_a_request_arrives_exactly_as_given(self) -> None:
        """No header is added but Host and Content-Length, and the order, case and repeats stay."""
        pairs = [("X-One", "1"), ("authorization", KEY), ("X-Two", "a"), ("X-Two", "b")]
        with RawServer(replies(sized(b""))) as server:
            url = f"http://127.0.0.1:{server.port}/v1/a%20b?q=%C3%A9&r=1"
            for body in (b'{"a":1}', b"", None):
                request = Request("POST", url, Headers(pairs), body)
                assert self.caller.send(request).read_all() == b""
            self.caller.send(Request("GET", url, Headers(pairs))).read_all()
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

    def test_the_head_of_a_reply_is_handed_on(self) -> None:
        """Status and headers come out with their case, their order and their repeats."""
        head = b"HTTP/1.1 418 Teapot\r\nX-B: 1\r\nx-a: 2\r\nX-B: 3\r\nContent-Length: 0\r\n\r\n"
        with RawServer(replies(head)) as server:
            answer = self.caller.send(server.url)
            assert answer.status == 418
            assert answer.headers.pairs[:3] == (("X-B", "1"), ("x-a", "2"), ("X-B", "3"))

    def test_interim_answers_are_skipped(self) -> None:
        """Twenty of 100, 102 and 103 may come before the reply."""
        interim = b"".join(INTERIM % (100, 102, 103)[number % 3] for number in range(20))
        with RawServer(replies(interim + sized(b"hi"))) as server:
            for _ in range(2):
                answer = self.caller.send(server.url)
                assert (answer.status, answer.read_all()) == (200, b"hi")
                assert "link" not in answer.headers
            assert len(server.peers) == 1

    def test_a_head_of_usual_size_is_accepted(self) -> None:
        """Forty KiB in long lines are no reason to complain."""
        head = b"".join(b"X-%d: %b\r\n" % (number, b"y" * 10_000) for number in range(4))
        with RawServer(replies(OK + head + b"Content-Length: 0\r\n\r\n")) as server:
            assert len(self.caller.send(server.url).headers["x-3"]) == 10_000

    def test_redirects_are_not_followed(self) -> None:
        """A redirect is a reply like another, of whatever kind."""
        for status in (b"301 Moved", b"302 Found", b"303 See", b"307 T", b"308 P"):
            wire = sized(b"there", status, b"Location: /elsewhere\r\n")
            with RawServer(replies(wire)) as server:
                answer = self.caller.send(server.url)
                assert (answer.status, answer.headers["location"]) == (
                    int(status[:3]),
                    "/elsewhere",
                )
                assert answer.read_all() == b"there"
                assert len(server.requests) == 1

    def test_a_reply_with_retry_after_is_handed_on(self) -> None:
        """The transport repeats no request by itself, whatever the server suggests."""
        wire = sized(b"", b"503 Busy", b"Retry-After: 0\r\n")
        with RawServer(replies(wire)) as server:
            assert self.caller.send(server.url).status == 503
            assert self.caller.send(a_request(server.url, None, "GET")).status == 503
            assert len(server.requests) == 2

    def test_cookies_are_not_kept(self) -> None:
        """What a server sets is not sent back."""
        wire = sized(b"", extra=b"Set-Cookie: session=stolen; Path=/\r\n")
        with RawServer(replies(wire)) as server:
            for _ in range(2):
                url = server.url.replace("127.0.0.1", "localhost")  # addresses get none anyway
                answer = self.caller.send(url)
                assert answer.headers["set-cookie"] == "session=stolen; Path=/"
            assert not any(b"cookie" in request.lower() for request in server.requests)

    def test_a_large_request_is_sent_whole(self) -> None:
        """Images make bodies of megabytes, which arrive without a warning on the way."""
        with RawServer(replies(sized(b"hi"))) as server:
            request = a_request(server.url, b"x" * 3_000_000)
            answer = self.caller.send(request, Deadlines(total=deadline(20)))
            assert answer.read_all() == b"hi"
            assert server.requests[0].endswith(b"\r\n\r\n" + b"x" * 3_000_000)

    def test_no_netrc_is_read(self) -> None:
        """An entry for the host in the user's netrc file replaces or adds no credentials."""
        with tempfile.TemporaryDirectory() as folder, RawServer(replies(sized(b"hi"))) as server:
            netrc = Path(folder, ".netrc")
            netrc.write_text("machine 127.0.0.1 login thief password stolen\n", encoding="utf-8")
            netrc.chmod(0o600)
            os.environ.update(HOME=folder, NETRC=str(netrc))  # set back after each scenario
            assert self.caller.send(server.url).read_all() == b"hi"
            assert KEY.encode() in server.requests[0]
            assert b"Basic" not in server.requests[0]
