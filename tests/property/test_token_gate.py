"""The token gate as a state machine: callers come and go, tokens expire, exchanges fail or land."""

from __future__ import annotations

import json
import math
from collections.abc import Generator
from typing import Any

import attrs
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    initialize,
    invariant,
    precondition,
    rule,
)

from evoclient.auth.key_pair import KeyPair
from evoclient.errors.tree import APIConnectionError, ClientClosedError
from evoclient.errors.verdict import Asked, status_error
from evoclient.ground import EvoClientError, Secrets
from evoclient.steps import Await, Flow, Pause, Spawn, pause
from evoclient.wire import Headers, Request, Response

LIFE = 100.0
URL = "https://iam.test/token"


@attrs.define(eq=False)
class Caller:
    """One call that wants the header with a token.

    Attributes:
        flow: What it runs.
        step: What it has asked for.
        result: What it was given, or None.
        error: What it failed with, or None.
    """

    flow: Generator[Any, Any, Headers]
    step: object = None
    result: Headers | None = None
    error: BaseException | None = None

    @property
    def is_over(self) -> bool:
        """Whether it has come to its end."""
        return self.result is not None or self.error is not None


@attrs.define(eq=False)
class Exchange:
    """One exchange under way, in the hands of whoever runs it.

    Attributes:
        flow: What it runs.
        began: When it began: a token does not live longer for a slow answer.
        is_alive: Whether its thread or loop still runs.
    """

    flow: Flow[None]
    began: float
    is_alive: bool = True


class TokenGate(RuleBasedStateMachine):
    """Drives `KeyPair.authorise` by hand, as the drivers of both colours would."""

    callers = Bundle("callers")

    def __init__(self) -> None:
        """Begin with nothing."""
        super().__init__()
        self.now = 1000.0
        self.waiting: list[Caller] = []
        self.exchanges: list[Exchange] = []
        self.issued: dict[str, float] = {}
        self.refused: set[str] = set()
        self.pair = KeyPair("planted-id", "planted-secret", token_url=URL, clock=lambda: self.now)

    @initialize()
    def nothing_is_known(self) -> None:
        """Making the pair sends nothing."""
        assert not self.pair.token_info().has_token

    def send(self, request: Request) -> Flow[tuple[Response, bytes]]:
        """Wait for the token endpoint, and give what it says."""
        assert request.url == URL
        yield from pause(1)
        token = f"token-{len(self.issued)}"
        self.issued[token] = self.now + LIFE
        body = json.dumps({"access_token": token, "expires_in": LIFE}).encode()
        return Response(200, Headers(), URL), body

    def go_on(self, caller: Caller) -> None:
        """Let a caller go as far as it can."""
        while not caller.is_over:
            try:
                caller.step = caller.flow.send(None)
            except StopIteration as end:
                caller.result = end.value
                return
            except EvoClientError as error:
                caller.error = error
                return
            if isinstance(caller.step, Spawn):
                self.begin(caller.step)
            else:
                assert isinstance(caller.step, Await)
                return

    def begin(self, step: Spawn) -> None:
        """Run an exchange up to where it waits for the token endpoint."""
        exchange = Exchange(step.flow, self.now)
        step.carried(lambda: exchange.is_alive)
        assert isinstance(next(exchange.flow), Pause)
        self.exchanges.append(exchange)

    def all_go_on(self) -> None:
        """Let all who wait look again, as they do when the future is done or time has passed."""
        for _ in range(8):  # one of them may begin, and another may have looked before
            for caller in self.waiting:
                self.go_on(caller)
        for caller in self.waiting:
            self.check(caller)
        self.waiting = [caller for caller in self.waiting if not caller.is_over]

    def check(self, caller: Caller) -> None:
        """Hold a caller to what it was promised."""
        if caller.result is None:
            return
        token = caller.result["authorization"].removeprefix("Bearer ")
        assert token in self.issued
        assert self.now < self.issued[token]
        assert token not in self.refused

    @rule(target=callers)
    def come(self) -> Caller:
        """A caller comes: it is served at once where a token is valid, or it waits."""
        info = self.pair.token_info()
        caller = Caller(self.pair.authorise(self.send, None))
        self.go_on(caller)
        assert caller.is_over == info.is_valid
        self.check(caller)
        if not caller.is_over:
            self.waiting.append(caller)
        return caller

    @rule(caller=consumes(callers))
    def leave(self, caller: Caller) -> None:
        """A caller is cancelled; the exchange that it may have begun goes on."""
        under_way = len(self.exchanges)
        caller.flow.close()
        self.waiting = [other for other in self.waiting if other is not caller]
        assert len(self.exchanges) == under_way

    def take(self) -> Exchange:
        """Take the exchange that is under way."""
        return self.exchanges.pop()

    @precondition(lambda self: self.exchanges)
    @rule()
    def land(self) -> None:
        """The token comes, and serves everybody who waits."""
        exchange = self.take()
        try:
            exchange.flow.send(None)
        except StopIteration:
            pass
        self.all_go_on()
        assert self.waiting == []
        assert self.pair.token_info().is_valid == (self.now < exchange.began + LIFE * 0.9)

    @precondition(lambda self: self.exchanges)
    @rule()
    def fail(self) -> None:
        """The exchange fails: each who waits gets an error of its own."""
        waiting = list(self.waiting)
        try:
            self.take().flow.throw(APIConnectionError("no"))
        except StopIteration:
            pass
        self.all_go_on()
        assert self.waiting == []
        errors = [caller.error for caller in waiting]
        assert all(isinstance(error, APIConnectionError) for error in errors)
        assert len({id(error) for error in errors}) == len(errors)

    @precondition(lambda self: self.exchanges)
    @rule(how=st.sampled_from(["cancelled", "closed", "gone"]))
    def abandon(self, how: str) -> None:
        """Whoever does the exchange goes away: one of those who wait begins anew."""
        exchange = self.take()
        waiting = list(self.waiting)
        if how == "gone":
            exchange.is_alive = False
        elif how == "cancelled":
            exchange.flow.close()
        else:
            try:
                exchange.flow.throw(ClientClosedError("closed"))
            except StopIteration:
                pass
        self.all_go_on()
        lost = [caller for caller in waiting if caller.error is not None]
        # The one whose client was closed, or who had begun too often by now.
        assert len(lost) <= 1
        assert len(self.exchanges) == (1 if self.waiting else 0)

    @rule(seconds=st.sampled_from([1.0, 45.0, 79.0, 85.0, 95.0, 200.0]))
    def pass_time(self, seconds: float) -> None:
        """Time goes on, and tokens grow old."""
        self.now += seconds

    @precondition(lambda self: self.pair.token_info().is_valid)
    @rule()
    def refuse(self) -> None:
        """The server refuses the newest token: it is not handed out again."""
        caller = Caller(self.pair.authorise(self.send, None))
        self.go_on(caller)
        assert caller.result is not None
        self.refused.add(caller.result["authorization"].removeprefix("Bearer "))
        error = _unauthorised()
        assert self.pair.refused(error, caller.result)
        assert not self.pair.token_info().is_valid
        # Another that was refused with the same token forgets nothing more.
        assert self.pair.refused(error, caller.result)

    @invariant()
    def one_exchange_at_a_time(self) -> None:
        """However many wait, one exchange is under way at most; and one is, where anybody waits."""
        assert len(self.exchanges) <= 1
        assert not self.waiting or self.exchanges

    @invariant()
    def nobody_sees_the_pair(self) -> None:
        """Neither the pair nor a token shows, and what is told of the token holds."""
        shown = repr(self.pair) + repr(self.pair.token_info())
        assert "planted" not in shown
        assert "token-" not in shown
        left = self.pair.token_info().expires_in
        assert left is None or (0 <= left <= LIFE and math.isfinite(left))


def _unauthorised() -> Any:
    """Return the error for a 401."""
    asked = Asked(
        method="POST",
        url="https://api.test/v1",
        provider="generic",
        secrets=Secrets(),
        wall_clock=lambda: 0.0,
    )
    return status_error(Response(401, Headers(), "https://api.test/v1"), asked)


TestTokenGate = TokenGate.TestCase
TestTokenGate.settings = settings(max_examples=40, stateful_step_count=20, deadline=None)
