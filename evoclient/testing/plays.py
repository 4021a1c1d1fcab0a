"""Plays: which faults and which dialect the next requests get.

A play is a name and its options. Plays are queued by a test or asked for by the request itself,
as text (``vllm, cut;after=3``) or as JSON (``[{"name": "cut", "after": 3}]``).
"""

from __future__ import annotations

import inspect
import json
import threading
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from .dialects import DIALECTS, OPENAI, Dialect
from .faults import ERROR_EVENTS, FAULTS, Stage
from .script import Script
from .substitutes import SUBSTITUTES, Substitute

__all__ = ["Play", "PlayQueue", "Program", "names", "read_plays"]

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
        known = _options(FAULTS.get(self.name) or SUBSTITUTES.get(self.name))
        for option, value in self.options.items():
            if option not in known:
                takes = ", ".join(known) or "no options"
                raise ValueError(f"{self.name} has no option {option!r}; it takes {takes}")
            if not _is_like(value, known[option]):
                raise ValueError(f"{option} of {self.name} cannot be {value!r}")
        form = self.options.get("form")
        if form is not None and form not in list(ERROR_EVENTS):
            raise ValueError(f"unknown form {form!r}; there are {', '.join(sorted(ERROR_EVENTS))}")


def names() -> list[str]:
    """Return the names of all plays, sorted."""
    return sorted([*FAULTS, *SUBSTITUTES, *DIALECTS, _WHOLE])


def _options(player: Callable[..., Any] | None) -> dict[str, Any]:
    """The options of a play, with their defaults."""
    if player is None:
        return {}
    parameters = inspect.signature(player).parameters.values()
    return {item.name: item.default for item in parameters if item.kind is item.KEYWORD_ONLY}


def _is_like(value: Any, default: Any) -> bool:
    """Tell whether a value has the type of the default, from which None says nothing."""
    if isinstance(default, float):
        return type(value) in (int, float)
    return default is None or type(value) is type(default)


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
    options = {}
    for pair in pairs:
        key, _, value = pair.partition("=")
        options[key.strip()] = _read_value(value.strip())
    return Play(name, options)


def _read_value(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


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
        """Queue plays for the next ``times`` requests, or the next ones to one path."""
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
