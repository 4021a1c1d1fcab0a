"""Runs the processes of the fuzzing, and reads what they say."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import attrs

from .pumping import MOST_GROWTH
from .search import SLOWEST
from .targets import TARGETS, seeds_of

__all__ = ["Campaign", "Job"]

#: The longest that one input may take, in seconds.
HANG = 10
#: The most memory of a process, in MiB.
MEMORY = 1024

_STATE = re.compile(r"^#([0-9]+)\s.*?cov: ([0-9]+) ft: ([0-9]+)", re.MULTILINE)
_RUNS = re.compile(r"stat::number_of_executed_units:\s*([0-9]+)")
#: The file of a finding, which libFuzzer names for what it is.
_BAD = ("crash-", "timeout-", "oom-", "leak-")


@attrs.frozen
class Job:
    """A target, and how long it is searched and pumped, in seconds."""

    name: str
    search: float
    pump: float


class Campaign:
    """Where a fuzzing keeps its files, and how it runs a target."""

    def __init__(self, folder: Path, seed: int) -> None:
        """Take a folder, which an earlier run may have filled."""
        self._folder = folder.resolve()
        self._seed = seed

    def _place(self, kind: str, name: str) -> Path:
        place = self._folder / kind / name
        place.mkdir(parents=True, exist_ok=True)
        return place

    def run(self, job: Job) -> dict[str, Any]:
        """Search a target, pump it, and return the figures."""
        found = self._search(job)
        pumped = self._pump(job)
        growth = pumped["worst"]["growth"]
        if pumped.get("failed"):
            found["findings"].append(f"raised while it was pumped: {pumped['failed']}")
        elif growth > MOST_GROWTH:
            found["findings"].append(f"time grows {growth} times as the length doubles")
        return {**found, "pumps": pumped["pumps"], "worst_growth": pumped["worst"]}

    def _search(self, job: Job) -> dict[str, Any]:
        name = job.name
        known = self._place("found", name)
        before = len(list(known.iterdir()))
        slowest = self._place("slowest", name) / "input"
        bad = self._place("bad", name)
        earlier = {file.name for file in bad.iterdir()}
        log = self._place("logs", name) / "search.log"
        options = [
            f"-max_total_time={max(1, round(job.search))}",
            f"-timeout={HANG}",
            f"-rss_limit_mb={MEMORY}",
            f"-max_len={TARGETS[name].most}",
            f"-dict={self._dictionary(name)}",
            f"-artifact_prefix={bad}{os.sep}",
            f"-seed={self._seed}",
            "-print_final_stats=1",
        ]
        command = [sys.executable, "-m", "tests.fuzz.search", name, str(known)]
        with log.open("wb") as output:
            done = subprocess.run(
                [*command, str(self._seeds(name)), *options],
                env={**os.environ, SLOWEST: str(slowest)},
                stdout=output,
                stderr=output,
                check=False,
            )
        said = log.read_text("utf-8", "replace")
        states, runs = _STATE.findall(said), _RUNS.findall(said)
        last = states[-1] if states else ("0", "0", "0")
        findings = [
            f"{file.name.partition('-')[0]}: {file}"
            for file in sorted(bad.iterdir())
            if file.name.startswith(_BAD) and file.name not in earlier
        ]
        if done.returncode and not findings:
            findings = [f"the search ended with {done.returncode}: {log}"]
        facts = slowest.with_suffix(".json")
        return {
            "executions": int(runs[-1] if runs else last[0]),
            "coverage": int(last[1]),
            "features": int(last[2]),
            "new_inputs": len(list(known.iterdir())) - before,
            "slowest": json.loads(facts.read_text("utf-8")) if facts.exists() else {},
            "findings": findings,
        }

    def _pump(self, job: Job) -> dict[str, Any]:
        command = [sys.executable, "-m", "tests.fuzz.pumps", job.name, str(job.pump)]
        done = subprocess.run(
            [*command, str(self._seed)], capture_output=True, text=True, check=False
        )
        log = self._place("logs", job.name) / "pumps.log"
        log.write_text(done.stdout + done.stderr, "utf-8")
        if done.returncode:
            return {"pumps": 0, "worst": {"growth": 0.0}, "failed": str(log)}
        figures: dict[str, Any] = json.loads(done.stdout)
        return figures

    def _seeds(self, name: str) -> Path:
        """Return a folder with the inputs to begin with."""
        place = self._place("seeds", name)
        for number, data in enumerate(seeds_of(TARGETS[name])):
            (place / f"{number:04}").write_bytes(data)
        return place

    def _dictionary(self, name: str) -> Path:
        """Return the file of words, in libFuzzer's form."""
        words = {"".join(f"\\x{byte:02x}" for byte in word) for word in TARGETS[name].words}
        path = self._place("seeds", "words") / f"{name}.txt"
        path.write_text("".join(f'"{word}"\n' for word in sorted(words)), "ascii")
        return path
