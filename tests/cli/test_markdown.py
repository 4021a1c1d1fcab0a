"""Markdown that grows: wherever it is cut, it looks as if it had come whole."""

from __future__ import annotations

import io
import random

from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console, RenderableType

from evoclient.cli.markdown import Blocks

# Lines that begin, go on with, end or change a block, and pieces that may turn out to.
FRAGMENTS = (
    *("text\n", "\n", "\n\n", "word ", "\\\n", "\t", "**bo\nld**\n", "~~s~~", "&amp; ", "\u2028"),
    *("# H\n", "===\n", "---\n", "***\n", "- a\n", "  - b\n", "* z\n", "1. x\n", "2", "> q\n"),
    *("```py\ncode\n", "```\n", "    code\n", "| a | b |\n", "|---|---|\n", "| 1 | 2 |\n"),
    *("<b>bold</b>\n", "[l](http://u)\n", "![i](http://u)\n", "[a]\n", "[a]: http://x\n"),
)


def shown(*contents: RenderableType | None) -> str:
    """Return what a terminal is sent for some renderables, one after the other."""
    console = Console(
        file=io.StringIO(), width=40, force_terminal=True, color_system="truecolor", _environ={}
    )
    for content in contents:
        if content is not None:
            console.print(content)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def whole(text: str) -> str:
    """Return what a terminal is sent for a text that comes at once."""
    blocks = Blocks()
    blocks.feed(text)
    return shown(blocks.take_rest())


def cut(text: str, dice: random.Random) -> list[str]:
    """Cut a text into pieces of one to six characters."""
    pieces = []
    while text:
        length = dice.randint(1, 6)
        pieces.append(text[:length])
        text = text[length:]
    return pieces


def look(text: str) -> str:
    """Return a text that comes at once as it looks without colours."""
    blocks = Blocks()
    blocks.feed(text)
    console = Console(file=io.StringIO(), width=40, _environ={})
    console.print(blocks.take_rest() or "")
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


@given(st.lists(st.sampled_from(FRAGMENTS), max_size=14), st.randoms(use_true_random=False))
def test_any_cut_looks_the_same(fragments: list[str], dice: random.Random) -> None:
    """Whatever pieces a text comes in, what is printed of it is what the whole would print."""
    text = "".join(fragments)
    blocks = Blocks()
    printed: list[RenderableType | None] = []
    for piece in cut(text, dice):
        blocks.feed(piece)
        printed.append(blocks.take_finished())
        shown(blocks.rest())
    assert shown(*printed, blocks.take_rest()) == whole(text)


def test_finished_blocks_come_early() -> None:
    """A block is printed for good as soon as the first line of the next one is complete."""
    blocks = Blocks()
    blocks.feed("# Title\n\nfirst\n\nsec")
    assert "Title" in shown(blocks.take_finished())
    blocks.feed("ond\n")
    assert "first" in shown(blocks.take_finished())
    assert blocks.take_finished() is None
    assert "second" in shown(blocks.take_rest())


def test_nothing_of_an_answer_is_lost() -> None:
    """Tags, addresses and definitions, which rich leaves out, are shown."""
    assert look("List<String> <b>x</b>") == "List<String> <b>x</b>\n"
    assert look("a [link](http://u) and ![image](http://i)") == (
        "a link (http://u) and !image (http://i)\n"
    )
    assert look("See [1].\n\n[1]: http://u") == "See [1].\n\n[1]: http://u\n"


def test_line_ends_are_kept() -> None:
    """Lines of one paragraph stay lines, as models write poems and lists."""
    assert look("Roses are red\nViolets are blue") == "Roses are red\nViolets are blue\n"


def test_one_blank_line_between_blocks() -> None:
    """Blocks stand one blank line apart, whatever they are."""
    seen = look("text\n- a\n- b\n\n---\n\n1. x").splitlines()
    assert seen[:5] == ["text", "", " • a", " • b", ""]
    assert len(set(seen[5])) == 1  # the rule, which versions of rich draw differently
    assert seen[6:] == ["", " 1 x"]


def test_a_line_that_may_become_anything_waits() -> None:
    """A dash below a line is not shown yet: it would make a heading of it for a moment."""
    blocks = Blocks()
    blocks.feed("a line\n-")
    assert "a line" in shown(blocks.rest())
    assert shown(blocks.rest()) == whole("a line")
    blocks.feed(" item")
    assert "item" in shown(blocks.rest())


def test_lines_are_not_filled_up() -> None:
    """Lines end where their text ends, so that a narrowed terminal does not wrap spaces."""
    assert all(line == line.rstrip() for line in whole("# H\n\ntext\n\n- a\n").splitlines())
