"""The examples of the documentation work as they stand."""

from __future__ import annotations

import traceback
from collections.abc import Iterator
from pathlib import Path

import pytest

from evoclient.testing import DemoServer

from .pages import DOCS, Block, Reading, blocks_of, pages, same_output

# The pages whose reader has set the environment: `Client()` reaches a server. The others need none.
WITH_A_SERVER = {"index.md", "quickstart.md"}

# More examples that nobody runs would be too many.
MOST_SKIPPED = 5

# What a page of 1280 pixels shows of a line of code, in characters.
WIDEST = 88


def _blocks(page: Path) -> list[Block]:
    """Return the blocks of a page."""
    return list(blocks_of(page.read_text("utf-8"), str(page)))


WITH_EXAMPLES = [page for page in pages() if _blocks(page)]


@pytest.fixture(scope="module")
def demo() -> Iterator[DemoServer]:
    """A demo server that checks its key."""
    with DemoServer(api_key="demo-key", pace=0) as server:
        yield server


@pytest.mark.loopback
@pytest.mark.parametrize("page", WITH_EXAMPLES, ids=lambda page: page.relative_to(DOCS).as_posix())
def test_examples(
    page: Path,
    demo: DemoServer,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Each example of a page runs after those before it, and prints what the page shows."""
    if page.relative_to(DOCS).as_posix() in WITH_A_SERVER:
        monkeypatch.setenv("EVOCLIENT_BASE_URL", demo.base_url)
        monkeypatch.setenv("EVOCLIENT_API_KEY", "demo-key")
        monkeypatch.setenv("EVOCLIENT_MODEL", "demo")
    with Reading() as reading:
        for block in _blocks(page):
            if block.reason is not None:
                with capsys.disabled():
                    print(f"\nnot run: {page.name}:{block.line}: {block.reason}")
                continue
            printed = reading.run(block)
            assert block.output is None or same_output(printed, block.output), (
                f"{page.name}:{block.line} prints\n{printed}"
            )


def test_few_examples_are_not_run() -> None:
    """An example that is not run has a reason, and there are few of them."""
    reasons = [
        block.reason
        for page in WITH_EXAMPLES
        for block in _blocks(page)
        if block.reason is not None
    ]
    assert all(reasons)
    assert len(reasons) <= MOST_SKIPPED


def test_examples_fit_the_page() -> None:
    """No line of an example is so long that the page cuts it."""
    long = [
        f"{page.name}: {line}"
        for page in WITH_EXAMPLES
        for block in _blocks(page)
        for line in f"{block.code}\n{block.output or ''}".splitlines()
        if len(line) > WIDEST
    ]
    assert long == []


def test_tabs_come_in_pairs() -> None:
    """What a page shows in one colour it shows in the other."""
    for page in pages():
        text = page.read_text("utf-8")
        assert text.count(":::{tab-item} Sync\n:sync: sync\n") == text.count(":::{tab-item} ") / 2
        assert text.count(":::{tab-item} Async\n:sync: async\n") == text.count(":::{tab-item} ") / 2


PAGE = """\
# A page

```python
name = "sync"
```

:::{tab-item} Async
```python
import asyncio

name = "async"
await asyncio.sleep(0)
```
:::

```python
print(name)
```

```text
sync
```

% not run: it needs a model
```python
1 / 0
```

:::{tab-item} Async
```python
print(name)
```
:::
"""


def test_blocks_are_found() -> None:
    """A block knows its line, its colour, its output and why it is not run."""
    found = list(blocks_of(PAGE, "page.md"))
    assert [block.line for block in found] == [3, 8, 16, 25, 30]
    assert [block.colour for block in found] == ["sync", "async", "sync", "sync", "async"]
    assert [block.output for block in found] == [None, None, "sync", None, None]
    assert [block.reason for block in found] == [None, None, None, "it needs a model", None]


def test_colours_are_kept_apart() -> None:
    """Blocks share the names of their own colour, and a block may await."""
    with Reading() as reading:
        printed = [reading.run(block) for block in blocks_of(PAGE, "page.md") if not block.reason]
    assert printed == ["", "", "sync\n", "async\n"]


def test_a_traceback_shows_the_line_of_the_page() -> None:
    """An example that fails is found by its line."""
    broken = next(block for block in blocks_of(PAGE, "page.md") if block.reason)
    with Reading() as reading, pytest.raises(ZeroDivisionError) as caught:
        reading.run(broken)
    last = traceback.extract_tb(caught.tb)[-1]
    assert (last.filename, last.lineno) == ("page.md", PAGE.splitlines().index("1 / 0") + 1)
