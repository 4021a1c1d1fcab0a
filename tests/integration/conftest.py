"""Both colours, and the foreign servers, each started once for all tests."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.colours import Aio, Colour, Sync
from tests.integration.install import AIMOCK, LITELLM, Foreign
from tests.integration.serving import Server, running

HERE = Path(__file__).parent
#: The variable with the folder where the servers are installed.
FOLDER = "EVOCLIENT_TEST_SERVERS"


@pytest.fixture(params=[Sync, Aio], ids=["sync", "aio"])
def colour(request: pytest.FixtureRequest) -> Iterator[Colour[Any, Any]]:
    """Give the means of one colour, then of the other."""
    made: Colour[Any, Any] = request.param()
    yield made
    made.finish()


def program_of(server: Foreign, config: pytest.Config) -> Path:
    """Return a server's program, installed if need be; or skip the test and say why."""
    folder = os.environ.get(FOLDER)
    if folder is None:
        pytest.skip(f"{FOLDER} names no folder for servers; `tox -e integration` does")
    reason = server.missing()
    if reason is not None:
        pytest.skip(reason)
    if server.found(Path(folder)) is None:
        # What takes minutes says so before it begins.
        with config.pluginmanager.getplugin("capturemanager").global_and_fixture_disabled():
            print(f"\nInstalling {server.package} {server.version}, {server.takes}", flush=True)
    return server.provide(Path(folder))


@pytest.fixture(scope="session")
def aimock(
    pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    """Give aimock with the fixtures of `aimock.json`; it takes the key "good-key" and no other."""
    program = program_of(AIMOCK, pytestconfig)
    with running(
        lambda port: [
            *("node", str(program), "--port", str(port), "--fixtures", str(HERE / "aimock.json")),
            *("--log-level", "warn"),
        ],
        ready="/ready",
        folder=tmp_path_factory.mktemp("aimock"),
        settings={"AIMOCK_API_KEYS": "good-key"},
    ) as server:
        yield server


@pytest.fixture(scope="session")
def litellm(
    request: pytest.FixtureRequest,
    pytestconfig: pytest.Config,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Server]:
    """Give a LiteLLM proxy with the models of `litellm.yaml`, its master key "sk-good-key"."""
    program = program_of(LITELLM, pytestconfig)
    # Most of its models need no aimock: where that cannot run, the others still do.
    behind = request.getfixturevalue("aimock").base_url if AIMOCK.missing() is None else ""
    with running(
        lambda port: [
            *(str(program), "--config", str(HERE / "litellm.yaml")),
            *("--host", "127.0.0.1", "--port", str(port), "--telemetry", "False"),
        ],
        ready="/health/readiness",
        folder=tmp_path_factory.mktemp("litellm"),
        # Its list of prices comes with it: nothing is fetched.
        settings={
            "AIMOCK_URL": behind,
            "LITELLM_LOCAL_MODEL_COST_MAP": "True",
            "LITELLM_MODE": "PRODUCTION",
        },
    ) as server:
        yield server
