"""What every test can count on: no settings from outside, and mocks that work."""

from __future__ import annotations

import inspect
import logging
import os
from collections.abc import Iterator
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from aioresponses import aioresponses

# Examples take as long as the machine lets them: time is measured elsewhere. CI repeats the same
# examples, so that a change is judged by what it changed.
settings.register_profile("default", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True, print_blob=True)
settings.register_profile("brief", settings.get_profile("ci"), max_examples=30)
if os.environ.get("EVOCLIENT_TEST_BRIEF"):
    settings.load_profile("brief")
else:
    settings.load_profile("ci" if os.environ.get("CI") == "true" else "default")

# What a provider, a proxy or a certificate could slip into a test.
FOREIGN_PREFIXES = (
    "EVOCLIENT_",
    "EVOLUTION_",
    "LLAMACPP_",
    "OLLAMA_",
    "OPENAI_",
    "OPENROUTER_",
    "VLLM_",
)
FOREIGN_NAMES = frozenset(
    {
        "ALL_PROXY",
        "APP_TITLE",
        "APP_URL",
        "CURL_CA_BUNDLE",
        "HTTPS_PROXY",
        "HTTP_PROXY",
        "NO_PROXY",
        "REQUESTS_CA_BUNDLE",
        "SSL_CERT_DIR",
        "SSL_CERT_FILE",
    }
)
# The suite's own switches begin so, and stay.
OWN_PREFIX = "EVOCLIENT_TEST_"


class _SlowSteps(logging.Filter):
    """Drops what asyncio says of slow steps: on a busy machine it is about that machine."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Return whether a record is kept."""
        return not str(record.msg).startswith("Executing %s took")


logging.getLogger("asyncio").addFilter(_SlowSteps())


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take provider settings, keys, proxies and certificates out of the environment."""
    for name in list(os.environ):
        upper = name.upper()
        foreign = upper in FOREIGN_NAMES or upper.startswith(FOREIGN_PREFIXES)
        if foreign and not upper.startswith(OWN_PREFIX):
            monkeypatch.delenv(name)


@pytest.fixture
def mended_aioresponses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let aioresponses 0.7.9 make the replies of aiohttp 3.14.

    That aiohttp asks every reply for its `stream_writer`, which aioresponses does not pass (its
    issue 289). Goes when a release passes it.
    """
    # Here and not above: most tests need no aiohttp, and loading it costs more than they do.
    import aiohttp
    import aioresponses.core

    if "stream_writer" not in inspect.signature(aiohttp.ClientResponse.__init__).parameters:
        return

    class MendedResponse(aiohttp.ClientResponse):
        """A reply that nothing was written for."""

        def __init__(self, *args: Any, **kwargs: Any) -> None:
            kwargs.setdefault("stream_writer", SimpleNamespace(output_size=0))
            super().__init__(*args, **kwargs)

    monkeypatch.setattr(aioresponses.core, "ClientResponse", MendedResponse)


@pytest.fixture
def aiohttp_mock(mended_aioresponses: None) -> Iterator[aioresponses]:
    """Answer aiohttp's requests from a table: `aiohttp_mock.post(url, status=…, body=…)`."""
    from aioresponses import aioresponses

    with aioresponses() as mock:
        yield mock
