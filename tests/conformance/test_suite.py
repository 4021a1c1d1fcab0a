"""The suite itself: what importing it loads, and that it finds what is wrong."""

from __future__ import annotations

import subprocess
import sys
from typing import Any, ClassVar

import pytest

from evoclient.testing import ReplyConformance, TransportConformance
from evoclient.testing.conformance.base import raises
from evoclient.transports.memory import MemoryReply, MemoryTransport

WANTED = "pieces early frees connect first_chunk idle earliest errors smuggle redirects back giant"


def test_importing_the_suite_needs_no_pytest_and_no_library() -> None:
    """A plugin's author may read it, or run it by other means."""
    script = (
        "import sys\nfrom evoclient.testing import TransportConformance\n"
        "unwanted = ('pytest', 'requests', 'aiohttp', 'httpx')\n"
        "print([name for name in unwanted if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False
    )
    assert (done.stdout, done.stderr) == ("[]\n", "")


def test_the_suite_is_about_what_it_says() -> None:
    """Each part of the contract has a scenario, and each scenario a sentence."""
    names = [name for name in dir(TransportConformance) if name.startswith("test_")]
    assert all(any(word in name for name in names) for word in WANTED.split())
    assert all((getattr(TransportConformance, name).__doc__ or "").endswith(".") for name in names)


class _Wrong(ReplyConformance):
    """Stands for a transport that gives nothing but an empty reply."""

    exceptions: ClassVar = {"test_a_redirect_is_a_reply": "it cannot"}

    def make(self) -> Any:
        return MemoryTransport(lambda request: MemoryReply())


def test_a_transport_that_keeps_no_promise_fails() -> None:
    """A scenario fails with an assertion that shows what came."""
    wrong = _Wrong()
    scenario = wrong.test_a_reply_has_its_status_headers_and_body
    wrong.setup_method(scenario)
    with pytest.raises(AssertionError, match="418"):
        scenario()
    wrong.teardown_method(scenario)


def test_a_declared_exception_is_skipped_with_its_reason() -> None:
    """Who runs the suite sees why a scenario was left out."""
    from unittest import SkipTest

    wrong = _Wrong()
    with pytest.raises(SkipTest, match="it cannot"):
        wrong.setup_method(wrong.test_a_redirect_is_a_reply)
    wrong.teardown_method(wrong.test_a_redirect_is_a_reply)


def test_the_suite_expects_errors_by_itself() -> None:
    """An error that does not come, or says something else, is a failure."""
    with pytest.raises(AssertionError, match="no KeyError"), raises(KeyError):
        pass
    with pytest.raises(AssertionError, match="has no 'b'"), raises(KeyError, "b"):
        raise KeyError("a")
