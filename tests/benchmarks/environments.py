"""Virtual environments, one for each contender: what it needs and nothing else.

They are made on first use below the folder that ``EVOCLIENT_TEST_CONTENDERS`` names, or a temporary
one, and stay there for the next run. evoclient is installed as users install it, from a copy of the
checkout, and anew when its source has changed.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import venv
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Final

import attrs

__all__ = ["KINDS", "EnvironmentFailed", "Installed", "installed"]

REPOSITORY: Final = Path(__file__).resolve().parents[2]

#: Says what has been installed beside it.
STAMP: Final = "installed.json"

#: What a copy of the checkout needs to be built.
SOURCES: Final = ("pyproject.toml", "setup.cfg", "README.md", "LICENSE", "MANIFEST.in", "evoclient")

#: What each environment has; a dot is the checkout.
KINDS: Final[dict[str, tuple[str, ...]]] = {
    "evoclient": (".",),
    "evoclient-fast": (".[fast]",),
    "hand": ("requests", "aiohttp"),
    "floor": ("orjson",),
    "openai": ("openai",),
    "evolution-openai": ("evolution-openai", "openai<2"),
    "litellm": ("litellm",),
    "openrouter": ("openrouter",),
}


class EnvironmentFailed(RuntimeError):
    """An environment could not be made; says why and what to do."""


@attrs.frozen
class Installed:
    """An environment.

    Attributes:
        python: Its interpreter.
        site: The folder of what is installed.
    """

    python: Path
    site: Path

    def versions(self) -> dict[str, str]:
        """Return what is installed, with its version."""
        names = (found.name.removesuffix(".dist-info") for found in self.site.glob("*.dist-info"))
        return dict(sorted(name.rsplit("-", 1) for name in names))

    def megabytes(self) -> float:
        """Return the size of what is installed, compiled files included."""
        return sum(file.stat().st_size for file in self.site.rglob("*") if file.is_file()) / 1e6


def folder() -> Path:
    """Return the folder of all environments."""
    named = os.environ.get("EVOCLIENT_TEST_CONTENDERS")
    return Path(named) if named else Path(tempfile.gettempdir()) / "evoclient-contenders"


def environment_of(path: Path) -> dict[str, str]:
    """Return the environment variables of a process that is measured.

    Keys, proxies, development mode and the measuring of coverage stay outside.

    Args:
        path: The folder whose modules it can import.
    """
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR") if name in os.environ}
    return kept | {"PYTHONPATH": str(path), "LC_ALL": "C.UTF-8"}


def path_of_tests() -> Path:
    """Return a folder from which `tests` can be imported, and not evoclient from the checkout."""
    path = folder() / "path"
    path.mkdir(parents=True, exist_ok=True)
    link = path / "tests"
    if link.resolve() != REPOSITORY / "tests":
        link.unlink(missing_ok=True)
        link.symlink_to(REPOSITORY / "tests", target_is_directory=True)
    return path


@cache
def installed(kind: str) -> Installed:
    """Return an environment, which is made if it is not there or old.

    It stays the same while this process runs, whatever becomes of the source.

    Args:
        kind: One of `KINDS`.

    Raises:
        EnvironmentFailed: What it needs could not be installed.
    """
    here = folder() / f"{kind}-{sys.version_info.major}.{sys.version_info.minor}"
    wanted = {"needs": list(KINDS[kind]), "source": _source() if "." in KINDS[kind][0] else ""}
    stamp = here / STAMP
    if not stamp.exists() or json.loads(stamp.read_text("utf-8")) != wanted:
        print(f"installing {kind} into {here}", file=sys.stderr, flush=True)
        shutil.rmtree(here, ignore_errors=True)
        venv.create(here, with_pip=False, symlinks=True)
        _install(kind, here)
        # Written last: half an installation does not count.
        stamp.write_text(json.dumps(wanted), "utf-8")
    site = next((here / "lib").glob("python*/site-packages"))
    return Installed(here / "bin" / "python", site)


def _install(kind: str, here: Path) -> None:
    copy = here / "source"
    needs = [need.replace(".", str(copy), 1) if need[0] == "." else need for need in KINDS[kind]]
    if needs != list(KINDS[kind]):
        # A build leaves files beside what it builds: not in the checkout.
        copy.mkdir()
        for name in SOURCES:
            source = REPOSITORY / name
            if source.is_dir():
                shutil.copytree(source, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(source, copy)
    command = [sys.executable, "-m", "pip", "--python", str(here / "bin" / "python"), "install"]
    command += ["--quiet", "--disable-pip-version-check", "--compile", *needs]
    # What development mode says of pip is of no use here, and makes it slow.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDEVMODE"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise EnvironmentFailed(
            f"{kind} could not be installed; pip says:\n{done.stderr.strip()[-2000:]}\n"
            "The benchmarks need a package index for the first run. Leave a contender out with "
            "--contenders, or let EVOCLIENT_TEST_CONTENDERS name a folder that a run has filled."
        )
    shutil.rmtree(copy, ignore_errors=True)


def _source() -> str:
    """Return a mark that changes with the source of evoclient."""
    mark = hashlib.sha256()
    for file in sorted(_files()):
        mark.update(file.relative_to(REPOSITORY).as_posix().encode())
        mark.update(file.read_bytes())
    return mark.hexdigest()


def _files() -> Iterator[Path]:
    yield REPOSITORY / "setup.cfg"
    yield from (REPOSITORY / "evoclient").rglob("*.py")
