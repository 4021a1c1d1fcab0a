"""What a person has typed, kept for the next time: a file of the user's own state."""

from __future__ import annotations

import json
import os
import re
import sys
import tempfile
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Final

from ..environment import variable
from ..ground import Secrets, secrets_of
from ..providers.presets import PRESETS
from .terminal import say

__all__ = ["History", "state_folder"]

#: How many entries are kept, the newest ones.
MOST: Final = 1000

#: Characters; a longer entry is a pasted document, and nobody looks for it with the arrow keys.
LONGEST: Final = 10_000

#: What keys look like, at the providers that can be told by it.
_KEY: Final = re.compile(r"\b(?:[a-z]{2,5}[-_]|Bearer +)(?=[\w.-]*\d)[\w.-]{20,}")


def state_folder() -> Path:
    """Return the folder in which the platform wants what a program remembers about its use."""
    if sys.platform == "win32":
        local = os.environ.get("LOCALAPPDATA")
        base = Path(local) if local else Path.home() / "AppData" / "Local"
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Application Support"
    else:
        named = Path(os.environ.get("XDG_STATE_HOME", ""))
        # The specification wants a relative path to be ignored.
        base = named if named.is_absolute() else Path.home() / ".local" / "state"
    return base / "evoclient"


class History:
    """A file with one entry per line, each as JSON, since what is typed may have lines itself.

    A line editor's own format would differ between libraries, and split such entries.
    """

    def __init__(self, path: Path) -> None:
        """Take the file, which need not exist."""
        self._path = path
        self._secrets = _known_secrets()
        self._is_broken = False

    def entries(self) -> list[str]:
        """Return what is kept, oldest first; what cannot be read is nothing."""
        try:
            text = self._path.read_text(encoding="utf-8", errors="replace")
        except OSError:
            return []
        return [entry for line in text.split("\n") if (entry := _entry(line)) is not None]

    def remember(self, entry: str) -> None:
        """Keep an entry, unless it holds a key; say so once where it cannot be kept."""
        if self._is_broken or len(entry) > LONGEST or self._holds_key(entry):
            return
        try:
            # Read again: other conversations may have begun and ended since.
            self._write([*self.entries(), entry][-MOST:])
        except OSError as error:
            self._is_broken = True
            say(f"(The history cannot be kept: {error.strerror or error}.)")

    def _holds_key(self, entry: str) -> bool:
        return any(secret in entry for secret in self._secrets) or bool(_KEY.search(entry))

    def _write(self, entries: Iterable[str]) -> None:
        """Replace the file by one that its owner alone may read, in one step."""
        # A link, as those have who keep such files elsewhere, stays a link.
        path = self._path.resolve()
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=".history-")  # 0600 from the start
        try:
            with open(handle, "w", encoding="ascii", newline="\n") as file:
                file.writelines(f"{json.dumps(entry)}\n" for entry in entries)
            os.replace(name, path)
        except BaseException:
            with suppress(OSError):
                os.unlink(name)
            raise


def _entry(line: str) -> str | None:
    try:
        entry = json.loads(line)
    except ValueError:
        return None
    return entry if isinstance(entry, str) and entry else None


def _known_secrets() -> Secrets:
    """Return the keys that the environment holds, whichever of them is used."""
    presets = PRESETS.values()
    settings = (
        variable(names)
        for preset in presets
        for names in (preset.api_key_variables, preset.secret_variables)
    )
    return secrets_of(filter(None, settings))
