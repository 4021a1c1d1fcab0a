"""Plays that a request asks for, and that are performed only some of the times it is made."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

from .faults import FAULTS
from .plays import TIMES, Play
from .substitutes import SUBSTITUTES

__all__ = ["Encores"]


class Encores:
    """Counts how often the plays with ``times`` were performed for the same question.

    A question is the same when it is asked again, also when it is asked to go on with its answer.
    When it has been answered without any such play, it begins anew: the next one who asks sees
    what the first one saw.
    """

    def __init__(self) -> None:
        """Begin with nothing performed."""
        self._performed: dict[str, Counter[int]] = {}

    def due(self, plays: list[Play], question: Any) -> list[Play]:
        """Return the plays that are to be performed now, without their ``times``.

        A reply that is replaced has no faults: these are counted, and performed, later.

        Args:
            plays: What a request asks for.
            question: What it asks besides, of JSON.
        """
        if not any(TIMES in play.options for play in plays):
            return plays
        key = json.dumps([[(play.name, play.options) for play in plays], question], sort_keys=True)
        performed = self._performed.setdefault(key, Counter())
        due = [
            number
            for number, play in enumerate(plays)
            if performed[number] < play.options.get(TIMES, float("inf"))
        ]
        replacing = [number for number in due if plays[number].name in SUBSTITUTES]
        if replacing:
            due = [n for n in due if n == replacing[0] or not _acts_on_reply(plays[n])]
        counted = [number for number in due if TIMES in plays[number].options]
        performed.update(counted)
        if not counted:
            del self._performed[key]
        return [plays[number].once for number in due]


def _acts_on_reply(play: Play) -> bool:
    return play.name in FAULTS or play.name in SUBSTITUTES
