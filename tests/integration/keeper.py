"""Keep a server no longer than whoever started it.

Run as ``python keeper.py COMMAND …``. The server ends when standard input does: a pipe
ends with the process that holds its other end, however that process came to its end.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from contextlib import suppress

#: A server that has not left by then is not going to; LiteLLM takes one second.
GRACE = 5.0


def main() -> None:
    """Run the command until it ends or standard input does, and end with its status."""
    # Ctrl-C reaches every process of the terminal; this one still has to clear up.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # A session of its own: what the server starts is ended with it.
    server = subprocess.Popen(sys.argv[1:], stdin=subprocess.DEVNULL, start_new_session=True)
    threading.Thread(target=_end_with, args=(server,), daemon=True).start()
    sys.stdin.buffer.read()
    for number in (signal.SIGTERM, signal.SIGKILL):
        with suppress(ProcessLookupError):
            os.killpg(server.pid, number)
        with suppress(subprocess.TimeoutExpired):
            server.wait(GRACE)


def _end_with(server: subprocess.Popen[bytes]) -> None:
    status = server.wait()
    os._exit(status if status >= 0 else 128 - status)


if __name__ == "__main__":
    main()
