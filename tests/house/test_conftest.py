"""What conftest.py promises to every test."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

import aiohttp
import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from aioresponses import aioresponses

SET_OUTSIDE = ("OPENAI_API_KEY", "https_proxy", "SSL_CERT_FILE", "APP_URL", "EVOCLIENT_TRACE")


@pytest.fixture(scope="module", autouse=True)
def developers_shell() -> Iterator[None]:
    """Set what a developer's shell may hold, before the fixtures of any test run."""
    with pytest.MonkeyPatch.context() as patch:
        for name in (*SET_OUTSIDE, "EVOCLIENT_TEST_SEED"):
            patch.setenv(name, "x")
        yield


@pytest.mark.parametrize("name", SET_OUTSIDE)
def test_settings_from_outside_are_gone(name: str) -> None:
    """No key, proxy or certificate of the developer reaches a test."""
    assert name not in os.environ


def test_the_suites_own_switches_stay() -> None:
    """A switch of the suite itself is not taken away."""
    assert os.environ["EVOCLIENT_TEST_SEED"] == "x"


def test_examples_have_no_deadline() -> None:
    """Hypothesis does not judge how long an example takes."""
    assert settings().deadline is None


async def test_aiohttp_can_be_mocked(aiohttp_mock: aioresponses) -> None:
    """The mended mock answers a request of the aiohttp that is installed."""
    aiohttp_mock.post("http://memory.invalid/v1/chat/completions", status=418, body=b"short")
    async with (
        aiohttp.ClientSession() as session,
        session.post("http://memory.invalid/v1/chat/completions") as reply,
    ):
        assert (reply.status, await reply.read()) == (418, b"short")
