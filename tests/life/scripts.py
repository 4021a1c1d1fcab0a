"""Programs of users, each run in an interpreter of its own where every warning is an error."""

from __future__ import annotations

import os
import subprocess
import sys
from textwrap import dedent

from evoclient.testing.server import DemoServer

__all__ = ["run_script"]

_BEGINNING = """
import asyncio, gc, logging, os, sys, threading
from evoclient import AsyncClient, Client, KeyPair
URL, TOKEN_URL = os.environ["TEST_URL"], os.environ["TEST_TOKEN_URL"]
# Of asyncio's own records, what was left open is an error; slow steps, warnings, are the machine's.
logging.getLogger("asyncio").setLevel(logging.ERROR)
OPTIONS = {"base_url": URL, "api_key": "demo-key", "model": "demo"}
ASKED = {"messages": [{"role": "user", "content": "repeat: Hi there all"}]}
"""


def run_script(server: DemoServer, text: str) -> str:
    """Run a program, and return what it printed; it may not say anything on stderr."""
    kept = {name: os.environ[name] for name in ("PATH", "PYTHONPATH") if name in os.environ}
    done = subprocess.run(
        # Development mode shows what was not closed; as an error, a warning shows a traceback.
        [sys.executable, "-X", "dev", "-W", "error", "-c", _BEGINNING + dedent(text)],
        env={**kept, "TEST_URL": server.base_url, "TEST_TOKEN_URL": server.token_url},
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert not done.stderr, done.stderr
    assert done.returncode == 0
    return done.stdout
