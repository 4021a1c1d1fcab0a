"""The two colours show the same face."""

from __future__ import annotations

from importlib import import_module
from types import ModuleType
from typing import Any, overload

import pytest

from .parity import differences, pairs
from .source import REPOSITORY

PUBLIC = ("Client", "Stream", "StreamBuffer", "StreamGroup")
FILES = sorted(
    ".".join(path.relative_to(REPOSITORY / "evoclient" / "sync").with_suffix("").parts)
    for path in (REPOSITORY / "evoclient" / "sync").rglob("*.py")
    if path.stem != "__init__"
)


@pytest.mark.parametrize("name", PUBLIC)
def test_public_classes_are_twins(name: str) -> None:
    """A public class and its async twin have the same members with the same arguments."""
    evoclient = import_module("evoclient")
    sync, aio = getattr(evoclient, name), getattr(evoclient, f"Async{name}")
    assert differences(name, sync, aio) == []


@pytest.mark.parametrize("file", FILES)
def test_files_are_twins(file: str) -> None:
    """Files of the same name in both colours define the same classes and functions."""
    sync, aio = (import_module(f"evoclient.{room}.{file}") for room in ("sync", "aio"))
    assert [line for pair in pairs(sync, aio) for line in differences(*pair)] == []


class Good:
    """A sync class to compare with."""

    def __init__(self, *, transport: str = "requests", timeout: float = 5) -> None:
        self.transport, self.timeout = transport, timeout

    def __enter__(self) -> Good:
        return self

    @property
    def usage(self) -> int:
        """Return a figure."""
        return 0

    @overload
    def create(self, *, stream: bool) -> int: ...
    @overload
    def create(self, *, stream: None = None) -> str: ...
    def create(self, *, stream: bool | None = None) -> Any:
        """Take an argument."""

    def close(self) -> None:
        """Close."""


class AsyncGood:
    """The twin of Good."""

    def __init__(self, *, transport: str = "aiohttp", timeout: float = 5) -> None:
        self.transport, self.timeout = transport, timeout

    async def __aenter__(self) -> AsyncGood:
        return self

    @property
    def usage(self) -> int:
        """Return a figure."""
        return 0

    @overload
    async def create(self, *, stream: bool) -> int: ...
    @overload
    async def create(self, *, stream: None = None) -> str: ...
    async def create(self, *, stream: bool | None = None) -> Any:
        """Take an argument."""

    async def aclose(self) -> None:
        """Close."""


class OtherDefault(AsyncGood):
    """A twin whose constructor waits longer."""

    def __init__(self, *, transport: str = "aiohttp", timeout: float = 6) -> None:
        super().__init__(transport=transport, timeout=timeout)


class OneMore(AsyncGood):
    """A twin with a member of its own."""

    async def cancel(self) -> None:
        """Cancel."""


class OtherKind(AsyncGood):
    """A twin whose property became a method."""

    async def usage(self) -> int:  # type: ignore[override]  # the difference under test
        """Return a figure."""
        return 0


class OtherArgument(AsyncGood):
    """A twin whose method takes something else."""

    async def create(self, *, streamed: bool = False) -> Any:  # type: ignore[override]  # as above
        """Take another argument."""


class OtherOverload(AsyncGood):
    """A twin whose method has lost an overload."""

    async def create(self, *, stream: bool | None = None) -> Any:
        """Take an argument."""


def test_good_twins_pass() -> None:
    """Twins that differ by colour alone are equal."""
    assert differences("Good", Good, AsyncGood) == []


@pytest.mark.parametrize("twin", [OtherDefault, OneMore, OtherKind, OtherArgument, OtherOverload])
def test_a_bad_twin_is_caught(twin: type) -> None:
    """Each kind of difference is found, and only once."""
    assert len(differences("Good", Good, twin)) == 1


def test_a_missing_twin_is_caught() -> None:
    """A class that one colour alone defines is found."""
    sync, aio = ModuleType("sync"), ModuleType("aio")
    lonely = type("Lonely", (), {"__module__": "sync"})
    vars(sync)["Lonely"] = lonely
    found = [line for pair in pairs(sync, aio) for line in differences(*pair)]
    assert found == ["Lonely is missing in aio"]
