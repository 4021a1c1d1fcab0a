"""One measurement of one contender, in this process: prints its figures as JSON.

Run as ``python -m tests.benchmarks.lap CONTENDER TASK SETTINGS``, with the task as
``MODULE.FUNCTION`` and the settings as JSON.
"""

from __future__ import annotations

import importlib
import json
import sys

from tests.benchmarks.contenders.shape import Contender


def main() -> None:
    """Measure what the arguments say."""
    name, task, settings = sys.argv[1], sys.argv[2], json.loads(sys.argv[3])
    contender: Contender = importlib.import_module(f"tests.benchmarks.contenders.{name}").CONTENDER
    module, _, function = task.partition(".")
    measure = getattr(importlib.import_module(f"tests.benchmarks.{module}"), function)
    print(json.dumps(measure(contender, **settings)))


if __name__ == "__main__":
    main()
