"""Puts what a run has found into the page on performance, and draws its pictures.

Run as ``python -m tests.benchmarks.page RESULTS.json``. Of the page only what stands between two
marks is changed, ``<!-- NAME: begin -->`` and ``<!-- NAME: end -->``.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final

from tests.benchmarks.environments import REPOSITORY
from tests.benchmarks.limits import shown_ratio
from tests.benchmarks.pictures import draw
from tests.benchmarks.results import Results
from tests.benchmarks.tables import behind, judged, markdown, shown
from tests.benchmarks.workloads import CONTENDERS, FIGURES, WORKLOADS

__all__ = ["filled", "main"]

PAGE: Final = REPOSITORY / "docs" / "topics" / "performance.md"
PICTURES: Final = REPOSITORY / "docs" / "_static"

#: The packages whose versions decide what is measured.
TELLING: Final = (
    *("evoclient", "requests", "urllib3", "aiohttp", "sseclient_py", "attrs", "msgspec", "orjson"),
    *("openai", "httpx2", "pydantic", "evolution_openai", "litellm", "openrouter", "httpx"),
)

#: Which figures stand under which heading; of each workload the first figure, unless one is named.
SECTIONS: Final = {
    "chunks": [
        f"{kind}-{colour}"
        for kind in ("burst", "each", "varied", "tools", "reasoning")
        for colour in ("sync", "async")
    ],
    "options": ["options-sync", "options-async"],
    "crowds": ["crowd-100", "crowd-1000", "threads-100"],
    "calls": ["whole-sync", "whole-async", "warm-sync", "warm-async", "cold-sync", "cold-async"],
    "growth": ["growth-chunks", "growth-size", "growth-streams", "growth-stops"],
    "starts": ["import", "start-sync", "start-async", "kept", "installed"],
}


def _section(results: Results, workloads: list[str]) -> str:
    """Return a table with a column per contender; below its figure the least and the most."""
    who = [
        name
        for name in CONTENDERS
        if any(results.rounds.get(workload, {}).get(name) for workload in workloads)
    ]
    rows = [["", *who]]
    for name in workloads:
        workload = WORKLOADS[name]
        for figure in workload.figures if len(workload.figures) < 5 else workload.figures[:3]:
            if results.rounds.get(name):
                cells = [_cell(results, name, contender, figure) for contender in who]
                rows.append([f"{workload.title}: {FIGURES[figure]}", *cells])
    return markdown(rows)


def _cell(results: Results, workload: str, contender: str, figure: str) -> str:
    middle = results.middle(workload, contender, figure)
    if middle is None:
        return ""
    values = results.values(workload, contender, figure)
    spread = "" if len(values) < 2 else f"<br>{shown(min(values))} to {shown(max(values))}"
    ratio = results.ratio(workload, figure, "evoclient", contender)
    beside = "" if contender == "evoclient" or ratio is None else f" ({shown_ratio(ratio)})"
    return f"{shown(middle)}{beside}{spread}"


def _machine(results: Results) -> str:
    told = results.machine
    lines = [
        f"Measured on {told['when']}: {told['processor']}, {told['cores']} cores, "
        f"{told['system']}, {told['interpreter']} {told['python']}.",
        "",
    ]
    rows = [["environment", "versions"]]
    for contender, versions in results.versions.items():
        kind = CONTENDERS[contender].environment
        if kind == contender:
            shown_versions = (f"{name} {versions[name]}" for name in TELLING if name in versions)
            rows.append([contender, ", ".join(shown_versions).replace("_", "-")])
    return "\n".join(lines) + "\n" + markdown(rows)


def _behind(results: Results) -> str:
    rows = behind(results)
    return markdown(rows) if len(rows) > 1 else "In this run there is none."


def filled(page: str, results: Results) -> str:
    """Return a page with the figures of a run.

    Args:
        page: The page; its marks say where figures stand.
        results: What was measured.

    Raises:
        ValueError: The page lacks the marks of a table.
    """
    tables = {name: _section(results, workloads) for name, workloads in SECTIONS.items()}
    tables |= {
        "limits": markdown(judged(results)),
        "behind": _behind(results),
        "machine": _machine(results),
    }
    for name, table in tables.items():
        before, begin, rest = page.partition(f"<!-- {name}: begin -->")
        _, end, after = rest.partition(f"<!-- {name}: end -->")
        if not end:
            raise ValueError(f"The page has no marks for the table {name}.")
        page = f"{before}{begin}\n\n{table}\n\n{end}{after}"
    return page


def main() -> None:
    """Refresh the page and its pictures."""
    results = Results.load(Path(sys.argv[1]))
    PAGE.write_text(filled(PAGE.read_text("utf-8"), results), "utf-8")
    for path in draw(results, PICTURES):
        print(path.relative_to(REPOSITORY))
    print(PAGE.relative_to(REPOSITORY))


if __name__ == "__main__":
    main()
