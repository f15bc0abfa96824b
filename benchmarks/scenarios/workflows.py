"""The workflows that are replayed, run and cached."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from invincible import activity, workflow


@activity.defn
async def step(number: int) -> int:
    return number


@activity.defn(name="step")
def step_in_thread(number: int) -> int:
    return number


@workflow.defn
class SequentialActivities:
    @workflow.run
    async def run(self, count: int) -> int:
        total = 0
        for number in range(count):
            total += await workflow.execute_activity(step, number, start_to_close_timeout=timedelta(seconds=30))
        return total


@workflow.defn(name="SequentialActivities")
class SequentialLocalActivities:
    @workflow.run
    async def run(self, count: int) -> int:
        total = 0
        for number in range(count):
            total += await workflow.execute_local_activity(step, number, start_to_close_timeout=timedelta(seconds=30))
        return total


@workflow.defn
class FanOut:
    @workflow.run
    async def run(self, count: int) -> int:
        steps = [
            workflow.execute_activity(step, number, start_to_close_timeout=timedelta(seconds=30))
            for number in range(count)
        ]
        return sum(await asyncio.gather(*steps))


@workflow.defn
class Timers:
    @workflow.run
    async def run(self, count: int) -> int:
        for _ in range(count):
            await asyncio.sleep(1)
        return count


@workflow.defn
class Idle:
    def __init__(self) -> None:
        self.released = False

    @workflow.run
    async def run(self) -> None:
        await workflow.wait_condition(lambda: self.released)

    @workflow.signal
    def release(self) -> None:
        self.released = True

    @workflow.query
    def waiting(self) -> bool:
        return not self.released
