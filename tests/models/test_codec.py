"""JSON in and out, with and without a compiled decoder."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Iterator
from types import FrameType, MappingProxyType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evoclient.ground import ConfigurationError
from evoclient.models.chat import ChatMessage
from evoclient.models.codec import HasDict, dumps, loads, plain, use_stdlib


@pytest.fixture(autouse=True)
def choose_again() -> Iterator[None]:
    """Leave no choice of a decoder behind."""
    yield
    use_stdlib(False)


def both(data: bytes | str) -> tuple[Any, Any]:
    """Return what each decoder makes of a document: repr, which tells 1 from 1.0 and True."""
    found = []
    for only in (True, False):
        use_stdlib(only)
        try:
            found.append(repr(loads(data)))
        except ValueError:
            found.append("refused")
    return found[0], found[1]


DOCUMENTS: list[tuple[bytes | str, Any]] = [
    (b'{"a":1,"a":2}', {"a": 2}),
    (b"\n\n  {}", {}),
    (b"\xef\xbb\xbf[]", []),
    ("\ufeff[]", []),
    (b'"\xff"', "\ufffd"),
    (b'"\\ud83d"', "\ud83d"),
    ('"\ud83d"', "\ud83d"),
    (b'"\\ud83d\\ude00"', "😀"),
    (b'"\x0b\x0c\xe2\x80\xa8"', "\x0b\x0c\u2028"),
    (b"1e400", math.inf),
    (b"-Infinity", -math.inf),
    (b"123456789012345678901234567890", 123456789012345678901234567890),
    ("[" * 256 + "]" * 256, None),
    ('{"a":"' + "[" * 600 + '\\"]"}', {"a": "[" * 600 + '"]'}),
    ("[" + "[]," * 300 + "[]]", [[]] * 301),
]


@pytest.mark.parametrize(("data", "value"), DOCUMENTS)
def test_what_servers_send_is_read(data: bytes | str, value: Any) -> None:
    """What servers send beside strict JSON is read, by both decoders alike."""
    first, second = both(data)
    assert first == second
    assert first != "refused"
    assert value is None or first == repr(value)


def test_nan_is_read() -> None:
    """NaN, which no standard allows, is read."""
    assert math.isnan(loads(b"NaN"))


@pytest.mark.parametrize(
    "data",
    [b"", b"  ", b"{", b'{"a":}', b"01", b"[1,]", b"{}x", b"<html>", b"9" * 5000, b"tru", b"\x00"],
)
def test_what_is_no_json_is_refused(data: bytes) -> None:
    """What is no JSON is a ValueError, by both decoders alike."""
    assert both(data) == ("refused", "refused")


@pytest.mark.parametrize("depth", [257, 900, 100_000])
@pytest.mark.parametrize("only", [True, False])
def test_deep_nesting_is_refused(depth: int, only: bool) -> None:
    """A document that is nested too deeply is a ValueError, not a RecursionError."""
    use_stdlib(only)
    with pytest.raises(ValueError, match="nested"):
        loads(b'{"a":' * depth + b"1" + b"}" * depth)
    with pytest.raises(ValueError, match="nested"):
        loads("[" * depth + "]" * depth)


@pytest.mark.skipif(
    sys.version_info >= (3, 12), reason="from 3.12 on, C code has a stack limit of its own"
)
def test_a_low_stack_is_a_value_error() -> None:
    """Where the caller's stack leaves no room for the nesting, it is a ValueError as well."""

    def deeper(levels: int) -> Any:
        return deeper(levels - 1) if levels else loads("[" * 250 + "]" * 250)

    use_stdlib(True)
    loads("0")  # the decoder is imported
    used = _depth()
    with pytest.raises(ValueError, match="nested too deeply"):
        deeper(sys.getrecursionlimit() - used - 100)


def _depth() -> int:
    """Return how many frames the stack holds."""
    frame: FrameType | None = sys._getframe()
    depth = 0
    while frame is not None:
        depth, frame = depth + 1, frame.f_back
    return depth


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(codec=None)),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@given(JSON, st.booleans())
def test_both_decoders_are_equal(value: Any, ascii_only: bool) -> None:
    """With and without msgspec a document gives the same, surrogates and NaN included."""
    text = json.dumps(value, ensure_ascii=ascii_only)
    first, second = both(text)
    assert first == second != "refused"
    first, second = both(text.encode("utf-8", "replace"))
    assert first == second != "refused"


@given(st.text(st.sampled_from('{}[]",:0123456789.eE+-\\u tfn\x0b\ud800ж'), max_size=25))
def test_both_refuse_the_same(text: str) -> None:
    """With and without msgspec the same rubbish is refused."""
    first, second = both(text)
    assert first == second


@given(JSON)
def test_what_is_written_is_read(value: Any) -> None:
    """What `dumps` writes, `loads` reads back, whatever characters it holds."""
    assert repr(loads(dumps(value, allow_nan=True))) == repr(value)


def test_without_msgspec(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where msgspec is not installed, the standard library reads."""
    use_stdlib(False)
    monkeypatch.setitem(sys.modules, "msgspec", None)
    monkeypatch.setitem(sys.modules, "msgspec.json", None)
    assert loads(b'{"a":[1]}') == {"a": [1]}


def test_written_compactly() -> None:
    """JSON is written without spaces, in UTF-8, with records, tuples and any mapping in it."""
    message = ChatMessage(role="user", content="Привет")
    value = {"messages": [message], "stop": ("а", "b"), "bias": MappingProxyType({5: -1})}
    assert dumps(value).decode() == (
        '{"messages":[{"role":"user","content":"Привет"}],"stop":["а","b"],"bias":{"5":-1}}'
    )
    assert dumps({"a": [1]}, indent=1) == b'{\n "a": [\n  1\n ]\n}'


def test_surrogates_are_written_as_escapes() -> None:
    """Text that UTF-8 cannot carry is written as escapes."""
    assert dumps(["\ud83d"]) == b'["\\ud83d"]'


CIRCLE: dict[str, Any] = {}
CIRCLE["again"] = [CIRCLE]


@pytest.mark.parametrize(
    ("value", "place", "what"),
    [
        ({"messages": [{"content": [{"image": b"x"}]}]}, "messages[0].content[0].image", "bytes"),
        ({"a": {"b": float("nan")}}, "a.b", "nan"),
        ({"a": [1.5, float("inf")]}, "a[1]", "inf"),
        ({"good": {"b": [1, "c", None]}, "bad": b""}, "bad", "bytes"),
        ({"a": {(1, 2): 1}}, "a.(1, 2)", "key of type tuple"),
        (ChatMessage(content=object), "content", "type"),
        (MappingProxyType({"x": {1}}), "x", "set"),
        (object(), "", "object"),
        (CIRCLE, "", "holds itself"),
    ],
)
def test_what_is_no_json_is_named(value: Any, place: str, what: str) -> None:
    """What cannot be written is a ConfigurationError that names the place and the kind."""
    with pytest.raises(ConfigurationError) as caught:
        dumps(value)
    assert caught.value.argument == place
    assert what in str(caught.value)
    assert (place or "the value itself") in str(caught.value)


def test_nan_allowed_but_not_the_rest() -> None:
    """Where NaN is allowed, an error names what is wrong, not the NaN before it."""
    with pytest.raises(ConfigurationError, match=r"b: an object of type bytes"):
        dumps({"a": float("nan"), "b": b""}, allow_nan=True)


def test_plain_shares_nothing() -> None:
    """A plain copy shares no list or mapping with its source, and keeps what is no JSON."""
    odd = object()
    source = {"a": [1, {"b": (2,)}], "m": ChatMessage(role="user"), "o": odd}
    copy = plain(source)
    assert copy == {"a": [1, {"b": [2]}], "m": {"role": "user"}, "o": odd}
    copy["a"][1]["b"].append(3)
    assert source["a"] == [1, {"b": (2,)}]


def test_has_dict_asks_for_a_mapping() -> None:
    """The base of what can be written has no mapping of its own."""
    with pytest.raises(NotImplementedError):
        HasDict().to_dict()
