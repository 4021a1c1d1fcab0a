"""Targets that read what users give, and what servers say about waiting."""

from __future__ import annotations

import math
import pickle
from collections.abc import Callable
from functools import partial
from ipaddress import IPv6Address
from typing import TypeVar
from urllib.parse import urlsplit

from urllib3.exceptions import LocationParseError
from urllib3.util import parse_url
from yarl import URL

from evoclient.errors.hints import retry_advice, retry_delay
from evoclient.errors.scrub import masked_headers
from evoclient.ground import SENSITIVE_HEADERS, ConfigurationError, Secrets, mask, secrets_in
from evoclient.urls import absolute_url, joined, normal_base
from evoclient.wire import Headers, check_header

from .shape import SECRET, Target, text_of

__all__ = ["HEADERS", "RETRY_AFTER", "URLS"]

T = TypeVar("T")


def _tried(read: Callable[[], T]) -> tuple[T | None, ConfigurationError | None]:
    """Return what a function of user input gives, or its refusal."""
    try:
        return read(), None
    except ConfigurationError as error:
        return None, error


def check_headers(data: bytes) -> None:
    """A header that is accepted can be sent and starts no other; one that is not is not shown."""
    pairs = []
    for line in text_of(data).split("\n\n"):
        name, _, value = line.partition(":")
        found, refusal = _tried(partial(check_header, name, value, "headers"))
        if found is not None:
            pairs.append(found)
        shown = str(refusal).replace(repr(name), "")
        assert len(value) < 8 or value not in shown
    for name, value in pairs:
        sent = f"{name}: {value}".encode("ascii")
        assert not set(sent) & set(b"\r\n\0")
        assert name.strip() == name != ""
    headers = Headers(pairs)
    for name in [*headers][:20]:
        assert headers[name.upper()] == ", ".join(headers.get_all(name.lower()))
    assert pickle.loads(pickle.dumps(headers)).pairs == headers.pairs  # noqa: S301 - our own
    secret_ones = Headers(pair for pair in pairs if pair[0].lower() in SENSITIVE_HEADERS)
    secrets = secrets_in(pairs)
    names = "".join(name for name, _ in secret_ones.pairs)
    for secret in secrets:
        assert secret not in repr(secret_ones) or secret.strip() in names
    masked = masked_headers(headers, secrets)
    assert len(masked.pairs) == len(pairs)


def read_url(data: bytes) -> None:
    """A URL that is accepted means the same host to all that send it; a refusal shows no key."""
    text = text_of(data)
    for read in (normal_base, absolute_url):
        found, refusal = _tried(partial(read, text, "base_url"))
        assert f":{SECRET}@" not in str(refusal)
        if found is None:
            continue
        assert found.isascii()
        assert found.isprintable()
        assert not set(found) & set(' \\"<>^`{|}')
        parts = urlsplit(found)
        assert parts.scheme in ("http", "https")
        assert parts.hostname
        assert (parts.username, parts.query, parts.fragment) == (None, "", "")
        assert absolute_url(found, "base_url") == (found if parts.path else f"{found}/")
        _is_one_place(found)
        asked = joined(found.rstrip("/"), "/chat/completions", {"a": "b c"})
        assert urlsplit(asked).netloc == parts.netloc


def _is_one_place(url: str) -> None:
    """See that the libraries go to the host and port that we think they do, or nowhere."""
    parts = urlsplit(url)
    place = _host(parts.hostname), parts.port
    try:
        seen = parse_url(url)
    except LocationParseError:
        pass
    else:
        assert (_host(seen.host), seen.port) == place
    try:
        other = URL(url)
    except ValueError:
        return
    assert (_host(other.raw_host), other.explicit_port) == place


def _host(name: str | None) -> str:
    """Return a host in one spelling; a zone is left out."""
    plain = (name or "").strip("[]").partition("%")[0].lower()
    return str(IPv6Address(plain)) if ":" in plain else plain


def read_hint(data: bytes) -> None:
    """Whatever a server says about waiting, it is a wait one can make, or none."""
    text = text_of(data)
    first, _, second = text.partition("\n")
    for said in ({"Retry-After": first, "Retry-After-Ms": second}, {"Retry-After": text}):
        headers = Headers({name: value for name, value in said.items() if value})
        wait = retry_delay(headers, lambda: 1_800_000_000.0, {"retry_after": second})
        assert wait is None or (math.isfinite(wait) and wait >= 0)
    assert retry_advice(Headers({"X-Should-Retry": text}), {}) in (True, False, None)
    assert SECRET not in mask(f"{text}{SECRET}", Secrets((SECRET,)))


HEADERS = Target(
    "headers",
    check_headers,
    (
        b"Authorization: Bearer ", b"X-Api-Key: ", b"Cookie:", b"\n\n", b": ", b"\r\n", b"\0",
        b"\t", b"\xe2\x82\xac", b"Set-Cookie:", SECRET.encode(), b"\x7f",
    ),
)  # fmt: skip
URLS = Target(
    "urls",
    read_url,
    (
        b"http://", b"https://", b"/v1", b"/chat/completions", b"[::1]", b":8000", b"@", b"%",
        b"%2F", b"xn--", b"..", b"//", b"\\", b"#", b"?", b"[fe80::1%25eth0]", b"127.0.0.1",
        f"user:{SECRET}@".encode(), "\u3002".encode(), "b\u00fccher.example".encode(), b"\t",
        "\u212a".encode(), "\uff0f".encode(), b"0x7f.1",
    ),
    512,
)  # fmt: skip
RETRY_AFTER = Target(
    "retry_after",
    read_hint,
    (
        b"Wed, 21 Oct 2065 07:28:00 GMT", b"Wednesday, 21-Oct-65 07:28:00 GMT", b"nan", b"inf",
        b"1e", b"_", b"-", b"+", b"0x", b"\n", b" +0300", b"99999999999", b"Oct", b":",
        "\u0663".encode(),
    ),
    256,
)  # fmt: skip
