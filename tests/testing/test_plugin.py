"""The pytest plugin, in runs of its own."""

from __future__ import annotations

import configparser
import os
import subprocess
import sys
from importlib import import_module
from itertools import pairwise
from pathlib import Path
from textwrap import dedent

import pytest

import evoclient
from evoclient.testing import Cassette, DemoServer

pytestmark = pytest.mark.loopback

REPOSITORY = Path(evoclient.__file__).parents[1]

# By its module alone, whether or not its entry point is installed: both would be once too often.
PYTEST = (
    sys.executable,
    "-m",
    "pytest",
    "-p",
    "evoclient.testing.plugin",
    "-p",
    "no:cacheprovider",
)
ALONE = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTEST_ADDOPTS": "", "PYTHONPATH": str(REPOSITORY)}


class Suite:
    """A test suite of somebody who has evoclient installed."""

    def __init__(self, folder: Path) -> None:
        """Put it into a folder."""
        self.folder = folder
        self.ini("")

    def ini(self, settings: str) -> None:
        """Write its settings."""
        (self.folder / "pytest.ini").write_text(f"[pytest]\n{settings}\n", "utf-8")

    def file(self, text: str, name: str = "test_it.py") -> None:
        """Write a file of it."""
        (self.folder / name).write_text(dedent(text), "utf-8")

    def cassette(self, name: str = "test_it") -> Path:
        """Return the file of a test's cassette."""
        return self.folder / "cassettes" / "test_it" / f"{name}.jsonl"

    def run(self, *arguments: str, **environment: str) -> dict[str, int]:
        """Run it, and return how many tests passed, failed and so on."""
        ran = subprocess.run(
            [*PYTEST, "-q", "--strict-markers", "--strict-config", "-W", "error", *arguments],
            cwd=self.folder,
            env={**os.environ, **ALONE, **environment},
            capture_output=True,
            text=True,
            check=False,
            timeout=50,
        )
        self.output = ran.stdout + ran.stderr
        *_, last = ran.stdout.strip().splitlines() or [""]
        words = last.replace(",", "").split()
        counts = {word.rstrip("s"): int(n) for n, word in pairwise(words) if n.isdigit()}
        assert counts, self.output
        return counts


@pytest.fixture
def suite(tmp_path: Path) -> Suite:
    """An empty suite."""
    return Suite(tmp_path)


def test_the_entry_point_is_the_plugin() -> None:
    """The distribution names the module as a plugin of pytest."""
    parser = configparser.ConfigParser(interpolation=None)
    parser.read(REPOSITORY / "setup.cfg", encoding="utf-8")
    name, _, module = parser["options.entry_points"]["pytest11"].strip().partition(" = ")
    assert (name, module) == ("evoclient", "evoclient.testing.plugin")
    assert import_module(module)


def test_loading_it_imports_nothing_but_pytest() -> None:
    """Beside pytest's own modules only our two packages and the plugin are loaded."""
    ask = (
        "import sys, _pytest.config, pytest\n"
        "config = _pytest.config.get_config()\n"
        "before = set(sys.modules)\n"
        "import evoclient.testing.plugin\n"
        "print(sorted(set(sys.modules) - before))"
    )
    ran = subprocess.run(
        [sys.executable, "-c", ask], cwd=REPOSITORY, capture_output=True, text=True, check=True
    )
    ours = ["evoclient", "evoclient._version", "evoclient.testing", "evoclient.testing.plugin"]
    assert ran.stdout.strip() == repr(ours)


def test_a_suite_that_uses_none_of_it(suite: Suite) -> None:
    """A test sees no fixture it did not ask for, no module of ours and a socket as it was."""
    suite.file("""
        import socket, sys

        def test_nothing_is_there(request):
            assert request.fixturenames == ["request"]
            loaded = {name for name in sys.modules if name.startswith("evoclient")}
            assert loaded <= {"evoclient", "evoclient._version", "evoclient.testing",
                              "evoclient.testing.plugin"}
            assert not {"requests", "aiohttp", "attr", "attrs"} & set(sys.modules)
            assert "connect" not in vars(socket.socket)
    """)
    assert suite.run() == {"passed": 1}


def test_the_fixtures(suite: Suite) -> None:
    """A server that is stopped afterwards, and memory transports of both colours."""
    suite.file("""
        import asyncio, socket
        import pytest
        from evoclient import AsyncClient, Client, MemoryReply

        ASKED = [{"role": "user", "content": "repeat: one"}]
        ports = []

        def test_server(evoclient_server):
            ports.append(evoclient_server.port)
            with Client(base_url=evoclient_server.base_url, model="m") as client:
                assert client.chat.completions.create(messages=ASKED).text == "one"
            assert len(evoclient_server.requests) == 1

        def test_server_is_stopped():
            with pytest.raises(ConnectionRefusedError):
                socket.create_connection(("127.0.0.1", ports[0]), 1)

        def test_memory(evoclient_memory):
            transport = evoclient_memory.transport([MemoryReply.text("two")])
            with Client(transport=transport, model="m") as client:
                assert client.chat.completions.create(messages=ASKED).text == "two"
            assert len(transport.requests) == 1

        def test_async_memory(evoclient_memory):
            async def ask():
                transport = evoclient_memory.async_transport([MemoryReply.text("two")])
                async with AsyncClient(transport=transport, model="m") as client:
                    return await client.chat.completions.create(messages=ASKED)

            assert asyncio.run(ask()).text == "two"
    """)
    assert suite.run() == {"passed": 4}


CASSETTES = """
    import asyncio, os
    import pytest
    from evoclient import AsyncClient, Client

    def ask(deck, text):
        options = {"base_url": os.environ.get("SERVER", "http://memory.invalid/v1"), "model": "m"}
        asked = [{"role": "user", "content": f"repeat: {text}"}]

        async def asynchronously():
            async with AsyncClient(transport=deck.async_transport(), **options) as client:
                return (await client.chat.completions.create(messages=asked)).text

        with Client(transport=deck.transport(), **options) as client:
            first = client.chat.completions.create(messages=asked).text
        return first + asyncio.run(asynchronously())

    class TestOne:
        def test_it(self, evoclient_cassette):
            assert ask(evoclient_cassette, "one") == "oneone"

    class TestTwo:
        @pytest.mark.parametrize("text", ["a/b", "a-b"])
        def test_it(self, evoclient_cassette, text):
            assert ask(evoclient_cassette, text) == text * 2
"""


def test_cassettes(suite: Suite) -> None:
    """A cassette is recorded where that is asked for, and played from then on without a server."""
    suite.ini("evoclient_block_network = true")
    suite.file(CASSETTES)
    assert suite.run() == {"error": 3}
    assert "There is no cassette" in suite.output
    for name in ("test_it.py::TestOne::test_it", "'test_it.py::TestTwo::test_it[a/b]'"):
        assert f"pytest --evoclient-record {name}\n" in suite.output
    with DemoServer(pace=0) as server:
        assert suite.run("--evoclient-record", SERVER=server.base_url) == {"passed": 3}
        assert len(server.requests) == 6
    files = {path: path.read_bytes() for path in suite.folder.glob("cassettes/test_it/*.jsonl")}
    assert len(files) == 3
    assert suite.folder / "cassettes/test_it/TestOne.test_it.jsonl" in files
    assert suite.run() == {"passed": 3}
    assert {path: path.read_bytes() for path in files} == files


ASK = """
        def ask(deck, text):
            import os
            from evoclient import Client

            url = os.environ.get("SERVER", "http://memory.invalid/v1")
            with Client(transport=deck.transport(), base_url=url, model="m") as client:
                asked = [{"role": "user", "content": f"repeat: {text}"}]
                return client.chat.completions.create(messages=asked).text
"""


def test_recording_by_a_variable(suite: Suite) -> None:
    """The environment asks for recording as well, which lifts the block for what is recorded."""
    suite.ini("evoclient_block_network = true")
    suite.file(
        """
        import socket

        def test_it(evoclient_cassette):
            assert evoclient_cassette.is_recording
            assert "connect" not in vars(socket.socket)
            ask(evoclient_cassette, "one")

        def test_other():
            assert "connect" in vars(socket.socket)
    """
        + ASK
    )
    with DemoServer(pace=0) as server:
        assert suite.run(EVOCLIENT_RECORD="1", SERVER=server.base_url) == {"passed": 2}
    assert suite.cassette().exists()
    assert suite.run(EVOCLIENT_RECORD="0") == {"failed": 1, "passed": 1}


ONE = """
        def test_it(evoclient_cassette):
            assert ask(evoclient_cassette, "one") == "one"
"""


def test_a_failure_does_not_destroy_a_cassette(suite: Suite) -> None:
    """What is recorded while a test fails is put beside the cassette, and pytest says where."""
    with DemoServer(pace=0) as server:
        suite.file(ONE + ASK)
        assert suite.run("--evoclient-record", SERVER=server.base_url) == {"passed": 1}
        good = suite.cassette().read_bytes()
        server.play("status", code=400)
        assert suite.run("--evoclient-record", SERVER=server.base_url) == {"failed": 1}
        assert suite.cassette().read_bytes() == good
        failed = suite.cassette("test_it.failed")
        assert [exchange.status for exchange in Cassette.load(failed).exchanges] == [400]
        assert f"What came is in {failed}; {suite.cassette()} stays as it was" in suite.output
        assert suite.run() == {"passed": 1}
        assert suite.run("--evoclient-record", SERVER=server.base_url) == {"passed": 1}
        assert not failed.exists()
        suite.cassette().unlink()
        suite.file(ONE.replace('== "one"', '== "two"') + ASK)
        assert suite.run("--evoclient-record", SERVER=server.base_url) == {"failed": 1}
    assert not suite.cassette().exists()
    assert "stays as it was" not in suite.output
    # What was paid for can be kept, and the test mended.
    failed.rename(suite.cassette())
    suite.file(ONE + ASK)
    assert suite.run() == {"passed": 1}


def test_a_test_that_asks_nobody(suite: Suite) -> None:
    """It writes no cassette, destroys none, and is told so."""
    suite.cassette().parent.mkdir(parents=True)
    suite.cassette().write_text("good", "utf-8")
    suite.file("""
        def test_it(evoclient_cassette):
            evoclient_cassette.transport().close()
    """)
    assert suite.run("--evoclient-record", "-W", "default") == {"passed": 1, "warning": 1}
    assert "No cassette was written, since nobody was asked" in suite.output
    assert suite.cassette().read_text("utf-8") == "good"
    suite.file("""
        def test_it(evoclient_cassette):
            assert False
    """)
    assert suite.run("--evoclient-record") == {"failed": 1}
    assert "No cassette was written" in suite.output
    assert suite.cassette().read_text("utf-8") == "good"


def test_a_test_that_is_expected_to_fail(suite: Suite) -> None:
    """Its cassette is recorded, as it does what it should."""
    suite.file(
        """
        import pytest

        @pytest.mark.xfail(strict=True)
        def test_it(evoclient_cassette):
            assert ask(evoclient_cassette, "one") == "two"
    """
        + ASK
    )
    with DemoServer(pace=0) as server:
        assert suite.run("--evoclient-record", SERVER=server.base_url) == {"xfailed": 1}
    assert suite.cassette().exists()
    assert suite.run() == {"xfailed": 1}


def test_another_question_than_recorded(suite: Suite) -> None:
    """A changed prompt fails with the command that records this test, and can be let pass."""
    with DemoServer(pace=0) as server:
        suite.file(ONE + ASK)
        assert suite.run("--evoclient-record", SERVER=server.base_url) == {"passed": 1}
    suite.file(ONE.replace('te, "one"', 'te, "two"') + ASK)
    assert suite.run() == {"failed": 1}
    assert "messages[0].content was 'repeat: one' and is 'repeat: two' now" in suite.output
    assert "(pytest --evoclient-record test_it.py::test_it)" in suite.output
    suite.file(
        """
        def test_it(evoclient_cassette):
            evoclient_cassette.match = "path"
            assert evoclient_cassette.match == "path"
            assert ask(evoclient_cassette, "two") == "one"
    """
        + ASK
    )
    assert suite.run() == {"passed": 1}


def test_exchanges_that_are_left_over(suite: Suite) -> None:
    """A test that passes with fewer requests than were recorded is warned of."""
    twice = ONE.replace('"one") ==', '"one") and ask(evoclient_cassette, "one") ==')
    with DemoServer(pace=0) as server:
        suite.file(twice + ASK)
        assert suite.run("--evoclient-record", SERVER=server.base_url) == {"passed": 1}
    assert suite.run() == {"passed": 1}
    suite.file(ONE + ASK)
    assert suite.run("-W", "default") == {"passed": 1, "warning": 1}
    assert "was asked for; left over: POST http://" in suite.output
    suite.file(ONE.replace('== "one"', '== "two"') + ASK)
    assert suite.run() == {"failed": 1}
    assert "left over" not in suite.output


# 192.0.2.0/24 and .invalid are for examples: nobody is there, and nothing is sent anyway.
OUTSIDE = """
    import asyncio, socket
    import pytest

    def connect():
        with socket.socket() as it:
            it.connect(("192.0.2.1", 9))

    def connect_ex():
        with socket.socket() as it:
            it.connect_ex(("192.0.2.1", 9))

    def connect_v6():
        with socket.socket(socket.AF_INET6) as it:
            it.connect(("2001:db8::1", 9))

    def create_connection():
        socket.create_connection(("name.invalid", 9), 1)

    def sendto():
        with socket.socket(type=socket.SOCK_DGRAM) as it:
            it.sendto(b"x", ("192.0.2.1", 9))

    def sendto_with_flags():
        with socket.socket(type=socket.SOCK_DGRAM) as it:
            it.sendto(b"x", 0, ("192.0.2.1", 9))

    def sendmsg():
        with socket.socket(type=socket.SOCK_DGRAM) as it:
            it.sendmsg([b"x"], [], 0, ("192.0.2.1", 9))

    def look_up():
        socket.getaddrinfo("name.invalid", 9)

    def look_up_one_address():
        socket.gethostbyname("name.invalid")

    def look_up_all_addresses():
        socket.gethostbyname_ex("name.invalid")

    def bytes_too():
        socket.getaddrinfo(b"name.invalid", 9)

    def by_loop():
        async def go():
            await asyncio.open_connection("192.0.2.1", 9)
        asyncio.run(go())

    def by_loop_and_name():
        async def go():
            await asyncio.open_connection("name.invalid", 9)
        asyncio.run(go())

    def by_requests():
        import requests
        requests.get("http://name.invalid/", timeout=1)

    def by_aiohttp():
        import aiohttp
        async def go():
            async with aiohttp.ClientSession() as session:
                await session.get("http://192.0.2.1/")
        asyncio.run(go())

    def by_aiohttp_and_name():
        import aiohttp
        async def go():
            async with aiohttp.ClientSession() as session:
                await session.get("http://name.invalid/")
        asyncio.run(go())

    def by_httpx():
        import httpx
        httpx.get("http://name.invalid/")

    def by_async_httpx():
        import httpx
        async def go():
            async with httpx.AsyncClient() as client:
                await client.get("http://name.invalid/")
        asyncio.run(go())

    def by_client():
        from evoclient import Client
        Client(base_url="http://name.invalid/v1").models.list()

    def by_async_client():
        from evoclient import AsyncClient
        async def go():
            async with AsyncClient(base_url="http://192.0.2.1/v1") as client:
                await client.models.list()
        asyncio.run(go())

    WAYS = [value for name, value in list(globals().items())
            if callable(value) and getattr(value, "__module__", "") == __name__]

    @pytest.mark.parametrize("way", WAYS)
    def test_outside(way):
        from evoclient.testing import NetworkBlockedError
        with pytest.raises(NetworkBlockedError, match="evoclient_allow_network") as caught:
            way()
        assert not isinstance(caught.value, OSError)
        assert any(it in str(caught.value) for it in ("192.0.2.1", "2001:db8::1", "name.invalid"))
"""


def test_the_network_is_blocked(suite: Suite) -> None:
    """Whatever the library, nothing but loopback is reached, and the error says what to do."""
    suite.ini("evoclient_block_network = true")
    suite.file(OUTSIDE)
    counts = suite.run()
    assert counts == {"passed": 20}, suite.output


INSIDE = """
    import asyncio, os, socket
    import pytest

    def test_servers_of_this_machine(evoclient_server, tmp_path):
        from evoclient import AsyncClient, Client

        async def ask(base_url):
            async with AsyncClient(base_url=base_url) as client:
                return await client.models.list()

        for host in ("127.0.0.1", "localhost"):
            url = f"http://{host}:{evoclient_server.port}/v1"
            with Client(base_url=url) as client:
                assert len(client.models.list()) == 2
            assert len(asyncio.run(ask(url))) == 2
        socket.getaddrinfo(None, 80)
        socket.getaddrinfo("::ffff:127.0.0.1", 80)
        assert socket.gethostbyname("localhost") == "127.0.0.1"
        assert socket.gethostbyname_ex("192.0.2.1")[2] == ["192.0.2.1"]
        with socket.socket(type=socket.SOCK_DGRAM) as one:
            one.bind(("127.0.0.1", 0))
            one.sendto(b"x", one.getsockname())
            assert one.sendmsg([b"yz"], [], 0, one.getsockname()) == 2
            assert (one.recv(9), one.recv(9)) == (b"x", b"yz")
        path = os.path.relpath(tmp_path / "s")
        with socket.socket(socket.AF_UNIX) as one, socket.socket(socket.AF_UNIX) as other:
            one.bind(path)
            one.listen()
            other.connect(path)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="its sockets have no paths")
def test_this_machine_is_not_blocked(suite: Suite) -> None:
    """Loopback by address and by name, and sockets in the file system, stay within reach."""
    suite.ini("evoclient_block_network = true")
    suite.file(INSIDE)
    assert suite.run() == {"passed": 1}, suite.output


MARKED = """
    import socket
    import pytest

    def is_blocked():
        return "connect" in vars(socket.socket)

    def test_by_default():
        assert is_blocked() is DEFAULT

    @pytest.mark.evoclient_block_network
    def test_marked():
        assert is_blocked()
        assert socket.getaddrinfo.__module__ == "evoclient.testing.blocking"

    @pytest.mark.evoclient_allow_network
    def test_allowed():
        assert not is_blocked()
        assert socket.getaddrinfo.__module__ == "socket"

    @pytest.mark.evoclient_block_network
    class TestBlocked:
        def test_it(self, early):
            assert is_blocked()
            assert early

        @pytest.mark.evoclient_allow_network
        def test_allowed(self):
            assert not is_blocked()

        @pytest.mark.xfail(strict=True, raises=ZeroDivisionError)
        def test_a_failure_restores(self):
            1 / 0

    def test_afterwards():
        assert is_blocked() is DEFAULT

    @pytest.fixture
    def early():
        return is_blocked()
"""


@pytest.mark.parametrize("default", [False, True])
def test_markers(default: bool, suite: Suite) -> None:
    """The nearest marker wins over the setting, for fixtures as well, and all is restored after."""
    suite.ini(f"evoclient_block_network = {str(default).lower()}")
    suite.file(MARKED.replace("DEFAULT", str(default)))
    assert suite.run() == {"passed": 6, "xfailed": 1}, suite.output


def test_what_it_offers_is_listed(suite: Suite) -> None:
    """Markers, fixtures and the option have a line each where pytest lists them."""
    suite.file("")
    listed = ["evoclient_server", "evoclient_memory", "evoclient_cassette"]
    for arguments, names in (
        (["--markers"], ["evoclient_block_network", "evoclient_allow_network"]),
        (["--fixtures"], listed),
        (["--help"], ["--evoclient-record", "evoclient_block_network (bool)"]),
    ):
        ran = subprocess.run(
            [*PYTEST, *arguments],
            cwd=suite.folder,
            env={**os.environ, **ALONE},
            capture_output=True,
            text=True,
            check=False,
        )
        assert [name for name in names if name not in ran.stdout] == []
