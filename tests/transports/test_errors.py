"""What comes out of a transport when something goes wrong behind a proxy, and how it is cut."""

from __future__ import annotations

import pytest

from evoclient.errors.tree import APIConnectionError
from evoclient.testing.conformance.errors import PLAYS, check_error
from evoclient.testing.raw_server import RawServer
from evoclient.transports.base import caused
from evoclient.wire import Deadlines

from .callers import KEY, Kind, deadline, over_http

SECRETS = (KEY, KEY.split()[1], "YW5uOnBhc3M=", "ann:pass")


@pytest.mark.loopback
@pytest.mark.parametrize("play", PLAYS)
def test_errors_behind_a_proxy_show_no_secret(
    kind: Kind, play: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever fails holds neither the key nor the credentials for the proxy."""
    with RawServer(PLAYS[play]) as server:
        monkeypatch.setenv("HTTP_PROXY", f"http://ann:pass@127.0.0.1:{server.port}")
        caller = over_http(kind)
        limits = Deadlines(first_chunk=deadline(0.2, "first_chunk"))
        with pytest.raises(APIConnectionError, match=r"nowhere\.invalid") as caught:
            caller.send("http://nowhere.invalid/v1", limits).read_all()
        caller.close()
    check_error(caught.value, SECRETS)


def test_the_traceback_of_a_cause_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    """The frames of a library hold headers, so they are kept only on request."""

    def failing() -> ValueError:
        try:
            try:
                raise KeyError("inner")
            except KeyError as inner:
                raise ValueError("outer") from inner
        except ValueError as outer:
            return outer

    links = caused(APIConnectionError("x"), failing()).__cause__
    assert links is not None
    assert links.__traceback__ is None
    assert links.__cause__ is not None
    assert links.__cause__.__traceback__ is None
    monkeypatch.setenv("EVOCLIENT_TRACE", "1")
    kept = caused(APIConnectionError("x"), failing()).__cause__
    assert kept is not None
    assert kept.__traceback__ is not None
