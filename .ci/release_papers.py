"""Write what goes with a release: SHA-256 sums of its files, and what a fresh install brings."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import tempfile
import venv
from pathlib import Path


def write_sums(folder: Path) -> Path:
    """Write the sums of the files of a release, in the form that ``sha256sum -c`` reads."""
    files = sorted(path for path in folder.iterdir() if path.suffix in (".whl", ".gz"))
    lines = [f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n" for path in files]
    sums = folder / "SHA256SUMS"
    sums.write_text("".join(lines), encoding="ascii")
    return sums


def write_bill(folder: Path) -> Path:
    """Write the distributions of a fresh install of the wheel, in the form of CycloneDX."""
    (wheel,) = folder.glob("*.whl")
    bill = folder / "sbom.cdx.json"
    with tempfile.TemporaryDirectory() as room:
        venv.create(room, with_pip=True)
        python = str(Path(room, "Scripts" if sys.platform == "win32" else "bin", "python"))
        subprocess.run([python, "-m", "pip", "install", "--quiet", str(wheel)], check=True)
        subprocess.run([python, "-m", "pip", "uninstall", "--quiet", "-y", "pip"], check=True)
        command = [sys.executable, "-m", "cyclonedx_py", "environment"]
        subprocess.run(
            [*command, "--output-reproducible", "--output-file", str(bill), python], check=True
        )
    return bill


def main() -> None:
    """Write both beside the files in the folder given."""
    folder = Path(sys.argv[1])
    for paper in (write_sums(folder), write_bill(folder)):
        print(f"{paper.name}:")
        print(paper.read_text("utf-8")[:2000])


if __name__ == "__main__":
    main()
