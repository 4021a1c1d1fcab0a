"""Run a shell command in a pseudo-terminal and check that its last part streams.

A stream is seen by a person as many small writes with time between them. Bash traces each part of
the command into a pipe, so that only what the last part (`evoclient …`) wrote is counted, and not
what the installation before it said.
"""

from __future__ import annotations

import fcntl
import os
import pty
import selectors
import struct
import sys
import termios
import time

LEAST_WRITES = 20
LEAST_SECONDS = 0.5
STREAMER = b"evoclient chat"


def start(command: str) -> tuple[int, int, int]:
    """Start a command in a terminal of 80 by 24; return its id, the terminal and the trace."""
    trace, trace_end = os.pipe()
    child, terminal = pty.fork()
    if child == 0:
        os.set_inheritable(trace_end, True)
        environment = {**os.environ, "BASH_XTRACEFD": str(trace_end)}
        os.execvpe("bash", ["bash", "-e", "-x", "-c", command], environment)
    os.close(trace_end)
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    return child, terminal, trace


def follow(terminal: int, trace: int) -> list[float]:
    """Show what the command writes; return when the streaming part wrote."""
    writes: list[float] = []
    traced = b""
    with selectors.DefaultSelector() as waiting:
        # The trace is looked at first: it is written before the part it names begins.
        waiting.register(trace, selectors.EVENT_READ)
        waiting.register(terminal, selectors.EVENT_READ)
        while waiting.get_map():
            ready = {key.fd for key, _ in waiting.select()}
            for source in (trace, terminal):
                if source not in ready:
                    continue
                block = read(source)
                if not block:
                    waiting.unregister(source)
                elif source == trace:
                    traced += block
                else:
                    sys.stdout.buffer.write(block)
                    sys.stdout.buffer.flush()
                    if STREAMER in traced:
                        writes.append(time.monotonic())
    return writes


def read(source: int) -> bytes:
    """Read what is there; a terminal whose command has ended says so with an error on Linux."""
    try:
        return os.read(source, 65536)
    except OSError:
        return b""


def main() -> int:
    """Run, follow, judge."""
    child, terminal, trace = start(sys.argv[1])
    writes = follow(terminal, trace)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    seconds = writes[-1] - writes[0] if writes else 0.0
    print(f"\nexit status {status}, {len(writes)} separate writes over {seconds:.2f} s")
    wanted = f"wanted: 0, at least {LEAST_WRITES} over at least {LEAST_SECONDS} s"
    if status == 0 and len(writes) >= LEAST_WRITES and seconds >= LEAST_SECONDS:
        return 0
    print(wanted)
    return status or 1


if __name__ == "__main__":
    raise SystemExit(main())
