"""Waiting for what others do, driven by hand, with a clock that is moved by hand."""

from __future__ import annotations

from typing import Any

import pytest

from evoclient.errors.tree import APIConnectionError, APITimeoutError, ClientClosedError
from evoclient.flights import LOOK_AGAIN, MOST_BEGINNINGS, admitted, begun, shared
from evoclient.ground import EvoClientError
from evoclient.guard import SingleFlight
from evoclient.limits import Limits
from evoclient.steps import Await, Flow, Pause, Spawn, pause
from evoclient.wire import Deadline


class Clock:
    """A clock that goes on when it is told to."""

    now = 1000.0

    def __call__(self) -> float:
        """Return the moment."""
        return self.now


def until(clock: Clock, seconds: float) -> Deadline:
    """Return a deadline some seconds from now."""
    return Deadline(clock.now + seconds, "total", seconds)


def worked(result: str = "done") -> Flow[str]:
    """Work that takes a while."""
    yield from pause(1)
    return result


def broken(error: BaseException) -> Flow[str]:
    """Work that fails after a while."""
    yield from pause(1)
    raise error


def ended(flow: Flow[Any], answer: object = None) -> Any:
    """Let a flow go on, and return its result; it must end."""
    with pytest.raises(StopIteration) as end:
        flow.send(answer)
    return end.value.value


def spawned(step: object, *, is_alive: bool = True) -> Flow[None]:
    """Do a Spawn step up to its first pause, and return what runs beside."""
    assert isinstance(step, Spawn)
    step.carried(lambda: is_alive)
    assert isinstance(next(step.flow), Pause)
    return step.flow


def test_one_works_and_all_get_the_result() -> None:
    """The work runs beside the first caller; who comes meanwhile begins nothing."""
    single: SingleFlight[str] = SingleFlight()
    first, second = (shared(single, worked, Clock(), None) for _ in range(2))
    work = spawned(next(first))
    steps = [first.send(None), next(second)]
    assert [step.seconds for step in steps if isinstance(step, Await)] == [LOOK_AGAIN] * 2
    ended(work)
    assert (ended(first), ended(second)) == ("done", "done")


def test_each_gets_an_error_of_their_own() -> None:
    """Raising changes an error, so no two callers raise the same one."""
    single: SingleFlight[str] = SingleFlight()
    failure = APIConnectionError("refused")
    first, second = (shared(single, lambda: broken(failure), Clock(), None) for _ in range(2))
    work = spawned(next(first))
    first.send(None)
    next(second)
    ended(work)
    raised = []
    for flow in (first, second):
        with pytest.raises(APIConnectionError, match="refused") as caught:
            flow.send(None)
        raised.append(caught.value)
    assert raised[0] is not raised[1]
    assert failure not in raised


def test_an_error_that_is_not_ours() -> None:
    """What a foreign work raises reaches the caller as it is."""
    flow = shared(SingleFlight(), lambda: broken(LookupError("no vault")), Clock(), None)
    work = spawned(next(flow))
    flow.send(None)
    ended(work)
    with pytest.raises(LookupError, match="no vault"):
        flow.send(None)


def test_a_caller_that_leaves_takes_nothing_along() -> None:
    """The caller that began the work is cancelled; the others get the result."""
    single: SingleFlight[str] = SingleFlight()
    first, second = (shared(single, worked, Clock(), None) for _ in range(2))
    work = spawned(next(first))
    first.send(None)
    next(second)
    first.close()
    ended(work)
    assert ended(second) == "done"


@pytest.mark.parametrize("how", ["cancelled", "client closed", "gone"])
def test_abandoned_work_is_begun_anew(how: str) -> None:
    """Where whoever did the work goes away, one of those who wait does it."""
    single: SingleFlight[str] = SingleFlight()
    first = shared(single, worked, Clock(), None)
    second = shared(single, worked, Clock(), None)
    alive = [True]
    step = next(first)
    work = spawned(step)
    assert isinstance(step, Spawn)
    step.carried(lambda: alive[0])
    first.send(None)
    next(second)
    if how == "cancelled":
        work.close()
    elif how == "gone":
        alive[0] = False
    else:
        with pytest.raises(StopIteration):
            work.throw(ClientClosedError("closed"))
    other = spawned(next(second))
    assert isinstance(second.send(None), Await)
    ended(other)
    assert ended(second) == "done"


def test_nobody_begins_for_ever() -> None:
    """Work that is abandoned again and again ends in an error that may be tried again."""
    flow = shared(SingleFlight(), worked, Clock(), None)
    step = next(flow)
    for beginning in range(MOST_BEGINNINGS):
        spawned(step, is_alive=False).close()
        if beginning + 1 < MOST_BEGINNINGS:
            step = flow.send(None)
    with pytest.raises(EvoClientError, match="abandoned") as caught:
        flow.send(None)
    assert caught.value.retryable


def test_callers_of_a_closed_client() -> None:
    """Each of them fails with its own beginning, and uses up no chance of those with a client."""
    single: SingleFlight[str] = SingleFlight()
    closed = [shared(single, worked, Clock(), None) for _ in range(MOST_BEGINNINGS + 2)]
    other = shared(single, worked, Clock(), None)
    step: object = next(closed[0])
    for waiting in (*closed[1:], other):
        next(waiting)
    for number, flow in enumerate(closed):
        work = spawned(step)
        assert isinstance(flow.send(None), Await)
        with pytest.raises(StopIteration):
            work.throw(ClientClosedError("closed"))
        with pytest.raises(ClientClosedError):
            flow.send(None)
        # Whoever is the next to look begins, and the others wait for that.
        left = closed[number + 1 :]
        step = (left[0] if left else other).send(None)
        for waiting in (*left[1:], *([other] if left else [])):
            assert isinstance(waiting.send(None), Await)
    work = spawned(step)
    assert isinstance(other.send(None), Await)
    ended(work)
    assert ended(other) == "done"


def test_work_that_cannot_be_begun() -> None:
    """Where no thread can be started, the caller fails, and the next one may try."""
    single: SingleFlight[str] = SingleFlight()
    flow = begun(single, worked)
    assert isinstance(next(flow), Spawn)
    with pytest.raises(RuntimeError, match="no thread"):
        flow.throw(RuntimeError("no thread"))
    assert single.join()[1]


def test_a_caller_waits_no_longer_than_its_time() -> None:
    """The limit is named with its length, and the work goes on for the others."""
    single: SingleFlight[str] = SingleFlight()
    clock = Clock()
    hasty = shared(single, worked, clock, until(clock, 0.3))
    patient = shared(single, worked, clock, None)
    work = spawned(next(hasty))
    assert [hasty.send(None), next(patient)] == [
        Await(single.join()[0].future, LOOK_AGAIN) for _ in range(2)
    ]
    clock.now += 0.25
    step = hasty.send(None)
    assert isinstance(step, Await)
    assert step.seconds == pytest.approx(0.05)
    clock.now += 0.05
    with pytest.raises(APITimeoutError, match=r"0\.3 s \(Timeouts\.total\)") as caught:
        hasty.send(None)
    assert (caught.value.limit, caught.value.seconds) == ("total", 0.3)
    ended(work)
    assert ended(patient) == "done"


def test_the_time_of_another_caller() -> None:
    """Where the work ends with the time of the one who began it, those with time left go on."""
    single: SingleFlight[str] = SingleFlight()
    clock = Clock()
    over = APITimeoutError("too late", limit="total", seconds=0.3)
    hasty = shared(single, lambda: broken(over), clock, until(clock, 0.3))
    patient = shared(single, worked, clock, until(clock, 9))
    work = spawned(next(hasty))
    hasty.send(None)
    next(patient)
    clock.now += 0.3
    ended(work)
    with pytest.raises(APITimeoutError):
        hasty.send(None)
    work = spawned(patient.send(None))
    patient.send(None)
    ended(work)
    assert ended(patient) == "done"


def test_a_free_slot_needs_no_step() -> None:
    """Where there is room, nobody waits."""
    limits = Limits(1)
    slot = ended(admitted(limits, 0, Clock(), None))
    assert slot.is_admitted
    assert limits.running == 1


def test_a_slot_is_awaited_until_it_is_given_back() -> None:
    """A waiter sleeps until it is woken, however long that takes, and then goes on."""
    limits = Limits(1)
    slot = ended(admitted(limits, 0, Clock(), None))
    flow = admitted(limits, 0, Clock(), None)
    step = next(flow)
    assert isinstance(step, Await)
    assert step.seconds is None
    assert not step.future.done()
    limits.release(slot)
    assert step.future.done()
    assert ended(flow).is_admitted


def test_a_rate_is_awaited_exactly() -> None:
    """A waiter sleeps for as long as the rate wants, and no shorter pieces of it."""
    limits, clock = Limits(requests_per_minute=1), Clock()
    ended(admitted(limits, 0, clock, None))
    flow = admitted(limits, 0, clock, until(clock, 100))
    step = next(flow)
    assert isinstance(step, Await)
    assert step.seconds == 60
    clock.now += 60
    assert ended(flow).is_admitted


@pytest.mark.parametrize("limits", [Limits(1), Limits(requests_per_minute=1)], ids=repr)
def test_a_waiter_whose_time_is_up_leaves_the_queue(limits: Limits) -> None:
    """It sleeps until its own end at most, raises the limit by name, and is gone."""
    clock = Clock()
    ended(admitted(limits, 0, clock, None))
    flow = admitted(limits, 0, clock, until(clock, 7))
    step = next(flow)
    assert isinstance(step, Await)
    assert step.seconds == 7
    clock.now += 7
    with pytest.raises(APITimeoutError, match="a slot of its limits") as caught:
        flow.send(None)
    assert (caught.value.limit, caught.value.seconds) == ("total", 7)
    assert limits.waiting == 0


def test_a_cancelled_waiter_leaves_the_queue() -> None:
    """Closing the flow is what a driver does for whatever cancels a call; the next one is woken."""
    limits = Limits(1)
    slot = ended(admitted(limits, 0, Clock(), None))
    flows = [admitted(limits, 0, Clock(), None) for _ in range(2)]
    for flow in flows:
        next(flow)
    flows[0].close()
    assert limits.waiting == 1
    limits.release(slot)
    assert ended(flows[1]).is_admitted
