"""Timers: sleeping, timeouts, and the loop's own ways to wait."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from invincible import _native, workflow
from tests.support.engine import NOW, SECOND, Driver, completed, greet, kinds, payload, value


@pytest.mark.parametrize(
    ("sleep", "seconds"),
    [
        (lambda: asyncio.sleep(1.5), 1.5),
        (lambda: workflow.sleep(1.5), 1.5),
        (lambda: workflow.sleep(timedelta(days=30)), 30 * 86400.0),
        (lambda: workflow.sleep(2), 2.0),
        (lambda: workflow.sleep(0), 0.0),
    ],
)
def test_sleep_is_a_timer(sleep: Any, seconds: float) -> None:
    @workflow.defn
    async def nap() -> str:
        await sleep()
        return "awake"

    driver = Driver(nap)
    (timer,) = driver.start()
    assert isinstance(timer, _native.StartTimer)
    assert (timer.seq, timer.duration, timer.summary) == (1, seconds, None)
    assert completed(driver.activate(_native.FireTimer(seq=1))) == "awake"


def test_asyncio_sleep_for_no_time_is_only_a_turn() -> None:
    @workflow.defn
    async def nap() -> str:
        return await asyncio.sleep(0, "awake")

    assert completed(Driver(nap).start()) == "awake"


def test_summary_and_groups_arrive_in_the_command() -> None:
    @workflow.defn
    async def nap() -> None:
        await workflow.sleep(1, summary="tired", event_groups=[workflow.create_event_group("night")])
        await workflow.sleep(2)

    driver = Driver(nap)
    (timer,) = driver.start()
    assert value(timer.summary) == "tired"
    assert [group.id for group in timer.event_groups] == ["night"]
    (timer,) = driver.activate(_native.FireTimer(seq=1))
    assert (timer.seq, timer.summary, timer.event_groups) == (2, None, [])


@pytest.mark.parametrize(
    ("duration", "error", "match"),
    [
        (-1, ValueError, "duration must not be negative, got -1"),
        (timedelta(seconds=-1), ValueError, "duration must not be negative"),
        ("1", TypeError, "duration must be a timedelta or a number of seconds, got str"),
        (True, TypeError, "duration must be a timedelta or a number of seconds, got bool"),
    ],
)
def test_wrong_durations_are_refused(duration: Any, error: type[Exception], match: str) -> None:
    @workflow.defn
    async def nap() -> None:
        await workflow.sleep(duration)

    with pytest.raises(error, match=match):
        Driver(nap).start()


def test_a_sleep_that_is_cancelled_cancels_its_timer() -> None:
    @workflow.defn
    async def restless() -> bool:
        task = asyncio.create_task(workflow.sleep(60))
        await asyncio.sleep(0)
        task.cancel()
        try:
            await task
        except asyncio.CancelledError:
            return task.cancelled()
        return False

    commands = Driver(restless).start()
    assert kinds(commands) == [_native.StartTimer, _native.CancelTimer, _native.CompleteWorkflowExecution]
    assert commands[1].seq == 1
    assert value(commands[2].result) is True


def test_a_timer_that_fires_in_the_task_that_cancels_it_does_no_harm() -> None:
    @workflow.defn
    class Restless:
        def __init__(self) -> None:
            self.done = False

        @workflow.run
        async def run(self) -> str:
            await workflow.wait_condition(lambda: self.done, timeout=10)
            return "done"

        @workflow.signal
        def finish(self) -> None:
            self.done = True

    driver = Driver(Restless)
    driver.start()
    commands = driver.activate(_native.SignalWorkflow(signal_name="finish"), _native.FireTimer(seq=1))
    assert kinds(commands) == [_native.CancelTimer, _native.CompleteWorkflowExecution]


def test_a_timer_that_nobody_started_is_nondeterminism() -> None:
    @workflow.defn
    async def nap() -> None:
        await workflow.sleep(60)

    driver = Driver(nap)
    driver.start()
    with pytest.raises(
        workflow.NondeterminismError, match="event for timer 2, but the workflow code has started no such timer"
    ):
        driver.activate(_native.FireTimer(seq=2))


def test_callbacks_later_and_at_a_time_are_timers_that_can_be_cancelled() -> None:
    @workflow.defn
    async def calling() -> list[Any]:
        loop = asyncio.get_running_loop()
        called: list[Any] = []
        loop.call_later(5, called.append, "later")
        handle = loop.call_at(loop.time() + 7, called.append, "at")
        cancelled = loop.call_later(9, called.append, "never")
        assert handle.when() == loop.time() + 7
        cancelled.cancel()
        cancelled.cancel()
        assert cancelled.cancelled()
        assert not handle.cancelled()
        await workflow.wait_condition(lambda: len(called) == 2)
        return called

    driver = Driver(calling)
    *timers, cancel = driver.start()
    assert [timer.duration for timer in timers] == [5.0, 7.0, 9.0]
    assert isinstance(cancel, _native.CancelTimer)
    assert cancel.seq == 3
    driver.activate(_native.FireTimer(seq=2))
    assert completed(driver.activate(_native.FireTimer(seq=1))) == ["at", "later"]


def test_a_time_that_has_passed_is_a_timer_of_no_time() -> None:
    @workflow.defn
    async def late() -> None:
        loop = asyncio.get_running_loop()
        loop.call_at(loop.time() - 5, print)
        await asyncio.sleep(0)

    timer, _ = Driver(late).start()
    assert timer.duration == 0.0


def test_a_callback_that_is_due_can_be_cancelled() -> None:
    @workflow.defn
    async def calling() -> list[Any]:
        called: list[Any] = []
        loop = asyncio.get_running_loop()
        handle = loop.call_soon(called.append, "cancelled")
        loop.call_soon(called.append, "soon")
        handle.cancel()
        await asyncio.sleep(0)
        return [*called, handle.cancelled()]

    assert completed(Driver(calling).start()) == ["soon", True]


def test_a_result_in_time_cancels_the_timer_of_the_timeout() -> None:
    @workflow.defn
    async def patient() -> str:
        return await asyncio.wait_for(greet.execute("Ada"), 5)

    driver = Driver(patient)
    assert set(kinds(driver.start())) == {_native.ScheduleActivity, _native.StartTimer}
    cancel, done = driver.activate(_native.ResolveActivity(seq=1, result=payload("Hello, Ada")))
    assert isinstance(cancel, _native.CancelTimer)
    assert value(done.result) == "Hello, Ada"


def test_time_is_that_of_the_activation() -> None:
    @workflow.defn
    async def clock() -> list[Any]:
        async def read() -> list[Any]:
            return [
                workflow.time(),
                workflow.time_ns(),
                workflow.now().timestamp(),
                asyncio.get_running_loop().time(),
            ]

        first = await read()
        assert workflow.now() == datetime(2023, 11, 14, 22, 13, 20, tzinfo=timezone.utc)
        await workflow.sleep(1)
        return [first, await read()]

    driver = Driver(clock)
    driver.start()
    driver.now += 90 * SECOND
    first, second = completed(driver.activate(_native.FireTimer(seq=1)))
    assert first == [1_700_000_000.0, NOW, 1_700_000_000.0, 1_700_000_000.0]
    assert second == [1_700_000_090.0, NOW + 90 * SECOND, 1_700_000_090.0, 1_700_000_090.0]


def test_time_stands_still_within_a_task() -> None:
    @workflow.defn
    async def clock() -> bool:
        first = workflow.time_ns()
        await asyncio.sleep(0)
        return first == workflow.time_ns()

    assert completed(Driver(clock).start()) is True
