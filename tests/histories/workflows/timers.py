"""Timers, and waiting for conditions."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from invincible import workflow

from .common import MINUTE, SECOND, later, marked, told


@workflow.defn
class Timers:
    """Each way to wait for a while; no time at all is no timer."""

    @workflow.run
    async def run(self) -> None:
        await workflow.sleep(0.1)
        await workflow.sleep(timedelta(milliseconds=100), summary="a nap")
        await asyncio.sleep(0.1, "result")
        await asyncio.sleep(0)
        await marked("asyncio-zero")
        await workflow.sleep(0)
        await marked("workflow-zero")
        await workflow.sleep(0.0001)
        await marked("less-than-a-millisecond")
        loop = asyncio.get_running_loop()
        called: asyncio.Queue[str] = asyncio.Queue()
        loop.call_later(0.2, called.put_nowait, "later")
        loop.call_at(loop.time() + 0.1, called.put_nowait, "at")
        loop.call_later(0, called.put_nowait, "now")
        loop.call_soon(called.put_nowait, "soon")
        loop.call_later(0.1, called.put_nowait, "never").cancel()
        for _ in range(4):
            await marked(await called.get())
        future = loop.create_future()
        future.add_done_callback(lambda done: called.put_nowait(f"callback {done.result()}"))
        loop.call_later(0.1, future.set_result, "future")
        await marked(await future)
        await marked(await called.get())


@workflow.defn
class TimersTogether:
    """Timers of the same task fire in one task, in the order of the server; those cancelled do not."""

    def __init__(self) -> None:
        self.signalled = False
        self.victims: list[asyncio.Task[None]] = []

    @workflow.signal
    def cancel(self) -> None:
        self.signalled = True
        for victim in self.victims:
            victim.cancel()

    @workflow.run
    async def run(self) -> None:
        self.victims = [
            asyncio.create_task(told("fires and is cancelled", asyncio.sleep(1.5))),
            asyncio.create_task(told("is cancelled", workflow.sleep(1000))),
        ]
        await asyncio.gather(
            *(told(f"timer {n}", asyncio.sleep(3 - n)) for n in range(3)),
            told("condition", workflow.wait_condition(lambda: self.signalled, timeout=1000)),
            told("late", workflow.wait_condition(lambda: False, timeout=2)),
            *self.victims,
        )
        at_once = asyncio.create_task(workflow.sleep(1000))
        at_once.cancel()
        await told("cancelled at once", at_once)
        begun = asyncio.create_task(workflow.sleep(1000))
        await asyncio.sleep(0)
        begun.cancel()
        await told("cancelled when begun", begun)


@workflow.defn
class Conditions:
    """Conditions: true at the start, woken by each other, and checked in the order in which they were added."""

    def __init__(self) -> None:
        self.level = 0

    @workflow.signal
    async def raise_level(self) -> None:
        self.level += 1
        await workflow.wait_condition(lambda: self.level > 3)
        await marked(f"signal sees level {self.level}")

    @workflow.run
    async def run(self) -> None:
        await workflow.wait_condition(lambda: True)
        await marked("true-at-once")
        await workflow.wait_condition(lambda: True, timeout=MINUTE, timeout_summary="never waited for")
        await marked("true-in-time")
        await told("times out", workflow.wait_condition(lambda: False, timeout=0.1, timeout_summary="too long"))
        await told("no time", workflow.wait_condition(lambda: False, timeout=0))
        await asyncio.gather(
            *(self.reaches(n, raises=n == 2) for n in (3, 2, 1)),
            *(self.reaches_in_time(n) for n in (3, 2, 1)),
            told("activity", workflow.execute_activity(later, "a", activity_id="a", start_to_close_timeout=MINUTE)),
            told("timer", asyncio.sleep(2)),
        )

    async def reaches(self, level: int, *, raises: bool) -> None:
        await workflow.wait_condition(lambda: self.level >= level)
        if raises:
            self.level += 1
        await marked(f"level {level} sees {self.level}")

    async def reaches_in_time(self, level: int) -> None:
        await workflow.wait_condition(lambda: self.level >= level, timeout=100 * SECOND)
        await marked(f"level {level} in time sees {self.level}")


@workflow.defn
class ConditionMetAsItTimesOut:
    """The task brings the time-out, and the activity, child or signal that meets the condition."""

    def __init__(self) -> None:
        self.met: set[str] = set()

    @workflow.signal
    def meet(self) -> None:
        self.met.add("signal")

    @workflow.run
    async def run(self) -> None:
        await asyncio.gather(
            told("signal", workflow.wait_condition(lambda: "signal" in self.met, timeout=2)),
            told("activity", workflow.wait_condition(lambda: "activity" in self.met, timeout=2)),
            self.after_activity(),
            told("timer", workflow.wait_condition(lambda: "timer" in self.met, timeout=2)),
            self.after_timer(),
        )

    async def after_activity(self) -> None:
        await workflow.execute_activity(later, "a", activity_id="a", start_to_close_timeout=MINUTE)
        self.met.add("activity")
        await marked("met-by-activity")

    async def after_timer(self) -> None:
        await asyncio.sleep(2)
        self.met.add("timer")
        await marked("met-by-timer")


WORKFLOWS = [Timers, TimersTogether, Conditions, ConditionMetAsItTimesOut]
