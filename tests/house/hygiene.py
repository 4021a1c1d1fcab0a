"""What no file of the repository holds: paths of a machine, registries, notes to oneself."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterable, Iterator
from pathlib import Path

# Written so that none of them is found in this file.
UNWANTED = {
    "a path of a machine": re.compile(
        r"(?<![\w.:/~*-])/(?:home|Users|root|work|farm|mnt)/[\w.]|[A-Z]:\\Users\\"
    ),
    "a package registry": re.compile(
        r"\b(?:pypi[.]org|pythonhosted[.]org|registry[.]npmjs[.]org)\b|\bindex[-_]url\b"
    ),
    "a note to oneself": re.compile(r"\b(?:TO[D]O|FIX[M]E|XX[X])\b"),
}

# What git would not track, for the case that there is no git (a source distribution).
_LEFT_OUT = {"build", "dist", "__pycache__", "_build", "htmlcov"}


def tracked_files(repository: Path) -> list[Path]:
    """Return the files that belong to the repository, new ones that are not ignored included."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=repository,
        capture_output=True,
        check=False,
    )
    if listed.returncode == 0:
        names = {name for name in listed.stdout.decode().split("\0") if name}
        return sorted(path for name in names if (path := repository / name).is_file())
    return sorted(_walk(repository))


def _walk(folder: Path) -> Iterator[Path]:
    """Yield files, leaving out what builds and tools put there."""
    for path in folder.iterdir():
        hidden = path.name.startswith(".") and path.name != ".ci"
        if path.is_dir():
            if not hidden and path.name not in _LEFT_OUT and path.suffix != ".egg-info":
                yield from _walk(path)
        else:
            yield path


def unwanted_text(files: Iterable[Path], repository: Path) -> list[str]:
    """Find unwanted text in files; binary files are passed over."""
    bad = []
    for path in files:
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        for number, line in enumerate(text.splitlines(), start=1):
            bad += [
                f"{path.relative_to(repository)}:{number} holds {what}: {found.group()}"
                for what, pattern in UNWANTED.items()
                if (found := pattern.search(line))
            ]
    return bad
