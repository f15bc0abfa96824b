"""What the engine itself costs, in calls of Python functions: the same on every machine.

A bound that is missed by a few calls may be raised, if what they do is worth it.
"""

from __future__ import annotations

import asyncio
import gc
import sys
import weakref
from collections.abc import Callable
from types import FrameType
from typing import Any

import pytest

from invincible import _native, workflow
from invincible._engine.errors import EvictedError
from tests.support.engine import Driver, query, signal, update


@workflow.defn
class Counter:
    def __init__(self) -> None:
        self.count = 0

    @workflow.run
    async def run(self) -> None:
        await workflow.wait_condition(lambda: self.count < 0)

    @workflow.signal
    def add(self, number: int) -> None:
        self.count += number

    @workflow.update
    def set(self, number: int) -> int:
        self.count = number
        return number

    @set.validator
    def check(self, number: int) -> None:
        if number < 0:
            raise ValueError

    @workflow.query
    def current(self) -> int:
        return self.count


@workflow.defn
class Sleeper:
    @workflow.run
    async def run(self) -> None:
        for _ in range(100):
            await asyncio.sleep(1)


@workflow.defn
async def nothing() -> None:
    pass


def calls(function: Callable[[], Any]) -> int:
    """How many Python functions are called, or go on after a wait."""
    count = 0

    def profile(frame: FrameType, event: str, argument: Any) -> None:
        nonlocal count
        count += event == "call"

    # Whatever else is to be cleaned up is not.
    gc.disable()
    sys.setprofile(profile)
    try:
        function()
    finally:
        sys.setprofile(None)
        gc.enable()
    return count


def per_activation(driver: Driver, jobs: Callable[[int], list[Any]]) -> int:
    """Calls of one activation, when what is made once has been made."""
    driver.start()
    for number in range(1, 4):
        driver.activate(*jobs(number), is_replaying=True)
    given = jobs(4)
    return calls(lambda: driver.activate(*given, is_replaying=True))


def test_the_start_and_end_of_a_run() -> None:
    def run() -> None:
        driver = Driver(nothing)
        driver.start()
        driver.evict()

    run()
    assert calls(run) <= 68


def test_a_timer() -> None:
    assert per_activation(Driver(Sleeper), lambda number: [_native.FireTimer(seq=number)]) <= 50


def test_a_signal() -> None:
    assert per_activation(Driver(Counter), lambda number: [signal("add", 1)]) <= 64


def test_signals_that_come_together() -> None:
    assert per_activation(Driver(Counter), lambda number: [signal("add", 1)] * 20) <= 20 * 50


def test_an_update() -> None:
    assert per_activation(Driver(Counter), lambda number: [update("set", 1, id=str(number))]) <= 108


def test_a_query() -> None:
    assert per_activation(Driver(Counter), lambda number: [query("current")]) <= 48


@pytest.mark.parametrize("target", [Counter, Sleeper, nothing])
def test_an_evicted_run_is_gone_without_the_garbage_collector(target: Any) -> None:
    driver = Driver(target)
    driver.start(signal("add", 1))
    driver.activate(query("current"), is_replaying=True)
    driver.evict()
    Driver.open.remove(driver)
    run = weakref.ref(driver.run)
    gc.disable()
    try:
        del driver
        assert run() is None
    finally:
        gc.enable()


def test_what_is_left_of_an_evicted_run_can_do_nothing() -> None:
    loops = []

    @workflow.defn
    async def keeps_its_loop() -> None:
        loops.append(asyncio.get_running_loop())
        await asyncio.sleep(1)

    driver = Driver(keeps_its_loop)
    driver.start()
    driver.evict()
    (loop,) = loops
    sleeping = asyncio.sleep(1)
    for forbidden in (lambda: loop.call_later(1, print), lambda: loop.create_task(sleeping)):
        with pytest.raises(EvictedError):
            forbidden()
    assert loop.time() == 0
