"""Conditions: when they are tried, how they time out, what they may do."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from invincible import _native, workflow
from invincible.exceptions import ApplicationError
from tests.support.engine import Driver, completed, failed, signal, value


@workflow.defn
class Gate:
    def __init__(self) -> None:
        self.number = 0

    @workflow.run
    async def run(self, wanted: int) -> int:
        await workflow.wait_condition(lambda: self.number >= wanted)
        return self.number

    @workflow.signal
    def add(self, number: int) -> None:
        self.number += number


def test_a_condition_that_holds_already_needs_no_event() -> None:
    assert completed(Driver(Gate, 0).start()) == 0


def test_a_condition_is_tried_after_signals() -> None:
    driver = Driver(Gate, 3)
    assert driver.start() == []
    assert driver.activate(signal("add", 2)) == []
    assert completed(driver.activate(signal("add", 1))) == 3


def test_a_condition_without_timeout_makes_no_command() -> None:
    assert Driver(Gate, 1).start() == []


def test_conditions_are_tried_in_the_order_of_their_waits() -> None:
    @workflow.defn
    async def many() -> list[int]:
        woken: list[int] = []
        ready = False

        async def wait(number: int) -> None:
            await workflow.wait_condition(lambda: ready)
            woken.append(number)

        async def release() -> None:
            nonlocal ready
            await workflow.sleep(1)
            ready = True

        await asyncio.gather(wait(1), wait(2), release(), wait(3))
        return woken

    driver = Driver(many)
    driver.start()
    assert completed(driver.activate(_native.FireTimer(seq=1))) == [1, 2, 3]


def test_a_condition_may_hold_because_of_what_another_woke() -> None:
    @workflow.defn
    async def chain() -> list[int]:
        steps: list[int] = []

        async def step(number: int) -> None:
            await workflow.wait_condition(lambda: len(steps) == number)
            steps.append(number)

        await asyncio.gather(step(2), step(1), step(0))
        return steps

    assert completed(Driver(chain).start()) == [0, 1, 2]


def test_a_condition_that_does_not_hold_in_time_raises() -> None:
    @workflow.defn
    async def waiting() -> str:
        try:
            await workflow.wait_condition(
                lambda: False,
                timeout=timedelta(minutes=1),
                timeout_summary="patience",
                event_groups=[workflow.create_event_group("waits")],
            )
        except asyncio.TimeoutError:
            await workflow.sleep(1)
            return "gave up"
        return "held"

    driver = Driver(waiting)
    (timer,) = driver.start()
    assert (timer.duration, value(timer.summary)) == (60.0, "patience")
    assert [group.id for group in timer.event_groups] == ["waits"]
    (timer,) = driver.activate(_native.FireTimer(seq=1))
    assert (timer.summary, timer.event_groups) == (None, [])
    assert completed(driver.activate(_native.FireTimer(seq=2))) == "gave up"


def test_a_condition_that_holds_in_time_cancels_its_timer() -> None:
    @workflow.defn
    class Timed(Gate):
        @workflow.run
        async def run(self, wanted: int) -> int:
            await workflow.wait_condition(lambda: self.number >= wanted, timeout=60)
            return self.number

    driver = Driver(Timed, 1)
    driver.start()
    cancel, done = driver.activate(signal("add", 1))
    assert isinstance(cancel, _native.CancelTimer)
    assert value(done.result) == 1


def test_a_timeout_that_nobody_catches_fails_the_workflow() -> None:
    @workflow.defn
    async def waiting() -> None:
        await workflow.wait_condition(lambda: False, timeout=1)

    driver = Driver(waiting)
    driver.start()
    assert failed(driver.activate(_native.FireTimer(seq=1))).info is not None


def test_what_a_condition_raises_is_raised_where_it_is_awaited() -> None:
    @workflow.defn
    async def waiting() -> str:
        def broken() -> bool:
            raise ApplicationError("broken")

        try:
            await workflow.wait_condition(broken)
        except ApplicationError as error:
            return error.message
        return "held"

    assert completed(Driver(waiting).start()) == "broken"


def test_a_wait_that_is_cancelled_is_not_tried_again() -> None:
    @workflow.defn
    async def waiting() -> list[int]:
        tried: list[int] = []

        def predicate() -> bool:
            tried.append(1)
            return False

        task = asyncio.create_task(workflow.wait_condition(predicate))
        await workflow.sleep(1)
        task.cancel()
        await workflow.sleep(1)
        before = len(tried)
        await workflow.sleep(1)
        return [before - len(tried)]

    driver = Driver(waiting)
    driver.start()
    driver.activate(_native.FireTimer(seq=1))
    driver.activate(_native.FireTimer(seq=2))
    assert completed(driver.activate(_native.FireTimer(seq=3))) == [0]


def test_queries_do_not_try_conditions() -> None:
    tried: list[int] = []

    @workflow.defn
    class Waiting:
        @workflow.run
        async def run(self) -> None:
            await workflow.wait_condition(self.try_again)

        def try_again(self) -> bool:
            tried.append(1)
            return False

        @workflow.query
        def state(self) -> str:
            return "waiting"

    driver = Driver(Waiting)
    driver.start()
    count = len(tried)
    driver.query("state")
    assert len(tried) == count


def test_a_wrong_timeout_is_refused() -> None:
    @workflow.defn
    async def waiting() -> None:
        await workflow.wait_condition(lambda: False, timeout="1")  # type: ignore[arg-type]

    with pytest.raises(TypeError, match="timeout must be a timedelta or a number of seconds, got str"):
        Driver(waiting).start()


@pytest.mark.parametrize("timeout", [0, -1, timedelta(seconds=-1)])
def test_a_deadline_that_has_passed_is_a_timeout_at_once(timeout: Any) -> None:
    @workflow.defn
    async def waiting() -> str:
        try:
            await workflow.wait_condition(lambda: False, timeout=timeout)
        except asyncio.TimeoutError:
            return "too late"
        return "held"

    assert completed(Driver(waiting).start()) == "too late"
