"""What the foreign servers need, and how each is installed into a folder of its own."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import venv
from collections.abc import Callable
from pathlib import Path
from typing import Final

import attrs

__all__ = ["AIMOCK", "LITELLM", "Foreign"]

#: Says which version has been installed beside it.
STAMP: Final = "installed.json"


@attrs.frozen
class Foreign:
    """A server that this project did not write.

    Attributes:
        name: Its name here.
        package: Its name in the registry.
        version: The version that the scenarios were written for.
        program: What is run, below its folder.
        takes: How long that installation takes, in words.
        missing: Says what the machine lacks, or None.
        install: Installs it into a folder.
    """

    name: str
    package: str
    version: str
    program: str
    takes: str
    missing: Callable[[], str | None]
    install: Callable[[Foreign, Path], None]

    def found(self, folder: Path) -> Path | None:
        """Return its program, or None where this version is not installed.

        Args:
            folder: The folder of all servers.
        """
        here = folder / self.name
        stamp = here / STAMP
        if not stamp.exists() or json.loads(stamp.read_text("utf-8")) != self.version:
            return None
        return here / self.program

    def provide(self, folder: Path) -> Path:
        """Install it, unless this version is there, and return its program.

        Args:
            folder: The folder of all servers.

        Raises:
            CalledProcessError: The installation failed; it has said why.
        """
        found = self.found(folder)
        if found is not None:
            return found
        here = folder / self.name
        shutil.rmtree(here, ignore_errors=True)
        here.mkdir(parents=True)
        self.install(self, here)
        # Written last: half an installation does not count.
        (here / STAMP).write_text(json.dumps(self.version), "utf-8")
        return here / self.program


def _node_is_missing() -> str | None:
    node = shutil.which("node")
    if node is None or shutil.which("npm") is None:
        return "this machine has no Node.js with npm"
    said = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout
    version = re.match(r"v(\d+)\.(\d+)", said)
    if version is None or (int(version[1]), int(version[2])) < (20, 15):
        return f"aimock needs Node.js 20.15 or later, this machine has {said.strip() or 'none'}"
    return None


def _with_npm(server: Foreign, here: Path) -> None:
    # A package.json of its own: npm would else look for one in the folders above.
    (here / "package.json").write_text('{"private": true}\n', "utf-8")
    command = ["npm", "install", "--prefix", str(here), "--ignore-scripts", "--no-audit"]
    command += ["--no-fund", "--no-package-lock", "--loglevel=error"]
    subprocess.run([*command, f"{server.package}@{server.version}"], cwd=here, check=True)


def _nothing_is_missing() -> str | None:
    return None


def _with_pip(server: Foreign, here: Path) -> None:
    # Not beside evoclient: LiteLLM pins aiohttp, openai, click and others to versions of its own.
    venv.create(here, with_pip=True)
    command = [str(here / "bin" / "python"), "-m", "pip", "install", "--quiet", "--quiet"]
    command += ["--disable-pip-version-check", f"{server.package}=={server.version}"]
    # What development mode says of pip is of no use here, and makes it slow.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDEVMODE"}
    subprocess.run(command, env=environment, check=True)


AIMOCK: Final = Foreign(
    name="aimock",
    package="@copilotkit/aimock",
    version="1.43.0",
    program="node_modules/@copilotkit/aimock/dist/cli.js",
    takes="which takes seconds",
    missing=_node_is_missing,
    install=_with_npm,
)

LITELLM: Final = Foreign(
    name="litellm",
    package="litellm[proxy]",
    version="1.106.2",
    program="bin/litellm",
    takes="which takes minutes and 750 MB",
    missing=_nothing_is_missing,
    install=_with_pip,
)
