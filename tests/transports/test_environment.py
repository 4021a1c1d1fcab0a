"""Proxies from the environment, over real sockets."""

from __future__ import annotations

import pytest

from evoclient.errors.tree import APIConnectionError, APITimeoutError
from evoclient.ground import ConfigurationError
from evoclient.testing.raw_server import CHUNKED, Peer, RawServer, chunk, replies, sized
from evoclient.transports.environment import Proxies
from evoclient.wire import Deadlines

from .callers import Kind, deadline, over_http
from .certificates import Certificates
from .tunnels import tunnel

HI = sized(b"hi")


@pytest.mark.parametrize(
    ("variables", "url", "wanted"),
    [
        ({}, "http://a.example/", None),
        ({"HTTP_PROXY": "http://p:1"}, "http://a.example/", "http://p:1"),
        ({"http_proxy": "p:1"}, "http://a.example/", "http://p:1"),
        ({"HTTP_PROXY": "http://p:1"}, "https://a.example/", None),
        ({"HTTPS_PROXY": "https://p:1/"}, "https://a.example/", "https://p:1"),
        ({"ALL_PROXY": "http://p:1"}, "https://a.example/", "http://p:1"),
        ({"ALL_PROXY": "http://q", "HTTP_PROXY": "http://p"}, "http://a.example/", "http://p"),
        ({"ALL_PROXY": "http://[::1]:3128"}, "http://a.example/", "http://[::1]:3128"),
        ({"ALL_PROXY": "http://p", "NO_PROXY": "b.example"}, "http://a.example/", "http://p"),
        ({"ALL_PROXY": "http://p", "NO_PROXY": "b,example"}, "http://a.example:80/x", None),
        ({"ALL_PROXY": "http://p", "NO_PROXY": "a.example:81"}, "http://a.example:81/", None),
        ({"ALL_PROXY": "http://p", "NO_PROXY": "*"}, "http://a.example/", None),
    ],
)
def test_the_proxy_for_a_url(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], url: str, wanted: str | None
) -> None:
    """The variables and their exceptions mean what they mean to curl and requests."""
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    found = Proxies().for_url(url)
    assert (found and found.url) == wanted


def test_credentials_of_a_proxy_are_taken_out_of_its_url(monkeypatch: pytest.MonkeyPatch) -> None:
    """They go into a header of their own, decoded, and do not show in a repr."""
    monkeypatch.setenv("HTTP_PROXY", "http://ann:p%40ss@p:3128")
    found = Proxies().for_url("http://a.example/")
    assert found is not None
    assert (found.url, found.authorization) == ("http://p:3128", "Basic YW5uOnBAc3M=")
    assert "YW5u" not in repr(found)


@pytest.mark.parametrize("value", ["socks5://p:1", "http://", "http://p:port", "http://[::1"])
def test_a_proxy_that_cannot_be_used_is_named(
    monkeypatch: pytest.MonkeyPatch, kind: Kind, value: str
) -> None:
    """The error names the variable, shows nothing of its value, and is not a library's."""
    monkeypatch.setenv("HTTP_PROXY", value.replace("//", "//ann:secret@"))
    fresh = over_http(kind)
    try:
        with pytest.raises(ConfigurationError, match="HTTP_PROXY") as caught:
            fresh.send("http://127.0.0.1:1/")
    finally:
        fresh.close()
    assert caught.value.argument == "HTTP_PROXY"
    assert "secret" not in str(caught.value)


@pytest.mark.loopback
def test_plain_requests_go_through_the_proxy(kind: Kind, monkeypatch: pytest.MonkeyPatch) -> None:
    """The proxy gets the whole URL and its credentials; a host in NO_PROXY is asked directly."""
    with RawServer(replies(HI)) as proxy, RawServer(replies(sized(b"direct"))) as direct:
        monkeypatch.setenv("HTTP_PROXY", f"http://ann:pass@127.0.0.1:{proxy.port}")
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        caller = over_http(kind)
        for _ in range(2):
            assert caller.send("http://nowhere.invalid/v1/x?y=1").read_all() == b"hi"
        assert caller.send(direct.url).read_all() == b"direct"
        caller.close()
        first = proxy.requests[0]
        assert first.startswith(b"POST http://nowhere.invalid/v1/x?y=1 HTTP/1.1\r\n")
        assert b"\r\nHost: nowhere.invalid\r\n" in first
        assert b"\r\nProxy-Authorization: Basic YW5uOnBhc3M=\r\n" in first
        assert (len(proxy.requests), len(proxy.peers)) == (2, 1)
        assert b"Proxy-Authorization" not in direct.requests[0]


@pytest.mark.loopback
@pytest.mark.parametrize("proxy_tls", [False, True], ids=["plain proxy", "TLS proxy"])
def test_secure_requests_go_through_a_tunnel(
    kind: Kind, monkeypatch: pytest.MonkeyPatch, certificates: Certificates, proxy_tls: bool
) -> None:
    """The proxy sees CONNECT and its credentials, the server the request, and pieces flow."""
    wire = (CHUNKED, chunk(b"one"), chunk(b"two"), chunk(b""))
    with (
        RawServer(replies(*wire), wrap=certificates.tls()) as server,
        RawServer(tunnel, wrap=certificates.tls() if proxy_tls else None) as proxy,
    ):
        scheme = "https" if proxy_tls else "http"
        monkeypatch.setenv("HTTPS_PROXY", f"{scheme}://ann:pass@127.0.0.1:{proxy.port}")
        caller = over_http(kind, verify=certificates.ca)
        for _ in range(2):
            assert caller.send(server.url).read_all() == b"onetwo"
        caller.close()
        assert len(proxy.requests) == 1
        assert proxy.requests[0].startswith(f"CONNECT 127.0.0.1:{server.port} ".encode())
        assert b"\r\nProxy-Authorization: Basic YW5uOnBhc3M=\r\n" in proxy.requests[0]
        assert b"sk-verysecret" not in proxy.requests[0]
        assert b"Proxy-Authorization" not in b"".join(server.requests)


@pytest.mark.loopback
def test_a_proxy_that_refuses_is_said_so(kind: Kind, monkeypatch: pytest.MonkeyPatch) -> None:
    """The answer of the proxy is shown, and where to look."""
    answer = b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n"
    with RawServer(replies(answer)) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{proxy.port}")
        caller = over_http(kind)
        with pytest.raises(APIConnectionError, match=r"proxy .* 407 .*HTTPS_PROXY") as caught:
            caller.send("https://nowhere.invalid/")
        caller.close()
        assert not caught.value.retryable


@pytest.mark.loopback
@pytest.mark.parametrize("wire", [b"", b"HTTP/1.1 200 OK\r\nX: " + b"y" * 10_000])
def test_a_proxy_that_stalls_runs_into_the_connect_limit(
    kind: Kind, monkeypatch: pytest.MonkeyPatch, wire: bytes
) -> None:
    """A tunnel is part of the connecting, also where its answer trickles in."""

    def play(peer: Peer) -> None:
        peer.read_request()
        peer.trickle(wire, 0.02)
        peer.until_closed()

    with RawServer(play) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{proxy.port}")
        caller = over_http(kind)
        limits = Deadlines(connect=deadline(0.15, "connect"), total=deadline(10))
        with pytest.raises(APITimeoutError) as caught:
            caller.send("https://nowhere.invalid/", limits)
        caller.close()
        assert caught.value.limit == "connect"
