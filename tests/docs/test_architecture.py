"""The page on the architecture draws the house as it stands."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

import attrs

from evoclient import steps
from evoclient.streaming.ending import Outcome
from evoclient.streaming.stages import Stages
from tests.house.floors import FLOORS
from tests.house.source import Package

from .pages import DOCS, quoted, rows, section

PAGE = "topics/architecture.md"
PACKAGE = DOCS.parent / "evoclient"


def _built() -> dict[str, float]:
    """Return the rooms that are there, with their floors."""
    return {module.room: FLOORS[module.room] for module in Package(PACKAGE)}


def test_every_room_is_listed() -> None:
    """The table has each room of the package, on its floor, and no other."""
    listed = {
        quoted(room)[0].removesuffix("/").removesuffix(".py"): float(floor)
        for floor, room, _ in rows(section(PAGE, "## The floors"))
    }
    assert listed == _built()


def test_the_table_says_folder_or_module() -> None:
    """A room with a slash is a folder, one without is a file."""
    for _, room, _ in rows(section(PAGE, "## The floors")):
        path = PACKAGE / quoted(room)[0]
        assert path.is_dir() if room.endswith("/`") else path.is_file()


def test_the_drawing_is_the_table() -> None:
    """The drawing of the floors shows the same rooms as the table."""
    drawing = section(PAGE, "## The floors").partition("```text\n")[2].partition("```")[0]
    drawn = {
        room: float(floor)
        for floor, *rooms in (line.split() for line in drawing.splitlines())
        for room in rooms
    }
    assert drawn == _built()


def test_every_step_is_explained() -> None:
    """The table of steps is the vocabulary of steps."""
    listed = [quoted(row[0])[0] for row in rows(section(PAGE, "## Steps and drivers"))]
    assert listed == [step.__name__ for step in get_args(steps.Step)]


def test_stages_stand_in_their_order() -> None:
    """The table of stages has those that are chosen, in the order in which chunks pass them."""
    no_stages = {"options", "shown", "is_muted"}
    chosen = [name for name in attrs.fields_dict(Stages) if name not in no_stages]
    listed = [row[0] for row in rows(section(PAGE, "## The stages of a stream"))]
    assert [stage for stage in listed if stage in chosen] == chosen


def test_every_outcome_is_explained() -> None:
    """The page on streams has a row for each outcome."""
    table = rows(section("topics/streams.md", "## Complete, or not"))
    assert {quoted(row[0])[0] for row in table} == set(Outcome)


def test_files_that_are_named_exist() -> None:
    """A file that the page names is there."""
    text = (DOCS / PAGE).read_text("utf-8")
    named = set(re.findall(r"`([\w/]+\.py)`", text))
    assert named
    assert [name for name in sorted(named) if not _exists(name)] == []


def _exists(name: str) -> bool:
    """Whether a file is there: below the package, the repository, or in the rooms spoken of."""
    places: list[Path] = [PACKAGE, DOCS.parent, *(PACKAGE / room for room in ("streaming", "sync"))]
    return any((place / name).is_file() for place in places)
