"""How the command starts: its statuses, what it loads, and what it does without its extra."""

from __future__ import annotations

import subprocess
import sys

import pytest

from evoclient import __version__
from evoclient.cli import main

from .conftest import Run

# Makes click unfindable, as if it were not installed, then runs the command.
WITHOUT_CLICK = """
import sys

class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == "click":
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Blocker())
from evoclient.cli import main
print(main(sys.argv[1:]), end="")
"""


def python(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a new interpreter."""
    return subprocess.run(
        [sys.executable, *arguments],
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
        timeout=30,
    )


def test_version_loads_little() -> None:
    """The version is told without loading an HTTP library or rich."""
    ask = (
        "import sys; from evoclient.cli import main; status = main(['--version']);"
        "print(status, {'requests', 'urllib3', 'aiohttp', 'asyncio', 'rich'} & set(sys.modules))"
    )
    assert python("-c", ask).stdout == f"evoclient {__version__}\n0 set()\n"


def test_as_a_module() -> None:
    """`python -m evoclient` is the command, exit status included."""
    ran = python("-m", "evoclient", "chat")
    assert ran.returncode == 2
    assert ran.stdout == ""
    assert ran.stderr.startswith("Error: There is nothing to ask.")


@pytest.mark.parametrize("arguments", [["--help"], ["chat", "--help"], ["chat", "-x"]])
def test_the_name_is_the_same(arguments: list[str], run: Run) -> None:
    """However it was started, the command calls itself by its name."""
    ran, here = python("-m", "evoclient", *arguments), run(*arguments)
    assert (ran.stdout, ran.stderr, ran.returncode) == (here.out, here.err, here.status)
    assert "Usage: evoclient" in ran.stdout + ran.stderr


def test_help_names_the_commands(run: Run) -> None:
    """The help goes to stdout and names each command."""
    ran = run("--help")
    assert (ran.status, ran.err) == (0, "")
    assert "chat " in ran.out
    assert "serve " in ran.out
    assert "completion " in ran.out


def test_no_command_is_a_mistake(run: Run) -> None:
    """Without a command the help goes to stderr, and the status is 2."""
    ran = run()
    assert (ran.status, ran.out) == (2, "")
    assert "Commands:" in ran.err


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["chat", "--colour", "hi"], "--colour"),
        (["chat", "two", "words"], "words"),
        (["chat", "-o", "temperature"], "-o"),
        (["sing"], "sing"),
        (["serve", "--port", "70000"], "70000"),
        (["serve", "--pace", "-1"], "-1"),
    ],
)
def test_wrong_usage(arguments: list[str], named: str, run: Run) -> None:
    """A mistake on the command line is named on stderr, and the status is 2."""
    ran = run(*arguments)
    assert (ran.status, ran.out) == (2, "")
    assert named in ran.err
    assert "Traceback" not in ran.err


def test_without_the_extra() -> None:
    """Without click a command names the extra and what is missing, and the status is 2."""
    ran = python("-c", WITHOUT_CLICK, "chat", "hi")
    assert ran.stdout == "2"
    assert ran.stderr.startswith("Error: the command needs click")
    assert 'pip install "evoclient[cli]"' in ran.stderr


def missing(*names: str) -> object:
    """Stand in for the search for modules where some are not installed."""
    return lambda name: None if name in names else object()


@pytest.mark.parametrize("arguments", [[], ["chat", "hi"], ["--nonsense"]])
def test_one_of_two_libraries_is_not_enough(
    arguments: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """With click but without rich the extra is named too."""
    monkeypatch.setattr("evoclient.cli.find_spec", missing("rich"))
    assert main(arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert "needs rich," in err
    assert "evoclient[cli]" in err


def test_version_and_help_without_the_extra(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Version and help work without the extra, and the help names it."""
    monkeypatch.setattr("evoclient.cli.find_spec", missing("click", "rich"))
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"evoclient {__version__}\n"
    assert main(["--help"]) == 0
    assert "evoclient[cli]" in capsys.readouterr().out
