"""Tables of what was measured: for a terminal and for the documentation."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from tests.benchmarks.limits import LIMITS, Limit, shown_ratio
from tests.benchmarks.results import Results
from tests.benchmarks.workloads import CONTENDERS, FIGURES, WORKLOADS

__all__ = ["behind", "judged", "markdown", "of_workload", "shown", "summary"]

Rows = list[list[str]]


def shown(value: float) -> str:
    """Return a figure with three digits that count."""
    if value >= 99.5:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 9.95 else f"{value:.2f}"


def workload_rows(results: Results, workload: str) -> Rows:
    """Return a table of one workload: a head, then a row per contender and figure."""
    rows = [["", "figure", "median", "min", "max", "evoclient / it"]]
    for figure in WORKLOADS[workload].figures:
        for contender in CONTENDERS:
            values = results.values(workload, contender, figure)
            middle = results.middle(workload, contender, figure)
            if middle is None:
                continue
            ratio = results.ratio(workload, figure, "evoclient", contender)
            rows.append(
                [
                    contender,
                    FIGURES[figure],
                    shown(middle),
                    shown(min(values)),
                    shown(max(values)),
                    "" if ratio is None or contender == "evoclient" else shown_ratio(ratio),
                ]
            )
    return rows


def judged(results: Results, limits: Iterable[Limit] = LIMITS) -> Rows:
    """Return the table of limits, with what was found."""
    rows = [["workload", "figure", "against", "limit", "found", "holds"]]
    for limit in limits:
        found = limit.found(results)
        if found is None:
            continue
        absolute = limit.against is None
        rows.append(
            [
                WORKLOADS[limit.workload].title
                + (", with the extra fast" if limit.contender == "evoclient-fast" else ""),
                FIGURES[limit.figure],
                limit.against or "",
                shown(limit.most) if absolute else shown_ratio(limit.most),
                shown(found) if absolute else shown_ratio(found),
                "yes" if found <= limit.most else "NO",
            ]
        )
    return rows


def behind(results: Results) -> Rows:
    """Return where evoclient is not ahead: of anybody but the floor, by the median."""
    rows = [["workload", "figure", "who is ahead", "evoclient / it"]]
    for name, workload in WORKLOADS.items():
        for figure in workload.figures:
            for contender in CONTENDERS:
                if contender == "floor" or contender.startswith("evoclient"):
                    continue
                ratio = results.ratio(name, figure, "evoclient", contender)
                if ratio is not None and ratio >= 1:
                    rows.append([workload.title, FIGURES[figure], contender, shown_ratio(ratio)])
    return rows


def plain(rows: Sequence[Sequence[str]]) -> str:
    """Return a table for a terminal."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    )


def of_workload(results: Results, workload: str) -> str:
    """Return what a terminal shows of a workload."""
    return f"\n{WORKLOADS[workload].title}\n{plain(workload_rows(results, workload))}"


def summary(results: Results) -> str:
    """Return what a terminal shows at the end."""
    return f"\n{plain(judged(results))}\n\nNot ahead:\n{plain(behind(results))}"


def markdown(rows: Sequence[Sequence[str]]) -> str:
    """Return a table for a page."""
    head, *rest = rows
    lines = [head, ["---"] * len(head), *rest]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
