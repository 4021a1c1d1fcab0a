"""Sending no credential."""

from __future__ import annotations

import pytest

from evoclient.auth.base import NoAuth
from evoclient.wire import Headers
from tests.auth.sending import never


def test_no_auth() -> None:
    """It asks for nothing and gives no header."""
    with pytest.raises(StopIteration) as end:
        next(NoAuth().authorise(never, None))
    assert end.value.value == Headers()
    assert repr(NoAuth()) == "NoAuth()"
