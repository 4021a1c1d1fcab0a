"""Steps: each helper yields its step and returns what came of it."""

from __future__ import annotations

from typing import Any

import pytest

from evoclient.steps import (
    Call,
    Drain,
    Drop,
    Flow,
    Pause,
    Send,
    Step,
    call,
    drain,
    drop,
    pause,
    send,
)
from evoclient.wire import Deadlines, Headers, Reply, Request

REQUEST = Request("GET", "https://h/", Headers())
BODY: Any = object()
REPLY = Reply(200, Headers(), BODY)
INTAKE: Any = object()
THROUGH = object()


def function() -> None:
    """Do nothing."""


CASES: list[tuple[Flow[Any], Step, object]] = [
    (send(REQUEST, Deadlines(), THROUGH), Send(REQUEST, Deadlines(), THROUGH), REPLY),
    (drain(REPLY, INTAKE), Drain(REPLY, INTAKE), None),
    (drop(REPLY), Drop(REPLY), None),
    (pause(1.5), Pause(1.5), None),
    (call(function), Call(function), "result"),
]


@pytest.mark.parametrize(("flow", "step", "result"), CASES)
def test_helpers(flow: Flow[Any], step: Step, result: object) -> None:
    """A helper yields one step and returns what the driver sends for it."""
    assert next(flow) == step
    with pytest.raises(StopIteration) as end:
        flow.send(result)
    assert end.value.value is result


@pytest.mark.parametrize(
    "flow", [send(REQUEST, Deadlines(), THROUGH), drain(REPLY, INTAKE), call(function)]
)
def test_failures_reach_the_flow(flow: Flow[Any]) -> None:
    """What a driver throws into a step comes out of the helper."""
    next(flow)
    with pytest.raises(LookupError):
        flow.throw(LookupError())
