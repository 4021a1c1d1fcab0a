"""Plays: which faults and which dialect the next requests get.

A play is a name and its options. Plays are queued by a test or asked for by the request itself,
as text (``vllm, cut;after=3``) or as JSON (``[{"name": "cut", "after": 3}]``).
"""

from __future__ import annotations

import inspect
import json
import math
import threading
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from .dialects import DIALECTS, OPENAI, Dialect
from .faults import ERROR_EVENTS, FAULTS, Stage
from .script import Script
from .substitutes import SUBSTITUTES, Substitute

__all__ = ["TIMES", "Play", "PlayQueue", "Program", "names", "read_plays"]

# The option of every play that says how often a request may have it.
TIMES = "times"

# Sends the JSON completion although a stream was asked for; it changes the question, not the reply.
_WHOLE = "whole"


@dataclass(frozen=True)
class Play:
    """One fault, dialect or substitute by name, with its options.

    Raises:
        ValueError: There is no such play, or it has no such option.
    """

    name: str
    options: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse at once what could only fail later, inside the server."""
        if self.name not in names():
            raise ValueError(f"unknown play {self.name!r}; there are {', '.join(names())}")
        known = _options(self.name)
        for option, value in self.options.items():
            if option not in known:
                takes = ", ".join(known)
                raise ValueError(f"{self.name} has no option {option!r}; it takes {takes}")
            _check_option(self.name, option, known[option], value)
        form = self.options.get("form")
        if form is not None and form not in list(ERROR_EVENTS):
            raise ValueError(f"unknown form {form!r}; there are {', '.join(sorted(ERROR_EVENTS))}")

    @property
    def once(self) -> Play:
        """The play without its ``times``."""
        options = {name: value for name, value in self.options.items() if name != TIMES}
        return Play(self.name, options)


def names() -> list[str]:
    """Return the names of all plays, sorted."""
    return sorted([*FAULTS, *SUBSTITUTES, *DIALECTS, _WHOLE])


def _options(name: str) -> dict[str, str]:
    """The options of a play, with their kinds as its function is annotated."""
    player = FAULTS.get(name) or SUBSTITUTES.get(name)
    parameters = inspect.signature(player).parameters.values() if player else ()
    own = {item.name: str(item.annotation) for item in parameters if item.kind is item.KEYWORD_ONLY}
    return {**own, TIMES: "times"}


def _is_number(value: Any, least: int) -> bool:
    is_one = isinstance(value, int | float) and not isinstance(value, bool)
    return is_one and least <= value < math.inf


def _is_whole(value: Any, least: int) -> bool:
    return isinstance(value, int) and _is_number(value, least)


# Each kind of option: what it takes, for people, and whether a value is that.
_KINDS: dict[str, tuple[str, Callable[[Any], bool]]] = {
    "bool": ("true or false", lambda value: isinstance(value, bool)),
    "int": ("a whole number, 0 or more", lambda value: _is_whole(value, 0)),
    "times": ("a whole number, 1 or more", lambda value: _is_whole(value, 1)),
    "float": ("a number, 0 or more", lambda value: _is_number(value, 0)),
    "str": ("a text", lambda value: isinstance(value, str)),
    "Mapping[str, str]": ("an object of names and values", lambda value: isinstance(value, dict)),
    "Any": ("a text or JSON", lambda _: True),
}


def _check_option(play: str, option: str, kind: str, value: Any) -> None:
    """Refuse a value that a play cannot use.

    Raises:
        ValueError: It is of another kind.
    """
    wanted, _, optional = kind.partition(" | ")
    takes, is_one = _KINDS[wanted]
    if not (is_one(value) or (optional and value is None)):
        raise ValueError(f"{option} of {play} is {takes}; it is {value!r}")


def read_plays(wanted: Any) -> list[Play]:
    """Read the plays a request asks for.

    Args:
        wanted: Text such as ``vllm, cut;after=3``, JSON text, an object, or a list of objects.

    Raises:
        ValueError: It cannot be read, or names an unknown play or option.
    """
    if isinstance(wanted, str):
        text = wanted.strip()
        if not text.startswith(("[", "{")):
            return [_read_play(part) for part in text.split(",") if part.strip()]
        wanted = json.loads(text)
    entries = wanted if isinstance(wanted, list) else [wanted]
    plays = []
    for entry in entries:
        if isinstance(entry, str):
            plays.extend(read_plays(entry))
        elif isinstance(entry, dict) and isinstance(entry.get("name"), str):
            options = {key: value for key, value in entry.items() if key != "name"}
            plays.append(Play(entry["name"], options))
        else:
            raise ValueError(f"a play is a name or an object with a name, not {entry!r}")
    return plays


def _read_play(text: str) -> Play:
    name, *pairs = (part.strip() for part in text.split(";"))
    options, kinds = {}, _options(name)
    for pair in pairs:
        key, _, value = pair.partition("=")
        options[key.strip()] = _read_value(value.strip(), kinds.get(key.strip(), "Any"))
    return Play(name, options)


def _read_value(text: str, kind: str) -> Any:
    """Read a value as JSON where it is JSON; a text needs no quotation marks."""
    try:
        value = json.loads(text)
    except ValueError:
        return text
    return (
        text
        if kind.startswith("str") and value is not None and not isinstance(value, str)
        else value
    )


@dataclass(frozen=True)
class Program:
    """The plays of one request, sorted by what they act on."""

    dialect: Dialect = OPENAI
    whole: bool = False
    substitute: Play | None = None
    faults: tuple[Play, ...] = ()

    @classmethod
    def of(cls, plays: Iterable[Play], dialect: Dialect) -> Program:
        """Sort plays; of several dialects or substitutes the last one counts."""
        plays = list(plays)
        chosen = [DIALECTS[play.name] for play in plays if play.name in DIALECTS]
        substitutes = [play for play in plays if play.name in SUBSTITUTES]
        return cls(
            dialect=chosen[-1] if chosen else dialect,
            whole=any(play.name == _WHOLE for play in plays),
            substitute=substitutes[-1] if substitutes else None,
            faults=tuple(play for play in plays if play.name in FAULTS),
        )

    def replace_reply(self, path: str) -> Substitute | None:
        """Return the reply to send instead of the ordinary one, if there is one."""
        if self.substitute is None:
            return None
        player = SUBSTITUTES[self.substitute.name]
        return player(path, self.dialect, **self.substitute.options)

    def spoil(self, script: Script, stage: Stage) -> Script:
        """Apply the faults, in the order they were asked for."""
        for play in self.faults:
            script = FAULTS[play.name](script, stage, **play.options)
        return script


class PlayQueue:
    """Plays waiting for requests; filled by the test's thread, emptied by the server's."""

    def __init__(self) -> None:
        """Begin with nothing to play."""
        self._lock = threading.Lock()
        self._waiting: deque[tuple[str | None, list[Play]]] = deque()

    def add(self, plays: list[Play], *, times: int, path: str | None) -> None:
        """Queue plays for the next ``times`` requests, or the next ones to one path.

        Raises:
            ValueError: A play has a number of times of its own.
        """
        for play in plays:
            if TIMES in play.options:
                raise ValueError(
                    f"{TIMES} of {play.name} counts what a request asks for itself; for plays that "
                    f'are queued it is an argument: server.play("{play.name}", {TIMES}=2)'
                )
        with self._lock:
            self._waiting.extend([(path, plays)] * times)

    def take(self, path: str) -> list[Play]:
        """Remove and return the plays for a request to this path."""
        with self._lock:
            for entry in self._waiting:
                wanted, plays = entry
                if wanted == path or (wanted is None and path.startswith("/v1/")):
                    self._waiting.remove(entry)
                    return plays
        return []

    def clear(self) -> None:
        """Forget what has not been played."""
        with self._lock:
            self._waiting.clear()
