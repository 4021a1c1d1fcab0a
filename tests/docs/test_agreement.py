"""The tables of the documentation say what the code does."""

from __future__ import annotations

import re

import attrs
import pytest

import evoclient
from evoclient import Timeouts
from evoclient.errors import tree
from evoclient.errors.verdict import RETRIED_STATUSES
from evoclient.providers.base import Provider
from evoclient.providers.presets import PRESETS
from evoclient.streaming import callbacks, events
from evoclient.streaming.gathering import MOST_AHEAD
from evoclient.streaming.units import SPLITTERS
from evoclient.testing.plays import names
from evoclient.view import StreamView

from .pages import DOCS, pages, quoted, rows, section


@pytest.mark.parametrize("preset", PRESETS.values(), ids=PRESETS)
def test_presets(preset: Provider) -> None:
    """The quick start has each preset, with its variables, its address and its default model."""
    text = section("quickstart.md", "## Where requests go")
    table = {quoted(row[0])[0]: row for row in rows(text)}
    assert list(table) == list(PRESETS)
    _, key, address, model = table[preset.name]
    pair = (*preset.key_id_variables, *preset.secret_variables)
    assert quoted(key) == [*pair, *preset.api_key_variables]
    assert key.startswith("not needed") is not preset.needs_key
    assert quoted(address) == [*filter(None, [preset.base_url]), *preset.base_url_variables]
    assert quoted(model) == [*filter(None, [preset.default_model]), *preset.model_variables]


def test_variables_of_headers() -> None:
    """The quick start names every variable that becomes a header."""
    text = section("quickstart.md", "## Where requests go")
    wanted = [name for preset in PRESETS.values() for name in preset.header_variables.values()]
    assert [name for name in wanted if f"`{name}`" not in text] == []


def test_limits() -> None:
    """The table of limits has their defaults."""
    table = rows(section("topics/timeouts.md", "## The four limits"))
    fields = [field for field in attrs.fields(Timeouts) if field.name != "keepalive_counts"]
    assert [(quoted(row[0])[0], row[1]) for row in table] == [
        (field.name, "none" if field.default is None else f"{field.default:g}") for field in fields
    ]


def test_retried_statuses() -> None:
    """The page on retries lists the statuses that are tried again."""
    text = section("topics/timeouts.md", "## What is tried again")
    found = re.search(r"\| status ([\d, ]+) \| yes", text)
    assert found is not None
    assert {int(status) for status in found[1].split(",")} == RETRIED_STATUSES


def test_the_tree_of_errors() -> None:
    """The page on errors draws the tree as the classes are derived."""
    drawing = (DOCS / "topics/errors.md").read_text("utf-8").partition("```text\n")[2]
    above: list[str] = []
    drawn = set()
    for line in drawing.partition("\n```")[0].splitlines():
        branch, name, other = re.findall(r"([│├└─ ]*)(\w+)(?: \((\w+)\))?", line)[0]
        del above[len(branch) // 4 :]
        bases = {base.__name__ for base in getattr(evoclient, name).__bases__}
        assert bases == {*above[-1:], *filter(None, [other])} or not above
        above.append(name)
        drawn.add(name)
    assert drawn == set(tree.__all__)


def test_every_error_is_explained() -> None:
    """The table of errors has each class that is raised, and the reference has them all."""
    named = {
        quoted(row[0])[0] for row in rows(section("topics/errors.md", "## What is raised when"))
    }
    never_raised = {"APIError", "EvoClientError", "StreamError"}
    assert named == set(tree.__all__) - never_raised


def test_every_event_is_listed() -> None:
    """The reference has each kind of event with its type."""
    table = rows(section("reference/streams.md", "## Events"))
    assert {row[0].rstrip("`").split(".")[-1]: quoted(row[1])[0].strip('"') for row in table} == {
        kind.__name__: attrs.fields_dict(kind)["type"].default
        for kind in vars(events).values()
        if attrs.has(kind) and kind.__module__ == events.__name__
    }


def test_every_callback_is_listed() -> None:
    """The reference has each callback, in the order in which they are told of."""
    table = rows(section("reference/callbacks.md", "## What is told"))
    assert [quoted(row[0])[0] for row in table] == [f"on_{name}" for name in callbacks.NAMES]


def test_every_unit_of_a_buffer_is_listed() -> None:
    """The reference has each word that says what a buffer shows as a whole."""
    table = rows(section("reference/buffers.md", "## Units"))
    assert [quoted(row[0])[0] for row in table[:-1]] == [
        f'"{name}"' for name in ("char", *SPLITTERS)
    ]


def test_the_room_of_a_gathered_stream() -> None:
    """The reference says how many chunks of a stream of a group wait for a slow reader."""
    page = (DOCS / "reference/many.md").read_text("utf-8")
    assert f"room for {MOST_AHEAD} chunks" in page


def test_what_a_stream_knows() -> None:
    """The page on streams has each attribute with which a stream tells of itself, and no other."""
    table = rows(section("topics/streams.md", "## What a stream knows"))
    properties = {name for name, value in vars(StreamView).items() if isinstance(value, property)}
    assert {quoted(row[0])[0] for row in table} == properties


def test_every_play_is_listed() -> None:
    """The reference has each play of the demo server."""
    listed = {
        name for row in rows(section("reference/testing.md", "## Plays")) for name in quoted(row[0])
    }
    text = section("reference/testing.md", "## Plays")
    dialects = quoted(text.partition("Dialects shape")[2])
    assert sorted({*listed, *dialects}) == names()


def test_every_public_name_is_documented() -> None:
    """The reference has each public name."""
    reference = "\n".join(
        page.read_text("utf-8") for page in pages() if page.parent.name == "reference"
    )
    wanted = [name for name in evoclient.__all__ if not name.startswith("_")]
    missing = [name for name in wanted if not re.search(rf"\bevoclient\.{name}\b", reference)]
    assert missing == []
