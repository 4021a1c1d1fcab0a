"""What stands beside the package agrees with itself."""

from __future__ import annotations

import configparser
import importlib
import tomllib

import pytest

from .source import REPOSITORY

CORE = {"requests>=2.33", "urllib3>=2.8", "aiohttp>=3.14.4", "attrs>=24.2", "sseclient-py>=1.8"}


def read(name: str) -> configparser.ConfigParser:
    """Read an ini file at the top of the repository."""
    parser = configparser.ConfigParser(interpolation=None)
    parser.read(REPOSITORY / name, encoding="utf-8")
    return parser


def lines(value: str) -> list[str]:
    """Split a value into its lines, comments left out."""
    found = (line.partition("#")[0].strip() for line in value.splitlines())
    return [line for line in found if line]


def version(text: str) -> tuple[int, ...]:
    """Make versions comparable: 2.8 is 2.8.0."""
    numbers = [int(part) for part in text.split(".")]
    return (*numbers, *[0] * (3 - len(numbers)))


def test_core_dependencies() -> None:
    """The package depends on the libraries it was asked to stand on, and on nothing else."""
    assert set(lines(read("setup.cfg")["options"]["install_requires"])) == CORE


def test_min_tests_the_floors() -> None:
    """The environment with the oldest dependencies pins every floor of the package."""
    setup = read("setup.cfg")
    floors = lines(setup["options"]["install_requires"])
    for extra in ("cli", "fast", "httpx"):
        floors += lines(setup["options.extras_require"][extra])
    pinned = dict(line.split("==") for line in lines(read("tox.ini")["testenv:min"]["deps"]))
    wanted = dict(line.split(">=") for line in floors)
    assert {name: version(at) for name, at in pinned.items()} == {
        name: version(at) for name, at in wanted.items()
    }


def test_nothing_is_dynamic() -> None:
    """The metadata stands in setup.cfg alone, written out."""
    assert "project" not in tomllib.loads((REPOSITORY / "pyproject.toml").read_text("utf-8"))
    assert not (REPOSITORY / "setup.py").exists()
    assert read("setup.cfg")["metadata"]["version"][0].isdigit()


def test_the_version_is_one() -> None:
    """The package tells the version that setup.cfg states."""
    evoclient = importlib.import_module("evoclient")
    assert evoclient.__version__ == read("setup.cfg")["metadata"]["version"]


@pytest.mark.parametrize("mark", ["first", "second"])
def test_the_readme_commands_can_be_found(mark: str) -> None:
    """Each of the two commands is one fenced block after its mark."""
    text = (REPOSITORY / "README.md").read_text("utf-8")
    _, found, rest = text.partition(f"<!-- ci:{mark} -->\n```sh\n")
    assert found
    assert rest.partition("\n```")[0].startswith("python3 -m venv")
