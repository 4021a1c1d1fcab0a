"""The environments of the benchmarks."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.benchmarks.environments import (
    KINDS,
    REPOSITORY,
    EnvironmentFailed,
    environment_of,
    installed,
    path_of_tests,
)


@pytest.fixture(autouse=True)
def elsewhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Keep environments out of the usual folder."""
    monkeypatch.setenv("EVOCLIENT_TEST_CONTENDERS", str(tmp_path))


def test_what_cannot_be_installed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A failed installation says what pip says and what to do, and is tried again the next time."""
    # Nothing is fetched: it is pip itself that takes a second or two to start.
    monkeypatch.setitem(KINDS, "lost", (str(tmp_path / "nowhere"),))
    with pytest.raises(EnvironmentFailed, match=r"(?s)lost could not.*nowhere.*--contenders"):
        installed("lost")
    assert not list(tmp_path.rglob("installed.json"))


def test_only_tests_come_from_the_checkout(tmp_path: Path) -> None:
    """What is measured finds `tests` in its path, and evoclient where it is installed alone."""
    path = path_of_tests()
    assert path_of_tests() == path
    assert os.listdir(path) == ["tests"]
    assert (path / "tests").samefile(REPOSITORY / "tests")


def test_the_environment_of_what_is_measured(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Development mode, proxies, keys and the measuring of coverage reach no measurement."""
    for name in ("PYTHONDEVMODE", "HTTPS_PROXY", "OPENAI_API_KEY", "COVERAGE_PROCESS_START"):
        monkeypatch.setenv(name, "1")
    assert environment_of(tmp_path).keys() <= {"PATH", "HOME", "TMPDIR", "PYTHONPATH", "LC_ALL"}
