"""Builds the plugins of `tests/plugin` into wheels and installs them, without a network."""

from __future__ import annotations

import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

PLUGINS = Path(__file__).resolve().parents[1] / "plugin"


def installed(folder: Path, *names: str) -> Path:
    """Install plugins as real packages into a folder, and return that."""
    wheels = [str(_wheel(PLUGINS / name, folder.parent)) for name in names]
    command = [sys.executable, "-m", "pip", "install", "--no-index", "--no-deps", "--quiet"]
    options = ["--no-compile", "--disable-pip-version-check", "--target", str(folder)]
    subprocess.run([*command, *options, *wheels], check=True, capture_output=True)
    return folder


def _wheel(source: Path, folder: Path) -> Path:
    """Build a wheel by hand: a build backend would have to be fetched first."""
    with open(source / "pyproject.toml", "rb") as file:
        settings = tomllib.load(file)
    project, modules = settings["project"], settings["tool"]["setuptools"]["py-modules"]
    stem = f"{project['name'].replace('-', '_')}-{project['version']}"
    points = "".join(
        f"[{group}]\n" + "".join(f"{name} = {value}\n" for name, value in entries.items())
        for group, entries in project["entry-points"].items()
    )
    parts = {f"{name}.py": (source / f"{name}.py").read_text("utf-8") for name in modules}
    info = f"{stem}.dist-info"
    parts[f"{info}/METADATA"] = (
        f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n"
    )
    parts[f"{info}/WHEEL"] = "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    parts[f"{info}/entry_points.txt"] = points
    parts[f"{info}/RECORD"] = "".join(f"{name},,\n" for name in (*parts, f"{info}/RECORD"))
    wheel = folder / f"{stem}-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        for name, text in parts.items():
            archive.writestr(name, text)
    return wheel
