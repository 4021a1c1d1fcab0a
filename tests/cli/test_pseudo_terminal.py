"""The command in a real pseudo-terminal, as a person starts it, and in real pipes."""

from __future__ import annotations

import os
import signal
import struct
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import pytest

from evoclient.testing import DemoServer

from .dialogue import COMMAND, environment
from .screen import Screen

pytestmark = [
    pytest.mark.loopback,
    pytest.mark.skipif(sys.platform == "win32", reason="there are no pseudo-terminals"),
]


@dataclass
class Seen:
    """What a person saw."""

    status: int
    screen: Screen
    writes: int
    seconds: float


def watch(
    arguments: list[str],
    *,
    width: int = 80,
    height: int = 24,
    stderr: IO[bytes] | None = None,
    then: Callable[[str, subprocess.Popen[bytes]], None] = lambda *_: None,
) -> Seen:
    """Run the command in a terminal, and look until its end.

    Args:
        arguments: What stands behind `evoclient chat`.
        width: Of the terminal.
        height: Of the terminal.
        stderr: Where errors go; default the terminal.
        then: Is given the text on the screen, and the process, after each write.
    """
    import fcntl
    import termios

    ours, theirs = os.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", height, width, 0, 0))
    process = subprocess.Popen(
        [*COMMAND, *arguments],
        stdin=theirs,
        stdout=theirs,
        stderr=stderr or theirs,
        env=environment(),
    )
    os.close(theirs)
    screen, moments = Screen(width, height), list[float]()
    while block := read(ours):
        moments.append(time.monotonic())
        screen.write(block.decode())
        then(screen.text, process)
    os.close(ours)
    status = process.wait(timeout=10)
    return Seen(status, screen, len(moments), moments[-1] - moments[0] if moments else 0.0)


def read(terminal: int) -> bytes:
    """Read what is there; a terminal whose program has ended says so with an error on Linux."""
    try:
        return os.read(terminal, 65536)
    except OSError:
        return b""


# Over two seconds: the demo is what README promises, at the pace that a person sees.
def test_the_demo_streams_into_a_terminal() -> None:
    """The demo is seen as 20 writes or more over half a second or more, and stands there once."""
    seen = watch(["--demo", "Why is the sky blue?"], width=60, height=8)
    assert seen.status == 0
    assert seen.writes >= 20
    assert seen.seconds >= 0.5
    # Older versions of rich put headings in the middle.
    assert seen.screen.text.lstrip() == (
        "What arrives before the end\n\n"
        'You wrote: "Why is the sky blue?". This answer comes from\n'
        "the demo server of evoclient, and you read it while it is\n"
        "still on its way. No model is behind it, only a small text\n"
        "engine.\n\n"
        " • Stop sequences end the text before their first\n"
        "   occurrence.\n"
        " • Usage is counted and sent when you ask for it.\n"
        " • Errors inside a stream keep the text you already have.\n\n"
        "When you are ready, give the client a real address and a\n"
        "key. Your code stays; only the answers become wiser."
    )
    assert seen.screen.is_cursor_visible


@pytest.mark.parametrize("form", [[], ["--plain"]])
def test_ctrl_c_keeps_the_text(form: list[str]) -> None:
    """Ctrl-C in the middle ends the stream with the status 130, and the text so far stays."""
    waiting = ["3 4 5"]

    def interrupt(text: str, process: subprocess.Popen[bytes]) -> None:
        if waiting and waiting[0] in text:
            waiting.clear()
            process.send_signal(signal.SIGINT)

    seen = watch(["--demo", *form, "count to 500"], then=interrupt)
    assert seen.status == 130
    assert not waiting
    assert seen.screen.text.startswith("1 2 3 4 5")
    assert "Traceback" not in seen.screen.text
    assert "100" not in seen.screen.text
    assert seen.screen.is_cursor_visible


def test_an_error_stands_below_the_text() -> None:
    """Where a stream breaks, the terminal shows what came and the error below it."""
    with DemoServer(pace=0) as server:
        server.play("cut", after=9)
        seen = watch(["--base-url", server.base_url, "-m", "demo", "--stats", "count to 50"])
    assert seen.status == 1
    lines = seen.screen.text.splitlines()
    assert lines[0].startswith("1 2 3 ")
    assert lines[1].startswith("model:")
    assert "Error: The stream was cut" in seen.screen.text


@pytest.mark.parametrize("to_file", [False, True])
def test_records_go_where_stderr_goes(to_file: bool, tmp_path: Path) -> None:
    """Log records stand above the answer on a terminal, and in a file where stderr is one."""
    with DemoServer(pace=0) as server, (tmp_path / "log").open("w+b") as file:
        server.play("status", code=503, retry_after=0)
        asked = ["--debug", "--base-url", server.base_url, "-m", "demo", "repeat: one"]
        seen = watch(asked, stderr=file if to_file else None)
        file.seek(0)
        log = file.read().decode()
    assert seen.status == 0
    assert seen.screen.text.splitlines()[-1] == "one"
    assert ("attempt 1 failed" in log) is to_file
    assert ("attempt 1 failed" in seen.screen.text) is not to_file


@pytest.mark.parametrize("form", [[], ["--json", "-o", "max_tokens", "9"]])
def test_a_reader_that_leaves(form: list[str]) -> None:
    """When nobody reads on, as with `| head -1`, the command ends at once and in silence."""
    with DemoServer(pace=0.005) as server:
        process = subprocess.Popen(
            [*COMMAND, "--base-url", server.base_url, "-m", "demo", *form, "count to 9999"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment(),
        )
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == b""
        process.stderr.close()
        assert process.wait(timeout=10) == 141
        # Nine tokens are over too soon to be left.
        assert form or server.wait_until(lambda: server.cancelled == 1)
