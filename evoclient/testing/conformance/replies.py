"""Scenarios that need a reply that is played piece by piece, and no socket."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, Literal

import attrs

from ...errors.tree import APIConnectionError, APITimeoutError, ClientClosedError
from ...wire import Deadlines
from ..raw_server import Peer, RawServer, chunk
from .base import Scenarios, raises
from .calls import deadline

__all__ = ["SOON", "Plan", "ReplyConformance"]

#: Seconds; long enough that they cannot pass by themselves, short enough to wait for.
SOON: Final = 0.15
#: Seconds that a limit may be overrun by.
SLACK: Final = 0.5


@attrs.frozen
class Plan:
    """A reply that is wanted from a server, or from a script.

    Attributes:
        pieces: The body, piece by piece, each with the seconds before it.
        end: How it ends: as it should, by a cut, or not at all.
        status: The status.
        headers: Headers, besides those that frame the body.
        pause: Seconds before the head.
    """

    pieces: tuple[tuple[float, bytes], ...] = ((0, b"hi"),)
    end: Literal["whole", "cut", "never"] = "whole"
    status: int = 200
    headers: tuple[tuple[str, str], ...] = ()
    pause: float = 0

    def play(self, peer: Peer) -> None:
        """Answer one request of a connection."""
        if not peer.read_request():
            return
        peer.server.stopping.wait(self.pause)
        fields = "".join(f"{name}: {value}\r\n" for name, value in self.headers)
        head = f"HTTP/1.1 {self.status} Such\r\n{fields}Transfer-Encoding: chunked\r\n\r\n"
        peer.send(head.encode())
        for pause, piece in self.pieces:
            peer.server.stopping.wait(pause)
            peer.send(chunk(piece))
        if self.end == "whole":
            peer.send(chunk(b""))
        if self.end != "cut":
            peer.until_closed()


class ReplyConformance(Scenarios):
    """What every transport owes, scripted ones too: override `serve` for those."""

    @contextmanager
    def serve(self, plan: Plan) -> Iterator[str]:
        """Let each request be answered so, and give the URL to ask."""
        with RawServer(plan.play) as server:
            yield server.url

    def test_a_reply_has_its_status_headers_and_body(self) -> None:
        """What was sent comes out, and after the end there is nothing more."""
        plan = Plan(status=418, headers=(("X-One", "1"), ("X-Two", "a"), ("X-Two", "b")))
        with self.serve(plan) as url:
            answer = self.caller.send(url)
            assert answer.status == 418
            assert answer.headers["x-one"] == "1"
            assert answer.headers.get_all("X-TWO") == ["a", "b"]
            assert (answer.read_all(), answer.read()) == (b"hi", b"")

    def test_a_piece_is_handed_on_before_the_next_is_there(self) -> None:
        """A reader does not wait for what has not been sent."""
        with self.serve(Plan(((0, b"one"), (2 * SOON, b"two")))) as url:
            answer = self.caller.send(url)
            began = time.monotonic()
            assert answer.read() == b"one"
            assert time.monotonic() - began < 2 * SOON
            assert answer.read_all() == b"two"

    def test_a_redirect_is_a_reply(self) -> None:
        """Nothing is asked elsewhere, which might get the key."""
        plan = Plan(status=302, headers=(("Location", "/elsewhere"),))
        with self.serve(plan) as url:
            answer = self.caller.send(url)
            assert (answer.status, answer.headers["location"]) == (302, "/elsewhere")
            assert answer.read_all() == b"hi"

    def test_a_closed_body_has_no_more_pieces(self) -> None:
        """Closing twice is closing once."""
        with self.serve(Plan(end="never")) as url:
            answer = self.caller.send(url)
            assert answer.read() == b"hi"
            answer.close()
            answer.close()
            assert answer.read() == b""

    def test_closing_frees_a_blocked_reader(self) -> None:
        """It sees the end or an error when another thread or task closes the body."""
        with self.serve(Plan(((0, b"hi"), (5, b"late")))) as url:
            answer = self.caller.send(url)
            assert answer.read() == b"hi"
            got: list[object] = []

            def read() -> None:
                try:
                    got.append(answer.read())
                except APIConnectionError as error:
                    got.append(error)

            reader = threading.Thread(target=read)
            reader.start()
            reader.join(0.05)  # so that it is blocked; closing before that works as well
            began = time.monotonic()
            answer.close()
            reader.join(5)
            assert not reader.is_alive()
            assert time.monotonic() - began < SLACK
            assert got == [b""] or isinstance(got[0], APIConnectionError)

    def test_a_late_head_runs_into_the_first_chunk(self) -> None:
        """The limit that is the earliest is named."""
        with self.serve(Plan(pause=5)) as url:
            limits = Deadlines(first_chunk=deadline(SOON, "first_chunk"), total=deadline(20))
            began = time.monotonic()
            with raises(APITimeoutError) as caught:
                self.caller.send(url, limits)
            assert SOON * 0.9 <= time.monotonic() - began < SOON + SLACK
            assert (caught.value.limit, caught.value.seconds) == ("first_chunk", SOON)

    def test_silence_in_a_body_runs_into_the_deadline_of_the_read(self) -> None:
        """Each read has a deadline of its own."""
        with self.serve(Plan(((0, b"hi"), (5, b"late")))) as url:
            answer = self.caller.send(url)
            assert answer.read() == b"hi"
            began = time.monotonic()
            with raises(APITimeoutError) as caught:
                answer.read(deadline(SOON, "idle"))
            assert SOON * 0.9 <= time.monotonic() - began < SOON + SLACK
            assert caught.value.limit == "idle"

    def test_a_cut_is_an_error_after_what_had_come(self) -> None:
        """It is never taken for the end."""
        with self.serve(Plan(end="cut")) as url:
            answer = self.caller.send(url)
            assert answer.read() == b"hi"
            with raises(APIConnectionError) as caught:
                answer.read()
            assert not isinstance(caught.value, APITimeoutError)
            assert caught.value.retryable

    def test_after_close_nothing_is_sent(self) -> None:
        """A transport may be closed twice, and then says that it is closed."""
        with self.serve(Plan()) as url:
            assert self.caller.send(url).read_all() == b"hi"
            self.caller.close_transport()
            self.caller.close_transport()
            with raises(ClientClosedError):
                self.caller.send(url)
