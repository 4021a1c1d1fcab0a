"""Start a server of the benchmarks in a process of its own."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager

__all__ = ["running", "running_server"]


@contextmanager
def running(module: str, *arguments: str) -> Iterator[str]:
    """Run a server and give its port, which it prints.

    Args:
        module: Its module in this folder.
        arguments: What it is started with.
    """
    command = [sys.executable, "-m", f"tests.benchmarks.{module}", *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().strip()
        finally:
            process.terminate()


def running_server(chunks: int) -> AbstractContextManager[str]:
    """Run the server of `server.py` and give its port.

    Args:
        chunks: How many chunks each stream has.
    """
    return running("server", str(chunks))
