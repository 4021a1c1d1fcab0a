"""The life of a client as a state machine: opened, read, derived, closed, in any order."""

from __future__ import annotations

from typing import Any

import attrs
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, rule

from evoclient.errors.tree import ClientClosedError
from tests.colours import Aio, Colour, Sync
from tests.twins.scripts import streamed

PIECES = ("a", "b", "c")


@attrs.define(eq=False)
class Made:
    """A client, or a copy of one.

    Attributes:
        client: The client.
        owner: The one that it is a copy of, or None.
        was_closed: Whether it was closed itself.
    """

    client: Any
    owner: Made | None = None
    was_closed: bool = False

    @property
    def is_over(self) -> bool:
        """Whether it, or one that it was derived from, was closed."""
        return self.was_closed or (self.owner is not None and self.owner.is_over)


@attrs.define(eq=False)
class Opened:
    """A stream.

    Attributes:
        stream: The stream.
        of: The client that opened it.
        texts: What was read of it.
        was_closed: Whether it was closed itself.
    """

    stream: Any
    of: Made
    texts: list[str] = attrs.field(factory=list)
    was_closed: bool = False
    is_read: bool = False

    @property
    def is_open(self) -> bool:
        """Whether there should still be something to read, as far as it was read."""
        return not (self.was_closed or self.of.is_over or self.is_read)


class ClientLife(RuleBasedStateMachine):
    """Clients, their copies and their streams, of one colour, without a server."""

    clients = Bundle("clients")
    streams = Bundle("streams")

    def __init__(self) -> None:
        """Begin with nothing."""
        super().__init__()
        self.made: list[Made] = []
        self.opened: list[Opened] = []
        self.colour: Colour[Any, Any] = Sync()

    @initialize(target=clients, colour=st.sampled_from([Sync, Aio]))
    def make(self, colour: type[Colour[Any, Any]]) -> Made:
        """Make the first client, and the transport whose bodies are counted."""
        self.colour = colour()
        self.transport = self.colour.memory(lambda _: streamed(*PIECES))
        made = Made(self.colour.client(transport=self.transport, model="m"))
        self.made.append(made)
        return made

    @rule(target=clients, owner=clients)
    def derive(self, owner: Made) -> Made:
        """A copy costs nothing and is as closed as what it was made of."""
        made = Made(owner.client.with_options(timeout=3), owner)
        self.made.append(made)
        return made

    @rule(target=streams, of=clients)
    def open(self, of: Made) -> Opened | None:
        """A client that is over raises at once and sends nothing; any other opens a stream."""
        sent = len(self.transport.requests)
        if of.is_over:
            with pytest.raises(ClientClosedError):
                self.colour.stream(of.client)
            assert len(self.transport.requests) == sent
            return None
        opened = Opened(self.colour.stream(of.client), of)
        assert len(self.transport.requests) == sent + 1
        self.opened.append(opened)
        return opened

    @rule(opened=streams)
    def read_one(self, opened: Opened | None) -> None:
        """A stream that is open gives the next piece; one that was closed just ends."""
        if opened is None:
            return
        was_open = opened.is_open
        try:
            text = self.colour.next(opened.stream).text
        except (StopIteration, StopAsyncIteration):
            assert not was_open or "".join(opened.texts) == "".join(PIECES)
            opened.is_read = True
            return
        assert was_open
        opened.texts.append(text)
        assert "".join(PIECES).startswith("".join(opened.texts))

    @rule(opened=streams)
    def read_all(self, opened: Opened | None) -> None:
        """Reading on to the end gives the whole, unless somebody closed."""
        if opened is None:
            return
        was_open = opened.is_open
        opened.texts += [chunk.text for chunk in self.colour.chunks(opened.stream)]
        opened.is_read = True
        if was_open:
            assert "".join(opened.texts) == "".join(PIECES)
            assert opened.stream.outcome == "complete"
        assert opened.stream.outcome in ("complete", "cancelled")

    @rule(opened=streams)
    def close_stream(self, opened: Opened | None) -> None:
        """Closing a stream, once or twice, concerns nobody else."""
        if opened is not None:
            opened.stream.close()
            self.colour.settle()  # in a loop, its next turn closes
            opened.was_closed = True

    @rule(made=clients)
    def close_client(self, made: Made) -> None:
        """Closing a client, once or twice, ends its streams and its copies."""
        self.colour.close(made.client)
        made.was_closed = True

    @invariant()
    def closed_is_closed(self) -> None:
        """Each client says whether it is closed, by itself or with the one it was made of."""
        for made in self.made:
            assert made.client.is_closed is made.is_over

    @invariant()
    def nothing_stays_open(self) -> None:
        """As many bodies are open as there are streams to be read on, and no more."""
        if self.made:
            most = sum(opened.is_open for opened in self.opened)
            assert self.transport.open_bodies <= most

    def teardown(self) -> None:
        """Close what is left; then nothing is open."""
        if self.made:
            self.colour.close(self.made[0].client)
            assert self.transport.open_bodies == 0
            self.opened.clear()
        if isinstance(self.colour, Aio):
            self.colour.finish()


TestClientLife = ClientLife.TestCase
TestClientLife.settings = settings(max_examples=40, stateful_step_count=20, deadline=None)
