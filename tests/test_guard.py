"""Locks for a few instructions, and work that one does and many wait for."""

from __future__ import annotations

import os
import subprocess
import sys
import threading

import pytest

from evoclient.guard import Abandoned, Flight, Future, Guard, SingleFlight, wake


def test_a_guard_keeps_other_threads_out() -> None:
    """While one thread is inside, another waits."""
    guard, inside = Guard(), []

    def enter() -> None:
        with guard:
            inside.append("other")

    other = threading.Thread(target=enter)
    with guard:
        other.start()
        other.join(0.05)
        inside.append("first")
    other.join(5)
    assert inside == ["first", "other"]


def test_a_guard_lets_its_own_thread_in_again() -> None:
    """What the garbage collector runs inside a guard may need the same guard."""
    guard = Guard()
    entered = []

    def enter() -> None:
        with guard, guard:
            entered.append(True)

    thread = threading.Thread(target=enter, daemon=True)
    thread.start()
    thread.join(2)
    assert entered == [True]


FORKED = """
import os, sys, threading
from evoclient.limits import Limits

limits = Limits(1)
running, waiting = limits.queue(0), limits.queue(0)
assert limits.wait(running, 0.0) == 0
assert limits.wait(waiting, 0.0) is None
held, over = threading.Event(), threading.Event()

def hold():
    with limits._guard:
        held.set()
        over.wait(10)

threading.Thread(target=hold, daemon=True).start()
held.wait(10)
child = os.fork()
if child == 0:
    slot = limits.queue(0)
    admitted = limits.wait(slot, 0.0) == 0
    limits.release(running)
    os._exit(0 if admitted and limits.running == 1 and limits.waiting == 0 else 1)
status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
over.set()
sys.exit(status)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_forked_child_finds_open_guards_and_empty_limits() -> None:
    """Neither a thread that held a lock nor one that waited exists in a forked child."""
    command = [sys.executable, "-W", "ignore", "-c", FORKED]
    assert subprocess.run(command, timeout=20, check=False).returncode == 0


def test_waking_twice() -> None:
    """A second call changes nothing and raises nothing."""
    turn: Future[None] = Future()
    wake(turn)
    wake(turn)
    assert turn.done()


def test_one_flight_at_a_time() -> None:
    """Who comes while work is under way joins it; who comes later begins anew."""
    single: SingleFlight[str] = SingleFlight()
    flight, is_ours = single.join()
    assert is_ours
    assert single.join() == (flight, False)
    flight.land("done")
    later, is_ours = single.join()
    assert is_ours
    assert later is not flight


def test_a_lost_flight_is_begun_anew() -> None:
    """Where the thread or loop that did the work is gone, the next caller does it."""
    single: SingleFlight[str] = SingleFlight()
    flight, _ = single.join()
    doers = [object()]
    flight.carried_by(lambda: bool(doers))
    looks = [flight.is_lost]
    doers.clear()
    looks.append(flight.is_lost)
    assert looks == [False, True]
    other, is_ours = single.join()
    assert is_ours
    assert other is not flight


def test_a_flight_of_the_parent_process_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    """In a forked child nobody does what the parent began."""
    flight: Flight[str] = Flight()
    assert not flight.is_lost
    monkeypatch.setattr(os, "getpid", lambda: -1)
    assert flight.is_lost


def test_a_flight_that_has_landed_is_not_lost() -> None:
    """A thread that ends after its work is done has lost nothing, however the looks fall."""
    flight: Flight[str] = Flight()

    def lands_and_ends() -> bool:
        flight.land("done")
        return False

    flight.carried_by(lands_and_ends)
    assert not flight.is_lost
    assert flight.future.result() == "done"


def test_the_first_result_counts() -> None:
    """What comes after a result, or after an error, is passed over."""
    landed: Flight[str] = Flight()
    landed.land("first")
    landed.fail(Abandoned())
    assert landed.future.result() == "first"
    failed: Flight[str] = Flight()
    failed.fail(Abandoned())
    failed.land("late")
    with pytest.raises(Abandoned):
        failed.future.result()
