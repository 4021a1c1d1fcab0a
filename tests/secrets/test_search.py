"""The search for secrets finds what is planted, wherever it is."""

from __future__ import annotations

import html
import json
import logging
from base64 import b64encode
from collections.abc import Iterator
from types import FunctionType
from typing import Any
from urllib.parse import quote

import pytest

from evoclient.errors.tree import APIConnectionError, APIError
from evoclient.ground import EvoClientError

from .search import KEY, SECRET, Logs, found, frames, places

# As if it were a file of evoclient's: the frames of tests are not looked at.
LEAKING = compile(
    "def leak(error, held):\n    kept = [held]\n    raise error\n", "/evoclient/leaking.py", "exec"
)


def raised(error: BaseException, held: object = None) -> Any:
    """Return an error that came through a frame which held something."""
    made: dict[str, Any] = {}
    exec(LEAKING, made)  # noqa: S102 - the three lines above
    leak: FunctionType = made["leak"]
    with pytest.raises(type(error)) as caught:
        leak(error, held)
    return caught.value


def with_cause(error: EvoClientError, cause: BaseException) -> EvoClientError:
    """Return an error with what is behind it."""
    error.__cause__ = cause
    return error


def errors() -> Iterator[tuple[str, BaseException]]:
    """Yield errors that show a key, each in another place."""
    yield "message", APIConnectionError(f"no {KEY}")
    yield "details", EvoClientError("no", details={"inner": [{"key": KEY}]})
    yield "request id", EvoClientError("no", request_id=KEY)
    yield "cause", with_cause(APIConnectionError("no"), OSError(5, KEY))
    yield (
        "bytes behind",
        with_cause(APIError("no"), UnicodeDecodeError("utf-8", KEY.encode(), 0, 1, "no")),
    )
    earlier = EvoClientError("no")
    earlier.attempts = (APIConnectionError(KEY),)
    yield "attempts", earlier


@pytest.mark.parametrize("where", [where for where, _ in errors()])
def test_what_an_error_carries(where: str) -> None:
    """A key in any part of an error is found."""
    assert found(places(dict(errors())[where]), [KEY])


def test_what_frames_hold() -> None:
    """A key in a local variable is found, as a traceback with locals and as pytest show it."""
    error = raised(EvoClientError("no"), {"Authorization": f"Bearer {KEY}"})
    assert found(places(error), [KEY])
    assert found(frames(error), [KEY])
    behind = with_cause(EvoClientError("no"), raised(OSError("no"), KEY))
    assert found(frames(behind), [KEY])
    assert not found(frames(raised(EvoClientError("no"), "nothing")), [KEY])


@pytest.mark.parametrize(
    "spelt",
    [
        json.dumps(SECRET),
        quote(SECRET, safe=""),
        html.escape(SECRET, quote=False),
        b64encode(SECRET.encode()).decode(),
        b64encode(f"user:{SECRET}".encode()).decode().rstrip("="),
        repr(SECRET),
    ],
)
def test_spellings(spelt: str) -> None:
    """A secret is known in the spellings of JSON, URLs, HTML, base64 and Python."""
    assert found([("here", f"so: {spelt}.")], [SECRET]) == ["here"]
    assert not found([("here", "so: nothing")], [SECRET])


def test_logs() -> None:
    """A key is found in the text of a record, and in what its arguments hold."""
    logger, logs = logging.Logger("test"), Logs()
    logger.addHandler(logs)
    logger.debug("sent %s", {"key": KEY})
    assert found(logs.places(), [KEY])
    logs.records.clear()
    logger.debug("nothing %s", "here")
    assert not found(logs.places(), [KEY])
