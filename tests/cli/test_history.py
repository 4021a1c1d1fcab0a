"""What was typed, in its file."""

from __future__ import annotations

import json
import os
import stat
import sys
from pathlib import Path

import pytest

from evoclient.cli.history import LONGEST, MOST, History, state_folder


def file_of(path: Path, *entries: str) -> Path:
    """Write a file of entries."""
    path.write_text("".join(f"{json.dumps(entry)}\n" for entry in entries), encoding="utf-8")
    return path


def test_entries_come_back(tmp_path: Path) -> None:
    """Entries of any characters and lines are read as they were kept, and folders are made."""
    path = tmp_path / "a" / "b" / "history"
    kept = ["one\ntwo", "Ж \ud83d \u2028", '"']
    for entry in kept:
        History(path).remember(entry)
    assert History(path).entries() == kept


@pytest.mark.skipif(sys.platform == "win32", reason="permissions are other things there")
def test_for_the_owner_alone(tmp_path: Path) -> None:
    """The file and its folder are for their owner, also where the file was open to others."""
    path = file_of(tmp_path / "history", "one")
    path.chmod(0o644)
    History(path).remember("two")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    History(tmp_path / "new" / "history").remember("two")
    assert stat.S_IMODE((tmp_path / "new").stat().st_mode) == 0o700


def test_the_newest_are_kept(tmp_path: Path) -> None:
    """No more than a thousand entries are kept, and no document."""
    path = file_of(tmp_path / "history", *map(str, range(MOST)))
    history = History(path)
    history.remember("new")
    history.remember("x" * (LONGEST + 1))
    assert history.entries() == [*map(str, range(1, MOST)), "new"]


def test_two_conversations_share_it(tmp_path: Path) -> None:
    """Two conversations at once keep what was typed in both."""
    path = tmp_path / "history"
    one, other = History(path), History(path)
    one.remember("one")
    other.remember("two")
    assert one.entries() == ["one", "two"]


@pytest.mark.parametrize(
    "entry",
    [
        "my key is a+planted/key, why?",
        "the pair's p1anted-secret",
        "export OPENAI_API_KEY=sk-proj-abcdefghij0123456789",
        "curl -H 'Authorization: Bearer abcdefghij0123456789.x'",
    ],
)
def test_keys_are_not_kept(entry: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A line with a key of the environment, or with what looks like one, is not kept."""
    monkeypatch.setenv("EVOCLIENT_API_KEY", "a+planted/key")
    monkeypatch.setenv("EVOLUTION_SECRET", "p1anted-secret")
    History(tmp_path / "history").remember(entry)
    assert list(tmp_path.iterdir()) == []


def test_long_words_are_kept(tmp_path: Path) -> None:
    """What only resembles a key is kept."""
    history = History(tmp_path / "history")
    history.remember("Is a self-contradictory-statement a bearer of truth?")
    assert len(history.entries()) == 1


def test_what_cannot_be_read_is_passed_over(tmp_path: Path) -> None:
    """Lines that are no entries do no harm."""
    path = tmp_path / "history"
    path.write_bytes(b'"one"\n\xff\n{"a": 1}\n""\n"two"')
    assert History(path).entries() == ["one", "two"]
    assert History(tmp_path).entries() == []


def test_what_cannot_be_written_is_told_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Where nothing can be kept, that is said once, and nothing is left behind."""
    (tmp_path / "file").touch()
    history = History(tmp_path / "file" / "history")
    history.remember("one")
    history.remember("two")
    assert capsys.readouterr().err.count("The history cannot be kept") == 1
    folder = tmp_path / "folder"
    folder.mkdir()
    History(folder).remember("one")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "folder"]


@pytest.mark.skipif(sys.platform == "win32", reason="links need rights there")
def test_a_link_stays_a_link(tmp_path: Path) -> None:
    """A history that is kept elsewhere stays there."""
    path = tmp_path / "link"
    path.symlink_to(tmp_path / "there")
    History(path).remember("one")
    assert path.is_symlink()
    assert History(tmp_path / "there").entries() == ["one"]


@pytest.mark.parametrize(
    ("platform", "variables", "folder"),
    [
        ("linux", {"XDG_STATE_HOME": "{root}"}, "{root}/evoclient"),
        ("linux", {"XDG_STATE_HOME": "state"}, "{home}/.local/state/evoclient"),
        ("linux", {}, "{home}/.local/state/evoclient"),
        ("darwin", {}, "{home}/Library/Application Support/evoclient"),
        ("win32", {"LOCALAPPDATA": "{root}"}, "{root}/evoclient"),
        ("win32", {}, "{home}/AppData/Local/evoclient"),
    ],
)
def test_where_it_is(
    platform: str,
    variables: dict[str, str],
    folder: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Each platform has its folder for what programs remember."""
    places = {"root": str(tmp_path / "root"), "home": str(tmp_path / "home")}
    for name in ("XDG_STATE_HOME", "LOCALAPPDATA"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value.format_map(places))
    monkeypatch.setattr(Path, "home", lambda: tmp_path / "home")
    monkeypatch.setattr("evoclient.cli.history.sys.platform", platform)
    assert state_folder() == Path(folder.format_map(places).replace("/", os.sep))
