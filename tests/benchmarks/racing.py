"""Runs the contenders by turns, each measurement in a process of its own."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.benchmarks.environments import environment_of, installed, path_of_tests
from tests.benchmarks.results import Results
from tests.benchmarks.running import running
from tests.benchmarks.workloads import CONTENDERS, WORKLOADS, Workload

__all__ = ["lap", "machine", "race"]

#: Seconds that one measurement may take.
PATIENCE = 300

IMPORT = "from time import process_time as t; b = t(); import {}; print((t() - b) * 1e3)"


def lap(python: Path, path: Path, module: str, task: str, settings: dict[str, Any]) -> Any:
    """Return the figures of one measurement.

    Args:
        python: The interpreter.
        path: The folder from which it can import `tests`.
        module: The contender's module.
        task: A function, as ``MODULE.FUNCTION``.
        settings: What the function gets.
    """
    arguments = ["-P", "-m", "tests.benchmarks.lap", module, task, json.dumps(settings)]
    return json.loads(_output([str(python), *arguments], path))


def _output(command: Sequence[str], path: Path) -> str:
    done = subprocess.run(
        command,
        env=environment_of(path),
        cwd=path,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)} failed:\n{done.stderr[-3000:]}")
    return done.stdout


def _measured(name: str, workload: Workload, urls: dict[str, str]) -> dict[str, float]:
    """Return the figures of a contender in one round."""
    entrant = CONTENDERS[name]
    found = installed(entrant.environment)
    if workload.task == "installed":
        return {"megabytes": found.megabytes(), "distributions": len(found.versions())}
    path = path_of_tests()
    if workload.task in ("import", "first stream"):
        colour = workload.settings["colour"]
        if workload.task == "import":
            arguments = ["-c", IMPORT.format(entrant.imports[colour == "async"])]
        else:
            script = path / "tests" / "benchmarks" / "bare.py"
            arguments = [str(script), entrant.module, colour, urls["base_url"]]
        command = [str(found.python), "-P", *arguments]
        return {"milliseconds": float(_output(command, path))}
    settings = urls | workload.settings
    figures: dict[str, float] = lap(found.python, path, entrant.module, workload.task, settings)
    return figures


def race(
    workloads: Iterable[str],
    contenders: Sequence[str],
    rounds: int,
    tell: Callable[[str, Results], object] = lambda workload, results: None,
) -> Results:
    """Measure, in rounds in which each contender has one turn.

    Args:
        workloads: Names of `WORKLOADS`.
        contenders: Names of `CONTENDERS`.
        rounds: How many.
        tell: Is told of each workload that is done.

    Raises:
        EnvironmentFailed: A contender could not be installed.
        RuntimeError: A measurement failed.
    """
    results = Results(machine())
    for name in contenders:
        results.versions[name] = installed(CONTENDERS[name].environment).versions()
    with running("server") as port:
        for workload in workloads:
            _run(workload, contenders, rounds, port, results)
            tell(workload, results)
    return results


def _run(name: str, contenders: Sequence[str], rounds: int, port: str, results: Results) -> None:
    """Run the rounds of one workload."""
    workload = WORKLOADS[name]
    taking = [contender for contender in contenders if workload.takes(contender)]
    found: dict[str, list[dict[str, float]]] = {contender: [] for contender in taking}
    results.rounds[name] = found
    urls = {"base_url": f"http://127.0.0.1:{port}/v1"}
    settings = workload.settings
    with ExitStack() as servers:
        if "interval" in settings:
            slow = running("clockwork", str(settings["pieces"]), str(settings["interval"]))
            urls["slow_url"] = f"http://127.0.0.1:{servers.enter_context(slow)}/v1"
        for number in range(min(rounds, workload.most_rounds)):
            start = number % len(taking) if taking else 0
            for contender in taking[start:] + taking[:start]:
                found[contender].append(_measured(contender, workload, urls))


def machine() -> dict[str, Any]:
    """Return what says on which machine it ran, and when."""
    return {
        "when": datetime.now(UTC).strftime("%Y-%m-%d"),
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "cores": os.cpu_count(),
        "processor": _processor(),
        "load": round(os.getloadavg()[0], 1),
        "interpreter": sys.implementation.name,
    }


def _processor() -> str:
    """Return the name of the processor, where the system tells it."""
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    except OSError:
        return platform.processor()
    return next((line.partition(":")[2].strip() for line in lines if "model name" in line), "")
