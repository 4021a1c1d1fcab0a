"""Completion in shells, as they ask for it: through the environment."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from evoclient.providers.presets import PRESETS

from .conftest import Run
from .test_main import WITHOUT_CLICK, python


def candidates(words: str, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Ask what could stand for the last of some words."""
    monkeypatch.setenv("_EVOCLIENT_COMPLETE", "bash_complete")
    monkeypatch.setenv("COMP_WORDS", words)
    monkeypatch.setenv("COMP_CWORD", str(len(words.split(" ")) - 1))
    ran = python("-m", "evoclient")
    assert (ran.returncode, ran.stderr) == (0, "")
    return [line.partition(",")[2] for line in ran.stdout.splitlines() if line]


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        ("evoclient c", ["chat", "completion"]),
        ("evoclient chat --no", ["--no-stream", "--no-history"]),
        ("evoclient chat --provider ", list(PRESETS)),
        ("evoclient chat --provider ol", ["ollama"]),
        ("evoclient chat -m ", []),
        ("evoclient completion ", ["bash", "zsh", "fish"]),
    ],
)
def test_candidates(words: str, offered: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Commands, options and presets are offered; names of models are not asked for."""
    assert candidates(words, monkeypatch) == offered


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_scripts(shell: str, run: Run) -> None:
    """Each shell gets a script that asks this program."""
    ran = run("completion", shell)
    assert (ran.status, ran.err) == (0, "")
    assert f"_EVOCLIENT_COMPLETE={shell}_complete" in ran.out


@pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash")
def test_bash_completes(run: Run, tmp_path: Path) -> None:
    """The script works in a bash that has loaded it."""
    program = tmp_path / "evoclient"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m evoclient\n')
    program.chmod(0o755)
    pressed = (  # what bash does when the key is pressed
        "COMP_WORDS=(evoclient chat --provider ol) COMP_CWORD=3\n"
        f'_evoclient_completion "{program}" ol --provider\n'
        'echo "${COMPREPLY[@]}"\n'
    )
    done = subprocess.run(
        ["bash", "--norc", "-c", f"{run('completion', 'bash').out}\n{pressed}"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "ollama\n"


@pytest.mark.parametrize(("path", "status"), [("/usr/bin/fish", 0), ("/bin/tcsh", 2), ("", 2)])
def test_the_own_shell(path: str, status: int, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without an argument it is the user's own shell, and where that is none of them, a mistake."""
    monkeypatch.setenv("SHELL", path)
    ran = run("completion")
    assert ran.status == status
    assert ("fish_complete" in ran.out) is (status == 0)
    assert ("Name the shell: bash, zsh, fish." in ran.err) is (status == 2)


def test_without_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without click both the script and the candidates name the extra, and stdout stays empty."""
    for variable in ("", "bash_complete"):
        monkeypatch.setenv("_EVOCLIENT_COMPLETE", variable)
        ran = python("-c", WITHOUT_CLICK, "completion", "bash")
        assert ran.stdout == "2"
        assert "evoclient[cli]" in ran.stderr
