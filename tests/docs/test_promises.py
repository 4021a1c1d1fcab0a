"""The page of promises names tests that exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/topics/promises.md").read_text("utf-8")
PLACES = (ROOT / "tests", ROOT / "evoclient/testing/conformance")
NAMED = sorted(set(re.findall(r"`([\w/]+\.py(?:::\w+)?)`", PAGE)))


@pytest.mark.parametrize("name", NAMED)
def test_a_test_that_is_named_exists(name: str) -> None:
    """A file that is named is there, and so is the function in it, if one is named."""
    path, _, function = name.partition("::")
    (found,) = [place / path for place in PLACES if (place / path).is_file()]
    assert f"def {function}" in found.read_text("utf-8") or not function


def test_every_promise_names_a_test() -> None:
    """No promise of the page is without a test that holds it."""
    promises = re.split(r"^## (?=\d)", PAGE, flags=re.MULTILINE)[1:]
    assert len(promises) == 12
    for promise in promises:
        assert re.search(r"\w\.py", promise), promise
