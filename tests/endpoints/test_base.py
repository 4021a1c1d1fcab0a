"""What every call shares: its options."""

from __future__ import annotations

from typing import Any

import pytest

from evoclient.endpoints.base import CallOptions, call_options, checked_query, timeouts_of
from evoclient.ground import NOT_GIVEN, ConfigurationError
from evoclient.wire import Timeouts


def test_options_are_taken_out() -> None:
    """Options leave the keyword arguments, and what is none of them stays."""
    given = {
        "extra_headers": {"X-A": " 1 ", "X-B": None},
        "extra_query": {"a": "x", "b": 2, "c": 0.5, "d": True, "e": False},
        "timeout": 5,
        "incomplete": "accept",
        "other": 1,
    }
    options = call_options(given)
    assert given == {"other": 1}
    assert options.headers == {"X-A": "1", "X-B": None}
    assert options.query == {"a": "x", "b": "2", "c": "0.5", "d": "true", "e": "false"}
    assert (options.timeout, options.incomplete) == (5, "accept")


@pytest.mark.parametrize("nothing", [None, NOT_GIVEN])
def test_nothing_given(nothing: Any) -> None:
    """None and NOT_GIVEN are the defaults."""
    names = ("extra_headers", "extra_query", "timeout", "incomplete")
    usual = CallOptions()
    for options in (call_options(dict.fromkeys(names, nothing)), call_options({})):
        assert (options.headers, options.query) == (usual.headers, usual.query)
        assert (options.timeout, options.incomplete) == (usual.timeout, usual.incomplete)


@pytest.mark.parametrize(
    ("name", "bad"),
    [
        ("extra_headers", [("a", "b")]),
        ("extra_headers", "a: b"),
        ("extra_headers", {5: "b"}),
        ("extra_headers", {"a": 5}),
        ("extra_headers", {"a": "b\nc"}),
        ("extra_headers", {"a b": "c"}),
        ("extra_query", "a=b"),
        ("extra_query", {5: "b"}),
        ("extra_query", {"a": None}),
        ("extra_query", {"a": ["b"]}),
        ("incomplete", "maybe"),
        ("incomplete", True),
        ("incomplete", ["raise"]),
    ],
)
def test_bad_options(name: str, bad: Any) -> None:
    """A wrong option is named before anything is sent."""
    with pytest.raises(ConfigurationError, match=f"^{name}") as caught:
        call_options({name: bad})
    assert caught.value.argument == name


def test_options_show_no_headers() -> None:
    """Headers of a call may be credentials: its repr has none."""
    options = call_options({"extra_headers": {"X-Key": "hidden"}, "extra_query": {"k": "hidden"}})
    assert "hidden" not in repr(options)


def test_query_of_none() -> None:
    """No parameters are none."""
    assert checked_query(None, "default_query") == {}


DEFAULT = Timeouts(connect=1, first_chunk=2, idle=3, total=4, keepalive_counts=False)


@pytest.mark.parametrize(
    ("given", "limits"),
    [
        (None, DEFAULT),
        (NOT_GIVEN, DEFAULT),
        (9, Timeouts(connect=1, first_chunk=9, idle=9, total=4, keepalive_counts=False)),
        (0.5, Timeouts(connect=1, first_chunk=0.5, idle=0.5, total=4, keepalive_counts=False)),
        (Timeouts(total=8), Timeouts(total=8)),
    ],
)
def test_timeouts(given: object, limits: Timeouts) -> None:
    """A number sets `first_chunk` and `idle`; `Timeouts` replaces all limits."""
    assert timeouts_of(given, DEFAULT) == limits


@pytest.mark.parametrize("bad", [0, -1, "5", True, [5], float("nan"), float("inf"), {"idle": 5}])
def test_bad_timeouts(bad: Any) -> None:
    """What is no time limit is named."""
    with pytest.raises(ConfigurationError, match=r"^timeout") as caught:
        timeouts_of(bad, DEFAULT)
    assert caught.value.argument == "timeout"
