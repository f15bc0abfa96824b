"""What a step takes does not depend on how much else the run waits for: counted in calls of Python functions."""

from __future__ import annotations

import asyncio
import gc
import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

import pytest

from invincible import _native, workflow
from tests.support.engine import Driver, greet, payload, signal

FEW, MANY = 10, 1000


def calls_of(step: Callable[[], object]) -> int:
    """How many Python functions a step calls, itself included."""
    calls = 0

    def count(frame: FrameType, event: str, argument: Any) -> None:
        nonlocal calls
        calls += event == "call"

    before = sys.getprofile()
    # The garbage of other runs would call back in the middle.
    gc.disable()
    sys.setprofile(count)
    try:
        step()
    finally:
        sys.setprofile(before)
        gc.enable()
    return calls


@workflow.defn
class Activities:
    @workflow.run
    async def run(self, count: int) -> None:
        await asyncio.gather(*[greet.execute(str(number)) for number in range(count)])


@workflow.defn
class LocalActivities:
    @workflow.run
    async def run(self, count: int) -> None:
        await asyncio.gather(*[greet.execute_local(str(number)) for number in range(count)])


@workflow.defn
class Timers:
    @workflow.run
    async def run(self, count: int) -> None:
        await asyncio.gather(*[asyncio.sleep(1 + number) for number in range(count)])


@workflow.defn
class Child:
    @workflow.run
    async def run(self) -> None: ...


@workflow.defn
class Children:
    @workflow.run
    async def run(self, count: int) -> None:
        starts = [workflow.start_child_workflow(Child.run, id=f"child-{number}") for number in range(count)]
        await asyncio.gather(*starts)


STEPS = [
    (Activities, _native.ResolveActivity(seq=5, result=payload("Hello"))),
    (LocalActivities, _native.ResolveActivity(seq=5, is_local=True, result=payload("Hello"))),
    (Timers, _native.FireTimer(seq=5)),
    (Children, _native.ResolveChildWorkflowExecutionStart(seq=5, run_id="run-of-child")),
]


@pytest.mark.parametrize(("program", "job"), STEPS, ids=[each.__name__ for each, _ in STEPS])
@pytest.mark.parametrize("is_replaying", [True, False])
def test_the_end_of_one_operation_takes_the_same_with_many_others(program: Any, job: Any, is_replaying: bool) -> None:
    def step(count: int) -> int:
        driver = Driver(program, count)
        assert len(driver.start(is_replaying=is_replaying, history_length=3)) == count
        return calls_of(lambda: driver.activate(job, is_replaying=is_replaying, history_length=9))

    step(FEW)  # what is only made once
    assert step(MANY) == step(FEW)


@pytest.mark.parametrize("program", [Activities, LocalActivities, Timers, Children])
def test_to_start_one_operation_takes_the_same_with_many_others(program: Any) -> None:
    def start(count: int) -> int:
        driver = Driver(program, count)
        return calls_of(lambda: driver.start(is_replaying=True, history_length=3))

    start(FEW)
    few, twice, many = start(FEW), start(2 * FEW), start(MANY)
    each = (twice - few) / FEW
    # Some of the first ones also meet what is only made once.
    assert many == pytest.approx(few + each * (MANY - FEW), rel=0.05)


@workflow.defn
class Conditions:
    def __init__(self) -> None:
        self.tried = 0
        self.reached = -1

    @workflow.run
    async def run(self, count: int) -> None:
        await asyncio.gather(*[self.wait_for(number) for number in range(count)])

    async def wait_for(self, number: int) -> None:
        await workflow.wait_condition(lambda: self.holds(number))

    def holds(self, number: int) -> bool:
        self.tried += 1
        return number <= self.reached

    @workflow.signal
    def reach(self, number: int) -> None:
        self.reached = number


def test_an_open_condition_is_tried_once_each_time_the_code_rests_and_takes_nothing_else() -> None:
    def step(count: int) -> tuple[int, int]:
        driver = Driver(Conditions, count)
        driver.start(is_replaying=True, history_length=3)
        driver.run.instance.tried = 0
        reach = signal("reach", 0)
        calls = calls_of(lambda: driver.activate(reach, is_replaying=True, history_length=9))
        return driver.run.instance.tried, calls

    step(FEW)
    (few, few_calls), (many, many_calls) = step(FEW), step(MANY)
    # All of them after the signal, and those that are left once the first has woken its task.
    assert (few, many) == (2 * FEW - 1, 2 * MANY - 1)
    # A lambda and a method for each.
    assert many_calls - few_calls == 2 * (many - few)
