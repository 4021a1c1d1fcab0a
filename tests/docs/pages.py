"""The pages of the documentation: their examples, and their tables."""

from __future__ import annotations

import ast
import asyncio
import builtins
import contextlib
import inspect
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import FunctionType, TracebackType
from typing import Any, Literal, Self

DOCS = Path(__file__).resolve().parents[2] / "docs"

Colour = Literal["sync", "async"]

_CARD = re.compile(r":{3,}\{(?:tab-item|grid-item-card)\} (Sync|Async)$")
_SKIP = re.compile(r"% not run:(.*)")


@dataclass(frozen=True)
class Block:
    """One fenced block of Python.

    Attributes:
        page: The file, for tracebacks.
        line: The number of the line before its first.
        code: The code.
        colour: "async" inside a tab or card of that name, else "sync".
        output: What it must print (a fenced block of text right after it), or None.
        reason: Why it is not run, or None.
    """

    page: str
    line: int
    code: str
    colour: Colour
    output: str | None
    reason: str | None


def pages() -> list[Path]:
    """Return the pages of the site; the fragments of the changelog are none."""
    left_out = {"_build", "changes"}
    return sorted(
        page for page in DOCS.rglob("*.md") if page.relative_to(DOCS).parts[0] not in left_out
    )


def blocks_of(text: str, page: str) -> Iterator[Block]:
    """Yield the Python blocks of a page, in order.

    Args:
        text: The page.
        page: Its name, for tracebacks.
    """
    lines = text.splitlines()
    colour: Colour = "sync"
    number = 0
    while number < len(lines):
        line = lines[number]
        if found := _CARD.fullmatch(line):
            colour = "async" if found[1] == "Async" else "sync"
        elif line == ":::":
            colour = "sync"
        elif line == "```python":
            end = lines.index("```", number)
            yield Block(
                page,
                number + 1,
                "\n".join(lines[number + 1 : end]),
                colour,
                _output(lines[end + 1 :]),
                _reason(lines[:number]),
            )
            number = end
        number += 1


def _output(after: list[str]) -> str | None:
    """Return the text block that follows, if one does."""
    rest = [*after]
    while rest and not rest[0]:
        del rest[0]
    if rest[:1] != ["```text"]:
        return None
    return "\n".join(rest[1 : rest.index("```")])


def _reason(before: list[str]) -> str | None:
    """Return what the marker right before a block says; empty where it gives no reason."""
    found = _SKIP.fullmatch(before[-1]) if before else None
    return None if found is None else found[1].strip()


class Reading:
    """Runs the blocks of one page, as a reader would who tries both colours.

    Blocks of one colour share a namespace and, in the async one, an event loop.
    """

    def __init__(self) -> None:
        # Imports from C, as pickle does them, look for the builtins here.
        fresh = {"__name__": "docs", "__builtins__": builtins}
        self._names: dict[Colour, dict[str, Any]] = {"sync": {**fresh}, "async": {**fresh}}
        self._runner = asyncio.Runner()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._runner.close()

    def run(self, block: Block) -> str:
        """Run a block and return what it prints."""
        # The empty lines make a traceback show the line of the page.
        code = compile(
            "\n" * block.line + block.code,
            block.page,
            "exec",
            flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT,
            dont_inherit=True,
        )
        run = FunctionType(code, self._names[block.colour])
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            if code.co_flags & inspect.CO_COROUTINE:
                self._runner.run(run())
            else:
                run()
        return printed.getvalue()


def same_output(printed: str, wanted: str) -> bool:
    """Whether two outputs are the same, spaces at the ends of lines aside."""
    one, other = (
        [line.rstrip() for line in text.rstrip().splitlines()] for text in (printed, wanted)
    )
    return one == other


def section(page: str, heading: str) -> str:
    """Return what stands below a heading of a page, up to the next heading of any level."""
    text = (DOCS / page).read_text("utf-8")
    _, found, rest = text.partition(f"\n{heading}\n")
    assert found, f"{page} has no heading {heading!r}"
    return re.split(r"^#+ ", rest, maxsplit=1, flags=re.MULTILINE)[0]


def rows(text: str) -> list[list[str]]:
    """Return the cells of the first table in a text, row by row, the head left out."""
    table = re.search(r"^\|[ |-]+\|\n((?:\|.*\|\n)+)", text, re.MULTILINE)
    assert table, "there is no table"
    lines = table[1].splitlines()
    return [[cell.strip() for cell in line[1:-1].split(" | ")] for line in lines]


def quoted(text: str) -> list[str]:
    """Return what stands in backquotes."""
    return re.findall(r"`([^`]+)`", text)
