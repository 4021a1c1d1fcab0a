"""The house obeys its rules."""

from __future__ import annotations

import importlib
import subprocess
import sys
from collections.abc import Callable

import pytest

from . import direction, habits, hygiene
from .source import REPOSITORY, Package

Rule = Callable[[Package], list[str]]

PACKAGE_RULES: tuple[Rule, ...] = (
    direction.rooms_without_a_floor,
    direction.climbing_imports,
    direction.imports_of_the_root,
    direction.forbidden_acquaintances,
    direction.impure_imports,
    direction.coloured_code,
    direction.sleeping_code,
    direction.libraries_out_of_place,
    direction.files_without_a_twin,
    direction.circles,
    habits.decisions_by_provider_name,
    habits.forgotten_flows,
    habits.missing_docstrings,
    habits.oversized,
)


@pytest.fixture(scope="module")
def package() -> Package:
    """The package as source."""
    return Package(REPOSITORY / "evoclient")


@pytest.mark.parametrize("rule", PACKAGE_RULES, ids=lambda rule: rule.__name__)
def test_the_package_obeys(rule: Rule, package: Package) -> None:
    """No module of the package breaks the rule."""
    assert package.modules
    assert rule(package) == []


def test_every_test_says_its_behaviour() -> None:
    """The docstring of every test says its behaviour in one sentence."""
    assert habits.tests_without_a_sentence(Package(REPOSITORY / "tests")) == []


def test_nothing_unwanted_is_tracked() -> None:
    """No file holds a path of a machine, a registry or a note to oneself."""
    files = hygiene.tracked_files(REPOSITORY)
    assert REPOSITORY / "setup.cfg" in files
    assert hygiene.unwanted_text(files, REPOSITORY) == []


def test_public_names() -> None:
    """The list of public names is sorted, and each of them is there when asked for."""
    evoclient = importlib.import_module("evoclient")
    names = list(evoclient.__all__)
    assert names == sorted(set(names))
    assert [name for name in names if not hasattr(evoclient, name)] == []


def test_public_names_are_all_there_is() -> None:
    """A fresh import offers its public names and no others."""
    ask = (
        "import evoclient, types\n"
        "shown = {n for n in dir(evoclient) if not n.startswith('_')}\n"
        "modules = {n for n in shown if isinstance(getattr(evoclient, n), types.ModuleType)}\n"
        "named = {n for n in evoclient.__all__ if not n.startswith('_')}\n"
        "print(sorted((shown - modules) ^ (named - modules)))\n"
    )
    # A new interpreter, because other tests have loaded rooms that then show as attributes.
    shown = subprocess.run(
        [sys.executable, "-c", ask], capture_output=True, text=True, cwd=REPOSITORY, check=True
    )
    assert shown.stdout.strip() == "[]"
