"""One crowd in a process of its own: ``python -m tests.soak.reading COLOUR PLAN``.

The plan is JSON; the account is printed as JSON.
"""

from __future__ import annotations

import json
import sys

from . import aio_crowd, sync_crowd
from .crowd import Plan

COLOURS = {"sync": sync_crowd.run, "aio": aio_crowd.run}

if __name__ == "__main__":
    print(json.dumps(COLOURS[sys.argv[1]](Plan(**json.loads(sys.argv[2])))))
