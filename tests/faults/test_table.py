"""The table is as large as it was, and says what it should."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

from .scenario import Scenario
from .table import SCENARIOS

#: How many scenarios there are, and how many different things servers do in them.
FEWEST_SCENARIOS = 600
FEWEST_BEHAVIOURS = 525


def behaviour(row: Scenario) -> str:
    """Return what the servers of a scenario do, with every number made the same."""
    return re.sub(r"\d+", "0", f"{row.does} {row.desk} {row.base_url}")


def test_the_table_does_not_shrink() -> None:
    """There are so many scenarios, and servers do so many things that differ in more than a number.

    Whoever takes scenarios out changes these numbers, and says why.
    """
    assert len(SCENARIOS) >= FEWEST_SCENARIOS
    assert len({behaviour(row) for row in SCENARIOS}) >= FEWEST_BEHAVIOURS


def test_numbers_alone_make_no_behaviour() -> None:
    """Error statuses of one form count as one behaviour."""
    rows = [row for row in SCENARIOS if re.fullmatch(r"status [45]\d\d", row.name)]
    assert len(rows) > 20
    assert len({behaviour(row) for row in rows}) == 1


def test_names_are_unique() -> None:
    """Each scenario can be asked for by its name."""
    assert [
        name for name, times in Counter(row.name for row in SCENARIOS).items() if times > 1
    ] == []


def test_each_scenario_says_what_is_wanted() -> None:
    """What a careful user wants is one sentence, and an answer or an error."""
    for row in SCENARIOS:
        assert re.fullmatch(r"[A-Z0-9].*[^.]\.", row.wants), row.name
        assert (row.text is None) != (row.error is None), row.name


def test_every_family_is_in_the_table() -> None:
    """Each file of scenarios is part of the table."""
    listed = (Path(__file__).parent / "table.py").read_text("utf-8")
    others = {"__init__", "conftest", "scenario", "table", "wire"}
    for file in Path(__file__).parent.glob("*.py"):
        if file.stem not in others and not file.stem.startswith("test_"):
            assert f"*{file.stem}.SCENARIOS" in listed


def test_reasons_are_given() -> None:
    """A scenario that does not hold yet says in which colour, and why."""
    for row in SCENARIOS:
        assert set(row.fails_in) <= {"sync", "aio"}, row.name
        assert all(len(reason) > 20 for reason in row.fails_in.values()), row.name
