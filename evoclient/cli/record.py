"""`evoclient record`: one question and its answer, and a file of what the server sent."""

from __future__ import annotations

import os
import sys

import attrs

from ..ground import ConfigurationError, EvoClientError
from ..testing.cassette import Cassette
from .chat import ask_once
from .interrupts import deaf
from .terminal import question, say
from .wishes import Wishes

__all__ = ["record"]


def record(file: str, wishes: Wishes, *, overwrite: bool) -> int:
    """Ask, show the answer, and write a cassette, however the answer ends.

    Args:
        file: Where to write it.
        wishes: What is asked, and how the answer is shown.
        overwrite: Whether a file that is there may go.

    Returns:
        The exit status.

    Raises:
        ConfigurationError: There is no question, the file cannot be written there, or the wishes
            do not fit together; nothing was sent.
        APIError: There is no good answer; what came of it has been shown and written.
    """
    wishes = attrs.evolve(wishes, prompt=_question(file, wishes.prompt))
    _check(file, overwrite=overwrite)
    cassette = Cassette()
    try:
        return ask_once(wishes, cassette.recording())
    finally:
        # A wrong option or a missing key is no reason to leave an empty file.
        if cassette.exchanges:
            _save(cassette, file)


def _question(file: str, prompt: str | None) -> str:
    """Return what to ask, with what is piped in.

    Raises:
        ConfigurationError: There is nothing, or it seems to stand where the file should.
    """
    mistaken = ConfigurationError(
        f"“{file}” is taken as FILE, where the recording goes, and no question stands behind it. "
        f'Name both: evoclient record FILE "{file if _is_sentence(file) else "…"}".'
    )
    if prompt is None and _is_sentence(file):
        raise mistaken
    try:
        return question(prompt, sys.stdin)
    except ConfigurationError as error:
        raise mistaken from error


def _is_sentence(file: str) -> bool:
    """Whether a name is hardly one of a file."""
    has_ending = os.path.splitext(file)[1][1:].isalnum()
    return not has_ending and (" " in file or file.endswith("?"))


def _check(file: str, *, overwrite: bool) -> None:
    """Refuse a file before the answer is paid for."""
    folder = os.path.dirname(file) or "."
    if not os.path.isdir(folder):
        raise ConfigurationError(f"There is no folder {folder}: make it, or name another file.")
    if not os.access(folder, os.W_OK):
        raise ConfigurationError(f"No file can be written in {folder}: name another one.")
    if os.path.exists(file) and not overwrite:
        raise ConfigurationError(
            f"{file} is there already: name another file, or record over it with --overwrite."
        )


def _save(cassette: Cassette, file: str) -> None:
    with deaf():
        try:
            cassette.save(file)
        except OSError as error:
            raise EvoClientError(
                f"The recording cannot be written to {file}: {error.strerror or error}."
            ) from error
    say(f"Recorded in {file}. Play it: evoclient replay {file}")
