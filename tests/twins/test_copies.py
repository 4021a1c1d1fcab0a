"""Copies of a client with some options changed, in both colours."""

from __future__ import annotations

import gc
import json
import pickle
import weakref
from typing import Any

import attrs
import pytest

from evoclient.errors.tree import APIStatusError, ClientClosedError
from evoclient.ground import NOT_GIVEN, ConfigurationError
from evoclient.limits import Limits
from evoclient.retry import Retry
from evoclient.streaming.ending import Outcome
from evoclient.wire import Timeouts
from tests.colours import Colour
from tests.twins.scripts import refusing, streamed, whole

AnyColour = Colour[Any, Any]


def made(colour: AnyColour, *script: Any, **options: Any) -> tuple[Any, Any]:
    """Return a transport that plays a script, and a client with it."""
    transport = colour.memory(list(script))
    return transport, colour.client(transport=transport, **{"model": "m", **options})


def test_a_copy_is_a_client(colour: AnyColour) -> None:
    """A copy is of the same class, uses the same transport, and leaves the original as it was."""
    transport, client = made(colour, whole("a"), whole("b"))
    copy = client.with_options(model="other", default_headers={"X-A": "1"})
    assert type(copy) is type(client)
    assert (copy.model, client.model) == ("other", "m")
    assert colour.create(copy).text == "a"
    assert colour.create(client).text == "b"
    first, second = transport.requests
    assert (json.loads(first.body)["model"], first.headers["x-a"]) == ("other", "1")
    assert json.loads(second.body)["model"] == "m"
    assert "x-a" not in second.headers


def test_copy_is_another_name(colour: AnyColour) -> None:
    """`copy` is `with_options`, and with nothing given changes nothing."""
    _, client = made(colour)
    copy = client.copy(timeout=None, model=NOT_GIVEN)
    assert copy is not client
    ours, its = attrs.asdict(client._settings), attrs.asdict(copy._settings)
    assert [name for name in ours if ours[name] != its[name]] == ["callbacks"]


def test_a_copy_has_its_own_callbacks(colour: AnyColour) -> None:
    """A copy begins with the functions of its client, and changes nothing there."""
    heard: list[str] = []
    _, client = made(
        colour, whole("a"), whole("b"), callbacks={"on_start": lambda _: heard.append("x")}
    )
    copy = client.with_options(timeout=5)
    colour.create(copy)
    assert heard == ["x"]
    copy.clear_callbacks()
    colour.create(client)
    assert heard == ["x", "x"]


def test_what_is_shared(colour: AnyColour) -> None:
    """Credentials, limits and the allowance for retries are the very same objects."""
    limits = Limits(2)
    _, client = made(colour, limits=limits, api_key="key-of-the-client")
    copy = client.with_options(max_retries=9)
    assert copy._settings.auth is client._settings.auth
    assert copy._settings.allowance is client._settings.allowance
    assert copy._settings.limits is limits
    assert client.with_options(limits=Limits())._settings.limits is not limits


def test_the_options(colour: AnyColour) -> None:
    """Each option is laid over that of the client."""
    _, client = made(colour, timeout=Timeouts(total=9), retry=Retry(base=3, attempts=5))
    settings = client.with_options(timeout=4, max_retries=1, retry_delay=0.25)._settings
    assert settings.timeouts == Timeouts(first_chunk=4, idle=4, total=9)
    assert settings.retry == Retry(base=0.25, attempts=2)
    settings = client.with_options(timeout=Timeouts(), retry=Retry(attempts=7))._settings
    assert (settings.timeouts, settings.retry) == (Timeouts(), Retry(attempts=7))


def test_headers_and_query_are_laid_over(colour: AnyColour) -> None:
    """Headers, in any case, and query parameters add to those of the client, copy by copy."""
    transport, client = made(
        colour, whole(), default_headers={"X-A": "1", "X-B": "2"}, default_query={"q": 1, "r": 2}
    )
    copy = client.with_options(default_headers={"x-a": None}, default_query={"q": 3})
    colour.create(copy.with_options(default_headers={"X-A": "4", "x-b": "5"}))
    (request,) = transport.requests
    assert (request.headers["x-a"], request.headers["x-b"]) == ("4", "5")
    assert request.url.endswith("?q=3&r=2")


def test_closing_a_copy(colour: AnyColour) -> None:
    """A closed copy refuses and closes its streams; the original and its streams go on."""
    transport, client = made(colour, streamed("a", "b"), streamed("a", "b"), whole("c"))
    copy = client.with_options()
    own, other = colour.stream(copy), colour.stream(client)
    colour.next(own)
    colour.close(copy)
    colour.close(copy)
    assert (copy.is_closed, client.is_closed) == (True, False)
    assert own.outcome is Outcome.cancelled
    with pytest.raises(ClientClosedError):
        colour.create(copy)
    assert colour.text(other) == ["a", "b"]
    assert colour.create(client).text == "c"
    assert transport.closes == 0


def test_closing_the_original(colour: AnyColour) -> None:
    """With the original its copies are closed, and theirs, and all their streams."""
    transport, client = made(colour, streamed("a", "b"))
    copy = client.with_options()
    second = copy.with_options()
    stream = colour.stream(second)
    colour.next(stream)
    colour.close(client)
    assert stream.outcome is Outcome.cancelled
    for one in (copy, second):
        assert one.is_closed
        with pytest.raises(ClientClosedError):
            colour.create(one)
    assert (transport.open_bodies, transport.closes) == (0, 1)


def test_a_copy_in_a_block(colour: AnyColour) -> None:
    """A copy can be used as a context manager without ending the original."""
    _, client = made(colour, whole("a"))
    if colour.name == "sync":
        with client.with_options() as copy:
            pass
    else:

        async def use() -> Any:
            async with client.with_options() as copy:
                return copy

        copy = colour.run(use())
    assert (copy.is_closed, client.is_closed) == (True, False)


def test_a_copy_outlives_the_original(colour: AnyColour) -> None:
    """A copy keeps working where nothing else holds the client it was made of."""
    _, client = made(colour, whole("a"))
    copy = client.with_options()
    gone = weakref.ref(client)
    del client
    gc.collect()
    assert gone() is None
    assert colour.create(copy).text == "a"


def test_the_allowance_is_shared(colour: AnyColour) -> None:
    """What the retries of a copy cost is missing in the client."""
    _, client = made(colour, *[refusing(503)] * 3, retry_delay=0)
    with pytest.raises(APIStatusError):
        colour.create(client.with_options(max_retries=2))
    assert client._settings.allowance.left == 90


def test_other_endpoints_of_a_copy(colour: AnyColour) -> None:
    """All namespaces of a copy use its options."""
    transport, client = made(colour, *[whole()] * 4)
    copy = client.with_options(model="other", default_query={"q": 1})
    colour.run(copy.completions.create(prompt="a"))
    colour.run(copy.embeddings.create(input="a"))
    colour.run(copy.models.list())
    colour.run(copy.request("GET", "/x"))
    assert [request.url.rpartition("/")[2] for request in transport.requests] == [
        "completions?q=1",
        "embeddings?q=1",
        "models?q=1",
        "x?q=1",
    ]
    assert [json.loads(request.body)["model"] for request in transport.requests[:2]] == (
        ["other"] * 2
    )


def test_a_copy_of_a_subclass(colour: AnyColour) -> None:
    """A copy of a subclass is one, and has what the subclass keeps."""
    kind: Any = type(colour.client(transport="memory"))

    class Team(kind):  # type: ignore[misc]  # a client of either colour
        name = "nobody"

    client: Any = Team(transport="memory", model="m")
    client.name = "research"
    copy = client.with_options(model="n")
    assert (type(copy), copy.name, copy.model) == (Team, "research", "n")
    assert colour.create(copy).text


BAD: list[tuple[str, Any]] = [
    ("timeout", -1),
    ("timeout", "5"),
    ("max_retries", -1),
    ("retry_delay", -1),
    ("retry", 3),
    ("model", ""),
    ("default_headers", {"X": "a\nb"}),
    ("default_query", {"a": None}),
    ("limits", 5),
]


@pytest.mark.parametrize(("argument", "value"), BAD)
def test_bad_options(colour: AnyColour, argument: str, value: Any) -> None:
    """A bad option is named when the copy is made."""
    _, client = made(colour)
    with pytest.raises(ConfigurationError) as caught:
        client.with_options(**{argument: value})
    assert caught.value.argument == argument


def test_a_copy_is_pickled_with_its_options(colour: AnyColour) -> None:
    """What comes back from a pickle of a copy has the copy's options, not the original's."""
    client = colour.client(
        transport="memory",
        model="m",
        max_retries=7,
        timeout=Timeouts(total=9),
        default_headers={"X-A": "1", "X-B": "2"},
        default_query={"q": 1},
    )
    copy = client.with_options(
        model="n", timeout=4, retry_delay=2, default_headers={"x-a": "3"}, default_query={"r": 2}
    )
    again = pickle.loads(pickle.dumps(copy.with_options(limits=Limits())))  # noqa: S301 - our own
    assert (again.model, again._settings.retry) == ("n", Retry(attempts=8, base=2))
    assert again._settings.timeouts == copy._settings.timeouts
    assert again._settings.headers == {"X-B": "2", "x-a": "3"}
    assert again._settings.query == {"q": "1", "r": "2"}
    assert pickle.loads(pickle.dumps(client)).model == "m"  # noqa: S301 - our own


def test_a_header_is_not_shown(colour: AnyColour) -> None:
    """A traceback of a wrong option holds no header in its frames."""
    _, client = made(colour)
    with pytest.raises(ConfigurationError) as caught:
        client.with_options(default_headers={"X-Key": "planted\nkey"})
    frames = []
    trace = caught.value.__traceback__
    while trace is not None:
        if "evoclient" in trace.tb_frame.f_globals.get("__name__", "").split(".")[0]:
            frames.append(trace.tb_frame)
        trace = trace.tb_next
    assert frames
    assert all("planted" not in repr(frame.f_locals) for frame in frames)
