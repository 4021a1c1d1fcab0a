"""A transport of another distribution: found by its name, and as good as the others."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from evoclient import Client, ConfigurationError
from evoclient.testing import DemoServer, TransportConformance
from evoclient.transports.registry import require, transport_class

from .plugins import installed


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install both plugins."""
    return installed(tmp_path_factory.mktemp("plugins") / "site", "good", "broken")


@pytest.fixture(scope="module", autouse=True)
def on_the_path(folder: Path) -> Iterator[None]:
    """Let Python find the plugins."""
    sys.path.append(str(folder))
    importlib.invalidate_caches()
    yield
    sys.path.remove(str(folder))
    for name in [name for name in sys.modules if name.startswith("evoclient_")]:
        del sys.modules[name]


@pytest.mark.loopback
class TestPlugin(TransportConformance):
    """The plugin keeps every promise."""

    def make(self) -> Any:
        """Return a new one, by its name."""
        return transport_class("plain", "sync")()


@pytest.mark.loopback
def test_a_plugin_is_used_by_its_name() -> None:
    """A client asks over the transport of another distribution."""
    with DemoServer(pace=0) as server:
        client = Client(base_url=server.base_url, model="demo", transport="plain")
        with client:
            messages = [{"role": "user", "content": "Count to 3"}]
            stream = client.chat.completions.create(messages=messages, stream=True)
            assert "".join(stream.text) == "1 2 3"


def test_a_broken_plugin_names_itself() -> None:
    """The error names the distribution, the entry point and the cause."""
    require("broken", "sync")  # which does not import it
    with pytest.raises(ConfigurationError) as caught:
        transport_class("broken", "sync")
    text = str(caught.value)
    assert "evoclient-broken" in text
    assert "evoclient_broken:BrokenTransport" in text
    assert "ImportError: No module named 'libdoesnotexist'" in text
    assert isinstance(caught.value.__cause__, ImportError)
    assert transport_class("plain", "sync").__name__ == "PlainTransport"


@pytest.mark.parametrize(("name", "colour"), [("plain", "async"), ("colourless", "sync")])
def test_a_plugin_of_the_wrong_colour_says_so(name: str, colour: Any) -> None:
    """A name whose plugin has no transport for this client is refused when it is loaded."""
    with pytest.raises(ConfigurationError, match="offers no transport for"):
        transport_class(name, colour)


def test_a_module_may_offer_both_colours(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """An entry point may name a module, whose classes have names that are agreed on."""
    module = (
        "class Transport:\n    def send(self, request, deadlines): ...\n"
        "class AsyncTransport:\n    async def send(self, request, deadlines): ...\n"
    )
    (tmp_path / "evoclient_two.py").write_text(module, encoding="utf-8")
    info = tmp_path / "evoclient_two-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: evoclient-two\nVersion: 1\n")
    (info / "entry_points.txt").write_text("[evoclient.transports]\ntwo = evoclient_two\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    assert transport_class("two", "sync").__name__ == "Transport"
    assert transport_class("two", "async").__name__ == "AsyncTransport"


def test_a_name_that_two_distributions_offer_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Nobody is taken by chance: the error names both."""
    info = tmp_path / "evoclient_rival-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: evoclient-rival\nVersion: 1\n")
    (info / "entry_points.txt").write_text("[evoclient.transports]\nplain = rival:Transport\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(ConfigurationError, match="evoclient-plain and evoclient-rival"):
        require("plain", "sync")


@pytest.mark.parametrize(
    ("name", "reads"), [("requests", False), ("httpx", False), ("memory", False), ("plain", True)]
)
def test_entry_points_are_read_only_for_a_name_that_is_not_built_in(
    folder: Path, name: str, reads: bool
) -> None:
    """Reading them costs more than making a client, so that no built-in name pays for it."""
    script = (
        "import sys\nfrom importlib import metadata\n"
        "def noted(*, of=metadata.entry_points, **asked):\n"
        "    print(asked['group'])\n    return of(**asked)\n"
        "metadata.entry_points = noted\n"
        "from evoclient import Client\n"
        f"Client(base_url='http://127.0.0.1:1', transport={name!r})\n"
        "print([name for name in sys.modules if name.startswith('evoclient_')])\n"
    )
    path = os.pathsep.join([*sys.path, str(folder)])
    done = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": path},
        check=False,
    )
    wanted = "evoclient.transports\n[]\n" if reads else "[]\n"
    assert (done.stdout, done.stderr) == (wanted, "")
