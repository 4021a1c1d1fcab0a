"""Install a built wheel into a new virtual environment and check what a user gets."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import venv
import zipfile
from pathlib import Path

MOST_DISTRIBUTIONS = 16
# What a virtual environment brings by itself.
NOT_OURS = {"pip", "setuptools", "wheel"}


def run(*command: str, status: int = 0) -> str:
    """Run a command away from the source and return what it printed."""
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, cwd=tempfile.gettempdir()
    )
    if done.returncode != status:
        raise SystemExit(
            f"{' '.join(command)} ended with {done.returncode}, not {status}:\n"
            f"{done.stdout}{done.stderr}"
        )
    return done.stdout + done.stderr


def check_wheel(wheel: Path) -> None:
    """Check that the wheel is typed and holds the package alone."""
    names = zipfile.ZipFile(wheel).namelist()
    if "evoclient/py.typed" not in names:
        raise SystemExit(f"{wheel.name} has no py.typed")
    tops = {name.partition("/")[0] for name in names}
    if strange := {top for top in tops if not top.startswith("evoclient")}:
        raise SystemExit(f"{wheel.name} holds more than the package: {sorted(strange)}")


def check_install(wheel: Path, folder: Path) -> None:
    """Check that few distributions come along, and what works without the extra `cli`."""
    venv.create(folder, with_pip=True)
    scripts = folder / ("Scripts" if sys.platform == "win32" else "bin")
    python, command = str(scripts / "python"), str(scripts / "evoclient")
    run(python, "-m", "pip", "install", "--quiet", str(wheel))
    listed = json.loads(run(python, "-m", "pip", "list", "--format", "json").splitlines()[0])
    names = sorted({each["name"] for each in listed} - NOT_OURS)
    print(f"{len(names)} distributions: {', '.join(names)}")
    if len(names) > MOST_DISTRIBUTIONS:
        raise SystemExit(f"a fresh install has more than {MOST_DISTRIBUTIONS} distributions")
    for start in ([command], [python, "-m", "evoclient"]):
        print(run(*start, "--version").strip())
        run(*start, "--help")
        said = run(*start, "chat", "hello", status=2)
        if "evoclient[cli]" not in said:
            raise SystemExit(f"without the extra the command does not name it:\n{said}")


def main() -> None:
    """Check the wheel in the folder given."""
    (wheel,) = Path(sys.argv[1]).glob("*.whl")
    check_wheel(wheel)
    with tempfile.TemporaryDirectory() as folder:
        check_install(wheel, Path(folder))


if __name__ == "__main__":
    main()
