"""Base URLs: what users paste, made into what requests are sent to."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from evoclient.ground import ConfigurationError
from evoclient.urls import absolute_url, is_readable_on_the_way, joined, normal_base

GOOD = {
    "https://openrouter.ai/api/v1": "https://openrouter.ai/api/v1",
    "https://openrouter.ai/api/v1/": "https://openrouter.ai/api/v1",
    "https://h/v1///": "https://h/v1",
    " https://h/v1\n": "https://h/v1",
    "https://h": "https://h/v1",
    "https://h/": "https://h/v1",
    "http://localhost:8000": "http://localhost:8000/v1",
    "HTTPS://H.Example/V1": "https://h.example/V1",
    "https://h/v1/chat/completions": "https://h/v1",
    "https://h/v1/chat/completions/": "https://h/v1",
    "https://h/v1/completions": "https://h/v1",
    "https://h/v1/embeddings": "https://h/v1",
    "https://h/v1/models": "https://h/v1",
    "https://h/chat/completions": "https://h",
    "https://h/openai": "https://h/openai",
    "http://[::1]:8080/v1": "http://[::1]:8080/v1",
    "http://[FE80::1]": "http://[fe80::1]/v1",
    "http://[fe80::1%25eth0]:8080/v1": "http://[fe80::1%25eth0]:8080/v1",
    "http://[::ffff:10.0.0.1]/v1": "http://[::ffff:10.0.0.1]/v1",
    "http://127.0.0.1:1/v1": "http://127.0.0.1:1/v1",
    "https://пример.рф/v1": "https://xn--e1afmkfd.xn--p1ai/v1",
    "https://h.example./v1": "https://h.example./v1",
    "https://h/путь/v1": "https://h/%D0%BF%D1%83%D1%82%D1%8C/v1",
    "https://h/a%20b/v1": "https://h/a%20b/v1",
    "https://h/a b/v1": "https://h/a%20b/v1",
    "https://h:443/v1": "https://h:443/v1",
    "https://my_host/v1": "https://my_host/v1",
    "https://" + "a" * 63 + ".example/v1": "https://" + "a" * 63 + ".example/v1",
}


@pytest.mark.parametrize("url", GOOD)
def test_good_urls(url: str) -> None:
    """What users paste becomes the base that requests are built on."""
    assert normal_base(url) == GOOD[url]


BAD: dict[Any, str] = {
    "": "must be a URL",
    "  ": "must be a URL",
    None: "must be a URL",
    5: "must be a URL",
    b"https://h/v1": "must be a URL",
    "h/v1": "must begin with https",
    "localhost:8000/v1": "must begin with https",
    "ftp://h/v1": "must begin with https",
    "https://": "must begin with https",
    "https:///v1": "must begin with https",
    "//h/v1": "must begin with https",
    "https://user:pa55word@h/v1": "holds a user name or password",
    "https://user@h/v1": "holds a user name or password",
    "https://:pa55word@h/v1": "holds a user name or password",
    "https://h/v1?key=pa55word": "has a query or a fragment",
    "https://h/v1#pa55word": "has a query or a fragment",
    "https://h:port/v1": "is not a URL",
    "https://h:99999/v1": "is not a URL",
    "https://h:-1/v1": "is not a URL",
    "https://user:pa55word@h:99999/v1": "is not a URL",
    "https://user:pa55?word@h/v1": "is not a URL",
    "https://user:pa55#word@h/v1": "is not a URL",
    "https://user:pa55word@ex\u2100mple.com/": "is not a URL",
    "https://user:pa55word@[::1/": "is not a URL",
    "https://[::1/v1": "is not a URL",
    "https://a..b/v1": "is not a URL",
    "https://.a/v1": "is not a URL",
    "https://./v1": "is not a URL",
    "https://" + "a" * 64 + "/v1": "is not a URL",
    "https://" + "я" * 64 + "/v1": "is not a URL",
    "https://я..рф/v1": "is not a URL",
    "https://a b/v1": "is not a URL",
    "https://a\\b/v1": "is not a URL",
    "https://a\0b/v1": "is not a URL",
    "https://a\x7fb/v1": "is not a URL",
    "https://a<b/v1": "is not a URL",
    "https://я<b/v1": "is not a URL",
    "https://h/\ud800": "is not a URL",
    "https://h%2eexample/v1": "is not a URL",
    "https://h%41/v1": "is not a URL",
    "https://other[::1]more/v1": "is not a URL",
    "https://other[::1]/v1": "is not a URL",
    "https://[::1]more/v1": "is not a URL",
    "https://[fe80::1%25я]/v1": "is not a URL",
    "https://[fe80::1%25\x13]/v1": "is not a URL",
    "https://[v1.a:b]/v1": "is not a URL",
    "https://[1:2]/v1": "is not a URL",
}


@pytest.mark.parametrize("url", BAD)
def test_bad_urls(url: Any) -> None:
    """What is no base URL is refused, naming the argument and showing no credential."""
    with pytest.raises(ConfigurationError, match=BAD[url]) as caught:
        normal_base(url, "OPENAI_BASE_URL")
    assert caught.value.argument == "OPENAI_BASE_URL"
    assert caught.value.message.startswith("OPENAI_BASE_URL")
    assert caught.value.__cause__ is None
    if "@" in str(url) or "is not a URL" not in BAD[url]:
        assert "pa55" not in f"{caught.value}"


def test_the_argument_has_a_name() -> None:
    """Without another name, it is `base_url`."""
    with pytest.raises(ConfigurationError) as caught:
        normal_base("x")
    assert caught.value.argument == "base_url"


PARTS = st.sampled_from(
    ["http", "https", "HTTP", "://", ":", "/", "//", "@", "[", "]", "?", "#", "%", "%41", ".", "..",
     "v1", "a", "host", "::1", "8080", "99999", "user", "я", "ß", "\u2100", "\u3002", "\u200d", " ",
     "\t", "\n", "\0", "\x7f", "\\", "<", "\ud800", "x" * 64, "xn--", "1e5", "-", "_", "models"]
)  # fmt: skip
URLS = st.one_of(
    st.text(st.characters(), max_size=40),
    st.lists(PARTS, max_size=12).map("".join),
    st.lists(PARTS, max_size=10).map(lambda parts: "https://" + "".join(parts)),
    st.lists(PARTS, max_size=10).map(lambda parts: "https://h/" + "".join(parts)),
)


@given(URLS)
@example("https://xn--/v1")
@example("https://[v1.x]/")
@example("https://h//models")
def test_no_foreign_exception(url: str) -> None:
    """Any string is a base URL in ASCII, or raises our error."""
    try:
        base = normal_base(url)
    except ConfigurationError:
        return
    assert base.isascii()
    assert base.isprintable()
    assert not base.endswith("/")
    assert normal_base(base + "/chat/completions") == base


@pytest.mark.parametrize(
    ("path", "query", "url"),
    [
        ("/chat/completions", {}, "https://h/v1/chat/completions"),
        ("/models/a b/é", {}, "https://h/v1/models/a%20b/%C3%A9"),
        ("/models/a?b#c", {}, "https://h/v1/models/a%3Fb%23c"),
        ("/m", {"a": "1", "b": "x y&z=я"}, "https://h/v1/m?a=1&b=x+y%26z%3D%D1%8F"),
    ],
)
def test_joining(path: str, query: dict[str, str], url: str) -> None:
    """Paths and parameters are percent-encoded behind the base."""
    assert joined("https://h/v1", path, query) == url


@pytest.mark.parametrize(
    ("url", "readable"),
    [
        ("http://api.example", True),
        ("HTTP://API.example:8080/v1", True),
        ("http://10.0.0.5:8000", True),
        ("http://192.168.1.2", True),
        ("http://[2001:db8::1]", True),
        ("http://0.0.0.0", True),
        ("http://128.0.0.1", True),
        ("http://localhost.example", True),
        ("http://notlocalhost", True),
        ("http://127.0.0.1.example", True),
        ("http://[::ffff:10.0.0.1]", True),
        ("https://api.example", False),
        ("https://10.0.0.5", False),
        ("http://localhost:11434", False),
        ("http://LOCALHOST.", False),
        ("http://api.localhost", False),
        ("http://127.0.0.1", False),
        ("http://127.200.3.4:1", False),
        ("http://[::1]:8000", False),
        ("http://[::ffff:127.0.0.1]", False),
    ],
)
def test_readable_on_the_way(url: str, readable: bool) -> None:
    """Only plain HTTP to another machine can be read by others."""
    assert is_readable_on_the_way(normal_base(url)) is readable
    assert is_readable_on_the_way(absolute_url(url, "token_url")) is readable
