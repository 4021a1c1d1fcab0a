"""What is measured, and who takes part."""

from __future__ import annotations

from typing import Any, Final

import attrs

__all__ = ["CONTENDERS", "FIGURES", "USUAL", "WORKLOADS", "Entrant", "Workload"]


@attrs.frozen
class Entrant:
    """A contender.

    Attributes:
        module: Its module in `contenders`.
        environment: Where it is installed, see `environments.py`.
        imports: What a program imports, for "sync" and "async".
    """

    module: str
    environment: str
    imports: tuple[str, str]


def _evoclient(module: str, environment: str = "evoclient") -> Entrant:
    return Entrant(module, environment, ("evoclient", "evoclient"))


CONTENDERS: Final = {
    "evoclient": _evoclient("evoclient"),
    "evoclient-fast": _evoclient("evoclient", "evoclient-fast"),
    "evoclient-stops": _evoclient("evoclient_stops"),
    "evoclient-callbacks": _evoclient("evoclient_callbacks"),
    "evoclient-think": _evoclient("evoclient_think"),
    "hand": Entrant("hand", "hand", ("requests", "aiohttp")),
    "floor": Entrant("floor", "floor", ("orjson", "orjson")),
    "openai": Entrant("openai", "openai", ("openai", "openai")),
    "evolution-openai": Entrant(
        "evolution_openai", "evolution-openai", ("evolution_openai", "evolution_openai")
    ),
    "litellm": Entrant("litellm", "litellm", ("litellm", "litellm")),
    "openrouter": Entrant("openrouter", "openrouter", ("openrouter", "openrouter")),
}

#: Who takes part unless others are asked for; ways of evoclient only where a workload has them.
USUAL: Final = (
    "evoclient",
    "evoclient-fast",
    "evoclient-stops",
    "evoclient-callbacks",
    "evoclient-think",
    "hand",
    "floor",
    "openai",
)

#: What the figures are, with their units.
FIGURES: Final = {
    "cpu": "CPU, µs",
    "wall": "wall, µs",
    "seconds": "CPU, s",
    "milliseconds": "CPU, ms",
    "stretch": "wall / ideal",
    "p50": "added latency p50, ms",
    "p99": "added latency p99, ms",
    "memory": "peak memory a stream, KB",
    "bytes": "bytes a chunk",
    "doubled": "CPU of twice as much / of once",
    "megabytes": "installed, MB",
    "distributions": "distributions",
}


@attrs.frozen
class Workload:
    """Something that is measured.

    Attributes:
        title: What it is, for people.
        task: A function, as ``MODULE.FUNCTION``; or "import", "first stream" or "installed".
        settings: What the function gets besides the address of the server.
        figures: Which of its figures are shown, the most important one first.
        ways: The ways of evoclient that take part besides the usual one.
        most_rounds: More rounds would teach nothing new.
        evoclient_only: Whether nobody else takes part.
        without: Who cannot do it.
    """

    title: str
    task: str
    settings: dict[str, Any] = attrs.field(factory=dict)
    figures: tuple[str, ...] = ("cpu",)
    ways: tuple[str, ...] = ()
    most_rounds: int = 1000
    evoclient_only: bool = False
    without: tuple[str, ...] = ()

    def takes(self, name: str) -> bool:
        """Return whether a contender takes part.

        Args:
            name: One of `CONTENDERS`.
        """
        if name.startswith("evoclient-"):
            return name in self.ways
        return name not in self.without and (name == "evoclient" or not self.evoclient_only)


#: One stream: so many pieces each, and so many streams in a measurement.
PIECES: Final = 4000
STREAMS: Final = 3

CROWD_FIGURES: Final = ("seconds", "stretch", "p99", "p50", "memory")


def _streams() -> dict[str, Workload]:
    found = {}
    for kind, ways in {
        "burst": ("evoclient-fast",),
        "each": (),
        "varied": ("evoclient-fast",),
        "tools": ("evoclient-fast",),
        "reasoning": (),
    }.items():
        for colour in ("sync", "async"):
            found[f"{kind}-{colour}"] = Workload(
                title=f"{kind}, {colour}, per chunk",
                task=f"chunks.read_{colour}",
                settings={"model": f"{kind}:{PIECES}", "streams": STREAMS},
                ways=ways,
                # It names the reasoning in another way.
                without=("openrouter",) if kind == "reasoning" else (),
            )
    for colour in ("sync", "async"):
        found[f"options-{colour}"] = Workload(
            title=f"burst with options, {colour}, per chunk",
            task=f"chunks.read_{colour}",
            settings={"model": f"burst:{PIECES}", "streams": STREAMS},
            ways=("evoclient-stops", "evoclient-callbacks", "evoclient-think"),
            evoclient_only=True,
        )
    return found


def _crowd(title: str, task: str, streams: int, pieces: int, interval: float) -> Workload:
    return Workload(
        title=title,
        task=task,
        settings={"streams": streams, "pieces": pieces, "interval": interval},
        figures=CROWD_FIGURES,
        most_rounds=3,
    )


def _growth(title: str, task: str, **settings: Any) -> Workload:
    return Workload(
        title=title,
        task=f"growth.{task}",
        settings=settings,
        figures=("doubled", "seconds"),
        most_rounds=3,
        evoclient_only=True,
    )


WORKLOADS: Final[dict[str, Workload]] = {
    **_streams(),
    "crowd-100": _crowd("100 streams at once, async", "crowds.crowd_async", 100, 150, 0.02),
    "crowd-1000": _crowd("1,000 streams at once, async", "crowds.crowd_async", 1000, 50, 0.04),
    "threads-100": _crowd(
        "100 streams at once, in threads", "crowds.crowd_threads", 100, 150, 0.02
    ),
    "whole-sync": Workload("whole answers, sync, per call", "answers.whole_sync", {"calls": 400}),
    "whole-async": Workload(
        "whole answers, async, 50 at once, per call",
        "answers.whole_async",
        {"calls": 1000, "at_once": 50},
    ),
    "warm-sync": Workload(
        "first token, warm, sync", "first_tokens.warm_sync", {"calls": 150}, ("wall", "cpu")
    ),
    "warm-async": Workload(
        "first token, warm, async", "first_tokens.warm_async", {"calls": 150}, ("wall", "cpu")
    ),
    "cold-sync": Workload(
        "first token, cold, sync", "first_tokens.cold_sync", {"calls": 30}, ("wall", "cpu")
    ),
    "cold-async": Workload(
        "first token, cold, async", "first_tokens.cold_async", {"calls": 30}, ("wall", "cpu")
    ),
    "import": Workload("import", "import", {"colour": "sync"}, ("milliseconds",)),
    "start-sync": Workload(
        "import to first stream, sync", "first stream", {"colour": "sync"}, ("milliseconds",)
    ),
    "start-async": Workload(
        "import to first stream, async", "first stream", {"colour": "async"}, ("milliseconds",)
    ),
    "kept": Workload(
        "chunks that are kept", "memory.kept", {"model": "burst:10000"}, ("bytes",), most_rounds=1
    ),
    "growth-chunks": _growth(
        "twice as many chunks", "of_bodies", small="burst:10000", large="burst:20000"
    ),
    "growth-size": _growth(
        "an event of 10 MB instead of 5",
        "of_bodies",
        small="burst:1:5000000",
        large="burst:1:10000000",
    ),
    "growth-streams": _growth(
        "twice as many streams", "of_streams", model="burst:100", streams=100
    ),
    "growth-stops": _growth(
        "twice as many stop sequences", "of_stops", model="burst:4000", sequences=500
    ),
    "installed": Workload(
        "installed, with dependencies",
        "installed",
        figures=("megabytes", "distributions"),
        most_rounds=1,
    ),
}
