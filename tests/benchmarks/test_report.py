"""What is computed from the figures of a run, and what is shown of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.benchmarks.limits import LIMITS, Limit, shown_ratio
from tests.benchmarks.page import PAGE, filled
from tests.benchmarks.pictures import draw
from tests.benchmarks.rendered import STREAMS, rendered
from tests.benchmarks.results import Results
from tests.benchmarks.tables import behind, judged
from tests.benchmarks.workloads import CONTENDERS, WORKLOADS

#: The machine was three times as slow in the second round, and much slower in the third.
ROUNDS = {
    "evoclient": [{"cpu": 2.0}, {"cpu": 6.0}, {"cpu": 30.0}],
    "hand": [{"cpu": 4.0}, {"cpu": 12.0}, {"cpu": 40.0}],
    "openai": [{"cpu": 1.0}, {"cpu": 3.0}, {"cpu": 10.0}],
}


@pytest.fixture
def results() -> Results:
    """What a short run has found."""
    machine = {"when": "2026-01-01", "processor": "P", "cores": 2, "system": "S"}
    machine |= {"interpreter": "cpython", "python": "3.11"}
    versions = {"evoclient": {"evoclient": "1.0", "aiohttp": "3.14"}}
    return Results(machine, versions, {"burst-sync": ROUNDS, "burst-async": ROUNDS})


def test_ratios_are_those_of_rounds(results: Results) -> None:
    """A ratio is the median of those within a round, so that a slow round does not matter."""
    assert results.ratio("burst-sync", "cpu", "evoclient", "hand") == 0.5
    assert results.middle("burst-sync", "evoclient", "cpu") == 6.0
    assert results.ratio("kept", "bytes", "evoclient", "hand") is None


def test_results_are_kept(results: Results, tmp_path: Path) -> None:
    """What is written as JSON is read as the same."""
    results.save(tmp_path / "results.json")
    assert Results.load(tmp_path / "results.json") == results


def test_judging(results: Results) -> None:
    """A limit holds up to itself, and what was not measured is not judged."""
    limits = [
        Limit("burst-sync", "cpu", 0.5, "hand"),
        Limit("burst-sync", "cpu", 1.9, "openai"),
        Limit("kept", "bytes", 0.1, "hand"),
    ]
    assert [row[-3:] for row in judged(results, limits)[1:]] == [
        ["0.50", "0.50", "yes"],
        ["1.90", "2.00", "NO"],
    ]


def test_where_it_is_behind(results: Results) -> None:
    """Who is ahead of evoclient is said, with the workload."""
    assert [row[2] for row in behind(results)[1:]] == ["openai", "openai"]


@pytest.mark.parametrize(("ratio", "shown"), [(0.04, "1/25"), (0.6, "0.60"), (1 / 2.7, "0.37")])
def test_how_ratios_are_shown(ratio: float, shown: str) -> None:
    """Small ratios are shown as parts, others as decimals."""
    assert shown_ratio(ratio) == shown


def test_limits_name_what_there_is() -> None:
    """Each limit names a workload, a figure that it shows, and contenders that take part in it."""
    for limit in LIMITS:
        workload = WORKLOADS[limit.workload]
        assert limit.figure in workload.figures
        for name in {limit.contender, limit.against} - {None}:
            assert name in CONTENDERS
            assert workload.takes(str(name))


def test_the_page_can_be_refreshed(results: Results) -> None:
    """The page on performance has a place for each table, and keeps what stands between them."""
    page = PAGE.read_text("utf-8")
    once = filled(page, results)
    assert "| burst, sync, per chunk: CPU, µs | 6.00<br>2.00 to 30.0 | 12.0 (0.50)" in once
    assert filled(once, results) == once
    assert [line for line in once.splitlines() if line.startswith("#")] == [
        line for line in page.splitlines() if line.startswith("#")
    ]


def test_a_page_without_a_place(results: Results) -> None:
    """A page that lacks a mark is not written half."""
    with pytest.raises(ValueError, match="marks for the table chunks"):
        filled("# Performance\n", results)


def test_pictures(results: Results, tmp_path: Path) -> None:
    """A picture is drawn when its workloads were measured; its letters stay letters."""
    (drawn,) = draw(results, tmp_path)
    assert drawn.name == "bench-chunk.svg"
    assert ">evoclient</text>" in drawn.read_text("utf-8")


@pytest.mark.parametrize("kind", STREAMS)
def test_each_kind_has_its_pieces(kind: str) -> None:
    """A stream has as many events as are asked for, the last chunk and `[DONE]` besides."""
    body = b"".join(rendered(f"{kind}:30"))
    assert body.count(b"data: {") == 30 + 1 + (kind == "tools")
    assert body.count(b"data: [DONE]") == 1
