"""Start the server of `server.py` in a process of its own."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["running_server"]


@contextmanager
def running_server(chunks: int) -> Iterator[str]:
    """Run the server and give its port.

    Args:
        chunks: How many chunks each stream has.
    """
    command = [sys.executable, "-m", "tests.benchmarks.server", str(chunks)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().strip()
        finally:
            process.terminate()
