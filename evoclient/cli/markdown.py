"""Markdown that is still being written: which of its blocks are finished, and how they look."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from markdown_it import MarkdownIt  # what rich itself parses with
from markdown_it.token import Token
from rich.console import Console, ConsoleOptions, RenderResult
from rich.markdown import Markdown
from rich.segment import Segment

__all__ = ["Blocks", "MarkdownText"]

#: As rich sets it up, but nothing of an answer may be lost: rich leaves out HTML tags (an answer
#: about `List<String>` would lose half of its words), addresses of images, and definitions such as
#: `[1]: https://…`, which besides would change text above that is printed already.
_PARSER: Final = (
    MarkdownIt("commonmark", {"html": False})
    .enable(["strikethrough", "table"])
    .disable(["image", "reference"])
)

#: A last line of these alone may become a list, a rule, a fence or an underlined heading. Shown
#: too early, it would turn the line above into a heading for a moment.
_UNDECIDED: Final = " -=*+_`~"


class MarkdownText:
    """Some top-level blocks of a Markdown text, as rich shows them."""

    def __init__(self, tokens: Iterable[Token], *, gap: bool) -> None:
        """Take parsed blocks.

        Args:
            tokens: Of whole blocks.
            gap: Whether a blank line comes first.
        """
        self._blocks = list(_blocks(tokens))
        self._gap = gap

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Render the blocks, a blank line between them.

        One by one, and the blank lines are ours: rich puts more of them around lists and rules,
        and others where it is given the blocks in other groups.
        """
        for number, block in enumerate(self._blocks):
            # A link is written out, since not every terminal can open one that is hidden.
            markdown = Markdown("", hyperlinks=False)
            markdown.parsed = block
            if number or self._gap:
                yield Segment.line()
            lines = [_trimmed(line) for line in console.render_lines(markdown, options, pad=False)]
            for line in _without_margins(lines):
                yield from line
                yield Segment.line()


class Blocks:
    """A Markdown text that grows, cut into finished blocks and an open rest.

    Markdown is read line by line: once a line begins a new top-level block, those above it stay as
    they are. So only the rest is parsed again when text comes, however long the answer is.
    """

    def __init__(self) -> None:
        """Begin with no text."""
        self._rest = ""
        self._has_begun = False

    def feed(self, text: str) -> None:
        """Take a piece of text."""
        self._rest += text

    def take_finished(self) -> MarkdownText | None:
        """Return the blocks that have been finished since the last call, or None."""
        # A line that is not complete may still turn out to go on with the block above it.
        complete = self._rest[: self._rest.rfind("\n") + 1]
        tokens = _parsed(complete)
        last = max((at for at, token in enumerate(tokens) if _begins_block(token)), default=0)
        if not last:
            return None
        first_open = (tokens[last].map or [0])[0]
        # Not splitlines(): to it, characters inside a line are line ends too.
        self._rest = self._rest.split("\n", first_open)[first_open]
        return self._shown(tokens[:last])

    def take_rest(self) -> MarkdownText | None:
        """Return what is left at the end, or None."""
        rest, self._rest = self._rest, ""
        tokens = _parsed(rest)
        return self._shown(tokens) if tokens else None

    def rest(self) -> MarkdownText:
        """Return the open rest as it looks now."""
        above, _, line = self._rest.rpartition("\n")
        shown = self._rest if line.strip(_UNDECIDED) else above
        return MarkdownText(_parsed(shown), gap=self._has_begun)

    def _shown(self, tokens: list[Token]) -> MarkdownText:
        made = MarkdownText(tokens, gap=self._has_begun)
        self._has_begun = True
        return made


def _begins_block(token: Token) -> bool:
    return token.level == 0 and token.nesting >= 0


def _blocks(tokens: Iterable[Token]) -> Iterator[list[Token]]:
    """Cut tokens into top-level blocks."""
    block: list[Token] = []
    for token in tokens:
        if block and _begins_block(token):
            yield block
            block = []
        block.append(token)
    if block:
        yield block


def _trimmed(line: list[Segment]) -> list[Segment]:
    """Drop the spaces that rich fills a line with: narrowed terminals would wrap them."""
    kept = list(line)
    while kept and not _has_background(kept[-1]):
        text = kept[-1].text.rstrip(" ")
        if text:
            kept[-1] = Segment(text, kept[-1].style)
            break
        kept.pop()
    return kept


def _has_background(part: Segment) -> bool:
    return part.style is not None and part.style.bgcolor is not None


def _without_margins(lines: list[list[Segment]]) -> list[list[Segment]]:
    """Drop empty lines above and below."""
    full = [number for number, line in enumerate(lines) if line]
    return lines[full[0] : full[-1] + 1] if full else []


def _parsed(text: str) -> list[Token]:
    tokens = _PARSER.parse(text)
    for token in _all(tokens):
        if token.type == "softbreak":  # models break lines where they mean it
            token.type = "hardbreak"
    return tokens


def _all(tokens: Iterable[Token]) -> Iterator[Token]:
    for token in tokens:
        yield token
        yield from _all(token.children or ())
