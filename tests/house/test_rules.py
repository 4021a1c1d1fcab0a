"""Each rule catches a bad example, and lets a good one pass."""

from __future__ import annotations

from pathlib import Path

import pytest

from . import direction, habits, hygiene
from .floors import MOST_LINES_OF_A_FUNCTION, MOST_LINES_OF_A_MODULE
from .source import Package
from .test_house import PACKAGE_RULES, Rule

STEPS = (
    "class Flow: ...\ndef send(x) -> Flow[int]: ...\nclass A:\n    def go(self) -> Flow[int]: ...\n"
)
LONG_FUNCTION = "def f():\n    '''D.'''\n" + "    f()\n" * (MOST_LINES_OF_A_FUNCTION + 1)

Files = dict[str, str]


def build(folder: Path, files: Files) -> Package:
    """Write files as a package of our name and read it."""
    root = folder / "evoclient"
    for name, text in {"__init__.py": "", **files}.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return Package(root)


BAD: tuple[tuple[Rule, Files], ...] = (
    (direction.rooms_without_a_floor, {"cellar.py": ""}),
    (direction.climbing_imports, {"wire.py": "from .retry import x", "retry.py": ""}),
    (direction.climbing_imports, {"wire.py": "from .models import x", "models/__init__.py": ""}),
    (direction.climbing_imports, {"wire.py": "def f():\n    import evoclient.cli"}),
    (
        direction.climbing_imports,
        {"log.py": "if TYPE_CHECKING:\n    from . import retry", "retry.py": ""},
    ),
    (
        direction.climbing_imports,
        {"errors/tree.py": "from ..sync.client import Client", "sync/client.py": ""},
    ),
    (direction.climbing_imports, {"log.py": "import_module('.sync', 'evoclient')"}),
    (direction.climbing_imports, {"log.py": "importlib.import_module('evoclient.chat.turn')"}),
    (direction.imports_of_the_root, {"cli/__init__.py": "import evoclient"}),
    (direction.imports_of_the_root, {"cli/chat.py": "from .. import Client"}),
    (direction.imports_of_the_root, {"cli.py": "from evoclient import Client"}),
    (direction.forbidden_acquaintances, {"transports/x.py": "from ..log import l", "log.py": ""}),
    (direction.forbidden_acquaintances, {"streaming/x.py": "from ..transports import y"}),
    (direction.forbidden_acquaintances, {"streaming/x.py": "from evoclient.auth.base import y"}),
    (direction.forbidden_acquaintances, {"aio/x.py": "from ..sync import y"}),
    (direction.forbidden_acquaintances, {"sync/x.py": "import evoclient.aio.stream"}),
    (direction.forbidden_acquaintances, {"auth/x.py": "from ..streaming import y"}),
    (direction.impure_imports, {"retry.py": "import threading"}),
    (direction.impure_imports, {"chat/x.py": "def f():\n    from asyncio import Lock"}),
    (direction.impure_imports, {"exchange.py": "import requests.adapters as r"}),
    (direction.impure_imports, {"steps.py": "from concurrent.futures import Executor"}),
    (direction.impure_imports, {"retry.py": "from concurrent.futures import Future"}),
    (direction.coloured_code, {"retry.py": "async def f(): ..."}),
    (
        direction.coloured_code,
        {"wire.py": "class A(Protocol):\n    async def f(self):\n        return 1"},
    ),
    (direction.coloured_code, {"wire.py": "class A:\n    async def f(self): ..."}),
    (direction.coloured_code, {"steps.py": "x = [y async for y in z]"}),
    (direction.sleeping_code, {"retry.py": "import time\ntime.sleep(1)"}),
    (direction.sleeping_code, {"retry.py": "import time as t\nwait = t.sleep"}),
    (direction.sleeping_code, {"retry.py": "from time import sleep as nap\nnap(1)"}),
    (direction.libraries_out_of_place, {"transports/with_requests.py": "import aiohttp"}),
    (direction.libraries_out_of_place, {"transports/base.py": "def f():\n    import urllib3"}),
    (direction.files_without_a_twin, {"sync/stream.py": "", "aio/streams.py": ""}),
    (direction.circles, {"log.py": "from . import wire", "wire.py": "from . import log"}),
    (
        direction.circles,
        {
            "models/a.py": "from .b import x",
            "models/b.py": "def f():\n    from .c import x",
            "models/c.py": "if TYPE_CHECKING:\n    from .a import x",
        },
    ),
    (
        direction.circles,
        {"models/__init__.py": "from .a import x", "models/a.py": "from . import y"},
    ),
    (
        direction.circles,
        {
            "models/__init__.py": "from ..wire import x",
            "models/a.py": "",
            "wire.py": "from .models.a import x",
        },
    ),
    (habits.decisions_by_provider_name, {"x.py": "if provider == 'openai': ..."}),
    (habits.decisions_by_provider_name, {"x.py": "y = 'openai' != self.provider.name"}),
    (habits.decisions_by_provider_name, {"x.py": "y = self._provider in ('a', 'b')"}),
    (habits.decisions_by_provider_name, {"x.py": "match provider.name:\n    case 'a': ..."}),
    (habits.forgotten_flows, {"steps.py": STEPS + "def f():\n    send(1)"}),
    (habits.forgotten_flows, {"steps.py": STEPS, "a.py": "from .steps import send as s\ns(1)"}),
    (habits.forgotten_flows, {"steps.py": STEPS, "a.py": "from . import steps\nsteps.send(1)"}),
    (habits.forgotten_flows, {"steps.py": STEPS, "a.py": "def f(self):\n    self.a.go()"}),
    (habits.forgotten_flows, {"steps.py": STEPS + "def f():\n    x = yield send(1)"}),
    (
        habits.forgotten_flows,
        {
            "steps.py": STEPS,
            "b/__init__.py": "from ..steps import send",
            "a.py": "from .b import send\nsend(1)",
        },
    ),
    (habits.missing_docstrings, {"x.py": "'''D.'''\ndef f(): ..."}),
    (habits.missing_docstrings, {"x.py": "'''D.'''\nclass A:\n    '''D.'''\n    def f(self): ..."}),
    (habits.missing_docstrings, {"x.py": "y = 1"}),
    (habits.oversized, {"x.py": "y = 1\n" * (MOST_LINES_OF_A_MODULE + 1)}),
    (habits.oversized, {"x.py": LONG_FUNCTION}),
)


@pytest.mark.parametrize(("rule", "files"), BAD, ids=lambda part: getattr(part, "__name__", ""))
def test_a_bad_example_is_caught(rule: Rule, files: Files, tmp_path: Path) -> None:
    """A rule finds what breaks it."""
    assert rule(build(tmp_path, files)) != []


def test_every_rule_has_a_bad_example() -> None:
    """No rule stands untried."""
    assert {rule for rule, _ in BAD} == set(PACKAGE_RULES)


GOOD: Files = {
    "__init__.py": "'''D.'''\nfrom .sync.client import Client\n",
    "__main__.py": "'''D.'''\nfrom .cli import main\n",
    "cli/__init__.py": "'''D.'''\nfrom ..sync.client import Client\nfrom ..testing import serve\n",
    "testing/__init__.py": "'''D.'''\nimport asyncio, threading\n",
    "sync/__init__.py": "'''D.'''\n",
    "sync/client.py": "'''D.'''\nimport time\nfrom evoclient import errors\ntime.sleep(0)\n",
    "aio/__init__.py": "'''D.'''\n",
    "aio/client.py": "'''D.'''\nasync def _go():\n    await _go()\n",
    "exchange.py": (
        "'''D.'''\nfrom .steps import send\nfrom . import steps\n"
        "def exchange(provider) -> steps.Flow[int]:\n    '''D.'''\n"
        "    plain = provider is None or provider == other or model == 'x' or provider == ''\n"
        "    items.send(1)\n"
        "    if (yield from send(1)):\n        yield from steps.send(2)\n"
        "    return (yield steps.Send(1))\n"
    ),
    "errors/__init__.py": "'''D.'''\nfrom .tree import A\n",
    "errors/tree.py": "'''D.'''\nfrom ..ground import B\n",
    "ground.py": "'''D.'''\n",
    "guard.py": "'''D.'''\nimport threading\n",
    "retry.py": (
        "'''D.'''\nimport time\nnow = time.monotonic()\n"
        "class A:\n    '''D.'''\n    def go(self):\n        '''D.'''\n"
        "    @overload\n    def f(self): ...\n    def __len__(self): ...\n    def _g(self): ...\n"
    ),
    "steps.py": (
        "'''D.'''\nfrom concurrent.futures import Future\n"
        "Flow = list\ndef send(x) -> Flow[int]:\n    '''D.'''\n"
    ),
    "transports/__init__.py": "'''D.'''\n",
    "transports/base.py": "'''D.'''\nfrom ..wire import Request\n",
    "transports/with_requests.py": "'''D.'''\nimport requests, urllib3\nfrom .base import A\n",
    "wire.py": (
        "'''D.'''\nfrom .ground import B\nclass A(Protocol[T]):\n    '''D.'''\n"
        "    async def read(self):\n        '''D.'''\n        ...\n"
    ),
}


@pytest.mark.parametrize("rule", PACKAGE_RULES, ids=lambda rule: rule.__name__)
def test_a_good_example_passes(rule: Rule, tmp_path: Path) -> None:
    """A rule finds nothing in a small house that obeys them all."""
    assert rule(build(tmp_path, GOOD)) == []


@pytest.mark.parametrize(
    ("docstring", "fine"),
    [
        ("A key is stripped.", True),
        ("A key, e.g. A, is\n    stripped.", True),
        ("", False),
        ("A key is stripped", False),
        ("A key is stripped. It is then sent.", False),
        ("A key is stripped.\n\n    More. And more.", True),
    ],
)
def test_sentences_of_tests(docstring: str, fine: bool, tmp_path: Path) -> None:
    """A test says its behaviour in exactly one sentence, and may add why in a paragraph."""
    package = build(tmp_path, {"test_x.py": f"async def test_x():\n    '''{docstring}'''\n"})
    assert (habits.tests_without_a_sentence(package) == []) is fine


@pytest.mark.parametrize(
    ("text", "fine"),
    [
        ("see /ho" "me/ann/evoclient", False),
        ("path = '/wo" "rk/main'", False),
        ("https://py" "pi.org/simple", False),
        ("pip --extra-index" "-url x", False),
        ("# TO" "DO: later", False),
        ("GET https://example.com/home/x, ~/.config, /v1/chat, work/shop", True),
    ],
)  # fmt: skip
def test_unwanted_text(text: str, fine: bool, tmp_path: Path) -> None:
    """Paths of machines, registries and notes to oneself are found, with file and line."""
    (tmp_path / "notes.md").write_text(f"Fine.\n{text}\n", encoding="utf-8")
    (tmp_path / "picture.png").write_bytes(b"\xff\xd8")
    found = hygiene.unwanted_text(hygiene.tracked_files(tmp_path), tmp_path)
    assert [line.split()[0] for line in found] == ([] if fine else ["notes.md:2"])
