"""What a server says about trying again."""

from __future__ import annotations

import time
from email.utils import formatdate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evoclient.errors.hints import retry_advice, retry_delay
from evoclient.wire import Headers

NOW = 1_800_000_000.0


def delay(availability: dict[str, object] | None = None, **headers: str) -> float | None:
    """Return the wait that headers and availability ask for."""
    fields = Headers({name.replace("_", "-"): value for name, value in headers.items()})
    return retry_delay(fields, lambda: NOW, availability or {})


NUMBERS: list[tuple[str, float | None]] = [
    ("5", 5),
    ("0", 0),
    (" 2.5 ", 2.5),
    ("61", 61),
    ("-1", None),
    ("-0.5", None),
    ("nan", None),
    ("inf", None),
    ("-inf", None),
    ("1e400", None),
    ("", None),
    ("soon", None),
    ("5 s", None),
    ("5, 5", None),
    ("1_0", None),
    ("0x10", None),
]


@pytest.mark.parametrize(("said", "seconds"), NUMBERS)
def test_seconds(said: str, seconds: float | None) -> None:
    """Retry-After in seconds counts where it is a number that one can wait for."""
    assert delay(retry_after=said) == seconds


@pytest.mark.parametrize(("said", "milliseconds"), NUMBERS)
def test_milliseconds(said: str, milliseconds: float | None) -> None:
    """Retry-After-Ms counts likewise, in thousandths."""
    expected = None if milliseconds is None else milliseconds / 1000
    assert delay(Retry_After_Ms=said) == expected


DATES = {
    "IMF": formatdate(NOW + 30, usegmt=True),
    "RFC 850": time.strftime("%A, %d-%b-%y %H:%M:%S GMT", time.gmtime(NOW + 30)),
    "asctime": time.asctime(time.gmtime(NOW + 30)),
    "other zone": time.strftime("%a, %d %b %Y %H:%M:%S +0300", time.gmtime(NOW + 30 + 3 * 3600)),
}


@pytest.mark.parametrize("form", DATES)
@pytest.mark.parametrize("zone", ["UTC", "Asia/Vladivostok"])
def test_dates(form: str, zone: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """All three forms of HTTP dates are read as GMT, wherever the machine stands."""
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    try:
        assert delay(retry_after=DATES[form]) == 30
    finally:
        monkeypatch.undo()
        time.tzset()


@pytest.mark.parametrize(
    "said",
    [
        formatdate(NOW - 30, usegmt=True),
        formatdate(NOW, usegmt=True),
        "Wed, 21 Oct 2015 07:28:00 GMT",
        "Wed, 99 Foo 2015 07:28:00 GMT",
        "Wed, 21 Oct 999999 07:28:00 GMT",
        "Wed, 21 Oct 2035 07:28:00 +9999",
        "Wed,",
    ],
)
def test_useless_dates(said: str) -> None:
    """Dates in the past and rubbish are passed over."""
    assert delay(retry_after=said) is None


@given(st.text(st.characters(max_codepoint=255)))
def test_any_text(said: str) -> None:
    """No text raises or gives a wait that is negative or without end."""
    found = delay(retry_after=said)
    assert found is None or 0 <= found < 1e300


@pytest.mark.parametrize(
    ("said", "seconds"),
    [(5, 5), (0.5, 0.5), ("7", 7), (-1, None), (None, None), (True, None), ([5], None),
     (float("nan"), None), (10**400, None)],
)  # fmt: skip
def test_availability(said: object, seconds: float | None) -> None:
    """OpenRouter's account may say it as a number or a string."""
    assert delay({"retry_after": said}) == seconds


def test_order() -> None:
    """Milliseconds win over seconds, and both over availability; rubbish gives way."""
    assert delay({"retry_after": 3}, retry_after="2", retry_after_ms="1000") == 1
    assert delay({"retry_after": 3}, retry_after="2", retry_after_ms="x") == 2
    assert delay({"retry_after": 3}, retry_after="x", retry_after_ms="-1") == 3
    assert delay() is None


@pytest.mark.parametrize(
    ("header", "retryable", "advice"),
    [
        ("true", None, True),
        (" FALSE ", None, False),
        ("maybe", None, None),
        ("1", None, None),
        (None, True, True),
        (None, False, False),
        (None, "true", None),
        (None, 1, None),
        ("false", True, False),
        ("maybe", True, True),
        (None, None, None),
    ],
)
def test_advice(header: str | None, retryable: object, advice: bool | None) -> None:
    """x-should-retry is followed, then OpenRouter's `retryable`."""
    headers = Headers({} if header is None else {"X-Should-Retry": header})
    assert retry_advice(headers, {"retryable": retryable}) is advice
