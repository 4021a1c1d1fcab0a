"""The live answer, looked at through a terminal in memory."""

from __future__ import annotations

import io
import time

import pytest
from rich.console import Console

from evoclient.cli.live import LiveShow

from .screen import Screen

# A little more than the time between two drawings, where nothing else is asked of the machine.
A_DRAWING = 0.08
# Seconds; only a show that does not draw at all is waited for so long.
PATIENCE = 5.0


class Written(io.StringIO):
    """Keeps single writes, until it is gone."""

    def __init__(self) -> None:
        super().__init__()
        self.writes: list[str] = []
        self.is_gone = False

    def write(self, text: str) -> int:
        if self.is_gone:
            raise OSError("gone")
        self.writes.append(text)
        return len(text)


def make(width: int = 40, height: int = 10) -> tuple[LiveShow, Written]:
    """Return a show on a terminal of this size, and what will be written to it."""
    out = Written()
    console = Console(
        file=out,
        width=width,
        height=height,
        force_terminal=True,
        color_system="truecolor",
        _environ={},
    )
    return LiveShow(console, waiting_for="demo"), out


def screen(out: Written, width: int = 40, height: int = 10) -> Screen:
    """Return the terminal after everything written so far."""
    seen = Screen(width, height)
    seen.write("".join(out.writes))
    return seen


def sees(out: Written, text: str, *, width: int = 40, height: int = 10) -> bool:
    """Look until a text is on the terminal, and return whether it came."""
    end = time.monotonic() + PATIENCE
    while text not in screen(out, width, height).text:
        if time.monotonic() > end:
            return False
        time.sleep(0.01)
    return True


def test_an_answer_longer_than_the_terminal_is_there_once() -> None:
    """One long block on a low terminal stands there whole and once at the end, also scrolled."""
    lines = [f"item number {number}" for number in range(30)]
    show, out = make(height=6)
    with show:
        for start in range(0, 30, 5):
            show.answer("".join(f"- {line}\n" for line in lines[start : start + 5]))
            time.sleep(A_DRAWING)
        # While it is written, the end is in sight.
        assert sees(out, "item number 29", height=6)
    assert screen(out, height=6).text.splitlines() == [f" • {line}" for line in lines]


def test_finished_blocks_scroll_away() -> None:
    """Many blocks on a low terminal stand there whole and once, and in order."""
    words = [f"paragraph {number}" for number in range(12)]
    show, out = make(height=6)
    with show:
        for word in words:
            show.answer(f"{word}\n\n")
            time.sleep(A_DRAWING / 2)
    assert screen(out, height=6).text == "\n\n".join(words)


def test_reasoning_is_dim_and_above() -> None:
    """What the model thinks is dim, and the answer follows after a blank line."""
    show, out = make()
    with show:
        show.reasoning("Let me see.\nThe sky")
        assert sees(out, "The sky")
        show.reasoning(" is blue.")
        show.answer("**Blue.**")
    assert screen(out).text == "Let me see.\nThe sky is blue.\n\nBlue."
    written = "".join(out.writes)
    assert "\x1b[2mThe sky is blue.\x1b[0m" in written
    assert "\x1b[1mBlue.\x1b[0m" in written


def test_nothing_is_set_apart_from_nothing() -> None:
    """Empty reasoning, as a whole answer without any has, puts no blank line above the answer."""
    show, out = make()
    with show:
        show.reasoning("")
        show.answer("Blue.")
    assert screen(out).text == "Blue."


def test_waiting_is_shown_and_goes() -> None:
    """Until the first text something turns, and nothing of it stays."""
    show, out = make()
    with show:
        assert sees(out, "waiting for demo")
        assert not screen(out).is_cursor_visible
        show.answer("Blue.")
    assert screen(out).text == "Blue."
    assert screen(out).is_cursor_visible


def test_an_interrupt_keeps_the_text() -> None:
    """Whatever ends the block, the text so far stays, and the cursor comes back."""
    show, out = make()

    def interrupted() -> None:
        with show:
            show.answer("The sky is **bl")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert screen(out).text == "The sky is **bl"
    assert screen(out).is_cursor_visible


def test_the_terminal_may_echo_a_key() -> None:
    """What the terminal writes for Ctrl-C, also below a full line, leaves nothing behind."""
    show, out = make(width=20)
    with show:
        show.answer("a line of twenty cha")
        assert sees(out, "a line of twenty cha", width=20)
        out.write("^C")
    assert screen(out, width=20).text == "a line of twenty cha"


def test_the_end_is_one_write() -> None:
    """What was drawn again and again becomes what stays without a moment between."""
    show, out = make()
    with show:
        show.answer("one")
        assert sees(out, "one")
        before = len(out.writes)
    assert len(out.writes) == before + 1


def test_a_pause_shows_everything() -> None:
    """Text is drawn even where no more text comes after it."""
    show, out = make()
    with show:
        show.answer("one")
        assert sees(out, "one")
        show.answer(" two")
        assert sees(out, "one two")


def test_control_characters_do_nothing() -> None:
    """An answer cannot steer the terminal."""
    show, out = make()
    with show:
        show.answer("a\x1b[2Jb")
        show.reasoning("c\x1b]0;title\x07")
    assert screen(out).text == "a␛[2Jb\n\nc␛]0;title␇"


def test_a_terminal_that_is_gone_is_an_error() -> None:
    """What fails while drawing reaches the reader of the stream, not a thread's last words."""
    show, out = make()

    def answered() -> None:
        with show:
            out.is_gone = True
            end = time.monotonic() + PATIENCE
            while time.monotonic() < end:
                show.answer("one")
                time.sleep(0.01)
            raise AssertionError("nobody was told")

    with pytest.raises(OSError, match="gone"):
        answered()
