"""``CancelledError`` in the thread of an activity: that it arrives there once, and nowhere else."""

from __future__ import annotations

import asyncio
import gc
import pickle
import random
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import Any

import pytest

from invincible import activity
from invincible.activity._context import current
from invincible.activity._interrupt import ThreadInterrupt
from invincible.exceptions import CancelledError

LIMIT = 20.0


class Interruptible:
    """A function on a thread of its own that can be interrupted."""

    def __init__(self, function: Callable[[Interruptible], Any]) -> None:
        self.interrupt = ThreadInterrupt()
        self.running = threading.Event()
        self.go_on = threading.Event()
        self._function = function
        self._executor = ThreadPoolExecutor(1)
        self._outcome = self._executor.submit(self._run)

    def _run(self) -> Any:
        context: Any = SimpleNamespace(interrupt=self.interrupt)
        current.set(context)
        return self.interrupt.call(lambda: self._function(self))

    def outcome(self) -> Any:
        try:
            return self._outcome.result(LIMIT)
        finally:
            self._executor.shutdown()


def spin(until: Callable[[], bool] = lambda: False) -> str:
    deadline = time.monotonic() + LIMIT
    while time.monotonic() < deadline:
        if until():
            return "ended by itself"
    return "never ended"


def test_it_arrives_in_the_middle_of_the_function() -> None:
    running = Interruptible(lambda _: spin())
    running.interrupt.request()
    with pytest.raises(CancelledError, match="Cancelled"):
        running.outcome()


def test_what_was_requested_before_the_start_arrives_at_the_start() -> None:
    interrupt = ThreadInterrupt()
    interrupt.request()
    called: list[int] = []
    with pytest.raises(CancelledError):
        interrupt.call(lambda: called.append(1))
    assert not called


def test_it_arrives_once() -> None:
    caught: list[BaseException] = []

    def stubborn(running: Interruptible) -> str:
        try:
            spin()
        except CancelledError as error:
            caught.append(error)
        return spin(running.go_on.is_set)

    running = Interruptible(stubborn)
    while not caught:
        running.interrupt.request()
    running.interrupt.request()
    running.go_on.set()
    assert running.outcome() == "ended by itself"
    assert len(caught) == 1
    assert repr(caught[0]) == "CancelledError('Cancelled')"
    assert type(pickle.loads(pickle.dumps(caught[0]))) is CancelledError


def test_a_shield_keeps_it_out_until_the_outermost_ends() -> None:
    log: list[str] = []

    def careful(running: Interruptible) -> None:
        with activity.shield_thread_cancel_exception():
            with activity.shield_thread_cancel_exception():
                running.running.set()
                log.append(spin(running.go_on.is_set))
            log.append("after the inner one")
        log.append("not reached")

    running = Interruptible(careful)
    assert running.running.wait(LIMIT)
    running.interrupt.request()
    running.go_on.set()
    with pytest.raises(CancelledError):
        running.outcome()
    assert log == ["ended by itself", "after the inner one"]


def test_the_error_of_a_shielded_block_is_the_context_of_the_cancellation() -> None:
    def failing(running: Interruptible) -> None:
        with activity.shield_thread_cancel_exception():
            running.running.set()
            spin(running.go_on.is_set)
            raise LookupError("in the block")

    running = Interruptible(failing)
    assert running.running.wait(LIMIT)
    running.interrupt.request()
    running.go_on.set()
    with pytest.raises(CancelledError) as raised:
        running.outcome()
    assert repr(raised.value.__context__) == "LookupError('in the block')"


def test_a_shield_that_nothing_hits_does_nothing() -> None:
    def calm(_: Interruptible) -> str:
        with activity.shield_thread_cancel_exception():
            return "calm"

    assert Interruptible(calm).outcome() == "calm"


def test_a_shield_on_another_thread_of_the_activity_does_not_count() -> None:
    def with_helper(running: Interruptible) -> None:
        def help_out() -> None:
            with interrupt:
                running.running.set()
                running.go_on.wait(LIMIT)

        interrupt = running.interrupt
        helper = threading.Thread(target=help_out)
        helper.start()
        try:
            spin()
        finally:
            running.go_on.set()
            helper.join()

    running = Interruptible(with_helper)
    assert running.running.wait(LIMIT)
    running.interrupt.request()
    with pytest.raises(CancelledError):
        running.outcome()


async def test_a_shield_in_an_async_activity_does_nothing() -> None:
    context: Any = SimpleNamespace(interrupt=None)
    token = current.set(context)
    try:
        with activity.shield_thread_cancel_exception():
            await asyncio.sleep(0)
    finally:
        current.reset(token)


def test_a_shield_outside_of_activities_is_an_error() -> None:
    with pytest.raises(RuntimeError, match="works in activity code only"):
        activity.shield_thread_cancel_exception()


@pytest.mark.parametrize("shielded", [False, True])
def test_it_never_hits_what_the_thread_does_next(shielded: bool, request: pytest.FixtureRequest) -> None:
    """Interrupts at every moment of short functions; whatever goes on between them must go on."""
    rounds, chance = 3000, random.Random(1)
    interrupts: list[ThreadInterrupt] = []
    began = threading.Semaphore(0)
    outcomes = {"returned": 0, "cancelled": 0}

    def short() -> None:
        for _ in range(chance.randrange(60)):
            if shielded:
                with interrupts[-1]:
                    sum(range(5))
            else:
                sum(range(5))

    def work() -> str:
        for _ in range(rounds):
            interrupts.append(ThreadInterrupt())
            began.release()
            try:
                interrupts[-1].call(short)
            except CancelledError:
                outcomes["cancelled"] += 1
            else:
                outcomes["returned"] += 1
            sum(range(200))
        return "undisturbed"

    # What arrives in a callback of the garbage collector, which others have registered, is lost there.
    request.addfinalizer(gc.enable)
    gc.disable()
    # Threads take turns at almost every instruction.
    interval = sys.getswitchinterval()
    request.addfinalizer(lambda: sys.setswitchinterval(interval))
    sys.setswitchinterval(1e-6)
    deadline = time.monotonic() + LIMIT
    with ThreadPoolExecutor(1) as executor:
        # On a busy machine the requests of one pass may all come late, or all in time.
        while not all(outcomes.values()):
            assert time.monotonic() < deadline, outcomes
            before = sum(outcomes.values())
            interrupts.clear()
            outcome = executor.submit(work)
            for number in range(rounds):
                assert began.acquire(timeout=LIMIT)
                for _ in range(number % 40):
                    pass
                interrupts[number].request()
            assert outcome.result(LIMIT) == "undisturbed"
            assert sum(outcomes.values()) == before + rounds
