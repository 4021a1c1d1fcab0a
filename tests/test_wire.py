"""What crosses the border with a transport."""

from __future__ import annotations

import pickle
from typing import Any

import pytest

from evoclient.ground import ConfigurationError
from evoclient.wire import (
    Deadline,
    Deadlines,
    Headers,
    Request,
    Response,
    Timeouts,
    check_header,
    earliest,
)
from tests.streaming.driving import growth


def test_headers_are_a_mapping() -> None:
    """Names are looked up in any case, repeated fields are joined and kept in order."""
    headers = Headers([("X-A", "1"), ("b", "2"), ("x-a", "3")])
    assert headers["x-A"] == "1, 3"
    assert headers.get_all("X-a") == ["1", "3"]
    assert headers.get_all("c") == []
    assert list(headers) == ["x-a", "b"]
    assert len(headers) == 2
    assert "B" in headers
    assert headers.get("c") is None
    assert headers.pairs == (("X-A", "1"), ("b", "2"), ("x-a", "3"))


def test_headers_that_repeat_themselves() -> None:
    """Equal values are all kept, and thousands of fields of one name are joined in linear time."""
    assert Headers([("A", "1"), ("a", "1"), ("A", "1")])["a"] == "1, 1, 1"
    assert growth(lambda count: Headers([("A", "1")] * count), 20_000) < 2.6


def test_headers_of_a_mapping() -> None:
    """A mapping does as well as pairs."""
    assert Headers({"A": "1"}).pairs == (("A", "1"),)
    assert dict(Headers()) == {}


def test_headers_show_no_secret() -> None:
    """The repr of headers, of a request and of a response hides credentials and bodies."""
    headers = Headers([("Authorization", "Bearer sk-hidden"), ("X-A", "1")])
    request = Request("POST", "https://h/", headers, b"sk-hidden")
    response = Response(200, headers, content=b"sk-hidden")
    for value in (headers, request, response):
        assert "sk-hidden" not in repr(value)
        assert "X-A" in repr(value)


def test_pickling() -> None:
    """A response, headers included, goes through pickle."""
    response = Response(200, Headers([("X-A", "1"), ("X-A", "2")]), "https://h/", 0.5, b"body")
    twin = pickle.loads(pickle.dumps(response))  # noqa: S301 - our own bytes
    assert twin == response
    assert twin.headers.pairs == response.headers.pairs
    assert twin.content == b"body"


@pytest.mark.parametrize(
    ("name", "value", "kept"),
    [
        ("X-A", "1", "1"),
        ("x!#$%&'*+-.^_`|~9", " a\tb ", "a\tb"),
        ("X", "", ""),
        ("X", "~ !", "~ !"),
    ],
)
def test_good_headers(name: str, value: str, kept: str) -> None:
    """What RFC 9110 allows in ASCII may be sent; white space around a value goes."""
    assert check_header(name, value, "extra_headers") == (name, kept)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("", "1"),
        ("X A", "1"),
        ("X:", "1"),
        ("X\n", "1"),
        ("Ж", "1"),
        (5, "1"),
        (None, "1"),
        ("X", "a\nsecret"),
        ("X", "a\rsecret"),
        ("X", "a\0secret"),
        ("X", "secret\n"),
        ("X", "secretЖ"),
        ("X", "secret\x7f"),
        ("X", b"secret"),
        ("X", 5),
        ("X", None),
    ],
)
def test_bad_headers(name: Any, value: Any) -> None:
    """What may not be sent is refused, naming the argument and hiding the value."""
    with pytest.raises(ConfigurationError, match=r"^extra_headers:") as caught:
        check_header(name, value, "extra_headers")
    assert caught.value.argument == "extra_headers"
    assert "secret" not in str(caught.value).replace("may be a secret", "")


def test_default_limits() -> None:
    """The defaults are the documented ones."""
    limits = Timeouts()
    assert (limits.connect, limits.first_chunk, limits.idle, limits.total) == (5, 600, 60, None)
    assert limits.keepalive_counts


NAN, INF = float("nan"), float("inf")


@pytest.mark.parametrize("name", ["connect", "first_chunk", "idle", "total"])
@pytest.mark.parametrize("bad", [0, -1, -0.0, NAN, INF, -INF, 10**400, 1e300, True, "5", [5]])
def test_bad_limits(name: str, bad: Any) -> None:
    """A limit is a positive number that a socket can wait for, or None; else it is named."""
    with pytest.raises(ConfigurationError, match=f"timeout: {name} must be") as caught:
        Timeouts(**{name: bad})
    assert caught.value.argument == "timeout"


@pytest.mark.parametrize("good", [None, 1, 0.001, 86400])
def test_good_limits(good: float | None) -> None:
    """Whole numbers, fractions and None are limits."""
    assert Timeouts(idle=good).idle == good


A, B = Deadline(1, "connect", 1), Deadline(2, "total", 2)


@pytest.mark.parametrize(
    ("several", "first"),
    [([], None), ([None], None), ([A], A), ([B, A], A), ([None, B, A, None], A)],
)
def test_earliest(several: list[Deadline | None], first: Deadline | None) -> None:
    """The earliest of several deadlines wins; None is no deadline."""
    assert earliest(*several) == first


def test_deadlines_of_an_attempt() -> None:
    """Each phase is bounded by its own limit and by those of the phases around it."""
    first = Deadline(3, "first_chunk", 3)
    assert Deadlines(Deadline(9, "connect", 9), first, None).connecting() == first
    assert Deadlines(A, first, B).connecting() == A
    assert Deadlines(A, first, B).answering() == B
    assert Deadlines(A).answering() is None
    assert Deadlines().connecting() is None


@pytest.mark.parametrize(
    ("headers", "request_id"),
    [
        ({}, None),
        ({"X-Request-Id": "a", "CF-Ray": "b"}, "a"),
        ({"CF-Ray": "b", "request-id": "c"}, "c"),
        ({"x-generation-id": "gen-1"}, "gen-1"),
        ({"cf-ray": "b"}, "b"),
    ],
)
def test_request_ids(headers: dict[str, str], request_id: str | None) -> None:
    """The server's name for a request is found under the names that servers use."""
    assert Response(200, Headers(headers)).request_id == request_id
