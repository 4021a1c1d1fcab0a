"""What a program that only chats loads: modules cost time when an interpreter starts."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.util import find_spec

import pytest

#: What is loaded by those alone who use it. {room} is the room of the colour.
FEATURES = {
    "events": "streaming.events streaming.telling partial_json",
    "updates of a display": "{room}.buffer streaming.buffering streaming.units streaming.graphemes",
    "several streams": "{room}.many streaming.gathering",
    "any request": "endpoints.raw",
    "text completions": (
        "{room}.completions endpoints.completions models.completions streaming.texts"
    ),
    "embeddings": "{room}.embeddings endpoints.embeddings endpoints.joining models.embeddings",
    "the list of models": "{room}.models endpoints.models models.listing",
    "copies of a client": "overlay",
    "key pairs": "auth.key_pair",
    "schemes of plugins": "auth.registry",
    "limits": "limits",
    "recovery": "recovery streaming.seam streaming.echo streaming.continuing streaming.comparing",
    "restarts": "streaming.skipping streaming.repeated_calls",
    "stop sequences": "streaming.stops streaming.matching",
    "thoughts in tags": "streaming.thinking",
    "streams that are not kept": "streaming.tally",
    "drawings": "display",
    "figures of the metrics": "streaming.figures",
    "recordings": "streaming.recording",
}

SYNC = """
import evoclient, sys
with evoclient.Client(base_url="http://test/v1", api_key="key", transport="memory") as client:
    with client.chat.completions.create(
        model="demo", messages=[{"role": "user", "content": "Hi"}], stream=True
    ) as stream:
        assert [chunk for chunk in stream]
"""

ASYNC = """
import asyncio, evoclient, sys
async def main():
    async with evoclient.AsyncClient(
        base_url="http://test/v1", api_key="key", transport="memory"
    ) as client:
        async with await client.chat.completions.create(
            model="demo", messages=[{"role": "user", "content": "Hi"}], stream=True
        ) as stream:
            assert [chunk async for chunk in stream]
asyncio.run(main())
"""


@pytest.mark.parametrize(("room", "script"), [("sync", SYNC), ("aio", ASYNC)])
def test_a_plain_stream_loads_no_feature_that_it_does_not_use(room: str, script: str) -> None:
    """Reading a plain stream chunk by chunk loads nothing of the features beside it."""
    modules = {
        f"evoclient.{module}": feature
        for feature, names in FEATURES.items()
        for module in names.format(room=room).split()
    }
    assert [name for name in modules if find_spec(name) is None] == []
    code = f"{script}\nprint(*(name for name in {[*modules]!r} if name in sys.modules))"
    # As users run it: development mode would tell of slow steps, which are the machine's.
    env = {name: value for name, value in os.environ.items() if name != "PYTHONDEVMODE"}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=env)
    assert done.stderr == ""
    assert [f"{modules[name]}: {name}" for name in done.stdout.split()] == []
